"""How jobs begin and end: the output, the event, and what the sweep recovers."""

import json
import time
from itertools import count

import boto3
import msgspec
import pytest

from adapters.jobs import Jobs
from adapters.table import Table
from labeling_builders import answer_of
from local_stack import wait_for
from truthmill_cli.simulation import PortalRefusedError, simulate
from truthmill_cli.worker_kinds import Kind

_numbers = count()


@pytest.fixture
def jobs(stack):
    return Jobs(Table(stack.client("dynamodb"), stack.outputs["TableName"]))


@pytest.fixture(scope="module")
def events(stack):
    """Queue into which a rule like the pipeline's puts the service's events."""
    queues, rules = stack.client("sqs"), stack.client("events")
    queue = queues.create_queue(QueueName="state-changes")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.sagemaker", "truthmill.labeling"],
        "detail-type": ["SageMaker Ground Truth Labeling Job State Change"],
    }
    rules.put_rule(Name="state-changes", EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="state-changes", Targets=[{"Id": "queue", "Arn": arn}])
    seen = []

    def of(job, expected):
        """Statuses announced for a job, once there are as many as expected."""

        def look():
            answer = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                seen.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found = [each for each in seen if each["resources"][0].endswith(f"/{job}")]
            return found if len(found) >= expected else None

        return [each["detail"]["LabelingJobStatus"] for each in wait_for(look, f"{expected} events of {job}")]

    return of


def answer_all(worker, job, *boxes):
    while tasks := worker.post(f"api/jobs/{job}/tasks", {})["tasks"]:
        worker.post(f"api/jobs/{job}/tasks/{tasks[0]['task']}/answer", answer_of(*boxes))


def lines(stack, described):
    return [
        json.loads(line)
        for line in stack.read(described["LabelingJobOutput"]["OutputDatasetS3Uri"]).splitlines()
    ]


def test_a_job_ends_with_its_output_and_one_event(stack, team, events):
    worker, job = team.worker(), team.running_job(3)
    answer_all(worker, job, ("dog", 10, 20, 30, 40))
    described = team.wait_for(job, "Completed")
    assert described["LabelCounters"]["TotalLabeled"] == 3
    written = lines(stack, described)
    assert [line["source-ref"] for line in written] == [
        f"s3://{stack.bucket}/{job}/{n}.png" for n in range(3)
    ]
    for line in written:
        assert line["split"] == "train"
        assert line["bounding-box"]["annotations"] == [
            {"class_id": 1, "left": 10, "top": 20, "width": 30, "height": 40}
        ]
        assert line["bounding-box-metadata"]["class-map"] == {"1": "dog"}
    responses = stack.keys(f"{job}/out/{job}/annotations/worker-response/iteration-1/")
    assert [key.split("/")[-2] for key in responses] == ["0", "1", "2"]
    (answer,) = json.loads(stack.read(f"s3://{stack.bucket}/{responses[0]}"))["answers"]
    assert answer["answerContent"] == answer_of(("dog", 10, 20, 30, 40))["answer"]
    assert answer["workerId"].startswith("private.us-east-1.")
    assert len(stack.keys(f"{job}/out/{job}/annotations/consolidated-annotation/consolidation-request/")) == 1
    assert (
        len(stack.keys(f"{job}/out/{job}/annotations/consolidated-annotation/consolidation-response/")) == 1
    )
    assert events(job, 1) == ["Completed"]
    assert stack.invoke("FinishFunctionName", {"job": job})["status"] == "Completed"
    assert lines(stack, described) == written


