"""Waiting for labeling jobs on the deployed stack: events lost, doubled and strange, jobs fast and slow."""

import json
from itertools import count

import pytest

from builders import archive, coco_truth, picture
from local_stack import wait_for

_numbers = count(20_000, 100)
SOURCE, KIND = "truthmill.labeling", "SageMaker Ground Truth Labeling Job State Change"


class Waiting:
    """A dataset whose pictures wait for workers."""

    def __init__(self, local_stack, name, pictures=5, **request):
        self.stack, self.name = local_stack, name
        self.sagemaker = local_stack.client("sagemaker", endpoint_url=local_stack.deployed.labeling_endpoint)
        first = next(_numbers)
        self.pictures = {f"{name}{n}.jpg": picture(first + n) for n in range(pictures)}
        local_stack.drop(f"uploads/{name}.zip", archive(self.pictures))
        self.request = {
            "source": f"s3://{local_stack.deployed.bucket}/uploads/{name}.zip",
            "dataset": name,
            "labels": ["cat"],
            **request,
        }
        self.execution = self.start()

    def start(self):
        return self.stack.started_by(
            lambda: self.stack.step_functions.start_execution(
                stateMachineArn=self.stack.deployed.state_machine, input=json.dumps(self.request)
            )
        )

    def jobs(self, status=None):
        asked = {"NameContains": f"{self.name}-", "SortBy": "Name"} | (
            {"StatusEquals": status} if status else {}
        )
        return [
            job["LabelingJobName"]
            for job in self.sagemaker.list_labeling_jobs(**asked)["LabelingJobSummaryList"]
        ]

    def open_jobs(self, how_many=1):
        """Names of its jobs once so many are open, and the execution waits for each."""

        def look():
            found = self.jobs("InProgress")
            tokens = [json.loads(self.stack.read(key))["token"] for key in self.tokens()]
            return found if len(found) == how_many == len(tokens) and all(tokens) else None

        return wait_for(look, f"{how_many} open jobs of {self.name}")

    def tokens(self):
        return self.stack.keys(f"tokens/{self.name}-")

    def status(self):
        return self.stack.step_functions.describe_execution(executionArn=self.execution)["status"]

    def stop(self, job):
        self.sagemaker.stop_labeling_job(LabelingJobName=job)
        wait_for(lambda: job in self.jobs("Stopped"), f"{job} to be stopped")

    def label(self, tmp_path):
        truth = tmp_path / f"{self.name}.json"
        boxes = {name: [("cat", (1, 2, 30, 20))] for name in self.pictures}
        truth.write_text(json.dumps(coco_truth(boxes, ["cat"], (64, 48))))
        self.stack.label(truth)

    @property
    def run(self):
        return self.stack.run_of(self.execution)


@pytest.fixture
def waiting(local_stack):
    return lambda name, pictures=5, **request: Waiting(local_stack, name, pictures, **request)


@pytest.fixture
def rule(local_stack):
    """Switches one of the deployed event rules off; its events are lost. On again afterwards."""
    events, off = local_stack.client("events"), []

    def switch_off(part):
        (name,) = [each["Name"] for each in events.list_rules()["Rules"] if part in each["Name"]]
        events.disable_rule(Name=name)
        off.append(name)

    yield switch_off
    for name in off:
        events.enable_rule(Name=name)


def invoke(local_stack, function, event):
    answer = local_stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def put(local_stack, resources, status):
    local_stack.client("events").put_events(
        Entries=[
            {
                "Source": SOURCE,
                "DetailType": KIND,
                "Resources": resources,
                "Detail": json.dumps({"LabelingJobStatus": status}),
            }
        ]
    )


def arn_of(name):
    return f"arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{name}"


