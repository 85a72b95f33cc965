"""A split made anew: whole groups, classes balanced over the splits, few pictures moved."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_split import digests, groups_of

from truthmill.errors import SplitError
from truthmill.resplit import _leakage
from truthmill.stratify import Drawn, Stratified, stratify

TRAIN, VALIDATION, TEST = 0, 1, 2
FIFTH = {"validation": 0.2}


def drawn(*pictures: list[int]) -> Drawn:
    """Class ids of each picture's boxes."""
    rows = [
        (number, class_id, picture.count(class_id))
        for number, picture in enumerate(pictures)
        for class_id in sorted(set(picture))
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Drawn(columns[0], columns[1], columns[2])


def split_anew(
    boxes: list[list[int]], *, groups=None, shares=FIFTH, before=None, fixed=(), classes=3
) -> Stratified:
    count = len(boxes)
    at_first = np.zeros(count, dtype=np.int8) if before is None else np.array(before, dtype=np.int8)
    stays = np.zeros(count, dtype=np.bool_)
    stays[list(fixed)] = True
    own = np.arange(count) if groups is None else groups
    return stratify(own, digests(count), drawn(*boxes), shares, "pets", at_first, stays, classes)


def test_each_class_gives_a_fifth_of_its_boxes():
    """100 pictures with a cat, 20 with a dog, 10 with both, 5 with nothing: cats 110, dogs 30."""
    found = split_anew([[0]] * 100 + [[1]] * 20 + [[0, 1]] * 10 + [[]] * 5, classes=2)
    assert found.counts == {"train": 108, "validation": 27, "test": 0}
    assert found.boxes.tolist() == [[88, 24], [22, 6], [0, 0]]
    assert found.lacking == ()


def test_a_rare_class_is_in_both_splits():
    """Of 200 pictures two have a heron, both in train at first."""
    found = split_anew([[0]] * 198 + [[0, 2]] * 2)
    assert found.boxes[:, 2].tolist() == [1, 1, 0]


def test_a_class_that_one_group_holds_is_said_to_be_lacking():
    found = split_anew([[0]] * 9 + [[0, 2]])
    assert found.lacking in {((TRAIN, 2),), ((VALIDATION, 2),)}


def test_three_splits_each_get_the_class_that_three_pictures_hold():
    found = split_anew([[0]] * 97 + [[2]] * 3, shares={"validation": 0.2, "test": 0.1})
    assert found.boxes[:, 2].tolist() == [1, 1, 1]
    assert found.counts == {"train": 70, "validation": 20, "test": 10}


def test_what_is_balanced_already_is_not_moved():
    before = [VALIDATION] * 20 + [TRAIN] * 80 + [VALIDATION] * 10 + [TRAIN] * 40
    found = split_anew([[0]] * 100 + [[1]] * 50, before=before, classes=2)
    assert found.moved == 0


def test_only_what_has_to_move_moves():
    """30 of 100 validate and 20 shall: ten go to train."""
    found = split_anew([[0]] * 100, before=[VALIDATION] * 30 + [TRAIN] * 70, classes=1)
    assert (found.moved, found.counts["validation"]) == (10, 20)


def test_groups_stay_whole_and_the_count_is_exact():
    groups = groups_of([7] * 10 + [3] * 10)
    found = split_anew([[number % 3] for number in range(100)], groups=groups)
    assert found.counts["validation"] == 20
    assert all(len(set(found.sides[groups == group])) == 1 for group in range(20))


def test_fixed_pictures_stay_and_their_groups_with_them():
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    found = split_anew([[0]] * 10, groups=groups, before=[VALIDATION] + [TRAIN] * 9, fixed=[0], classes=1)
    assert found.sides.tolist() == [1, 1] + [0] * 8


def test_a_dataset_without_pictures_has_no_split():
    with pytest.raises(SplitError, match="none"):
        split_anew([])


def test_one_group_can_only_stay_in_train():
    found = split_anew([[0]] * 5, groups=np.zeros(5, dtype=np.int64), classes=1)
    assert found.counts == {"train": 5, "validation": 0, "test": 0}
    assert found.lacking == ((VALIDATION, 0),)


some_boxes = st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=2, max_size=9)


def fewest_lacking(boxes: list[list[int]]) -> int:
    """By trying every split of single pictures in two."""
    kinds = {kind for picture in boxes for kind in picture}
    fewest = len(kinds) * 2
    for sides in itertools.product((0, 1), repeat=len(boxes)):
        there = {(side, kind) for side, picture in zip(sides, boxes, strict=True) for kind in picture}
        fewest = min(fewest, 2 * len(kinds) - len(there))
    return fewest


@given(some_boxes)
@settings(max_examples=200, deadline=None)
def test_a_class_is_in_both_splits_wherever_it_can_be(boxes):
    found = split_anew(boxes, shares={"validation": 0.5}, classes=4)
    assert len(found.lacking) == fewest_lacking(boxes)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.lists(st.integers(0, 3), max_size=4)), min_size=2, max_size=30)
)
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_pictures_changes_nothing(parts):
    sizes = [size for size, _ in parts]
    groups = groups_of(sizes)
    boxes = [picture for size, picture in parts for _ in range(size)]
    count = len(boxes)
    order = np.random.default_rng(count).permutation(count)
    plain = (np.zeros(count, dtype=np.int8), np.zeros(count, dtype=np.bool_), 4)
    one = stratify(groups, digests(count), drawn(*boxes), FIFTH, "pets", *plain)
    other = stratify(
        groups[order], digests(count)[order], drawn(*(boxes[at] for at in order)), FIFTH, "pets", *plain
    )
    assert other.sides.tolist() == one.sides[order].tolist()
    assert sum(one.counts.values()) == count


def test_the_leakage_check_counts_groups_in_what_came_out():
    """Group 4 has pictures on two sides, group 7 on one, group 9 on three."""
    groups = np.array([4, 7, 4, 9, 7, 9, 9, 4])
    sides = np.array([0, 1, 2, 0, 1, 1, 2, 0], np.int8)
    assert _leakage(groups, sides) == (3, 2)
    assert _leakage(groups[:0], sides[:0]) == (0, 0)
