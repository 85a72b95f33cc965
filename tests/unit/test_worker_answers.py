"""A worker's answer, checked."""

import json

import msgspec
import pytest

from truthmill.boxes import Box
from truthmill.labeling_output import Submitted
from truthmill.worker_answers import MAX_BOXES, MAX_BYTES, AnswerError, read_answer

LABELS = ["cat", "dog"]


def answer(*boxes, width=200, height=100, name="boundingBox"):
    drawn = [dict(zip(("label", "left", "top", "width", "height"), box, strict=True)) for box in boxes]
    return {name: {"boundingBoxes": drawn, "inputImageProperties": {"width": width, "height": height}}}


def test_boxes_come_out_with_their_labels_number():
    read = read_answer(answer(("dog", 1, 2, 3, 4), ("cat", 0, 0, 200, 100)), LABELS)
    assert read.boxes == (Box(1, 1, 2, 3, 4), Box(0, 0, 0, 200, 100))
    assert read.size_wh == (200, 100)


def test_the_elements_name_is_the_templates_and_other_fields_may_stand_beside_it():
    content = answer(("cat", 1, 2, 3, 4), name="annotatedResult") | {"remark": "dark"}
    assert read_answer(content, LABELS).boxes == (Box(0, 1, 2, 3, 4),)


def test_whole_numbers_written_as_fractions_are_whole():
    assert read_answer(answer(("cat", 1.0, 2.0, 3.0, 4.0)), LABELS).boxes == (Box(0, 1, 2, 3, 4),)


@pytest.mark.parametrize("digits", range(1, 7))
def test_the_largest_answer_fits_an_item_of_the_table(digits):
    """What came and the boxes read from it are kept together, in at most 400 KB (DynamoDB's limit)."""
    labels, edge = [str(number) for number in range(50)], 10 ** (digits - 1)
    box = ("49", edge, edge, edge, edge)
    each = len(json.dumps(answer(box, box), separators=(",", ":"))) - len(
        json.dumps(answer(box), separators=(",", ":"))
    )
    content = answer(*[box] * min(MAX_BOXES, MAX_BYTES // each), width=10**6, height=10**6)
    given = Submitted(
        worker="private.us-east-1.0123456789abcdef",
        sub="0" * 36,
        issuer="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_012345678",
        accepted=10**12,
        submitted=10**12,
        content=content,
        answer=read_answer(content, labels),
    )
    assert len(msgspec.json.encode(given)) < 400 * 1024 - 2_000  # the item's other attributes


def test_no_box_is_an_answer():
    assert read_answer(answer(), LABELS).boxes == ()


@pytest.mark.parametrize(
    ("box", "says"),
    [
        (("cow", 1, 2, 3, 4), "labels are 'cat', 'dog'"),
        (("cat", -1, 2, 3, 4), "inside the picture of 200 x 100"),
        (("cat", 0, -1, 3, 4), "inside the picture of 200 x 100"),
        (("cat", 198, 2, 3, 4), "inside the picture of 200 x 100"),
        (("cat", 0, 97, 3, 4), "inside the picture of 200 x 100"),
        (("cat", 1, 2, 0, 4), "at least 1 pixel"),
        (("cat", 1, 2, 3, -4), "at least 1 pixel"),
        (("cat", 1.5, 2, 3, 4), "whole pixels"),
        (("cat", 1e300, 2, 3, 4), "whole pixels"),
        (("cat", "1", 2, 3, 4), "Expected `float`, got `str`"),
    ],
)
def test_a_box_that_breaks_a_rule_is_refused_by_that_rule(box, says):
    with pytest.raises(AnswerError, match=says):
        read_answer(answer(("cat", 1, 1, 1, 1), box), LABELS)


@pytest.mark.parametrize(
    ("box", "rule"),
    [
        (("cow", 1, 2, 3, 4), "label"),
        (("cat", 198, 2, 3, 4), "outside"),
        (("cat", 1, 2, 0, 4), "small"),
        (("cat", 1.5, 2, 3, 4), "whole"),
    ],
)
def test_a_refused_box_is_told_in_parts_for_who_reads_another_language(box, rule):
    with pytest.raises(AnswerError) as refused:
        read_answer(answer(("cat", 1, 1, 1, 1), box), LABELS)
    place = dict(zip(("label", "left", "top", "width", "height"), (box[0], *map(str, box[1:])), strict=True))
    size = {"size": "200 x 100"} if rule == "outside" else {}
    assert refused.value.details == {"rule": rule, "box": 2, **place, **size}


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"boundingBox": None},
        {"boundingBox": {"boundingBoxes": []}},
        {"boundingBox": {"boundingBoxes": {}, "inputImageProperties": {"width": 1, "height": 1}}},
        {**answer(), **answer(name="again")},
        answer(width=0),
    ],
)
def test_what_is_no_answer_is_refused(content):
    with pytest.raises(AnswerError):
        read_answer(content, LABELS)


def test_another_size_than_the_pictures_is_refused():
    assert read_answer(answer(), LABELS, (200, 100)).boxes == ()
    with pytest.raises(AnswerError, match="the picture has 400 x 100"):
        read_answer(answer(), LABELS, (400, 100))
