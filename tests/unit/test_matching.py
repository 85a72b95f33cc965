"""Which boxes of several workers show one thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.matching import likeness, match, middle


def test_the_middle_of_two_edges_is_rounded_half_up():
    assert middle([Box(0, 10, 10, 10, 10), Box(0, 11, 10, 10, 11)]) == Box(0, 11, 10, 10, 11)


def test_the_middle_of_three_is_their_median_edge_by_edge():
    drawn = [Box(0, 10, 20, 40, 30), Box(0, 12, 18, 40, 33), Box(0, 11, 25, 49, 24)]
    assert middle(drawn) == Box(0, 11, 20, 41, 30)  # left 11, top 20, right 52, bottom 50


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (Box(0, 10, 10, 4, 4), 1.0),
        (Box(0, 11, 11, 4, 4), 1.0),  # a pixel each way, which is IoU 9/23
        (Box(0, 12, 10, 4, 4), 0.6),  # two to the right count as one: 12 of 20 pixels
        (Box(0, 14, 10, 4, 4), 0.0),
    ],
)
def test_a_pixel_is_forgiven(other, alike):
    assert likeness(Box(0, 10, 10, 4, 4), other) == alike


def test_a_pixel_is_next_to_nothing_for_a_large_box():
    assert likeness(Box(0, 0, 0, 100, 100), Box(0, 20, 0, 100, 100)) == pytest.approx(81 / 119)


def test_boxes_are_matched_such_that_all_fit_best_not_the_first_that_fits():
    """Ben's first box fits ann's first better than her second; but then his second would have none."""
    ann = [Box(0, 0, 0, 100, 10), Box(0, 30, 0, 100, 10)]
    ben = [Box(0, 10, 0, 100, 10), Box(0, 40, 0, 100, 10)]
    assert match({"ann": ann, "ben": ben}) == [
        {"ann": ann[0], "ben": ben[0]},
        {"ann": ann[1], "ben": ben[1]},
    ]


def test_a_swapped_label_does_not_make_two_things_of_one():
    (group,) = match({"ann": [Box(0, 0, 0, 50, 50)], "ben": [Box(1, 1, 0, 50, 50)]})
    assert group == {"ann": Box(0, 0, 0, 50, 50), "ben": Box(1, 1, 0, 50, 50)}


def test_two_classes_in_one_place_stay_two_things_where_both_drew_them():
    rider, horse = Box(0, 10, 10, 40, 40), Box(1, 12, 10, 40, 40)
    assert match({"ann": [rider, horse], "ben": [horse, rider]}) == [
        {"ann": rider, "ben": rider},
        {"ann": horse, "ben": horse},
    ]


def test_a_thousand_boxes_over_one_another_are_matched_all_the_same():
    """And a thing that lies apart finds its like."""
    heap = [Box(0, 100 + number % 30, 100 + number // 30, 200, 200) for number in range(900)]
    apart, near = Box(1, 600, 400, 80, 60), Box(1, 602, 401, 80, 60)
    groups = match({"ann": [*heap, apart], "ben": [*heap, near]})
    assert {"ann": apart, "ben": near} in groups
    assert sum(len(group) for group in groups) == 1_802
    assert sum(len(group) == 2 for group in groups) > 800


drawn = st.builds(
    Box, st.integers(0, 1), st.integers(0, 60), st.integers(0, 40), st.integers(1, 50), st.integers(1, 40)
)
several = st.lists(st.lists(drawn, max_size=5), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(several)
def test_every_box_is_in_one_group_and_no_worker_twice_in_any(lists):
    answers = {f"worker {number}": boxes for number, boxes in enumerate(lists)}
    groups = match(answers)
    for worker, boxes in answers.items():
        assert sorted(group[worker] for group in groups if worker in group) == sorted(boxes)
