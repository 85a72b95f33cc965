"""CreateLabelingJob at the edges of every limit, by a client that lets everything through to the service."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from integration.labeling.conftest import REGION
from labeling_builders import answer_of

TASK = "HumanTaskConfig"
NUMBERS = {
    f"{TASK}.NumberOfHumanWorkersPerDataObject": (1, 9),
    f"{TASK}.TaskTimeLimitInSeconds": (30, 28_800),
    f"{TASK}.TaskAvailabilityLifetimeInSeconds": (60, 2_592_000),
    f"{TASK}.MaxConcurrentTaskCount": (1, 5_000),
    "StoppingConditions.MaxHumanLabeledObjectCount": (1, None),
    "StoppingConditions.MaxPercentageOfInputDatasetLabeled": (1, 100),
}
TEXTS = {
    f"{TASK}.TaskTitle": (1, 128),
    f"{TASK}.TaskDescription": (1, 255),
    "LabelAttributeName": (1, 127),
}


@pytest.fixture
def loose(stack, monkeypatch):
    """The stack's client without the checks that boto3 makes before it sends anything."""
    made = boto3.client(
        "sagemaker",
        endpoint_url=stack.local(stack.outputs["ControlUrl"]),
        region_name=REGION,
        config=Config(parameter_validation=False),
    )
    made.meta.events.register(
        "before-sign.sagemaker.*",
        lambda request, **_: request.context.setdefault("signing", {}).update(signing_name="lambda"),
    )
    monkeypatch.setattr(type(stack), "sagemaker", made)
    return made


def refusal(make):
    with pytest.raises(ClientError) as caught:
        make()
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (
        "ValidationException",
        400,
    )
    return error["Error"]["Message"]


def lower(path):
    return ".".join(part[0].lower() + part[1:] for part in path.split("."))


def text(length):
    return "é" * length


def changed(path, value):
    """StoppingConditions has no member that a request must have, so it comes whole."""
    whole, _, member = path.partition(".")
    return {whole: {member: value}} if whole == "StoppingConditions" else {path: value}


@pytest.mark.usefixtures("loose")
@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_is_taken_at_its_limits_and_refused_beyond_them(team, path):
    least, most = NUMBERS[path]
    for value in filter(None, (least, most)):
        team.create_job(1, **changed(path, value))
    for value in (least - 1, *((most + 1,) if most else ())):
        said = refusal(lambda value=value: team.create_job(1, **changed(path, value)))
        assert str(value) in said
        assert path.rpartition(".")[2].lower() in said.lower()


@pytest.mark.usefixtures("loose")
@pytest.mark.parametrize("path", TEXTS)
def test_a_text_is_taken_at_its_limits_and_refused_beyond_them(team, path):
    least, most = TEXTS[path]
    make = (lambda length: "a" * length) if path == "LabelAttributeName" else text
    for length in (least, most):
        team.create_job(1, **{path: make(length)})
    for length in (least - 1, most + 1):
        said = refusal(lambda length=length: team.create_job(1, **{path: make(length)}))
        assert f"'{lower(path)}' failed to satisfy constraint" in said


@pytest.mark.usefixtures("loose")
def test_names_keywords_and_tags_at_their_limits(team):
    base = f"{team.name}-".ljust(62, "n")
    team.create_job(1, LabelingJobName=base + "x")
    for name in (base + "xy", "ends-", "-begins", "under_score", "dots.", "ünicode", ""):
        assert "labelingJobName" in refusal(lambda name=name: team.create_job(1, LabelingJobName=name))
    keywords = f"{TASK}.TaskKeywords"
    team.create_job(1, **{keywords: ["k" * 30] * 4 + ["two words"]})
    for given in (["k"] * 6, ["k" * 31], ["größe"], [""], []):
        assert "taskKeywords" in refusal(lambda given=given: team.create_job(1, **{keywords: given}))
    tags = [{"Key": f"{number}" + text(100), "Value": text(256)} for number in range(50)]
    team.create_job(1, Tags=tags)
    for given in (
        [*tags, {"Key": "one more", "Value": ""}],
        [{"Key": text(129), "Value": ""}],
        [{"Key": "", "Value": ""}],
        [{"Key": "k", "Value": text(257)}],
        [{"Key": "k;", "Value": ""}],
    ):
        assert "tags" in refusal(lambda given=given: team.create_job(1, Tags=given))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (50, ""),
        (51, "51 labels"),
        (0, "labels"),
    ],
)
def test_labels_at_their_limit(stack, team, labels, says):
    listed = {"labels": [{"label": text(200) + str(number)} for number in range(labels)]}
    uri = stack.put(f"{team.name}/labels-{labels}.json", json.dumps(listed))
    job = team.create_job(1, LabelCategoryConfigS3Uri=uri)
    described = team.wait_for(job, "Failed" if says else "InProgress")
    assert says in described.get("FailureReason", "")


