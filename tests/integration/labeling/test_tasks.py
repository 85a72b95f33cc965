"""Leases and answers in the real table: the laws hold while many workers are at it at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import boto3
import cfnlint.decode.cfn_yaml
import msgspec
import pytest

from adapters.jobs import Jobs
from adapters.table import Table
from adapters.tasks import JobEndedError, Tasks
from labeling_builders import a_request
from truthmill.labeling_jobs import Counters, Job, shards_for
from truthmill.labeling_output import Submitted
from truthmill.leases import LeaseRefusedError
from truthmill.worker_answers import Answer

ROOT = Path(__file__).parents[3]
NOW = 1_700_000_000_000
LIMIT = 600_000
_names = count()


@pytest.fixture(scope="module")
def table(engine):
    """A table made from the template's own definition."""
    template = cfnlint.decode.cfn_yaml.load(str(ROOT / "labeling/template.yaml"))
    properties = template["Resources"]["Table"]["Properties"]
    client = boto3.client(
        "dynamodb",
        endpoint_url=engine,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    wanted = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client.create_table(TableName="laws", **{name: properties[name] for name in wanted})
    return Table(client, "laws")


@pytest.fixture
def tasks(table):
    return Tasks(table)


@pytest.fixture
def jobs(table):
    return Jobs(table)


def a_job(tasks, objects, workers=1, shards=None):
    """A job whose tasks are in the table."""
    path = "HumanTaskConfig.NumberOfHumanWorkersPerDataObject"
    job = Job(
        name=f"job-{next(_names)}",
        arn="arn:…",
        request=a_request(**{path: workers}),
        reference="r",
        created=NOW,
        modified=NOW,
        status="InProgress",
        objects=objects,
        shards=shards or shards_for(objects),
    )
    lines = ((f'{{"source-ref": "s3://b/{n}.png"}}', f"s3://b/{n}.png") for n in range(objects))
    assert tasks.load(job, lines, NOW) == objects
    return job


def submitted(worker, at=NOW):
    return Submitted(
        worker=worker,
        sub=worker,
        issuer="i",
        accepted=at,
        submitted=at,
        content={"boundingBox": {}},
        answer=Answer((), (10, 10)),
    )


def held(tasks, job, worker, now=NOW, count=1):
    return [each.number for each, _ in tasks.hold(job, worker, count, now)]


def give_answer(tasks, job, worker, number, now=NOW):
    return tasks.answer(job, worker, number, submitted(worker, now), "digest", now)


def test_asking_again_gives_the_same_task(tasks):
    job = a_job(tasks, 30)
    first = held(tasks, job, "ann")
    assert held(tasks, job, "ann", NOW + 1_000) == first
    assert len(held(tasks, job, "ann", count=2)) == 2
    assert held(tasks, job, "ann", NOW + 2_000)[:1] == first


def test_two_workers_hold_different_tasks(tasks):
    job = a_job(tasks, 2)
    assert sorted(held(tasks, job, "ann") + held(tasks, job, "ben")) == [0, 1]
    assert held(tasks, job, "cem") == []


def test_a_task_whose_lease_ran_out_goes_to_the_next_who_asks(tasks):
    job = a_job(tasks, 1)
    assert held(tasks, job, "ann") == [0]
    assert held(tasks, job, "ben", NOW + LIMIT - 1) == []
    assert held(tasks, job, "ben", NOW + LIMIT) == [0]
    with pytest.raises(LeaseRefusedError, match="As many workers"):
        give_answer(tasks, job, "ann", 0, NOW + LIMIT + 1)


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
    assert jobs.counters(job) == Counters(labeled=1, expired=0, answers=1)


def test_a_declined_task_goes_to_the_others_and_is_expired_once_as_many_as_needed_declined(tasks, jobs):
    job = a_job(tasks, 1, workers=2)
    for worker in ("ann", "ben"):
        assert held(tasks, job, worker) == [0]
        tasks.decline(job, worker, 0, "too dark", NOW)
        assert held(tasks, job, worker, NOW + 3_600_000) == []
    assert jobs.counters(job) == Counters(labeled=0, expired=1, answers=0)
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
        for number in (3, 11):
            give_answer(tasks, job, worker, number)
    objects = list(tasks.objects(job))
    assert [each.number for each in objects] == list(range(25))
    assert objects[7].line == '{"source-ref": "s3://b/7.png"}'
    answered = {
        each.number: sorted(answer.worker for answer in each.answers) for each in objects if each.answers
    }
    assert answered == {3: ["ann", "ben"], 11: ["ann", "ben"]}


def work_through(tasks, job, worker, start, taken):
    start.wait()
    while got := held(tasks, job, worker):
        taken.append((worker, got[0]))
        give_answer(tasks, job, worker, got[0])


@pytest.mark.parametrize(("objects", "needed", "workers"), [(60, 1, 8), (20, 3, 5)])
def test_workers_at_once_answer_every_object_as_often_as_needed_and_nobody_twice(
    tasks, jobs, objects, needed, workers
):
    job = a_job(tasks, objects, workers=needed, shards=3)
    start, taken = threading.Barrier(workers), []
    with ThreadPoolExecutor(workers) as pool:
        done = [pool.submit(work_through, tasks, job, f"worker {n}", start, taken) for n in range(workers)]
        for each in done:
            each.result()
    assert len(taken) == len(set(taken)) == objects * needed
    assert jobs.counters(job) == Counters(labeled=objects, expired=0, answers=objects * needed)
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
    job = Job(
        name=f"job-{next(_names)}", arn="a", request=a_request(), reference="r", created=NOW, modified=NOW
    )
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
    names = {status: f"job-{next(_names)}" for status in ("InProgress", "Completed", "Failed")}
    for status, name in names.items():
        job = Job(name=name, arn="a", request=a_request(), reference="r", created=NOW, modified=NOW)
        jobs.create(msgspec.structs.replace(job, status=status, announced=status == "Completed"))
    active = {job.name for job in jobs.active()}
    assert {names["InProgress"], names["Failed"]} <= active
    assert names["Completed"] not in active