def test_a_lost_event_is_made_up_for_by_the_sweep(local_stack, waiting, rule):
    run = waiting("lost", onIncomplete="continue")
    (job,) = run.open_jobs()
    rule("LabelingJobEnded")
    run.stop(job)
    assert run.status() == "RUNNING"
    counts = invoke(local_stack, "truthmill-Sweep", {})["counts"]
    assert counts["answered"] >= 1
    assert (
        local_stack.ended(run.execution)["status"] == "FAILED"
    )  # nothing is labeled, so there is no dataset
    assert run.run["jobs"][0]["status"] == "Stopped"
    assert run.tokens() == []


def test_the_jobs_of_an_execution_whose_end_nobody_heard_of_are_stopped_by_the_sweep(
    local_stack, waiting, rule
):
    run = waiting("unheard")
    (job,) = run.open_jobs()
    rule("ExecutionStopped")
    local_stack.step_functions.stop_execution(executionArn=run.execution)
    assert invoke(local_stack, "truthmill-Sweep", {})["counts"]["stopped"] == 1
    wait_for(lambda: job in run.jobs("Stopped"), "the job to be stopped")
    assert run.tokens() == []


def test_events_that_come_early_twice_or_of_others_change_nothing(local_stack, waiting, tmp_path):
    """A job is asked how it is, whatever an event says; nobody answers for another's job."""
    run = waiting("twice")
    (job,) = run.open_jobs()
    for resources in ([], ["nonsense"], [""], [arn_of("")], [arn_of("a%20 *?é")], [arn_of("somebody-elses")]):
        put(local_stack, resources, "Completed")
    for status in ("Completed", "Stopped", "Failed"):  # out of order: it is none of these yet
        put(local_stack, [arn_of(job)], status)
    event = {"resources": [arn_of(job)], "detail": {"LabelingJobStatus": "Completed"}}
    said = invoke(local_stack, "truthmill-ResumeExecution", event)
    assert said == {"jobs": [{"name": job, "answered": False}]}
    assert run.status() == "RUNNING"
    run.label(tmp_path)
    assert local_stack.ended(run.execution)["status"] == "SUCCEEDED"
    assert local_stack.states(run.execution).count("BuildChannels") == 1
    for _ in range(2):
        assert invoke(local_stack, "truthmill-ResumeExecution", event)["jobs"][0]["answered"] is False
    queue = local_stack.client("sqs")
    lost = [url for url in queue.list_queues()["QueueUrls"] if "LostEvents" in url]
    for url in lost:
        attributes = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.fixture
def awaiting(local_stack):
    """Starts the deployed AwaitLabels as the state machine does, with its role, and a shorter timeout."""
    role = local_stack.step_functions.describe_state_machine(
        stateMachineArn=local_stack.deployed.state_machine
    )["roleArn"]
    machines = []

    def start(run, job, timeout_s):
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "truthmill-AwaitLabels",
                "Payload": {"run.$": "$.run", "name.$": "$.name", "token.$": "$$.Task.Token"},
            },
            "TimeoutSeconds": timeout_s,
            "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.timeout", "Next": "AwaitLabels"}],
            "End": True,
        }
        made = local_stack.step_functions.create_state_machine(
            name=f"awaits-{len(machines)}-{job}"[:80],
            definition=json.dumps({"StartAt": "AwaitLabels", "States": {"AwaitLabels": state}}),
            roleArn=role,
        )["stateMachineArn"]
        machines.append(made)
        reference = {"bucket": local_stack.deployed.bucket, "dataset": run.name, "run": run.run["run"]}
        given = {"run": {**reference, "execution": run.execution}, "name": job}
        return local_stack.step_functions.start_execution(stateMachineArn=made, input=json.dumps(given))[
            "executionArn"
        ]

    yield start
    for made in machines:
        local_stack.step_functions.delete_state_machine(stateMachineArn=made)


def test_a_job_that_is_over_before_anybody_waits_and_one_that_outlasts_the_wait(
    local_stack, waiting, awaiting
):
    """The fast one is answered at once; for the slow one the state goes round until the event."""
    run = waiting("rounds-of-waiting")
    (job,) = run.open_jobs()
    slow = awaiting(run, job, timeout_s=2)
    wait_for(lambda: local_stack.states(slow).count("AwaitLabels") >= 3, "the state to go round")
    run.stop(job)
    expected = {"name": job, "status": "Stopped", "reason": ""}
    assert json.loads(local_stack.ended(slow)["output"]) == expected
    fast = awaiting(run, job, timeout_s=60)
    assert json.loads(local_stack.ended(fast)["output"]) == expected
    assert local_stack.states(fast) == ["AwaitLabels"]
    local_stack.step_functions.stop_execution(executionArn=run.execution)