def test_two_jobs_of_one_team_have_their_own_objects_answers_and_events(stack, team, events):
    worker, first, second = team.worker(), team.running_job(3), team.running_job(2)
    (task,) = worker.post(f"api/jobs/{first}/tasks", {})["tasks"]
    with pytest.raises(PortalRefusedError) as refused:  # the first one's task, sent to the second
        worker.post(f"api/jobs/{second}/tasks/{task['task']}/answer", answer_of())
    assert (refused.value.status, refused.value.code) == (404, "NoSuchTask")
    answer_all(worker, first, ("dog", 10, 20, 30, 40))
    described = team.wait_for(first, "Completed")
    assert stack.sagemaker.describe_labeling_job(LabelingJobName=second)["LabelCounters"] == {
        "TotalLabeled": 0,
        "HumanLabeled": 0,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 2,
    }
    assert events(first, 1) == ["Completed"]
    stack.sagemaker.stop_labeling_job(LabelingJobName=second)
    other = team.wait_for(second, "Stopped")
    assert events(second, 1) == ["Stopped"]
    assert events(first, 1) == ["Completed"]
    sources = [[line["source-ref"] for line in lines(stack, each)] for each in (described, other)]
    assert sources == [
        [f"s3://{stack.bucket}/{job}/{number}.png" for number in range(objects)]
        for job, objects in ((first, 3), (second, 2))
    ]
    listed = stack.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=team.arn)["LabelingJobSummaryList"]
    counted = {entry["LabelingJobName"]: entry["LabelCounters"]["HumanLabeled"] for entry in listed}
    assert counted == {first: 3, second: 0}


def test_a_stopped_job_keeps_what_is_labeled(stack, team, events):
    worker, job = team.worker(), team.running_job(3)
    (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
    worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of())
    (held,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
    stack.sagemaker.stop_labeling_job(LabelingJobName=job)
    described = team.wait_for(job, "Stopped")
    assert (described["LabelCounters"]["TotalLabeled"], described["LabelCounters"]["Unlabeled"]) == (1, 2)
    labeled = ["bounding-box" in line for line in lines(stack, described)]
    assert sorted(labeled) == [False, False, True]
    assert labeled[int(task["objectName"].removesuffix(".png"))]
    assert events(job, 1) == ["Stopped"]
    with pytest.raises(Exception, match="JobEnded"):
        worker.post(f"api/jobs/{job}/tasks/{held['task']}/answer", answer_of())
    stack.sagemaker.stop_labeling_job(LabelingJobName=job)
    assert team.wait_for(job, "Stopped")["LabelCounters"]["TotalLabeled"] == 1


def test_a_stopping_condition_stops_the_job(team):
    worker = team.worker()
    job = team.running_job(4, StoppingConditions={"MaxHumanLabeledObjectCount": 2})
    for _ in range(2):
        (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
        worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of())
    assert team.wait_for(job, "Stopped")["LabelCounters"]["TotalLabeled"] == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"manifest": "{}\n"}, 'in.manifest, line 1: "source-ref" is None'),
        (
            {"manifest": '{"source-ref": "s3://b/a.png"}\n\nnot json\n'},
            "in.manifest, line 3: isn't a JSON object",
        ),
        ({"manifest": "\n"}, "has 0 objects"),
        ({"LabelCategoryConfigS3Uri": "s3://{bucket}/nobody/put/this"}, "nobody/put/this can't be read"),
        ({"LabelCategoryConfigS3Uri": "s3://somebody-elses-bucket/x"}, "DataBucket"),
    ],
)
def test_a_job_whose_input_cannot_be_used_fails_with_the_reason(team, events, changes, says):
    changes = {name: value.replace("{bucket}", team.stack.bucket) for name, value in changes.items()}
    job = team.create_job(1, **changes)
    described = team.wait_for(job, "Failed")
    assert says in described["FailureReason"]
    assert events(job, 1) == ["Failed"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (b"<crowd-form>\n{{ task.input.x | nope }}", "Line 2, column 19: unknown filter 'nope'."),
        (b"<p>{{ task.input.taskObject }}</p>", "has no <crowd-form>"),
        ("<crowd-form></crowd-form>".encode("utf-16"), "isn't UTF-8"),
    ],
)
def test_a_job_whose_template_cannot_be_used_fails_before_anybody_is_asked(team, template, says):
    uri = team.stack.put(f"templates/{len(template)}.html", template)
    job = team.create_job(1, **{"HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": uri}})
    assert says in team.wait_for(job, "Failed")["FailureReason"]


def test_one_object_more_than_the_quota_fails_the_job_before_anybody_is_asked(team):
    """Ground Truth's 100,000 for boxes, which is the stack's parameter MaxObjectsPerJob."""
    lines = "".join(f'{{"source-ref": "s3://{team.stack.bucket}/{n}.png"}}\n' for n in range(100_001))
    described = team.wait_for(team.create_job(manifest=lines), "Failed")
    assert "has more than 100000 objects; a job takes 1 to 100000" in described["FailureReason"]
    assert team.worker().get("api/jobs")["jobs"] == []


