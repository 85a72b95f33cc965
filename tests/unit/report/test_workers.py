"""Agreement and pace of workers: figures worked out by hand."""

import json

import msgspec
import pytest

from report_builders import an_answer
from truthmill.boxes import Box
from truthmill.report.workers import Response, Staff, far_from_others, sampled

AGREED = [Box(0, 10, 10, 40, 40), Box(1, 100, 100, 20, 20)]


def staff(*objects, agreed=AGREED):
    made = Staff(("cat", "dog"))
    for answers in objects:
        made.add(msgspec.json.decode(json.dumps({"answers": answers}), type=Response), agreed)
    return made


def test_agreement_is_the_share_of_boxes_in_common():
    both = [("cat", 11, 10, 40, 40), ("dog", 100, 100, 20, 20)]
    found = staff([an_answer("a", 10, both), an_answer("b", 20, [*both[:1], ("cat", 200, 200, 9, 9)])])
    a, b = found.workers()
    assert (a.agreement, b.agreement) == (1.0, 0.5)  # b shares 1 of 2 + 2 boxes: 2 · 1 / 4
    assert (a.pace_s, b.pace_s) == (10, 20)
    assert (a.boxes, b.boxes) == (2, 2)


def test_alone_nobody_agrees_or_disagrees():
    (worker,) = staff([an_answer("a", 10, [("cat", 10, 10, 40, 40)])]).workers()
    assert worker.agreement is None


def test_nothing_drawn_where_nothing_was_agreed_is_agreement():
    found = staff([an_answer("a", 5, []), an_answer("b", 5, [])], agreed=[])
    assert [worker.agreement for worker in found.workers()] == [1.0, 1.0]


def test_another_label_in_the_same_place_is_a_confusion():
    found = staff([an_answer("a", 5, [("dog", 10, 10, 40, 40)]), an_answer("b", 5, [])])
    assert found.confused == {(0, 1): 1}


def test_one_agreed_box_is_matched_once():
    twice = [("cat", 10, 10, 40, 40), ("cat", 10, 11, 40, 40)]
    found = staff([an_answer("a", 5, twice), an_answer("b", 5, [])])
    assert found.workers()[0].matched == 1


@pytest.mark.parametrize(
    "content",
    [{"boundingBox": {"boundingBoxes": []}}, {"boundingBox": "?"}, {"notes": "none"}, {}],
)
def test_what_holds_no_box_is_no_box(content):
    answer = {"workerId": "a", "answerContent": content}
    assert staff([answer]).workers()[0].boxes == 0


def test_two_workers_are_too_few_to_say_who_is_odd():
    said = [an_answer("a", 60, []), an_answer("b", 1, [])]
    assert far_from_others(staff(*[said] * 9).workers()) == {}


def test_who_disagrees_with_most_is_named():
    both = [("cat", 10, 10, 40, 40), ("dog", 100, 100, 20, 20)]
    said = [an_answer("a", 9, both), an_answer("b", 9, both), an_answer("c", 9, both[:1])]
    assert far_from_others(staff(*[said] * 5).workers()) == {
        "c": "agrees with the others on 67% of the boxes (median 100%)"
    }


def test_few_answers_say_nothing():
    said = [an_answer("a", 9, []), an_answer("b", 9, []), an_answer("c", 1, [])]
    assert far_from_others(staff(*[said] * 4).workers()) == {}


def test_objects_are_sampled_fairly_and_the_same_each_time():
    assert sampled(5, 9, "s") == {0, 1, 2, 3, 4}
    chosen = sampled(1000, 100, "s")
    assert len(chosen) == 100
    assert chosen == sampled(1000, 100, "s")
    assert 350 < sum(chosen) / 100 < 650
