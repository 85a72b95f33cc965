"""Ground Truth's documented rules for a bounding-box job."""

import re

import pytest

from labeling_builders import a_request
from truthmill.errors import ProtocolError
from truthmill.labeling_rules import (
    check_labeling_job,
    check_members,
    check_output_bucket,
    check_output_key,
)


def test_a_right_request_is_taken():
    check_labeling_job(a_request())
    check_labeling_job(a_request(**{"OutputConfig.S3OutputPath": "s3://bucket"}))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("LabelAttributeName", "box-metadata", "must not end in '-metadata'"),
        ("LabelAttributeName", "box-ref", "must not end in '-ref'"),
        ("LabelCategoryConfigS3Uri", None, "label category file"),
        ("LabelCategoryConfigS3Uri", "https://bucket/labels.json", "s3://bucket/key"),
        ("InputConfig.DataSource.S3DataSource.ManifestS3Uri", "s3://bucket", "names an object"),
        ("OutputConfig.S3OutputPath", "https://x/y", "S3OutputPath"),
        ("InputConfig.DataSource", {}, "S3DataSource is missing"),
        ("HumanTaskConfig.UiConfig", {}, "UiTemplateS3Uri"),
        ("HumanTaskConfig.TaskTimeLimitInSeconds", 28_801, "at most 28800"),
        ("HumanTaskConfig.TaskAvailabilityLifetimeInSeconds", 2_592_001, "at most 2592000"),
        (
            "HumanTaskConfig.WorkteamArn",
            "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default",
            "private work teams",
        ),
        ("HumanTaskConfig.PreHumanTaskLambdaArn", None, "PRE-BoundingBox"),
        (
            "HumanTaskConfig.PreHumanTaskLambdaArn",
            "arn:aws:lambda:us-east-1:432418664414:function:ACS-BoundingBox",
            "PRE-BoundingBox",
        ),
        ("HumanTaskConfig.AnnotationConsolidationConfig", None, "ACS-BoundingBox"),
        (
            "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn",
            "arn:aws:lambda:us-east-1:432418664414:function:ACS-SemanticSegmentation",
            "ACS-BoundingBox",
        ),
        (
            "HumanTaskConfig.PreHumanTaskLambdaArn",
            "arn:aws:lambda:us-east-1:432418664414:function:PRE-AdjustmentBoundingBox",
            "built-in functions belong together",
        ),
        (
            "HumanTaskConfig.PreHumanTaskLambdaArn",
            "arn:aws:lambda:us-east-1:111122223333:function:PRE-BoundingBox",
            "the account of built-in functions in us-east-1 is 432418664414",
        ),
        (
            "HumanTaskConfig.PreHumanTaskLambdaArn",
            "arn:aws:lambda:eu-west-1:432418664414:function:PRE-BoundingBox",
            "the account of built-in functions in eu-west-1 is 568282634449",
        ),
        (
            "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn",
            "arn:aws:lambda:sa-east-1:432418664414:function:ACS-BoundingBox",
            "the account of built-in functions in sa-east-1 is 000000000000",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_member(path, value, says):
    with pytest.raises(ProtocolError, match=re.escape(says)) as caught:
        check_labeling_job(a_request(**{path: value}))
    assert caught.value.code == "ValidationException"
    assert path.split(".")[-1].removesuffix("Config") in str(caught.value) or "DataSource" in path


def member(**changes):
    return {
        "CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "g", "ClientId": "c"} | changes
    }


def test_a_team_is_made_of_groups_of_the_services_own_pool():
    check_members([member(), member(UserGroup="h")], "us-east-1_abc", "c")
    with pytest.raises(ProtocolError, match=r"MemberDefinitions\.2.*us-east-1_other"):
        check_members([member(), member(UserPool="us-east-1_other")], "us-east-1_abc", "c")


def test_a_team_of_another_client_of_the_pool_is_refused():
    with pytest.raises(ProtocolError, match=r"MemberDefinitions\.2: ClientId is 'other'; .* by 'c'"):
        check_members([member(), member(ClientId="other")], "us-east-1_abc", "c")


KEY = "arn:aws:kms:us-east-1:111122223333:key/0a1b"


@pytest.mark.parametrize(("given", "own"), [(None, ""), (None, KEY), (KEY, KEY), ("0a1b", KEY)])
def test_the_stacks_own_key_may_encrypt_results(given, own):
    check_output_key(a_request(**({"OutputConfig.KmsKeyId": given} if given else {})), own)


@pytest.mark.parametrize(("given", "own", "says"), [(KEY, "", "no key"), ("0a1c", KEY, "0a1b' only")])
def test_a_key_that_the_service_may_not_use_is_refused(given, own, says):
    with pytest.raises(ProtocolError, match=says):
        check_output_key(a_request(**{"OutputConfig.KmsKeyId": given}), own)


@pytest.mark.parametrize("path", ["s3://bucket", "s3://bucket/", "s3://bucket/out", "s3://bucket/out/"])
def test_results_go_to_the_services_own_bucket(path):
    check_output_bucket(a_request(**{"OutputConfig.S3OutputPath": path}), "bucket")
    with pytest.raises(ProtocolError, match="is in bucket 'bucket'; this service writes to 'bucket-2' only"):
        check_output_bucket(a_request(**{"OutputConfig.S3OutputPath": path}), "bucket-2")
