"""Requests that Ground Truth would refuse are refused before anything is created, each by its rule."""

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill import labeling_job, labeling_protocol
from truthmill.errors import LabelingError, RequestError
from truthmill.request_reading import parse
from truthmill.run import Job

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/{}/annotators"
PRIVATE = {"workteamArn": TEAM.format("private-crowd")}
BOTH = ["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"]
PUBLIC = {"type": "mechanical-turk", "pricePerTask": "0.036", "contentClassifiers": BOTH}
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:mine"
SHAPES = Loader().load_service_model("sagemaker", "service-2")["shapes"]


def asked(**more):
    given = {"source": "s3://bucket/x.zip", "labels": ["cat"], "workforce": PRIVATE} | more
    return parse(given, {}, {})


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"workforce": {"workteamArn": "annotators"}}, ["workforce.workteamArn", "'annotators'", "ARN"]),
        ({"workforce": {"workteamArn": TEAM.format("vendor-crowd")}}, ["vendor-crowd", "'private'"]),
        ({"workforce": {**PRIVATE, "type": "vendor"}}, ["private-crowd", "'vendor'"]),
        ({"workforce": {**PUBLIC, "workteamArn": PRIVATE["workteamArn"]}}, ["public-crowd"]),
        ({"workforce": {**PUBLIC, "contentClassifiers": BOTH[:1]}}, ["declare FreeOfAdultContent"]),
        ({"workforce": {**PUBLIC, "contentClassifiers": ["Free"]}}, ["contentClassifiers"]),
        ({"workforce": {**PUBLIC, "pricePerTask": "0.05"}}, ["pricePerTask", "0.05", "0.048"]),
        ({"workforce": {**PUBLIC, "taskAvailability": 43_201}}, ["taskAvailability", "43201", "43200"]),
        ({"workforce": {**PRIVATE, "taskAvailability": 2_592_001}}, ["taskAvailability", "2592000"]),
        ({"workforce": {**PRIVATE, "taskAvailability": 59}}, ["taskAvailability", "60"]),
        ({"workforce": {**PRIVATE, "taskTimeLimit": 29}}, ["taskTimeLimit", "30"]),
        ({"workforce": {**PRIVATE, "taskTimeLimit": 28_801}}, ["taskTimeLimit", "28800"]),
        ({"workforce": {**PRIVATE, "maxConcurrentTasks": 5_001}}, ["maxConcurrentTasks", "5000"]),
        ({"workforce": {**PRIVATE, "workersPerObject": 0}}, ["workersPerObject", "1"]),
        ({"instructions": {"title": "x" * 129}}, ["instructions.title", "128"]),
        ({"instructions": {"description": "x" * 256}}, ["instructions.description", "255"]),
        ({"instructions": {"keywords": ["x"] * 6}}, ["instructions.keywords", "5"]),
        ({"instructions": {"keywords": ["x" * 31]}}, ["instructions.keywords", "30"]),
        ({"instructions": {"title": "Pets \U0001f431"}}, ["instructions.title", "emoji"]),
        ({"instructions": {"title": "a\x00b"}}, ["instructions.title", "control"]),
        ({"instructions": {"description": "one\ntwo"}}, ["instructions.description", "one line"]),
        ({"instructions": {"keywords": ["größe"]}}, ["instructions.keywords", "'größe'", "A to Z"]),
        ({"instructions": {"keywords": ["two  blanks"]}}, ["instructions.keywords", "'two  blanks'"]),
        ({"labeling": {"kmsKeyId": "my key"}}, ["labeling.kmsKeyId", "'my key'"]),
        ({"labeling": {"kmsKeyId": "x" * 2_049}}, ["labeling.kmsKeyId", "2048"]),
        ({"labeling": {"tags": {str(n): "" for n in range(49)}}}, ["labeling.tags", "49", "48"]),
        ({"labeling": {"tags": {"aws:mine": "x"}}}, ["'aws:mine'"]),
        ({"labeling": {"tags": {"mine": "x" * 257}}}, ["'mine'", "256"]),
        ({"labeling": {"preLambdaArn": FUNCTION}}, ["labeling.consolidationLambdaArn", "missing"]),
        (
            {"labeling": {"preLambdaArn": "mine", "consolidationLambdaArn": FUNCTION}},
            ["labeling.preLambdaArn", "'mine'"],
        ),
        ({"labeling": {"stoppingConditions": {"maxLabeledPercentage": 101}}}, ["Percentage", "100"]),
        ({"labeling": {"stoppingConditions": {"maxLabeled": 0}}}, ["maxLabeled", "1"]),
    ],
)
def test_field_value_and_rule_are_named(more, named):
    with pytest.raises(RequestError) as raised:
        asked(**more)
    assert [word for word in named if word not in str(raised.value)] == []


