"""Waiting for labeling jobs: the token is answered once the job has ended, by whoever comes first."""

import json
import time
from pathlib import Path

import pytest

from adapters.storage import storage
from builders import archive, picture
from pipeline import await_labels, resume_execution, stop_labeling_jobs, sweep
from truthmill.errors import LabelingError

EVENT = json.loads((Path(__file__).parents[2] / "events/labeling-job-completed.json").read_text())

ROLE = "arn:aws:iam::123456789012:role/role"


@pytest.fixture
def jobs(cloud):
    """Three jobs in progress, for each an execution that waits for its token (by way of a queue)."""
    for name in ("one", "two", "three"):
        configurations = {part: {} for part in ("InputConfig", "OutputConfig", "HumanTaskConfig")}
        cloud.labeling.create(name, {"LabelingJobName": name, "RoleArn": ROLE, **configurations})
    return cloud


def waits(cloud, name="w"):
    """An execution that waits, and its task token."""
    queue = cloud.sqs.create_queue(QueueName=f"tokens-{name}")["QueueUrl"]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    definition = json.dumps({"StartAt": "Await", "States": {"Await": state}})
    machine = cloud.stepfunctions.create_state_machine(
        name=f"waits-{name}", definition=definition, roleArn=ROLE
    )
    started = cloud.stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"], name=name)
    cloud.executions.append(started["executionArn"])
    (message,) = cloud.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    return started["executionArn"], json.loads(message["Body"])["token"]


def output(cloud, execution):
    """What the execution went on with. Step Functions answers the token before the execution has ended."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = cloud.stepfunctions.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            assert found["status"] == "SUCCEEDED"
            return json.loads(found["output"])
        time.sleep(0.02)
    raise AssertionError("nobody answered")


def status(cloud, execution):
    return cloud.stepfunctions.describe_execution(executionArn=execution)["status"]


def waiting_for(name, token):
    """As the state machine calls AwaitLabels."""
    run = {"bucket": "truthmill-test", "dataset": "pets", "run": "r", "execution": "arn"}
    return {"run": run, "name": name, "token": token}


def ended_event(name):
    return {**EVENT, "resources": [f"arn:aws:sagemaker:us-east-1:123456789012:labeling-job/{name}"]}


def test_a_job_that_has_ended_already_is_answered_at_once(jobs):
    execution, token = waits(jobs)
    jobs.labeling.end("one", "Completed", "s3://b/k")
    assert await_labels.handler(waiting_for("one", token), None) == {"answered": True}
    assert output(jobs, execution) == {"name": "one", "status": "Completed", "reason": ""}
    assert jobs.keys("tokens/") == []


def test_the_event_answers_who_waits(jobs):
    execution, token = waits(jobs)
    assert await_labels.handler(waiting_for("one", token), None) == {"answered": False}
    assert status(jobs, execution) == "RUNNING"
    jobs.labeling.end("one", "Failed", "s3://b/k", "The role may not read.")
    answer = resume_execution.handler(ended_event("one"), None)
    assert answer == {"jobs": [{"name": "one", "answered": True}]}
    assert output(jobs, execution) == {"name": "one", "status": "Failed", "reason": "The role may not read."}
    assert jobs.keys("tokens/") == []


def test_a_job_that_ends_while_the_token_is_stored_is_not_missed(jobs):
    """The job ends between the token's write and the question; the event finds the token first."""
    execution, token = waits(jobs)
    events = []

    def end_now(name):
        jobs.labeling.on_describe = lambda _name: None
        jobs.labeling.end(name, "Completed", "s3://b/k")
        events.append(resume_execution.resume(name, storage()))

    jobs.labeling.on_describe = end_now
    await_labels.handler(waiting_for("one", token), None)
    assert events == [{"name": "one", "answered": True}]
    assert output(jobs, execution)["status"] == "Completed"
    assert jobs.keys("tokens/") == []


def test_an_event_about_a_job_that_nobody_waits_for_changes_nothing(jobs):
    jobs.labeling.end("one", "Completed", "s3://b/k")
    assert resume_execution.handler(ended_event("one"), None)["jobs"] == [{"name": "one", "answered": False}]
    assert resume_execution.handler(ended_event("never"), None)["jobs"][0]["answered"] is False


@pytest.mark.parametrize(
    "resource",
    ["", "nonsense", "a/", "..", "a%2Fb", "über *?[]{}", "a\nb", "\x00", "x" * 2_000, "a//b", "arn:x/é"],
)
def test_an_event_with_a_strange_resource_is_about_nobody(jobs, resource):
    """Whoever may put events may put any; a failing function would have them again for a day."""
    _, token = waits(jobs)
    await_labels.handler(waiting_for("one", token), None)
    (answer,) = resume_execution.handler({**EVENT, "resources": [resource]}, None)["jobs"]
    assert answer["answered"] is False
    assert jobs.keys("tokens/") == ["tokens/one.json"]