def test_more_pictures_than_a_job_takes_are_even_jobs_side_by_side(local_stack, waiting, tmp_path):
    """Eleven pictures, ten to a job: the quota of 100,000 made small."""
    run = waiting("eleven", 11)
    names = run.open_jobs(2)  # in the order of digests
    sources = []
    for job in sorted(names, key=lambda name: name.rpartition("-")[2]):
        described = run.sagemaker.describe_labeling_job(LabelingJobName=job)
        uri = described["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        lines = local_stack.read(uri.split("/", 3)[3]).splitlines()
        sources.append([json.loads(line)["source-ref"] for line in lines])
    assert [len(each) for each in sources] == [6, 5]
    assert len({source for each in sources for source in each}) == 11
    run.label(tmp_path)
    assert local_stack.ended(run.execution)["status"] == "SUCCEEDED"
    assert run.jobs("Completed") == names
    assert [job["answered"] for job in run.run["jobs"]] == [6, 5]
    assert run.run["counts"]["labeled"] == 11


def test_a_job_that_fails_keeps_nothing_from_being_asked_again(local_stack, waiting, tmp_path):
    """Nobody answered while its tasks were available. The same request again has a job that is labeled."""
    run = waiting("expired")
    (job,) = run.open_jobs()
    local_stack.client("dynamodb").update_item(
        TableName=local_stack.deployed.table,
        Key={"pk": {"S": "JOBS"}, "sk": {"S": job}},
        UpdateExpression="SET created = :long_ago",
        ExpressionAttributeValues={":long_ago": {"N": "1000"}},
    )
    stack = local_stack.client("cloudformation").describe_stacks(StackName="truthmill-labeling")["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    invoke(local_stack, outputs["SweepFunctionName"], {})
    ended = local_stack.ended(run.execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "LabelingIncompleteError")
    assert f"{job}: Failed" in ended["cause"]
    run.execution = run.start()
    (again,) = run.open_jobs()
    assert again != job
    run.label(tmp_path)
    assert local_stack.ended(run.execution)["status"] == "SUCCEEDED"
    assert run.run["counts"]["labeled"] == 5


def test_a_review_has_all_boxes_looked_at_by_a_second_job_and_keeps_the_original(
    local_stack, waiting, tmp_path
):
    run = waiting("reviewed", review={"type": "adjustment", "of": "all"})
    (first,) = run.open_jobs()
    run.label(tmp_path)  # whoever is quick gets to the review at once
    wait_for(lambda: run.status() != "RUNNING" or {*run.jobs("InProgress")} - {first}, "the review")
    if run.status() == "RUNNING":
        run.label(tmp_path)
    assert local_stack.ended(run.execution)["status"] == "SUCCEEDED"
    (second,) = set(run.jobs("Completed")) - {first}
    described = run.sagemaker.describe_labeling_job(LabelingJobName=second)
    assert described["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith("PRE-AdjustmentBoundingBox")
    ledger = json.loads(local_stack.read("datasets/reviewed/ledger.json"))
    (segment,) = ledger["segments"]
    lines = [json.loads(line) for line in local_stack.read(segment["key"]).splitlines()]
    assert {line["review"] for line in lines} == {"unadjusted"}
    box = {"class_id": 0, "left": 1, "top": 2, "width": 30, "height": 20}
    assert [line["boxes"] for line in lines] == [line["original"] for line in lines]
    assert [tuple(each.values()) for each in lines[0]["boxes"]] == [tuple(box.values())]
    assert [job["kind"] for job in run.run["jobs"] if "kind" in job] == ["adjustment"]
