"""Several workers' boxes become one list."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.consolidation import certainty, consolidate
from truthmill.worker_quality import Panel

SIZE = (200, 100)


def boxes_of(answers):
    return [each.box for each in consolidate(answers, SIZE)]


def test_one_workers_boxes_stay_as_they_are_in_their_order_without_confidence():
    drawn = [Box(1, 50, 50, 10, 10), Box(0, 1, 2, 3, 4), Box(0, 1, 2, 3, 4)]
    found = consolidate({"ann": drawn}, SIZE)
    assert [each.box for each in found] == drawn
    assert [each.confidence for each in found] == [0.0, 0.0, 0.0]


def test_three_workers_boxes_merge_edge_by_edge_at_the_mean():
    answers = {
        "ann": [Box(0, 10, 20, 40, 30)],  # right 50, bottom 50
        "ben": [Box(0, 12, 18, 40, 33)],  # right 52, bottom 51
        "cem": [Box(0, 11, 22, 43, 27)],  # right 54, bottom 49
    }
    (found,) = consolidate(answers, SIZE)
    assert found.box == Box(0, 11, 20, 41, 30)  # edges 11, 20, 52, 50
    assert found.confidence > 0.99
    assert found.agreement == 1.0


def test_an_edge_far_off_pulls_no_harder_than_one_at_two_and_a_half_deviations():
    """Side 100, jitter 5 %: a deviation is (0.3 + 5²)^½ = 5.03 pixels; 30 off count as 12.6, of three 4.2."""
    near = Box(0, 20, 20, 100, 40)
    answers = {"ann": [near], "ben": [near], "cem": [Box(0, 50, 20, 70, 40)]}
    assert boxes_of(answers) == [Box(0, 24, 20, 96, 40)]


def test_what_a_minority_drew_goes():
    answers = {
        "ann": [Box(0, 10, 10, 40, 40)],
        "ben": [Box(0, 10, 10, 40, 40)],
        "cem": [Box(0, 10, 10, 40, 40), Box(0, 150, 50, 20, 20)],
    }
    assert boxes_of(answers) == [Box(0, 10, 10, 40, 40)]


def test_what_one_of_two_drew_stays_with_the_odds_that_the_other_missed_it():
    """Drawn by one, missed by one: 0.9 x 0.1; around nothing 0.05: 9 to 5. Its label is right with 0.95."""
    (found,) = consolidate({"ann": [Box(0, 10, 10, 40, 40)], "ben": []}, SIZE)
    assert (found.box, found.confidence, found.agreement) == (Box(0, 10, 10, 40, 40), 0.6107, 0.5)


def test_the_label_of_most_is_taken_where_one_swapped_it():
    box = (10, 10, 40, 40)
    (found,) = consolidate({"ann": [Box(0, *box)], "ben": [Box(1, *box)], "cem": [Box(1, *box)]}, SIZE)
    assert found.box == Box(1, *box)
    assert found.agreement == 0.6667
    assert found.confidence == pytest.approx(0.95, abs=0.002)  # 0.95² x 0.05 against 0.05² x 0.95


def test_a_label_that_is_a_toss_up_between_three_workers_goes_with_its_box():
    """One said a cat, one a dog, one nothing; of two workers either would do."""
    box = (10, 10, 40, 40)
    assert boxes_of({"ann": [Box(0, *box)], "ben": [Box(1, *box)], "cem": []}) == []
    assert len(boxes_of({"ann": [Box(0, *box)], "ben": [Box(1, *box)]})) == 1


def test_workers_who_agree_are_certain_and_those_who_do_not_are_not():
    box, far = Box(0, 10, 10, 40, 40), Box(0, 120, 40, 40, 40)
    panel = Panel()
    assert certainty({"ann": [box]}, panel) == 0.0
    assert certainty({"ann": [], "ben": []}, panel) == 1.0
    assert certainty({"ann": [box], "ben": [box]}, panel) > 0.95
    assert certainty({"ann": [box], "ben": []}, panel) < 0.65
    assert certainty({"ann": [box, far], "ben": [box]}, panel) < 0.65
    assert certainty({"ann": [box], "ben": [box], "cem": [box, far]}, panel) > 0.8
    assert certainty({"ann": [box], "ben": [Box(1, 10, 10, 40, 40)]}, panel) <= 0.5
    assert certainty({"ann": [box], "ben": [Box(0, 22, 10, 40, 40)]}, panel) < 0.8  # the same, elsewhere


def test_boxes_of_two_classes_in_one_place_are_two_things():
    box = (10, 10, 40, 40)
    answers = {"ann": [Box(0, *box), Box(1, *box)], "ben": [Box(0, *box), Box(1, *box)]}
    assert boxes_of(answers) == [Box(0, *box), Box(1, *box)]


def test_two_things_side_by_side_stay_two_although_they_overlap():
    """A worker draws one thing once, so two boxes of one worker never merge."""
    near, far = Box(0, 10, 10, 40, 40), Box(0, 20, 10, 40, 40)  # IoU 0.6
    assert boxes_of({"ann": [near, far], "ben": [far, near], "cem": [near, far]}) == [near, far]


def test_boxes_that_overlap_by_less_than_half_are_two_things():
    answers = {"ann": [Box(0, 0, 0, 30, 10)], "ben": [Box(0, 13, 0, 30, 10)]}  # 17 shared of 43
    assert boxes_of(answers) == [Box(0, 0, 0, 30, 10), Box(0, 13, 0, 30, 10)]


def test_nobody_drawing_anything_is_a_negative():
    assert boxes_of({"ann": [], "ben": []}) == []


def test_a_box_of_workers_who_saw_another_size_is_cut_to_the_picture():
    answers = {"ann": [Box(0, 190, 90, 40, 40)], "ben": [Box(0, 190, 90, 40, 40)]}
    assert boxes_of(answers) == [Box(0, 190, 90, 10, 10)]


def test_two_equally_close_boxes_are_chosen_between_by_place_not_by_order():
    middle, before, behind = Box(0, 15, 0, 10, 10), Box(0, 13, 0, 10, 10), Box(0, 17, 0, 10, 10)
    for second in ([before, behind], [behind, before]):
        for answers in ({"ann": [middle], "ben": second}, {"ben": second, "ann": [middle]}):
            assert boxes_of(answers) == [Box(0, 14, 0, 10, 10), behind]


drawn = st.builds(
    Box, st.integers(0, 1), st.integers(0, 150), st.integers(0, 60), st.integers(1, 50), st.integers(1, 40)
)
several = st.lists(st.lists(drawn, max_size=5), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(several, st.randoms(use_true_random=False))
def test_the_order_of_answers_and_of_boxes_changes_nothing(lists, order):
    answers = {f"worker {number}": boxes for number, boxes in enumerate(lists)}
    shuffled = [(worker, order.sample(boxes, len(boxes))) for worker, boxes in answers.items()]
    order.shuffle(shuffled)
    assert consolidate(answers, SIZE) == consolidate(dict(shuffled), SIZE)


@settings(max_examples=60, deadline=None)
@given(several)
def test_every_result_lies_inside_and_has_a_confidence(lists):
    for found in consolidate({str(number): boxes for number, boxes in enumerate(lists)}, SIZE):
        assert found.box.fits(*SIZE)
        assert 0 < found.confidence <= 1
        assert 0 < found.agreement <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(drawn, max_size=5, unique=True), st.integers(2, 5))
def test_workers_who_agree_to_the_pixel_are_taken_at_their_word(boxes, workers):
    answers = {str(number): boxes for number in range(workers)}
    assert boxes_of(answers) == sorted(boxes)
