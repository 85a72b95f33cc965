"""What the report warns of, and its verdict."""

import json

import msgspec
import pytest

from report_builders import an_answer
from truthmill.report.facts import Agreement, Facts, Listed
from truthmill.report.judge import CHECKS, judge
from truthmill.report.measures import LabeledLine, Measures, PlainBox
from truthmill.report.workers import Response, Staff
from truthmill.run import Run

LABELS = ("cat", "dog")
SIZE = 200


def facts(train=(), validation=(), counts=None, split=None, **more):
    """train, validation: lists of boxes, one for each picture."""
    found = Measures(LABELS, "seed", "r")
    found.add(
        LabeledLine(
            key=f"{side}{number}",
            split=side,
            name=f"{side}{number}",
            run="r",
            width=SIZE,
            height=SIZE,
            boxes=tuple(PlainBox(*box) for box in boxes),
        )
        for side, pictures in (("train", train), ("validation", validation))
        for number, boxes in enumerate(pictures)
    )
    pictures = len(train) + len(validation)
    run = Run(
        run="r",
        dataset="pets",
        state="RUNNING",
        trigger="cli",
        execution="e",
        started_at="2026-01-01T00:00:00Z",
        request={"labels": LABELS},
        counts={"inputs": pictures, "train": len(train), "validation": len(validation), "labeled": pictures}
        | (counts or {}),
        split={"wanted": {"train": 80, "validation": 20}, "straddlingGroups": 0} | (split or {}),
    )
    return Facts(run=run, bucket="bucket", measures=found, **more)


BOTH = [(0, 20, 20, 50, 50), (1, 100, 100, 50, 50)]
GOOD = {"train": [BOTH] * 120, "validation": [BOTH] * 30}


def titles(found, level=None):
    return [concern.title for concern in judge(found).concerns if level in (None, concern.level)]


def test_a_sound_dataset_is_ready():
    found = judge(facts(**GOOD))
    assert found.concerns == ()
    assert found.passed == tuple(CHECKS)
    assert (found.level, found.headline) == ("ready", "Ready to train")


def test_no_validation_picture_stops():
    found = judge(facts(train=[BOTH] * 120))
    assert found.headline == "Don't train on this yet"
    assert found.concerns[0].title == "There is no validation picture"


def test_no_validation_is_right_where_none_was_wanted():
    assert "There is no validation picture" not in titles(
        facts(train=[BOTH] * 120, split={"wanted": {"train": 120, "test": 12}})
    )


def test_a_class_that_nobody_drew():
    only = {side: [boxes[:1] for boxes in pictures] for side, pictures in GOOD.items()}
    found = judge(facts(**only))
    assert found.headline == "Train, but look at 1 point first"
    assert (found.concerns[0].title, found.concerns[0].found) == (
        "1 class without a single box",
        "Nobody drew “dog”.",
    )


def test_a_class_without_a_validation_box():
    found = facts(train=[BOTH] * 120, validation=[BOTH[:1]] * 30)
    assert "Classes without a validation box" in titles(found, "look")


def test_a_class_without_a_training_box_stops():
    found = facts(train=[BOTH[:1]] * 120, validation=[BOTH] * 30)
    assert titles(found, "stop") == ["Classes without a training box"]


@pytest.mark.parametrize(("boxes", "rare"), [(29, True), (30, False)])
def test_a_rare_class(boxes, rare):
    found = facts(train=[BOTH] * boxes + [BOTH[:1]] * 120, validation=[BOTH] * 8 + [BOTH[:1]] * 20)
    assert ("1 rare class" in titles(found, "look")) is rare


def test_a_group_on_both_sides_stops():
    assert titles(facts(**GOOD, split={"straddlingGroups": 2}), "stop") == [
        "2 groups on both sides of the split"
    ]


@pytest.mark.parametrize(("off", "far"), [(7, False), (8, True), (-8, True)])
def test_a_split_far_from_wanted(off, far):
    """5 % of 150 pictures are 7.5."""
    found = facts(**GOOD, split={"offBy": {"validation": off}})
    assert ("The split is far from what was wanted" in titles(found)) is far


def test_a_class_that_is_nearly_all_on_one_side():
    found = facts(train=[BOTH] * 35 + [BOTH[:1]] * 100, validation=[BOTH] * 1 + [BOTH[:1]] * 30)
    assert titles(found, "look") == ["Classes are spread unevenly over the split"]


@pytest.mark.parametrize(("missing", "level"), [(10, "look"), (40, "stop")])
def test_pictures_without_an_answer(missing, level):
    found = facts(**GOOD, counts={"unlabeled": missing})
    assert titles(found, level) == [f"{missing} pictures came back without an answer"]


