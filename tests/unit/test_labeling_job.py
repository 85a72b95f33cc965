import json

import msgspec
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st

from adapters.sagemaker import different_settings
from truthmill import labeling_job, quality_rules
from truthmill.errors import LabelingError, ProtocolError, RequestError
from truthmill.request_reading import parse
from truthmill.run import Job

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
GIVEN = {
    "source": "s3://bucket/incoming/pets.zip",
    "labels": ["cat", 'do"g'],
    "workforce": {"workteamArn": TEAM, "workersPerObject": 3},
    "instructions": {"title": "Cats & <dogs>"},
}
ASKED = parse(GIVEN, {}, {})


JOB = Job(name="pets-0123456789ab-000", number=0, objects=5)


def made(asked=ASKED, region="us-east-1", own_service=False, job=JOB):
    return labeling_job.create_request(
        asked,
        job,
        "s3://bucket/m.manifest",
        "s3://bucket/labels.json",
        "s3://bucket/t.html",
        "s3://bucket/out",
        "arn:aws:iam::111122223333:role/labeling",
        region,
        own_service=own_service,
        tags={"truthmill:run": "r"},
    )


def test_the_request_is_the_documented_one():
    assert made() == {
        "LabelingJobName": "pets-0123456789ab-000",
        "LabelAttributeName": "bounding-box",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bucket/m.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://bucket/out"},
        "RoleArn": "arn:aws:iam::111122223333:role/labeling",
        "LabelCategoryConfigS3Uri": "s3://bucket/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": TEAM,
            "UiConfig": {"UiTemplateS3Uri": "s3://bucket/t.html"},
            "PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox",
            "TaskTitle": "Cats & <dogs>",
            "TaskDescription": "Choose a label, then draw a box that touches the object on all four sides.",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 3600,
            "TaskAvailabilityLifetimeInSeconds": 2_592_000,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": (
                    "arn:aws:lambda:us-east-1:432418664414:function:ACS-BoundingBox"
                )
            },
        },
        "Tags": [{"Key": "truthmill:run", "Value": "r"}],
    }


BETTER = GIVEN | {
    "quality": {
        "maxWorkersPerObject": 5,
        "agreement": 0.8,
        "gold": {"manifest": "s3://bucket/gold.manifest", "share": 0.1, "feedback": True, "withdraw": True},
    }
}


def test_what_quality_asks_for_travels_as_tags():
    """SageMaker's protocol has no member for it; tags are legal for any client."""
    job = made(parse(BETTER, {}, {}), own_service=True)
    tags = {each["Key"]: each["Value"] for each in job["Tags"]}
    assert tags == {
        "truthmill:agreement": "0.8",
        "truthmill:gold-feedback": "true",
        "truthmill:gold-manifest": "s3://bucket/gold.manifest",
        "truthmill:gold-share": "0.1",
        "truthmill:gold-withdraw": "true",
        "truthmill:max-workers-per-object": "5",
        "truthmill:run": "r",
    }
    rules = quality_rules.from_tags(tags)
    assert (rules.max_workers, rules.agreement, rules.gold_share) == (5, 0.8, 0.1)
    assert (rules.gold_feedback, rules.gold_withdraw, rules.gold_threshold) == (True, True, 0.0)


def test_what_the_budget_pays_for_travels_as_a_tag():
    limited = msgspec.structs.replace(JOB, max_answers=12)
    tags = {each["Key"]: each["Value"] for each in made(own_service=True, job=limited)["Tags"]}
    assert tags == {"truthmill:max-answers": "12", "truthmill:run": "r"}
    assert quality_rules.from_tags(tags) == quality_rules.QualityRules(max_answers=12)


def test_ground_truth_is_not_asked_for_what_it_does_not_do():
    asked = parse(BETTER, {}, {})
    labeling_job.check(asked, "us-east-1", own_service=True)
    with pytest.raises(LabelingError, match='Leave "quality" out, or set the stack'):
        labeling_job.check(asked, "us-east-1", own_service=False)


def test_fewer_workers_at_the_most_than_at_the_beginning_is_refused():
    with pytest.raises(RequestError, match="is 2, less than the 3 of"):
        parse(GIVEN | {"quality": {"maxWorkersPerObject": 2}}, {}, {})