def test_an_event_that_comes_twice_answers_once(jobs):
    execution, token = waits(jobs)
    await_labels.handler(waiting_for("one", token), None)
    jobs.labeling.end("one", "Completed", "s3://b/k")
    answers = [resume_execution.handler(ended_event("one"), None)["jobs"][0]["answered"] for _ in range(2)]
    assert answers == [True, False]
    assert output(jobs, execution)["status"] == "Completed"


def test_the_sweep_does_what_a_lost_event_should_have_done(jobs):
    waiting = {name: waits(jobs, name) for name in ("one", "two")}
    for name, (_, token) in waiting.items():
        await_labels.handler(waiting_for(name, token), None)
    jobs.labeling.end("two", "Stopped", "s3://b/k")
    assert sweep.handler({}, None)["counts"] == {
        "waiting": 2,
        "answered": 1,
        "stalled": 0,
        "stopped": 0,
        "unknown": 0,
    }
    assert output(jobs, waiting["two"][0])["status"] == "Stopped"
    assert status(jobs, waiting["one"][0]) == "RUNNING"
    assert jobs.keys("tokens/") == ["tokens/one.json"]


def test_a_job_that_cannot_be_described_keeps_no_other_from_its_answer(jobs):
    execution, token = waits(jobs)
    await_labels.handler(waiting_for("two", token), None)
    jobs.put("tokens/a-job-that-is-gone.json", b'{"token": "t"}')
    jobs.put("tokens/not-json.json", b"{")
    jobs.labeling.end("two", "Completed", "s3://b/k")
    assert sweep.handler({}, None)["counts"] == {
        "waiting": 3,
        "answered": 1,
        "stalled": 0,
        "stopped": 0,
        "unknown": 2,
    }
    assert output(jobs, execution)["name"] == "two"


def test_a_token_that_nobody_waits_with_is_forgotten(jobs):
    jobs.put("tokens/one.json", b'{"token": "of an execution that was stopped"}')
    jobs.labeling.end("one", "Completed", "s3://b/k")
    sweep.handler({}, None)
    assert jobs.keys("tokens/") == []


def test_a_token_that_replaces_another_meanwhile_is_answered_too(jobs):
    """The sweep has read the old token when AwaitLabels goes round and stores a new one."""
    execution, token = waits(jobs)
    jobs.put("tokens/one.json", b'{"token": "timed out"}')
    jobs.labeling.end("one", "Completed", "s3://b/k")

    def go_round(_name):
        jobs.put("tokens/one.json", json.dumps({"token": token}).encode())

    jobs.labeling.on_describe = go_round
    sweep.handler({}, None)
    assert output(jobs, execution)["status"] == "Completed"
    assert jobs.keys("tokens/") == []


@pytest.fixture
def under_way(cloud):
    """A run that waits for its one job, of five pictures."""
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(5)}))
    run = cloud.start("incoming/pets.zip").to_jobs()
    (job,) = run.jobs
    _, token = waits(cloud)
    await_labels.handler({"run": run.run, "name": job["name"], "token": token}, None)
    return run, job["name"]


def test_the_sweep_writes_down_how_far_workers_are(cloud, under_way):
    run, job = under_way
    for hour, labeled in enumerate((0, 1, 2)):
        cloud.labeling.jobs[job]["LabelCounters"] = {"TotalLabeled": labeled, "Unlabeled": 5 - labeled}
        sweep.sweep(storage(), hour * 3_600)
    found = run.run_json["progress"][job]
    assert (found["labeled"], found["left"], found["stalled"]) == (2, 3, False)


def test_a_job_that_stands_still_is_reported_once(cloud, under_way):
    run, job = under_way
    cloud.labeling.jobs[job]["LabelCounters"] = {"TotalLabeled": 2, "Unlabeled": 3}
    counts = [sweep.sweep(storage(), hour * 3_600)["counts"]["stalled"] for hour in range(0, 60, 5)]
    assert sum(counts) == 1
    (message,) = cloud.messages()
    assert message["Subject"] == "Labeling of pets stands still"
    assert "2 pictures are labeled, 3 are left" in message["Message"]
    assert run.run_json["progress"][job]["stalled"]


def test_the_progress_of_a_job_that_has_ended_is_told_by_its_counts(cloud, under_way):
    run, job = under_way
    sweep.sweep(storage(), 0)
    assert job in run.run_json["progress"]
    cloud.label(job)
    run.build()
    assert run.run_json["progress"] == {}


STOPPED = json.loads((Path(__file__).parents[2] / "events/execution-aborted.json").read_text())