def test_a_name_in_other_letters_is_the_same_job(stack, team):
    job = team.create_job(1, LabelingJobName=f"Letters-{team.name}")
    with pytest.raises(stack.sagemaker.exceptions.ResourceInUse):
        team.create_job(1, LabelingJobName=job.upper())
    assert stack.sagemaker.describe_labeling_job(LabelingJobName=job.upper())["LabelingJobName"] == job


def test_a_job_that_is_over_is_described_with_every_member_there_is(stack, team):
    """What boto3's model has and isn't there: a failure that it hasn't had, and automated labeling."""
    worker = team.worker()
    job = team.running_job(
        1,
        StoppingConditions={"MaxPercentageOfInputDatasetLabeled": 100},
        Tags=[{"Key": "größe", "Value": "ü 東京"}],
        **{f"{TASK}.TaskTitle": "Hunde, Kätzchen: 犬と猫", f"{TASK}.TaskKeywords": ["dogs"]},
    )
    (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
    worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of())
    described = team.wait_for(job, "Completed", "Stopped")
    model = stack.sagemaker.meta.service_model.operation_model("DescribeLabelingJob").output_shape
    missing = set(model.members) - set(described)
    assert missing == {"FailureReason", "LabelingJobAlgorithmsConfig"}
    assert described["HumanTaskConfig"]["TaskTitle"] == "Hunde, Kätzchen: 犬と猫"
    assert described["Tags"] == [{"Key": "größe", "Value": "ü 東京"}]


def test_every_paginator_of_boto3_goes_through_all(stack, team):
    jobs = {team.create_job(1) for _ in range(3)}
    client = stack.sagemaker
    listed = client.get_paginator("list_labeling_jobs").paginate(
        NameContains=team.name, PaginationConfig={"PageSize": 1}
    )
    assert {job["LabelingJobName"] for page in listed for job in page["LabelingJobSummaryList"]} == jobs
    listed = client.get_paginator("list_labeling_jobs_for_workteam").paginate(
        WorkteamArn=team.arn, PaginationConfig={"PageSize": 2, "MaxItems": 3}
    )
    assert {job["LabelingJobName"] for page in listed for job in page["LabelingJobSummaryList"]} == jobs
    teams = client.get_paginator("list_workteams").paginate(PaginationConfig={"PageSize": 1})
    assert team.name in {each["WorkteamName"] for page in teams for each in page["Workteams"]}
    tags = client.get_paginator("list_tags").paginate(ResourceArn=team.arn)
    assert [tag for page in tags for tag in page["Tags"]] == []
    forces = client.get_paginator("list_workforces").paginate(PaginationConfig={"PageSize": 1})
    assert [each["WorkforceName"] for page in forces for each in page["Workforces"]] == ["default"]


def test_stopping_in_every_state(stack, team):
    """Right after it was asked for, while it is at work, while it stops, and after each of its ends."""
    stop = stack.sagemaker.stop_labeling_job
    at_once = team.create_job(3)
    stop(LabelingJobName=at_once)
    stop(LabelingJobName=at_once)
    assert team.wait_for(at_once, "Stopped")["LabelCounters"]["TotalLabeled"] == 0
    failed = team.create_job(manifest="no json\n")
    team.wait_for(failed, "Failed")
    worker, done = team.worker(), team.running_job(1)
    (task,) = worker.post(f"api/jobs/{done}/tasks", {})["tasks"]
    worker.post(f"api/jobs/{done}/tasks/{task['task']}/answer", answer_of())
    team.wait_for(done, "Completed")
    for job, status in ((at_once, "Stopped"), (failed, "Failed"), (done, "Completed")):
        stop(LabelingJobName=job)
        assert stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobStatus"] == status
