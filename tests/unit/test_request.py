import json
from decimal import Decimal
from pathlib import Path

import pytest

from truthmill.errors import LabelsMissingError, RequestError
from truthmill.request_reading import parse, source_uri

GIVEN = {"source": "s3://bucket/incoming/My Pets (2).zip", "labels": ["cat", "dog"]}
EVENTS = Path(__file__).parents[2] / "events"


def test_the_sample_request_of_the_console_is_understood():
    asked = parse(json.loads((EVENTS / "console-request.json").read_text()), {}, {})
    assert asked.labels == ("cat", "dog")
    assert asked.workforce.price_per_task == Decimal("0.036")
    assert asked.budget.max_cost == 50
    assert asked.trigger == "console"


def test_the_sample_request_of_the_schedule_says_that_it_is_one():
    asked = parse(json.loads((EVENTS / "schedule-request.json").read_text()), {}, {})
    assert asked.trigger == "schedule"
    assert not asked.is_archive


def test_the_dataset_is_named_after_the_archive():
    assert parse(GIVEN, {}, {}).dataset == "my-pets-2"


def test_an_archive_of_another_script_still_gets_a_name():
    """The digest of the name, since no letter of it may stand in a dataset's name."""
    asked = parse({**GIVEN, "source": "s3://bucket/incoming/猫.zip"}, {}, {})
    assert asked.dataset == "dataset-a810bf84"


def test_input_goes_before_the_archive_and_the_archive_before_the_stack():
    bundled = {"labels": ["b"], "split": {"seed": "b"}, "workforce": {"workersPerObject": 3}}
    stack = {"labels": ["c"], "split": {"validation": 0.5, "seed": "c"}, "channels": ["coco"]}
    asked = parse({"source": GIVEN["source"], "split": {"seed": "a"}}, bundled, stack)
    assert asked.labels == ("b",)
    assert (asked.split.seed, asked.split.validation) == ("a", 0.5)
    assert asked.workforce.workers_per_object == 3
    assert asked.channels == ("coco",)


def test_a_source_may_come_as_the_bucket_and_key_of_an_event():
    key = 'incoming/100% "cute" + ä😀.zip'
    assert source_uri({"source": {"bucket": "bucket", "key": key}}) == f"s3://bucket/{key}"


def test_labels_from_nowhere_say_where_to_put_them():
    with pytest.raises(LabelsMissingError) as raised:
        parse({"source": "s3://bucket/incoming/pets.zip"}, {}, {"labels": []})
    assert str(raised.value) == (
        "Label list is empty: neither the execution's input, nor truthmill.json in pets.zip, nor the stack's "
        'parameter DefaultLabels names one. Add "labels": ["cat", "dog"] to any of them.'
    )


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"lables": ["x"]}, "lables"),
        ({"split": {"valdation": 0.1}}, "valdation"),
        ({"split": {"validation": 1}}, "$.split.validation"),
        ({"split": {"groupBy": {"pattern": "("}}}, "groupBy"),
        ({"labels": ["cat", "cat"]}, "'cat' more than once"),
        ({"labels": [str(number) for number in range(51)]}, "51 labels"),
        ({"labels": ["x" * 257]}, "$.labels[0]"),
        ({"labels": "cat"}, "$.labels"),
        ({"dataset": "My Pets"}, "'My Pets'"),
        ({"dataset": "a" * 41}, "at most 40"),
        ({"channels": ["coco", "cocoa"]}, "cocoa"),
        ({"channels": []}, "nothing"),
        ({"workforce": {"workersPerObject": 10}}, "$.workforce.workersPerObject"),
        ({"workforce": {"pricePerTask": "-1"}}, "workforce.pricePerTask"),
        ({"workforce": {"pricePerTask": "dear"}}, "$.workforce.pricePerTask"),
        ({"budget": {"maxCost": "NaN"}}, "budget.maxCost"),
        ({"budget": {}}, "maxCost"),
        ({"trigger": "magic"}, "$.trigger"),
        ({"source": 7}, '"source" is 7'),
        ({"source": "/tmp/pets.zip"}, "/tmp/pets.zip"),
        ({"source": "s3://bucket/"}, "s3://bucket/"),
        ({"source": "s3://UPPER/x.zip"}, "s3://UPPER/x.zip"),
    ],
)
def test_a_wrong_value_is_named(more, named):
    with pytest.raises(RequestError) as raised:
        parse(GIVEN | more, {}, {})
    assert named in str(raised.value)