def aborted(run):
    return {**STOPPED, "detail": {**STOPPED["detail"], "executionArn": run.arn}}


def test_stopping_an_execution_stops_its_jobs(cloud, under_way):
    run, job = under_way
    run.end()
    assert stop_labeling_jobs.handler(aborted(run), None) == {"stopped": [job]}
    assert cloud.labeling.jobs[job]["LabelingJobStatus"] == "Stopping"
    assert cloud.keys("tokens/") == []
    assert stop_labeling_jobs.handler(aborted(run), None) == {"stopped": []}


def test_a_job_of_a_run_that_another_execution_has_taken_over_goes_on(cloud, under_way):
    first, job = under_way
    first.end()
    cloud.start("incoming/pets.zip").to_jobs()
    assert stop_labeling_jobs.handler(aborted(first), None) == {"stopped": []}
    assert cloud.labeling.jobs[job]["LabelingJobStatus"] == "InProgress"


@pytest.mark.usefixtures("cloud")
def test_an_execution_that_had_no_run_has_nothing_to_stop():
    assert stop_labeling_jobs.handler(STOPPED, None) == {"stopped": []}


def test_a_run_that_starts_again_while_its_job_is_being_stopped_asks_for_the_rest(cloud, under_way):
    """It waits for the job's end, keeps what is labeled, and has a second job for what isn't."""
    first, job = under_way
    first.end()
    stop_labeling_jobs.handler(aborted(first), None)
    again = cloud.start("incoming/pets.zip").to_jobs()
    assert [made["name"] for made in again.jobs] == [job]
    cloud.label(job, status="Stopped", without=("-1.jpg", "-2.jpg"))
    (rest,) = again.keep()
    assert rest["objects"] == 2
    again.create_jobs()
    cloud.label(rest["name"])
    again.build()
    assert again.counts["labeled"] == 5


def test_the_sweep_stops_the_jobs_of_an_execution_whose_end_no_event_told_of(cloud, under_way):
    """The event of its end got lost: a quarter of an hour, and nobody labels for nobody."""
    run, job = under_way
    assert sweep.sweep(storage(), 0)["counts"]["stopped"] == 0
    run.end()
    counts = sweep.sweep(storage(), 900)["counts"]
    assert counts == {"waiting": 1, "answered": 0, "stalled": 0, "stopped": 1, "unknown": 0}
    assert cloud.labeling.jobs[job]["LabelingJobStatus"] == "Stopping"
    assert cloud.keys("tokens/") == []


def test_the_sweep_leaves_a_job_alone_that_another_execution_waits_for(cloud, under_way):
    first, job = under_way
    first.end()
    cloud.start("incoming/pets.zip").to_jobs()
    assert sweep.sweep(storage(), 0)["counts"]["stopped"] == 0
    assert cloud.labeling.jobs[job]["LabelingJobStatus"] == "InProgress"


def test_a_job_that_is_made_while_its_execution_is_stopped_is_stopped_by_the_sweep(cloud):
    """The event comes while CreateLabelingJob is at it: no job is noted yet, and nobody will wait for one."""
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(5)}))
    run = cloud.start("incoming/pets.zip").to_split()
    run.place()
    (job,) = run.plan()
    run.end()
    assert stop_labeling_jobs.handler(aborted(run), None) == {"stopped": []}
    run.create_jobs()
    assert cloud.labeling.jobs[job["name"]]["LabelingJobStatus"] == "InProgress"
    assert sweep.sweep(storage(), 0)["counts"]["stopped"] == 1
    assert cloud.labeling.jobs[job["name"]]["LabelingJobStatus"] == "Stopping"
    assert cloud.keys("tokens/") == []


def test_a_job_that_is_refused_is_waited_for_by_nobody(cloud):
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(5)}))
    run = cloud.start("incoming/pets.zip").to_split()
    run.place()
    run.plan()
    cloud.labeling.refuse_with = "The role may not read."
    with pytest.raises(LabelingError, match="may not read"):
        run.create_jobs()
    assert cloud.keys("tokens/") == []


@pytest.mark.parametrize("told", [True, False])
def test_an_execution_that_is_stopped_and_redriven_asks_for_what_its_job_left(cloud, under_way, told):
    """A redrive is the same execution, and the job was its own: stopped for it, not by workers or a user."""
    run, job = under_way
    run.end()
    if told:
        stop_labeling_jobs.handler(aborted(run), None)
    else:
        sweep.sweep(storage(), 0)
    cloud.label(job, status="Stopped", without=("-1.jpg",))
    (rest,) = run.keep()
    assert rest["objects"] == 1
    run.create_jobs()
    cloud.label(rest["name"])
    run.build()
    assert run.counts["labeled"] == 5