@pytest.mark.parametrize(
    ("tag", "value", "right"),
    [
        ("max-workers-per-object", "12", "from 1 to 9"),
        ("agreement", "80%", "from 0 to 1"),
        ("agreement", "nan", "from 0 to 1"),
        ("gold-manifest", "gold.manifest", "S3 URI"),
        ("gold-feedback", "yes", "true or false"),
        ("max-answers", "0", "from 1 to 99999999"),
    ],
)
def test_a_tag_that_asks_for_what_is_not_to_be_had_is_refused(tag, value, right):
    with pytest.raises(ProtocolError, match=right):
        quality_rules.from_tags({f"truthmill:{tag}": value, "truthmill:run": "r", "owner": "ann"})


def test_botocore_takes_the_request():
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    validate_parameters(made(), model.operation_model("CreateLabelingJob").input_shape)


def test_a_region_without_ground_truth_names_those_that_have_it():
    with pytest.raises(LabelingError, match=r"sa-east-1.*us-west-2"):
        made(region="sa-east-1")
    assert (
        "sa-east-1" in made(region="sa-east-1", own_service=True)["HumanTaskConfig"]["PreHumanTaskLambdaArn"]
    )


def test_no_work_team_says_where_to_name_one():
    with pytest.raises(LabelingError, match="DefaultWorkteamArn"):
        made(parse({"source": "s3://bucket/x.zip", "labels": ["cat"]}, {}, {}))


def test_the_label_category_file_is_the_documented_one():
    assert json.loads(labeling_job.label_categories(ASKED, JOB)) == {
        "document-version": "2018-11-28",
        "labels": [{"label": "cat"}, {"label": 'do"g'}],
    }


def test_names_follow_from_manifest_and_settings():
    other = parse(GIVEN | {"workforce": {"workteamArn": TEAM}}, {}, {})
    name = labeling_job.job_name("pets", "run", "digest", ASKED, JOB)
    assert name == labeling_job.job_name("pets", "run", "digest", ASKED, JOB)
    others = {
        labeling_job.job_name("pets", "run", "digest", other, JOB),
        labeling_job.job_name("pets", "run", "other", ASKED, JOB),
        labeling_job.job_name("pets", "run", "digest", ASKED, Job(name="", number=1, objects=5)),
        labeling_job.job_name(
            "pets", "run", "digest", ASKED, Job(name="", number=0, objects=5, first_label=1)
        ),
    }
    others.add(labeling_job.job_name("pets", "another run", "digest", ASKED, JOB))
    assert len({name} | others) == 6
    last = Job(name="", number=999, objects=5)
    assert len(labeling_job.job_name("a" * 40, "run", "digest", ASKED, last)) <= 63


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_jobs_are_few_and_even(objects, most):
    sizes = labeling_job.job_sizes(objects, most)
    assert sum(sizes) == objects
    assert len(sizes) == -(-objects // most)
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_one_picture_more_than_a_job_may_have_makes_two_jobs_that_are_even():
    assert labeling_job.job_sizes(100_000) == [100_000]
    assert labeling_job.job_sizes(100_001) == [50_001, 50_000]


def described(**changes):
    """A job as Ground Truth describes it: with defaults, and with empty members."""
    found = {**made(), "LabelingJobStatus": "InProgress", "LabelCounters": {}}
    found["OutputConfig"] = {**made()["OutputConfig"], "KmsKeyId": "", "SnsTopicArn": None}
    found["HumanTaskConfig"] = {**made()["HumanTaskConfig"], "MaxConcurrentTaskCount": 1_000}
    return found | changes


@pytest.mark.parametrize(
    ("changes", "different"),
    [
        ({}, []),
        ({"Tags": []}, []),
        ({"RoleArn": "another"}, ["RoleArn"]),
        ({"OutputConfig": {**made()["OutputConfig"], "KmsKeyId": "key"}}, ["OutputConfig"]),
        ({"InputConfig": {}}, ["InputConfig"]),
        (
            {"HumanTaskConfig": {**made()["HumanTaskConfig"], "TaskTitle": "Other"}},
            ["HumanTaskConfig.TaskTitle"],
        ),
    ],
)
def test_a_job_with_defaults_filled_in_is_the_one_that_was_asked_for(changes, different):
    assert different_settings(made(), described(**changes)) == different
