import msgspec
import pytest

from truthmill.request_reading import parse
from truthmill.run import Run, check_counts, run_name, takes_over

ASKED = parse({"source": "s3://bucket/incoming/pets.zip", "labels": ["cat"]}, {}, {})
RUN = Run(run="r", dataset="pets", state="RUNNING", trigger="s3", execution="e1", started_at="t", request={})


@pytest.mark.parametrize(
    "more",
    [
        {"source": "s3://bucket/uploads/pets.zip"},
        {"trigger": "cli"},
        {"budget": {"maxCost": 7}},
        {"onIncomplete": "continue"},
        {"split": {"onDegenerate": "continue"}},
    ],
)
def test_the_same_content_is_the_same_run_however_it_comes(more):
    given = {"source": "s3://bucket/incoming/pets.zip", "labels": ["cat"], "dataset": "pets"} | more
    assert run_name("digest", parse(given, {}, {})) == run_name("digest", ASKED)


@pytest.mark.parametrize(
    "more",
    [
        {"labels": ["dog"]},
        {"split": {"seed": "x"}},
        {"channels": ["coco"]},
        {"workforce": {"workersPerObject": 2}},
    ],
)
def test_what_changes_the_result_makes_another_run(more):
    given = {"source": "s3://bucket/incoming/pets.zip", "labels": ["cat"], "dataset": "pets"} | more
    assert run_name("digest", parse(given, {}, {})) != run_name("digest", ASKED)


def test_other_content_is_another_run():
    assert run_name("digest", ASKED) != run_name("other", ASKED)


@pytest.mark.parametrize(
    ("state", "execution", "still_running", "taken"),
    [
        ("RUNNING", "e1", True, True),  # a retry of its own
        ("RUNNING", "e2", True, False),  # the same drop, delivered twice
        ("RUNNING", "e2", False, True),  # an execution that was aborted
        ("FAILED", "e2", False, True),
        ("SUCCEEDED", "e2", False, False),
    ],
)
def test_who_may_work_on_a_run(state, execution, still_running, taken):
    found = msgspec.structs.replace(RUN, state=state)
    assert takes_over(found, execution, still_running=still_running) is taken


def test_counts_that_lose_an_input_are_a_defect():
    counts = {
        "inputs": 10,
        "train": 4,
        "validation": 1,
        "duplicates": 2,
        "rejected": 1,
        "ignored": 2,
        "known": 1,
    }
    check_counts(counts)
    with pytest.raises(AssertionError, match="10 inputs, 9 accounted for"):
        check_counts(counts | {"ignored": 1})


def test_run_json_is_read_back_as_it_was_written():
    run = msgspec.structs.replace(RUN, request=msgspec.json.decode(msgspec.json.encode(ASKED)))
    again = msgspec.json.decode(msgspec.json.encode(run), type=Run)
    assert again == run
    assert again.asked == ASKED