def test_a_region_a_team_and_a_service_are_looked_at_before_anything_is_created():
    with pytest.raises(LabelingError, match="sa-east-1"):
        labeling_job.check(asked(), "sa-east-1", own_service=False)
    with pytest.raises(LabelingError, match="No work team"):
        labeling_job.check(asked(workforce={}), "us-east-1", own_service=False)
    with pytest.raises(LabelingError, match="own labeling service has private teams only"):
        labeling_job.check(asked(workforce=PUBLIC), "us-east-1", own_service=True)
    labeling_job.check(asked(workforce=PUBLIC), "us-east-1", own_service=False)


def test_the_stacks_private_team_is_not_meant_where_another_kind_is_asked_for():
    found = parse(
        {"source": "s3://bucket/x.zip", "labels": ["cat"], "workforce": PUBLIC}, {}, {"workforce": PRIVATE}
    )
    assert labeling_job.work_team(found, "us-east-1") == (
        "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"
    )


def made(kind="label", **more):
    return labeling_job.create_request(
        asked(**more),
        Job(name="x-000", number=0, objects=1, kind=kind),
        "s3://bucket/m",
        "s3://bucket/l",
        "s3://bucket/t",
        "s3://bucket/o",
        "arn:aws:iam::111122223333:role/labeling",
        "us-east-1",
        own_service=False,
        tags={"truthmill:run": "r"},
    )


FULL = {
    "instructions": {"keywords": ["cats", "boxes"]},
    "labeling": {
        "kmsKeyId": "alias/mine",
        "tags": {"team": "vision"},
        "stoppingConditions": {"maxLabeled": 10, "maxLabeledPercentage": 50},
        "preLambdaArn": FUNCTION,
        "consolidationLambdaArn": FUNCTION + "2",
    },
}


@pytest.mark.parametrize(
    "more", [{}, FULL, {"workforce": PUBLIC}, {"workforce": {**PRIVATE, "maxConcurrentTasks": 7}}]
)
@pytest.mark.parametrize("kind", ["label", "adjustment", "verification"])
def test_sagemakers_own_model_takes_what_is_asked_for(more, kind):
    labeling_protocol.check("CreateLabelingJobRequest", made(kind, **more), SHAPES)


texts = st.text(min_size=1, max_size=40) | st.text("ab 1/-_:é\n\u2028\U0001f431", min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({"title": texts, "description": texts, "keywords": st.lists(texts, max_size=5)}),
    st.fixed_dictionaries({"kmsKeyId": texts, "tags": st.dictionaries(texts, texts, max_size=2)}),
)
def test_no_text_that_is_taken_is_refused_by_sagemakers_model_once_pictures_are_placed(told, labeling):
    for more in ({"instructions": told}, {"labeling": labeling}):
        try:
            found = made(**more)
        except RequestError:
            continue
        labeling_protocol.check("CreateLabelingJobRequest", found, SHAPES)


def test_every_wish_reaches_the_job():
    found = made(**FULL)
    task = found["HumanTaskConfig"]
    assert found["OutputConfig"] == {"S3OutputPath": "s3://bucket/o", "KmsKeyId": "alias/mine"}
    assert found["StoppingConditions"] == {
        "MaxHumanLabeledObjectCount": 10,
        "MaxPercentageOfInputDatasetLabeled": 50,
    }
    assert found["Tags"] == [
        {"Key": "team", "Value": "vision"},
        {"Key": "truthmill:run", "Value": "r"},
    ]
    assert task["TaskKeywords"] == ["cats", "boxes"]
    assert task["PreHumanTaskLambdaArn"] == FUNCTION
    assert task["AnnotationConsolidationConfig"] == {"AnnotationConsolidationLambdaArn": FUNCTION + "2"}
    assert "PublicWorkforceTaskPrice" not in task


def test_mechanical_turk_is_told_price_and_classifiers():
    found = made(workforce={**PUBLIC, "pricePerTask": "1.080"})
    assert found["HumanTaskConfig"]["PublicWorkforceTaskPrice"] == {
        "AmountInUsd": {"Dollars": 1, "Cents": 8, "TenthFractionsOfACent": 0}
    }
    assert found["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] == 43_200
    assert found["InputConfig"]["DataAttributes"] == {"ContentClassifiers": BOTH}


def test_a_review_has_its_own_functions_and_attribute():
    found = made("adjustment", **FULL)
    assert found["LabelAttributeName"] == "adjusted-box"
    assert found["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith("PRE-AdjustmentBoundingBox")
    found = made("verification")
    assert found["LabelAttributeName"] == "verified-box"
    assert found["HumanTaskConfig"]["AnnotationConsolidationConfig"] == {
        "AnnotationConsolidationLambdaArn": (
            "arn:aws:lambda:us-east-1:432418664414:function:ACS-VerificationBoundingBox"
        )
    }
