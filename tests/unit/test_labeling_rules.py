"""Ground Truth's documented rules for a bounding-box job."""

import json
import re

import pytest

from labeling_builders import a_request
from truthmill.errors import ManifestError, ProtocolError
from truthmill.labeling_rules import check_labeling_job, check_members, read_input_line, read_label_categories


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
        ("InputConfig.DataSource", {"SnsDataSource": {"SnsTopicArn": "arn:…"}}, "streaming"),
        ("InputConfig.DataSource.S3DataSource.ManifestS3Uri", "s3://bucket", "names an object"),
        ("OutputConfig.S3OutputPath", "https://x/y", "S3OutputPath"),
        ("OutputConfig.SnsTopicArn", "arn:aws:sns:us-east-1:111122223333:x", "streaming"),
        ("OutputConfig.KmsKeyId", "key", "bucket's default"),
        ("LabelingJobAlgorithmsConfig", {}, "automated labeling"),
        ("HumanTaskConfig.UiConfig", {"HumanTaskUiArn": "arn:…"}, "UiTemplateS3Uri"),
        ("HumanTaskConfig.TaskTimeLimitInSeconds", 28_801, "at most 28800"),
        ("HumanTaskConfig.TaskAvailabilityLifetimeInSeconds", 2_592_001, "at most 2592000"),
        (
            "HumanTaskConfig.WorkteamArn",
            "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default",
            "private work teams",
        ),
        ("HumanTaskConfig.PublicWorkforceTaskPrice", {"AmountInUsd": {"Cents": 3}}, "must not have a price"),
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
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_member(path, value, says):
    with pytest.raises(ProtocolError, match=re.escape(says)) as caught:
        check_labeling_job(a_request(**{path: value}))
    assert caught.value.code == "ValidationException"
    assert path.split(".")[-1].removesuffix("Config") in str(caught.value) or "DataSource" in path


def labels(*names):
    return json.dumps(
        {"document-version": "2018-11-28", "labels": [{"label": name} for name in names]}
    ).encode()


def test_labels_keep_the_files_order():
    assert read_label_categories(labels("dog", "cat", "Ärger"), "f") == ["dog", "cat", "Ärger"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"[]", "label category file"),
        (b"{", "label category file"),
        (b'{"labels": ["cat"]}', "label category file"),
        (labels(), "0 labels"),
        (labels(*map(str, range(51))), "51 labels"),
        (labels("cat", "dog", "cat"), "'cat' is there twice"),
        (labels("x" * 257), "1 to 256"),
        (labels(""), "1 to 256"),
        (b'{"labels": [{"label": 7}]}', "1 to 256"),
    ],
)
def test_a_label_category_file_that_is_wrong_says_how(document, says):
    with pytest.raises(ManifestError, match=says) as caught:
        read_label_categories(document, "s3://bucket/labels.json")
    assert str(caught.value).startswith("s3://bucket/labels.json: ")


def test_a_line_keeps_its_text():
    line = '{"split": 1.50, "source-ref": "s3://bucket/a b.JPG", "x": [1e3]}'
    assert read_input_line(f"  {line}\r".encode(), "box", "f") == (line, "s3://bucket/a b.JPG")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"not json", "isn't a JSON object"),
        (b'["s3://bucket/a.jpg"]', "isn't a JSON object"),
        (b"\xff{}", "isn't a JSON object"),
        (b"{}", '"source-ref" is None'),
        (b'{"source-ref": "https://x/a.jpg"}', "s3://bucket/key"),
        (b'{"source-ref": "s3://bucket/a.gif"}', ".jpg, .jpeg, .png"),
        (b'{"source-ref": "s3://b/a.jpg", "$x": 1}', r"begins with \$"),
        (b'{"source-ref": "s3://b/a.jpg", "box": 1}', "'box' that this job is to add"),
        (b'{"source-ref": "s3://b/a.jpg", "box-metadata": 1}', "'box' that this job is to add"),
        (b'{"source-ref": "s3://b/a.jpg", "x": "' + b"y" * 20_000 + b'"}', "more than 20000"),
        (b'{"source-ref": "s3://b/a.jpg", "x": "' + b"y" * 100_000 + b'"}', "at most 100000"),
    ],
)
def test_a_line_that_is_wrong_says_how_and_where(line, says):
    with pytest.raises(ManifestError, match=says) as caught:
        read_input_line(line, "box", "s3://bucket/m, line 3")
    assert str(caught.value).startswith("s3://bucket/m, line 3: ")


def member(**changes):
    return {
        "CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "g", "ClientId": "c"} | changes
    }


def test_a_team_is_made_of_groups_of_the_services_own_pool():
    check_members([member(), member(UserGroup="h")], "us-east-1_abc")
    with pytest.raises(ProtocolError, match=r"MemberDefinitions\.2.*us-east-1_other"):
        check_members([member(), member(UserPool="us-east-1_other")], "us-east-1_abc")
    with pytest.raises(ProtocolError, match="Cognito"):
        check_members([{"OidcMemberDefinition": {"Groups": ["g"]}}], "us-east-1_abc")
