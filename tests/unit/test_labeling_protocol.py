"""SageMaker's wire protocol: requests against the service model, and pages of lists."""

import base64
import json
import re

import botocore.loaders
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.errors import ProtocolError
from truthmill.labeling_protocol import PROPERTIES, check, compiled, page

MODEL = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
SHAPES = MODEL["shapes"]
OPERATIONS = [
    "CreateLabelingJob",
    "DescribeLabelingJob",
    "StopLabelingJob",
    "ListLabelingJobs",
    "ListLabelingJobsForWorkteam",
    "RenderUiTemplate",
    "CreateWorkteam",
    "DescribeWorkteam",
    "ListWorkteams",
    "UpdateWorkteam",
    "DeleteWorkteam",
    "DescribeWorkforce",
    "ListWorkforces",
    "AddTags",
    "DeleteTags",
    "ListTags",
]


def refusal(shape, value):
    with pytest.raises(ProtocolError) as caught:
        check(shape, value, SHAPES)
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return str(caught.value)


def test_a_missing_member_is_named():
    assert refusal("DescribeLabelingJobRequest", {}) == (
        "1 validation error detected: Value null at 'labelingJobName' failed to satisfy constraint: "
        "Member must not be null"
    )


@pytest.mark.parametrize(
    ("shape", "value", "says"),
    [
        ("DescribeLabelingJobRequest", {"LabelingJobName": "a_b"}, "regular expression pattern"),
        ("DescribeLabelingJobRequest", {"LabelingJobName": "a" * 64}, "length less than or equal to 63"),
        ("DescribeLabelingJobRequest", {"LabelingJobName": ""}, "length greater than or equal to 1"),
        ("DescribeLabelingJobRequest", {"LabelingJobName": 7}, "be of type string"),
        ("DescribeLabelingJobRequest", {"LabelingJobName": "a", "Colour": 1}, "'colour'"),
        ("ListLabelingJobsRequest", {"MaxResults": 101}, "value less than or equal to 100"),
        ("ListLabelingJobsRequest", {"MaxResults": 0}, "value greater than or equal to 1"),
        ("ListLabelingJobsRequest", {"MaxResults": True}, "be of type integer"),
        (
            "ListLabelingJobsRequest",
            {"SortBy": "Size"},
            r"enum value set: \['Name', 'CreationTime', 'Status'\]",
        ),
        ("AddTagsInput", {"ResourceArn": "arn:x", "Tags": []}, "'resourceArn'"),
        ("TagList", [{"Key": "a", "Value": "b"}, {"Key": "a"}], r"'\.2\.member\.value'"),
        ("TagKey", "a\nb", "regular expression pattern"),
        ("TaskKeywords", ["a"] * 6, "length less than or equal to 5"),
    ],
)
def test_what_breaks_the_model_is_refused_by_its_member_and_rule(shape, value, says):
    assert re.search(says, refusal(shape, value))


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("ListLabelingJobsRequest", {}),
        ("ListLabelingJobsRequest", {"MaxResults": None, "CreationTimeAfter": 1.5}),
        ("TagKey", "Ärger über: 東京/=+-@ _.1"),
        ("CognitoUserGroup", "команда-€+1"),
        ("LabelingJobName", "a--b-1"),
        ("S3Uri", "s3://bucket/a key with spaces"),
    ],
)
def test_what_keeps_to_the_model_is_taken(shape, value):
    check(shape, value, SHAPES)


def reachable(shape, seen):
    if shape not in seen:
        seen.add(shape)
        model = SHAPES[shape]
        inner = [
            *model.get("members", {}).values(),
            *(model[k] for k in ("member", "key", "value") if k in model),
        ]
        for each in inner:
            reachable(each["shape"], seen)
    return seen