def test_classes_in_one_place():
    place = [(0, 20, 20, 50, 50), (1, 20, 21, 50, 50)]
    found = judge(facts(train=[BOTH] * 119 + [place], validation=[BOTH] * 30))
    assert [concern.found for concern in found.concerns] == [
        "1 time in one place in the finished labels: “cat / dog (1)”."
    ]


@pytest.mark.parametrize(("number", "level"), [(1, "note"), (2, "look")])
def test_one_thing_boxed_twice(number, level):
    """Half a percent of 301 boxes is 1.5: one box of many is no reason to stop."""
    twice = [*BOTH, (0, 20, 21, 50, 50)]
    found = facts(train=[BOTH] * (120 - number) + [twice] * number, validation=[BOTH] * 30)
    assert titles(found, level) == [f"{number} thing{'s' if number > 1 else ''} may be boxed twice"]


@pytest.mark.parametrize(("number", "level"), [(1, "note"), (2, "look")])
def test_some_boxes_in_one_place_among_many_are_noted(number, level):
    place = [(0, 20, 20, 50, 50), (1, 20, 21, 50, 50)]
    found = facts(train=[BOTH] * (120 - number) + [place] * number, validation=[BOTH] * 30)
    assert titles(found, level) == ["Classes are confused with each other"]


def test_much_of_a_rare_class_in_one_place_is_looked_at_however_large_the_dataset():
    """3 of 35 boxes of one class, and of 1,238 boxes in all."""
    place = [(0, 20, 20, 50, 50), (1, 20, 21, 50, 50)]
    cats = [BOTH[:1]] * 600
    found = facts(train=[BOTH] * 32 + [place] * 3 + cats, validation=[BOTH] * 8 + cats)
    assert "Classes are confused with each other" in titles(found, "look")


@pytest.mark.parametrize(("tiny", "level"), [(1, "note"), (30, "look")])
def test_tiny_boxes(tiny, level):
    """5 % of the boxes of 150 pictures are 15 and more."""
    small = [*BOTH, (0, 180, 180, 7, 7)]
    found = facts(train=[small] * tiny + [BOTH] * (120 - tiny), validation=[BOTH] * 30)
    assert titles(found, level) == [f"{tiny} box{'es' if tiny > 1 else ''} narrower than 8 pixels"]


def test_boxes_at_the_edge():
    cut = [(0, 0, 20, 50, 50), (1, 100, 100, 50, 50)]
    found = judge(facts(train=[cut] * 120, validation=[cut] * 30))
    (concern,) = found.concerns
    assert concern.title == "50% of the boxes touch the picture's edge"
    assert concern.found == "Objects are often cut off; most often “cat” (100%)."
    assert found.level == "ready"


def test_many_empty_pictures():
    found = facts(train=[BOTH] * 50 + [[]] * 70, validation=[BOTH] * 15 + [[]] * 15)
    assert titles(found, "look") == ["57% of the pictures have no box"]


def test_many_rejected_inputs():
    found = facts(**GOOD, counts={"inputs": 200, "rejected": 50})
    assert titles(found, "look") == ["25% of the inputs were rejected"]


def test_workers_who_disagree():
    agreement = Agreement(pictures=10, total=7.0)
    assert titles(facts(**GOOD, agreement=agreement), "look") == ["Workers often disagree"]


def test_boxes_that_were_dropped():
    listed = Listed(dropped=4)
    listed.findings.update({"outside": 4})
    assert titles(facts(**GOOD, listed=listed), "look") == ["4 boxes cut, dropped or doubtful"]


def staff_of(*answers):
    staff = Staff(LABELS)
    for each in answers:
        staff.add(msgspec.json.decode(json.dumps({"answers": each}), type=Response), [])
    return staff


def test_a_worker_who_is_far_too_fast():
    said = [an_answer(name, seconds, ()) for name, seconds in (("a", 20), ("b", 22), ("c", 3))]
    (concern,) = judge(facts(**GOOD, staff=staff_of(*[said] * 5))).concerns
    assert (concern.title, concern.found) == (
        "A worker is far from the others",
        "Worker c takes 3.0 s a picture (median 20.0 s).",
    )


def test_a_channel_that_breaks_limits_of_its_reader():
    told = judge(facts(**GOOD, limits={"rekognition": ("61 boxes; 50 are taken",)})).concerns
    assert [(concern.level, concern.found) for concern in told] == [("look", "61 boxes; 50 are taken")]
    assert "rekognition" in told[0].title


def test_the_gravest_comes_first():
    found = judge(facts(train=[BOTH] * 30, counts={"unlabeled": 1}))
    levels = [concern.level for concern in found.concerns]
    assert levels == sorted(levels, key=["stop", "look", "note"].index)
    assert levels[0] == "stop"
