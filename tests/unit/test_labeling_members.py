"""Every member of every request shape of botocore's model is treated somehow, and the table says how."""

import botocore.loaders
import pytest

from labeling.control import OPERATIONS
from labeling_builders import a_request
from truthmill.errors import ProtocolError
from truthmill.labeling_jobs import Counters, Job, describe
from truthmill.labeling_members import MEMBERS, refuse_members
from truthmill.labeling_protocol import check

MODEL = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
SHAPES = MODEL["shapes"]


def leaves(shape, path=""):
    """Paths of all that a request of the shape may hold, with their shapes."""
    model = SHAPES[shape]
    if model["type"] == "structure":
        for name, member in model["members"].items():
            yield from leaves(member["shape"], f"{path}.{name}" if path else name)
    elif model["type"] == "list":
        yield from leaves(model["member"]["shape"], f"{path}[]")
    else:
        yield path, shape


def covers(treated, path):
    return path == treated or path.startswith((f"{treated}.", f"{treated}[]"))


def input_of(operation):
    return MODEL["operations"][operation]["input"]["shape"]


def test_every_operation_that_is_served_is_in_the_table():
    assert set(MEMBERS) == set(OPERATIONS)


@pytest.mark.parametrize("operation", MEMBERS)
def test_every_member_has_one_treatment_and_every_treatment_a_member(operation):
    paths = [path for path, _ in leaves(input_of(operation))]
    for path in paths:
        assert sum(covers(treated, path) for treated in MEMBERS[operation]) == 1, path
    for treated, treatment in MEMBERS[operation].items():
        below = [path for path in paths if covers(treated, path)]
        assert below, treated
        assert below == [treated] or treatment.kind == "refused", f"{treated}: name its members one by one"


def a_value(shape):
    """The least that a shape allows."""
    model = SHAPES[shape]
    if model["type"] == "structure":
        return {name: a_value(model["members"][name]["shape"]) for name in model.get("required", ())}
    if model["type"] == "list":
        return [a_value(model["member"]["shape"])]
    return 1 if model["type"] in ("integer", "timestamp") else model.get("enum", ["x"])[0]


def with_member(shape, path):
    """A value of the shape that has this path."""
    if not path:
        return a_value(shape)
    name = path[0].removesuffix("[]")
    member = SHAPES[shape]["members"][name]["shape"]
    if path[0].endswith("[]"):
        return {name: [with_member(SHAPES[member]["member"]["shape"], path[1:])]}
    return {name: with_member(member, path[1:])}


REFUSED = [
    (operation, path)
    for operation, members in MEMBERS.items()
    for path, treatment in members.items()
    if treatment.kind == "refused"
]


@pytest.mark.parametrize(("operation", "path"), REFUSED)
def test_what_is_refused_is_named_with_the_reason(operation, path):
    request = with_member(input_of(operation), path.split("."))
    with pytest.raises(ProtocolError) as caught:
        refuse_members(operation, request)
    assert str(caught.value) == f"{path}: {MEMBERS[operation][path].sentence}"
    assert caught.value.code == "ValidationException"


def test_a_request_with_what_is_taken_passes():
    refuse_members("CreateLabelingJob", a_request())
    check(input_of("CreateLabelingJob"), a_request(), SHAPES)
    refuse_members("ListLabelingJobs", {"MaxResults": 3, "SortBy": None})


def value_at(document, path):
    for name in path.split("."):
        document = document[name.removesuffix("[]")]
        document = document[0] if name.endswith("[]") else document
    return document


def test_whatever_is_taken_of_a_job_is_described_again():
    """Every member that isn't refused, given at once; tags are kept by themselves."""
    request = a_request(
        **{
            "InputConfig.DataAttributes": {"ContentClassifiers": ["FreeOfAdultContent"]},
            "OutputConfig.KmsKeyId": "0a1b",
            "StoppingConditions": {"MaxHumanLabeledObjectCount": 7, "MaxPercentageOfInputDatasetLabeled": 8},
            "HumanTaskConfig.TaskKeywords": ["pets"],
            "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": 3_600,
            "HumanTaskConfig.MaxConcurrentTaskCount": 9,
        }
    )
    job = Job(name="pets", arn="arn", request=request, reference="r", created=0, modified=0)
    described = describe(job, Counters(), {"a": "b"})
    for path, treatment in MEMBERS["CreateLabelingJob"].items():
        if treatment.kind != "refused":
            given = {"Tags": [{"Key": "a", "Value": "b"}]} if path.startswith("Tags") else request
            assert value_at(described, path) == value_at(given, path), path