def test_every_shape_of_every_operation_can_be_checked():
    """Of the types and patterns that botocore's model has today; a pattern of another kind fails here."""
    shapes = set()
    for operation in OPERATIONS:
        reachable(MODEL["operations"][operation]["input"]["shape"], shapes)
    patterns = {SHAPES[shape]["pattern"] for shape in shapes if "pattern" in SHAPES[shape]}
    assert {SHAPES[shape]["type"] for shape in shapes} <= {
        "structure", "list", "string", "integer", "timestamp"
    }  # fmt: skip
    assert set(PROPERTIES) <= patterns
    for pattern in patterns:
        assert r"\p" not in compiled(pattern).pattern


entries = st.lists(
    st.builds(
        lambda name, time: {"Name": name, "CreationTime": time}, st.text(min_size=1), st.integers(0, 3)
    ),
    unique_by=lambda entry: entry["Name"],
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(entries, st.sampled_from(["Name", "CreationTime"]), st.booleans(), st.integers(1, 5))
def test_the_pages_of_a_list_are_the_list(entries, order, descending, size):
    found, token = [], None
    sorting = {"SortBy": order, "SortOrder": "Descending" if descending else "Ascending", "MaxResults": size}
    while True:
        more = {"NextToken": token} if token else {}
        chosen, token = page("ListLabelingJobs", entries, sorting | more, "CreationTime")
        assert chosen or not entries
        found += chosen
        if token is None:
            break
        assert len(chosen) == size
    expected = sorted(entries, key=lambda entry: (entry[order], entry["Name"]), reverse=descending)
    assert found == expected


def test_what_goes_between_two_pages_moves_nothing():
    names = [{"Name": name} for name in "abcdef"]
    _, token = page("ListWorkteams", names, {"MaxResults": 2}, "Name")
    for left, next_page in ((names[2:], ["c", "d"]), (names[3:], ["d", "e"])):
        chosen, _ = page("ListWorkteams", left, {"MaxResults": 2, "NextToken": token}, "Name")
        assert [each["Name"] for each in chosen] == next_page


@pytest.mark.parametrize("token", ["", "x", "eA==", "W10=", "¡", "WyJhIiwgMS41LCAiYiJd"])
def test_a_token_that_nobody_gave_out_is_refused(token):
    with pytest.raises(ProtocolError, match="NextToken"):
        page("ListWorkteams", [{"Name": "a"}], {"NextToken": token}, "Name")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ListLabelingJobs", {"SortBy": "Name", "SortOrder": "Descending"}),
        ("ListLabelingJobs", {"SortBy": "Name", "NameContains": "a"}),
        ("ListLabelingJobs", {}),
        ("ListWorkteams", {"SortBy": "Name"}),
    ],
)
def test_a_token_of_another_list_is_refused(operation, request_):
    names = [{"Name": "a", "CreationTime": 1.5}, {"Name": "b", "CreationTime": 2.5}]
    _, token = page("ListLabelingJobs", names, {"SortBy": "Name", "MaxResults": 1}, "CreationTime")
    with pytest.raises(ProtocolError, match="other filters or another order"):
        page(operation, names, request_ | {"NextToken": token}, "CreationTime")
    chosen, _ = page("ListLabelingJobs", names, {"SortBy": "Name", "NextToken": token}, "CreationTime")
    assert [each["Name"] for each in chosen] == ["b"]


def test_a_token_made_by_hand_for_the_right_list_with_the_wrong_place_is_refused():
    names = [{"Name": "a", "CreationTime": 1.5}, {"Name": "b", "CreationTime": 2.5}]
    _, token = page("ListLabelingJobs", names, {"SortBy": "Name", "MaxResults": 1}, "CreationTime")
    asked, _, _ = json.loads(base64.urlsafe_b64decode(token))
    forged = base64.urlsafe_b64encode(json.dumps([asked, 1.5, "a"]).encode()).decode()
    with pytest.raises(ProtocolError, match="NextToken"):
        page("ListLabelingJobs", names, {"SortBy": "Name", "NextToken": forged}, "CreationTime")
