"""Leases and answers in the real table: the laws hold while many workers are at it at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from adapters.stored_tasks import task_key
from adapters.tasks import JobEndedError
from labeling import job_quality
from labeling_builders import a_request
from task_builders import (
    GOLD,
    NOW,
    a_job,
    a_job_with_gold,
    a_name,
    answer_and_hold,
    give_answer,
    held,
    submitted,
    work,
)
from truthmill.boxes import Box
from truthmill.gold import GoldResult
from truthmill.labeling_jobs import Counters, Job, enough
from truthmill.leases import LeaseRefusedError
from truthmill.quality_rules import QualityRules
from truthmill.worker_answers import Answer, AnswerError

LIMIT = 600_000
SLOW = 150_000  # a quarter of it


def test_asking_again_gives_the_same_task(tasks):
    job = a_job(tasks, 30)
    first = held(tasks, job, "ann")
    assert held(tasks, job, "ann", NOW + 1_000) == first
    assert len(held(tasks, job, "ann", count=2)) == 2
    assert held(tasks, job, "ann", NOW + 2_000)[:1] == first


def test_few_requests_make_up_a_workers_first_two_tasks_and_fewer_tell_of_them_again(tasks, table):
    """The desk, the queue, two objects together, a lease each; then the desk and what is on it."""
    job, asked = a_job(tasks, 30, shards=1), []
    table.client.meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    assert len(held(tasks, job, "ann", count=2)) == 2
    assert asked == ["GetItem", "Query", "BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    asked.clear()
    assert len(held(tasks, job, "ann", count=2)) == 2
    assert asked == ["GetItem", "BatchGetItem"]


def test_more_than_a_hundred_items_are_read_in_the_order_asked_for(tasks, table):
    job = a_job(tasks, 150)
    wanted = [*range(149, -1, -1), 150]
    found = table.get_all(*(task_key(job, number) for number in wanted))
    assert [item["number"] if item else None for item in found] == [*range(149, -1, -1), None]
    assert table.get_all() == ()


def test_a_worker_never_holds_an_object_twice_though_it_waits_for_others_too(tasks):
    """With two workers an object it stays in its queue when the first has it."""
    for _ in range(5):
        job = a_job(tasks, 6, workers=2, shards=1)
        assert sorted(held(tasks, job, "ann", count=6)) == [0, 1, 2, 3, 4, 5]


def test_two_workers_hold_different_tasks(tasks):
    job = a_job(tasks, 2)
    assert sorted(held(tasks, job, "ann") + held(tasks, job, "ben")) == [0, 1]
    assert held(tasks, job, "cem") == []


def test_a_task_whose_lease_ran_out_goes_to_the_next_who_asks(tasks):
    job = a_job(tasks, 1)
    assert held(tasks, job, "ann") == [0]
    assert held(tasks, job, "ben", NOW + SLOW - 1) == []
    assert held(tasks, job, "ben", NOW + LIMIT) == [0]
    with pytest.raises(LeaseRefusedError, match="As many workers"):
        give_answer(tasks, job, "ann", 0, NOW + LIMIT + 1)


def test_near_the_end_what_somebody_holds_for_long_goes_to_one_more_and_the_first_answer_counts(tasks, jobs):
    job = a_job(tasks, 3, shards=2)
    taken = {worker: held(tasks, job, worker)[0] for worker in ("ann", "ben", "cem")}
    assert sorted(taken.values()) == [0, 1, 2]
    give_answer(tasks, job, "cem", taken["cem"])
    assert held(tasks, job, "cem", NOW + SLOW - 1) == []
    (again,) = held(tasks, job, "cem", NOW + SLOW)
    slow = next(worker for worker, number in taken.items() if number == again)
    assert held(tasks, job, "dee", NOW + SLOW) == sorted({0, 1, 2} - {again, taken["cem"]})  # not a third one
    assert held(tasks, job, "eve", NOW + SLOW) == []
    give_answer(tasks, job, "cem", again, NOW + SLOW + 1)
    with pytest.raises(LeaseRefusedError, match="others were faster"):
        give_answer(tasks, job, slow, again, NOW + SLOW + 2)
    assert held(tasks, job, slow, NOW + SLOW + 3) == []
    assert jobs.counters(job) == Counters(labeled=2, answers=2, last=NOW + SLOW + 1)


def test_an_object_whose_workers_disagree_gets_one_more_and_one_whose_workers_agree_does_not(tasks, jobs):
    rules = QualityRules(max_workers=3, agreement=0.9)
    job = msgspec.structs.replace(a_job(tasks, 2, workers=2, shards=1), rules=rules, labels=("cat", "dog"))
    box, other = Box(0, 10, 10, 40, 40), Box(0, 100, 50, 40, 40)
    for number, drawn in ((0, [box]), (1, [box, other])):
        for worker, boxes in (("ann", [box]), ("ben", drawn)):
            assert number in held(tasks, job, worker, count=2)
            tasks.answer(job, worker, number, submitted(worker, boxes=boxes), "digest", NOW)
    assert tasks.get(job, 0).task.state == "labeled"
    assert jobs.counters(job) == Counters(labeled=2, answers=4, extra=1, last=NOW)
    assert enough(job, jobs.counters(job), NOW + 1) == ""
    assert enough(job, jobs.counters(job), NOW + LIMIT + 1) == "Completed"  # where nobody else comes
    assert held(tasks, job, "ann") == []
    assert held(tasks, job, "cem") == [1]
    assert tasks.answer(job, "cem", 1, submitted("cem", boxes=[box]), "digest", NOW + 1)
    assert jobs.counters(job) == Counters(labeled=2, answers=5, extra=0, last=NOW + 1)
    assert enough(job, jobs.counters(job), NOW + 1) == "Completed"


def test_gold_tasks_are_mixed_in_and_count_as_nothing(tasks, jobs):
    job = a_job_with_gold(tasks, "gold-mixed-in")
    gold = work(tasks, job, "ann", [GOLD])
    assert 3 <= len(gold) == len(set(gold)) <= 10
    assert jobs.counters(job) == Counters(labeled=20, answers=20, last=NOW)
    assert [each.number for each in tasks.objects(job)] == list(range(20))
    assert tasks.desk("ann", job.name).gold_result == GoldResult(len(gold), len(gold), len(gold), len(gold))
    assert {answer.worker for answer, _ in tasks.gold.answers(job)} == {"ann"}


def test_a_gold_task_is_held_answered_and_replayed_like_any_other(tasks):
    job = a_job_with_gold(tasks, "gold-replayed", gold_feedback=True)
    number = next(number for number in iter(lambda: next_of(tasks, job, "ann"), None) if job.is_gold(number))
    assert held(tasks, job, "ann", NOW + 1) == [number]
    assert tasks.extend(job, "ann", number, NOW + 5).until == NOW + 5 + LIMIT
    given = tasks.answer_gold(job, "ann", number, submitted("ann", boxes=[GOLD]), "digest", NOW + 6)
    assert (given.known, given.result.score, given.again) == ((GOLD,), 1.0, False)
    assert tasks.answer_gold(job, "ann", number, submitted("ann", boxes=[GOLD]), "digest", NOW + 7).again
    with pytest.raises(LeaseRefusedError, match="answered this object already"):
        tasks.answer_gold(job, "ann", number, submitted("ann"), "other", NOW + 8)
    assert tasks.desk("ann", job.name).gold_result.tasks == 1
    with pytest.raises(LeaseRefusedError, match="wasn't handed out"):
        tasks.answer_gold(job, "ben", number, submitted("ben"), "digest", NOW)


def next_of(tasks, job, worker):
    """The number of the worker's next task; what isn't gold is answered at once."""
    (number,) = held(tasks, job, worker)
    if not job.is_gold(number):
        tasks.answer(job, worker, number, submitted(worker), "digest", NOW)
    return number


def test_who_does_badly_on_gold_gets_no_more_and_what_they_did_is_asked_again(tasks, jobs):
    job = a_job_with_gold(tasks, "gold-withdrawn", gold_threshold=0.6, gold_withdraw=True)
    assert len(work(tasks, job, "ann", [])) == 3
    done = jobs.counters(job).labeled
    assert 0 < done < 20
    assert work(tasks, job, "ben", [GOLD])
    assert jobs.counters(job).labeled == 20
    assert job_quality.withdraw(job, tasks, NOW + 1) == done
    assert job_quality.withdraw(job, tasks, NOW + 2) == 0
    assert jobs.counters(job) == Counters(labeled=20 - done, answers=20 - done, withdrawn=done, last=NOW + 1)
    assert held(tasks, job, "ann", NOW + 3) == []
    work(tasks, job, "cem", [GOLD], NOW + 3)
    assert jobs.counters(job).labeled == 20
    assert all({answer.worker for answer in each.answers} <= {"ben", "cem"} for each in tasks.objects(job))
    told = job_quality.report(job, job_quality.learned(job, tasks), jobs.counters(job))
    worst = told["workers"][0]
    assert (worst["workerId"], worst["goldTasks"], worst["goldScore"]) == ("ann", 3, 0.0)
    assert worst["belowThreshold"]


def test_who_comes_back_after_the_lease_ran_out_gets_the_same_task_again(tasks):
    job = a_job(tasks, 40)
    first = held(tasks, job, "ann")
    assert held(tasks, job, "ann", NOW + 2 * LIMIT) == first


def test_more_time_is_the_whole_time_from_now_on(tasks):
    job = a_job(tasks, 1)
    held(tasks, job, "ann")
    assert tasks.extend(job, "ann", 0, NOW + 500_000).until == NOW + 500_000 + LIMIT
    assert held(tasks, job, "ben", NOW + LIMIT + 1) == []


def test_the_same_answer_twice_counts_once_and_another_one_is_refused(tasks, jobs):
    job = a_job(tasks, 2)
    (number,) = held(tasks, job, "ann")
    assert give_answer(tasks, job, "ann", number)
    assert not give_answer(tasks, job, "ann", number)
    with pytest.raises(LeaseRefusedError, match="answered this object already"):
        tasks.answer(job, "ann", number, submitted("ann"), "other digest", NOW)
    assert jobs.counters(job) == Counters(labeled=1, expired=0, answers=1, last=NOW)


def test_a_declined_task_goes_to_the_others_and_is_expired_once_as_many_as_needed_declined(tasks, jobs):
    job = a_job(tasks, 1, workers=2)
    for worker in ("ann", "ben"):
        assert held(tasks, job, worker) == [0]
        tasks.decline(job, worker, 0, "too dark", NOW)
        assert held(tasks, job, worker, NOW + 3_600_000) == []
    assert jobs.counters(job) == Counters(labeled=0, expired=1, answers=0, last=NOW)
    assert held(tasks, job, "cem", NOW + 3_600_000) == []


def test_a_released_task_goes_to_the_others(tasks):
    job = a_job(tasks, 1)
    held(tasks, job, "ann")
    tasks.release(job, "ann", 0, NOW + 1_000)
    assert held(tasks, job, "ben", NOW + 2_000) == [0]


def test_a_closed_job_takes_no_answer(tasks, jobs):
    job = a_job(tasks, 1)
    held(tasks, job, "ann")
    jobs.close(job)
    with pytest.raises(JobEndedError):
        give_answer(tasks, job, "ann", 0)
    assert jobs.counters(job) == Counters()


def test_an_object_that_is_not_there_is_refused(tasks):
    job = a_job(tasks, 1)
    with pytest.raises(LeaseRefusedError, match="no such object"):
        give_answer(tasks, job, "ann", 1)


def test_all_objects_come_out_in_the_manifests_order_with_their_answers(tasks):
    job = a_job(tasks, 25, workers=2, shards=4)
    for worker in ("ann", "ben"):
        while numbers := [number for number in held(tasks, job, worker, count=2) if number != 7]:
            give_answer(tasks, job, worker, numbers[0])
    objects = list(tasks.objects(job))
    assert [each.number for each in objects] == list(range(25))
    assert objects[7].line == '{"source-ref": "s3://b/7.png"}'
    answered = {each.number: sorted(answer.worker for answer in each.answers) for each in objects}
    assert answered == {number: ["ann", "ben"] if number != 7 else [] for number in range(25)}


def test_an_answer_and_the_next_lease_are_written_together(tasks, table, jobs):
    job, asked = a_job(tasks, 30, shards=1), []
    (number,) = held(tasks, job, "ann")
    found = tasks.with_desk(job, number, "ann")
    table.client.meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    (following,) = answer_and_hold(tasks, job, "ann", number, found=found)
    assert asked == ["Query", "BatchGetItem", "TransactWriteItems"]
    assert following != number
    assert jobs.counters(job).answers == tasks.desk("ann", job.name).answered == 1
    assert answer_and_hold(tasks, job, "ann", number, found=found) == [following]  # sent again
    assert jobs.counters(job).answers == tasks.desk("ann", job.name).answered == 1


def test_queues_that_are_empty_are_not_asked_at_every_answer(tasks, table):
    """Whose own queue is empty goes on where they last found something."""
    job, asked = a_job(tasks, 64, shards=8), []
    (number,) = held(tasks, job, "ann")
    table.client.meta.events.register("before-call.dynamodb.Query", lambda **_: asked.append("Query"))
    for _ in range(63):
        (number,) = answer_and_hold(tasks, job, "ann", number)
    assert len(asked) <= 63 + 3 * 7  # a page of what is left, and beyond, of each queue that she leaves


@pytest.mark.parametrize("meanwhile", ["ann", "ben"])
def test_what_somebody_takes_between_reading_and_writing_loses_no_answer_and_is_given_to_one(
    tasks, jobs, meanwhile
):
    """meanwhile: who gets the only other object, just before the answer is written."""
    job = a_job(tasks, 2, shards=1)
    (number,) = held(tasks, job, "ann")

    def read():
        assert len(held(tasks, job, meanwhile, count=2)) == (2 if meanwhile == "ann" else 1)
        return Answer((), (200, 100))

    hers = [1 - number] if meanwhile == "ann" else []
    assert answer_and_hold(tasks, job, "ann", number, read=read) == hers
    assert jobs.counters(job) == Counters(labeled=1, answers=1, last=NOW)
    assert list(tasks.get(job, 1 - number).task.leases) == [meanwhile]


def test_an_answer_that_is_refused_takes_no_next_task_and_changes_nothing(tasks, jobs):
    job = a_job(tasks, 3, shards=1)
    (number,) = held(tasks, job, "ann")

    def read():
        raise AnswerError("no box")

    with pytest.raises(AnswerError):
        answer_and_hold(tasks, job, "ann", number, read=read)
    with pytest.raises(LeaseRefusedError, match="wasn't handed out"):
        answer_and_hold(tasks, job, "ann", (number + 1) % 3)
    assert [each.number for each in tasks.desk("ann", job.name).held] == [number]
    jobs.close(job)
    with pytest.raises(JobEndedError):
        answer_and_hold(tasks, job, "ann", number)
    assert [each.number for each in tasks.desk("ann", job.name).held] == [number]
    assert jobs.counters(job).answers == 0


def work_through(tasks, job, worker, start, taken):
    start.wait()
    while got := held(tasks, job, worker):
        taken.append((worker, got[0]))
        give_answer(tasks, job, worker, got[0])


def work_through_with_the_next(tasks, job, worker, start, taken):
    start.wait()
    while got := held(tasks, job, worker):
        while got:
            taken.append((worker, got[0]))
            got = answer_and_hold(tasks, job, worker, got[0])


@pytest.mark.parametrize("work_through", [work_through, work_through_with_the_next])
@pytest.mark.parametrize(("objects", "needed", "workers"), [(60, 1, 8), (20, 3, 5)])
def test_workers_at_once_answer_every_object_as_often_as_needed_and_nobody_twice(
    tasks, jobs, objects, needed, workers, work_through
):
    job = a_job(tasks, objects, workers=needed, shards=3)
    start, taken = threading.Barrier(workers), []
    with ThreadPoolExecutor(workers) as pool:
        done = [pool.submit(work_through, tasks, job, f"worker {n}", start, taken) for n in range(workers)]
        for each in done:
            each.result()
    assert len(taken) == len(set(taken)) == objects * needed
    assert jobs.counters(job) == Counters(labeled=objects, answers=objects * needed, last=NOW)
    for each in tasks.objects(job):
        assert len({answer.worker for answer in each.answers}) == len(each.answers) == needed


def test_one_worker_who_asks_many_times_at_once_holds_one_task(tasks):
    job = a_job(tasks, 50, shards=4)
    start = threading.Barrier(6)

    def ask():
        start.wait()
        return held(tasks, job, "ann")

    with ThreadPoolExecutor(6) as pool:
        answers = [each.result() for each in [pool.submit(ask) for _ in range(6)]]
    assert {tuple(answer) for answer in answers} == {tuple(held(tasks, job, "ann"))}
    assert sum(bool(each) for each in leases_of(tasks, job)) == 1


def leases_of(tasks, job):
    return [tasks.get(job, number).task.leases for number in range(job.objects)]


def test_the_same_answer_sent_many_times_at_once_counts_once(tasks, jobs):
    job = a_job(tasks, 3)
    (number,) = held(tasks, job, "ann")
    start = threading.Barrier(6)

    def send():
        start.wait()
        return give_answer(tasks, job, "ann", number)

    with ThreadPoolExecutor(6) as pool:
        completed = [each.result() for each in [pool.submit(send) for _ in range(6)]]
    assert sum(completed) == 1
    assert jobs.counters(job).answers == 1


def test_a_job_is_changed_by_one_at_a_time(jobs):
    job = Job(name=a_name(), arn="a", request=a_request(), reference="r", created=NOW, modified=NOW)
    assert jobs.create(job)
    assert not jobs.create(job)
    start = threading.Barrier(5)

    def claim():
        read = jobs.get(job.name)
        start.wait()
        return jobs.claim(read, NOW, NOW + 1)

    with ThreadPoolExecutor(5) as pool:
        claimed = [each.result() for each in [pool.submit(claim) for _ in range(5)]]
    assert sum(each is not None for each in claimed) == 1
    assert jobs.get(job.name) == msgspec.structs.replace(job, claim=NOW + 1, revision=1)


def test_only_jobs_that_are_not_over_are_active(jobs):
    names = {status: a_name() for status in ("InProgress", "Completed", "Failed")}
    for status, name in names.items():
        job = Job(name=name, arn="a", request=a_request(), reference="r", created=NOW, modified=NOW)
        jobs.create(msgspec.structs.replace(job, status=status, announced=status == "Completed"))
    active = {job.name for job in jobs.active()}
    assert {names["InProgress"], names["Failed"]} <= active
    assert names["Completed"] not in active