def test_the_sweep_starts_a_job_whose_start_was_lost(stack, team, jobs):
    job = team.running_job(2)
    jobs.create(msgspec.structs.replace(jobs.get(job), name="lost-start", status="Initializing", revision=0))
    stack.invoke("SweepFunctionName", {})
    assert team.wait_for("lost-start", "InProgress")["LabelCounters"]["Unlabeled"] == 2


def test_the_sweep_starts_a_job_whose_start_died_once_its_claim_is_over(stack, team, jobs):
    job = team.running_job(2)
    now = int(time.time() * 1000)
    died = msgspec.structs.replace(jobs.get(job), name="died", status="Initializing", claim=now + 600_000)
    jobs.create(died)
    stack.invoke("SweepFunctionName", {})
    assert jobs.get("died").status == "Initializing"
    jobs.update("died", claim=now - 1)
    stack.invoke("SweepFunctionName", {})
    team.wait_for("died", "InProgress")


def test_the_sweep_puts_an_event_that_was_lost(stack, team, jobs, events):
    worker, job = team.worker(), team.running_job(1)
    answer_all(worker, job)
    team.wait_for(job, "Completed")
    assert events(job, 1) == ["Completed"]
    jobs.update(job, announced=False)
    stack.invoke("SweepFunctionName", {})
    assert events(job, 2) == ["Completed", "Completed"]


@pytest.mark.parametrize(("answered", "status"), [(1, "Completed"), (0, "Failed")])
def test_the_sweep_ends_a_job_whose_tasks_ran_out(stack, team, jobs, answered, status):
    worker, job = team.worker(), team.running_job(2)
    for _ in range(answered):
        (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
        worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of())
    jobs.update(job, created=1_000)
    stack.invoke("SweepFunctionName", {})
    assert team.wait_for(job, status)["LabelCounters"]["TotalLabeled"] == answered


def test_a_manifest_of_more_than_a_page_comes_out_whole(stack, team):
    """1,100 objects lie in 16 shards, and are written in several batches."""
    text = "".join(f'{{"source-ref": "s3://{stack.bucket}/none/{n}.png", "n": {n}}}\n' for n in range(1_100))
    job = team.running_job(manifest=text)
    stack.sagemaker.stop_labeling_job(LabelingJobName=job)
    described = team.wait_for(job, "Stopped")
    assert [line["n"] for line in lines(stack, described)] == list(range(1_100))


def test_simulated_workers_draw_what_the_truth_says(stack, team, tmp_path):
    job = team.running_job(4, **{"HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2})
    truth = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(3)],
        "categories": [{"id": 5, "name": "dog"}],
        "annotations": [{"image_id": n, "category_id": 5, "bbox": [20, 10, 100, 60.0]} for n in (0, 1)],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    workers = [team.invite(f"drawing-{next(_numbers)}@example.com") for _ in range(2)]
    summary = simulate(stack.portal, workers, tmp_path / "truth.json", [Kind(noise_px=2)], seed=1)
    assert (summary.submitted, summary.skipped) == (6, 2)
    described = team.wait_for(job, "Completed")
    boxes = [line.get("bounding-box", {}).get("annotations") for line in lines(stack, described)]
    assert boxes[2:] == [[], None]
    for (box,) in boxes[:2]:
        edges = (box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"])
        assert all(abs(edge - true) <= 2 for edge, true in zip(edges, (20, 10, 120, 70), strict=True))


def test_no_function_may_do_what_it_has_no_need_for(stack):
    """The data plane is one bucket; nobody may list accounts or read others' buckets."""
    iam = boto3.client("iam", endpoint_url=stack.endpoint)
    template = stack.client("cloudformation").list_stack_resources(StackName="truthmill-labeling")
    roles = [
        each["PhysicalResourceId"]
        for each in template["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::IAM::Role"
    ]
    assert len(roles) == 6
    for role in roles:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                assert "*" not in json.dumps(statement["Action"]), (role, statement)
                assert statement["Resource"] != "*", (role, statement)
