"""A job whose answers are limited promises no more than may be paid for, whoever is there at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from botocore.exceptions import ClientError

from labeling import job_quality
from labeling_builders import answer_of
from task_builders import GOLD, NOW, a_job, a_job_with_gold, answer_and_hold, give_answer, held, work
from truthmill.labeling_jobs import outcome
from truthmill.leases import BudgetSpentError

LIMIT = 600_000


def limited(job, most):
    return msgspec.structs.replace(job, rules=msgspec.structs.replace(job.rules, max_answers=most))


@pytest.fixture
def promised(table):
    """How many answers a job has promised to pay for."""
    return lambda job: (table.get((f"COUNTS#{job.name}", "BUDGET")) or {}).get("promised", 0)


@pytest.mark.parametrize(("objects", "needed", "most"), [(40, 1, 17), (12, 3, 20)])
def test_workers_at_once_get_exactly_as_many_tasks_as_may_be_paid_for(
    tasks, jobs, promised, objects, needed, most
):
    job = limited(a_job(tasks, objects, workers=needed, shards=3), most)
    start, taken = threading.Barrier(6), []

    def label(worker):
        start.wait()
        got = held(tasks, job, worker)
        while got:
            taken.append((worker, got[0]))
            got = answer_and_hold(tasks, job, worker, got[0])

    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(label, f"worker {number}") for number in range(6)]:
            each.result()
    counters = jobs.counters(job)
    assert len(taken) == len(set(taken)) == counters.paid == promised(job) == most
    assert outcome(job, counters, NOW) == "Stopped"


def test_what_is_given_back_is_handed_out_again_and_what_lapses_too(tasks, promised):
    job = limited(a_job(tasks, 9, shards=2), 3)
    taken = {worker: held(tasks, job, worker)[0] for worker in ("ann", "ben", "cem")}
    assert held(tasks, job, "dia") == []
    tasks.release(job, "ann", taken["ann"], NOW)
    tasks.decline(job, "ben", taken["ben"], "blurred", NOW)
    assert promised(job) == 1
    assert len(held(tasks, job, "dia", count=3)) == 2
    assert len(held(tasks, job, "eva", NOW + LIMIT, count=9)) == promised(job) == 3


def test_who_comes_late_is_not_promised_what_can_not_be_paid_for(tasks, jobs, promised):
    """The lease that ran out went to somebody else, though the object would take two answers."""
    job = limited(a_job(tasks, 1, workers=2), 1)
    assert held(tasks, job, "ann") == held(tasks, job, "ben", NOW + LIMIT) == [0]
    with pytest.raises(BudgetSpentError):
        give_answer(tasks, job, "ann", 0, NOW + LIMIT)
    with pytest.raises(BudgetSpentError):
        answer_and_hold(tasks, job, "ann", 0)
    assert give_answer(tasks, job, "ben", 0, NOW + LIMIT) is False
    assert jobs.counters(job).paid == promised(job) == 1


def test_gold_tasks_and_withdrawn_answers_are_paid_for_too(tasks, jobs, promised):
    job = limited(a_job_with_gold(tasks, "limited-gold", gold_threshold=0.6, gold_withdraw=True), 23)
    badly = len(work(tasks, job, "ann", []))
    done = jobs.counters(job).labeled
    well = len(work(tasks, job, "ben", [GOLD]))
    counters = jobs.counters(job)
    assert counters.gold == badly + well
    assert promised(job) == counters.paid <= 23
    assert job_quality.withdraw(job, tasks, NOW) == done
    assert jobs.counters(job).paid == promised(job) == counters.paid
    work(tasks, job, "cem", [GOLD])
    assert jobs.counters(job).paid == promised(job) == 23


def test_a_job_made_with_a_limit_stops_there_and_says_so_and_a_limit_comes_with_the_job_only(stack, team):
    worker = team.worker()
    job = team.running_job(3, Tags=[{"Key": "truthmill:max-answers", "Value": "2"}])
    for _ in range(2):
        (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
        left = worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of() | {"next": 1})
        assert len(left["tasks"]) <= 1
    assert worker.post(f"api/jobs/{job}/tasks", {})["tasks"] == []
    described = team.wait_for(job, "Stopped")
    assert "took 2 answers, of at most 2" in described["FailureReason"]
    assert described["LabelCounters"]["TotalLabeled"] == 2
    other = team.running_job(1)
    arn = stack.sagemaker.describe_labeling_job(LabelingJobName=other)["LabelingJobArn"]
    with pytest.raises(ClientError, match="given when a labeling job is made"):
        stack.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "truthmill:max-answers", "Value": "2"}])
