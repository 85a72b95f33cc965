"""The split: exact, whole groups, the same whatever the order, and earlier assignments stay."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill import split
from truthmill.errors import SplitError

TRAIN, VALIDATION, TEST = 0, 1, 2


def digests(count: int, start: int = 0) -> np.ndarray:
    rows = [hashlib.sha256(str(number).encode()).digest() for number in range(start, start + count)]
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(count, 32)


def groups_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


def counts(outcome: split.Outcome) -> list[int]:
    return np.bincount(outcome.sides, minlength=3).tolist()


many_sizes = st.lists(st.integers(1, 6), min_size=2, max_size=40)


@pytest.mark.parametrize(
    ("pictures", "share", "validation"),
    [(10, 0.2, 2), (12, 0.2, 2), (13, 0.2, 3), (10, 0.15, 2), (10, 0.25, 3), (100, 0.29, 29), (3, 0.1, 1)],
)
def test_a_share_is_rounded_half_up_as_the_decimal_it_is_written_as(pictures, share, validation):
    wanted = split.wanted_counts(pictures, {"validation": share})
    assert wanted == {"train": pictures - validation, "validation": validation}


def test_a_split_without_groups_is_exact_to_the_picture():
    outcome = split.assign(np.arange(1000), digests(1000), {"validation": 0.2, "test": 0.05}, "pets")
    assert counts(outcome) == [750, 200, 50]
    assert outcome.off_by == {"train": 0, "validation": 0, "test": 0}
    assert not outcome.is_degenerate()


def test_a_share_of_zero_leaves_everything_for_train():
    outcome = split.assign(np.arange(5), digests(5), {"validation": 0.0}, "pets")
    assert counts(outcome) == [5, 0, 0]
    assert outcome.wanted == {"train": 5}


def test_groups_are_exchanged_until_the_count_is_exact():
    """20 of 100 from 8, 6 and 7: only 8 + 6 + 6 and 7 + 7 + 6 make 20; taking in order often misses it."""
    sizes = [8, 8, 8, 8, 8, 6, 6, 6, 7, 7, 7, 7, 7, 7]
    for seed in map(str, range(20)):
        outcome = split.assign(groups_of(sizes), digests(100), {"validation": 0.2}, seed)
        assert counts(outcome) == [80, 20, 0]


def test_a_split_that_cannot_be_exact_says_how_far_off_it_is():
    """12 pictures in groups of 4, a quarter wanted: 3 can't be had, 4 is nearest."""
    outcome = split.assign(groups_of([4, 4, 4]), digests(12), {"validation": 0.25}, "pets")
    assert outcome.counts == {"train": 8, "validation": 4, "test": 0}
    assert outcome.off_by == {"train": -1, "validation": 1}


def test_one_giant_group_is_named_and_called_degenerate():
    outcome = split.assign(groups_of([1, 97, 1, 1]), digests(100), {"validation": 0.2}, "pets")
    assert (outcome.largest_group, outcome.counts["validation"]) == (97, 3)
    assert 1 <= outcome.largest_member <= 97
    assert outcome.is_degenerate()


def test_a_single_group_stays_in_train_and_the_empty_side_is_reported():
    outcome = split.assign(groups_of([7]), digests(7), {"validation": 0.2}, "pets")
    assert counts(outcome) == [7, 0, 0]
    assert outcome.empty == ("validation",)
    assert outcome.is_degenerate()


def test_another_seed_gives_another_split():
    one, other = (
        split.assign(np.arange(200), digests(200), {"validation": 0.5}, seed).sides for seed in ("a", "b")
    )
    assert (one != other).any()


def test_a_seed_gives_the_split_it_always_gave():
    """The split of a dataset must outlive every change of the program."""
    outcome = split.assign(np.arange(10), digests(10), {"validation": 0.3}, "pets")
    keyed = sorted(
        range(10),
        key=lambda number: hashlib.blake2b(
            hashlib.sha256(str(number).encode()).digest(),
            digest_size=8,
            key=hashlib.blake2b(b"pets", digest_size=32).digest(),
        ).digest(),
    )
    assert sorted(np.flatnonzero(outcome.sides == VALIDATION).tolist()) == sorted(keyed[:3])


@given(sizes=many_sizes, share=st.sampled_from([0.1, 0.2, 0.25, 0.5]), seed=st.text(max_size=5))
def test_groups_never_straddle(sizes, share, seed):
    groups = groups_of(sizes)
    outcome = split.assign(groups, digests(len(groups)), {"validation": share, "test": 0.1}, seed)
    for group in range(len(sizes)):
        assert len(set(outcome.sides[groups == group].tolist())) == 1


@given(sizes=many_sizes, share=st.sampled_from([0.1, 0.2, 0.25, 0.5]), data=st.data())
def test_the_order_of_pictures_and_the_numbers_of_groups_do_not_matter(sizes, share, data):
    groups = groups_of(sizes)
    rows = digests(len(groups))
    outcome = split.assign(groups, rows, {"validation": share}, "pets")
    order = np.array(data.draw(st.permutations(range(len(groups)))))
    renumbered = np.array(data.draw(st.permutations(range(len(sizes)))))[groups] * 3
    again = split.assign(renumbered[order], rows[order], {"validation": share}, "pets")
    assert again.sides.tolist() == outcome.sides[order].tolist()


@given(sizes=many_sizes, share=st.sampled_from([0.1, 0.2, 0.3, 0.6]), seed=st.text(max_size=3))
def test_no_choice_of_groups_comes_nearer(sizes, share, seed):
    """Compared with all sums there are; the empty choice and the whole don't count."""
    groups = groups_of(sizes)
    outcome = split.assign(groups, digests(len(groups)), {"validation": share}, seed)
    reachable = {0}
    for size in sizes:
        reachable |= {size + other for other in reachable}
    wanted = outcome.wanted["validation"]
    best = min(abs(total - wanted) for total in reachable - {0, len(groups)})
    assert abs(outcome.off_by["validation"]) == best


@given(sizes=many_sizes, share=st.sampled_from([0.001, 0.1, 0.2, 0.9]))
def test_two_groups_are_enough_for_both_sides(sizes, share):
    groups = groups_of(sizes)
    outcome = split.assign(groups, digests(len(groups)), {"validation": share}, "pets")
    assert min(outcome.counts["train"], outcome.counts["validation"]) > 0


@given(sizes=many_sizes, share=st.sampled_from([0.1, 0.2, 0.5]), more=st.integers(1, 30), data=st.data())
def test_growth_keeps_every_earlier_assignment(sizes, share, more, data):
    before = groups_of(sizes)
    rows = digests(len(before) + more)
    earlier = split.assign(before, rows[: len(before)], {"validation": share}, "pets").sides
    joins = data.draw(st.lists(st.integers(0, len(sizes) + 3), min_size=more, max_size=more))
    groups = np.concatenate([before, joins])
    fixed = np.concatenate([earlier, np.full(more, -1, dtype=np.int8)])
    outcome = split.assign(groups, rows, {"validation": share}, "pets", fixed)
    assert outcome.sides[: len(before)].tolist() == earlier.tolist()
    assert outcome.straddling == 0
    for number, group in enumerate(joins, start=len(before)):
        if group < len(sizes):
            assert outcome.sides[number] == earlier[before == group][0]


def test_new_pictures_make_up_for_what_a_side_misses():
    """10 known pictures all in train; of 10 new ones 4 make the dataset's fifth, not 2."""
    fixed = np.array([TRAIN] * 10 + [-1] * 10, dtype=np.int8)
    outcome = split.assign(np.arange(20), digests(20), {"validation": 0.2}, "pets", fixed)
    assert counts(outcome) == [16, 4, 0]


def test_a_side_that_has_too_many_already_gets_no_more():
    fixed = np.array([VALIDATION] * 10 + [-1] * 10, dtype=np.int8)
    outcome = split.assign(np.arange(20), digests(20), {"validation": 0.2}, "pets", fixed)
    assert outcome.counts == {"train": 10, "validation": 10, "test": 0}
    assert outcome.off_by == {"train": -6, "validation": 6}


def test_a_picture_between_both_sides_joins_the_majority_and_the_group_is_counted():
    fixed = np.array([TRAIN, VALIDATION, VALIDATION, -1, -1], dtype=np.int8)
    outcome = split.assign(np.array([0, 0, 0, 0, 1]), digests(5), {"validation": 0.2}, "pets", fixed)
    assert outcome.sides.tolist() == [TRAIN, VALIDATION, VALIDATION, VALIDATION, TRAIN]
    assert outcome.straddling == 1


def test_three_sides_and_three_groups_leave_none_empty():
    outcome = split.assign(groups_of([5, 5, 5]), digests(15), {"validation": 0.1, "test": 0.1}, "pets")
    assert counts(outcome) == [5, 5, 5]
    assert outcome.empty == ()


def test_nothing_to_split_is_an_error():
    with pytest.raises(SplitError, match="no picture to split"):
        split.assign(np.arange(0), digests(0), {"validation": 0.2}, "pets")


def test_fixed_sides_that_leave_nothing_for_train_are_an_error():
    with pytest.raises(SplitError, match="left for train: all 3"):
        split.assign(
            np.arange(3), digests(3), {"validation": 0.2}, "pets", np.array([1, 1, 2], dtype=np.int8)
        )


@pytest.mark.parametrize("shares", [{"validation": 1.0}, {"validation": 0.6, "test": 0.4}, {"train": 0.8}])
def test_shares_that_leave_nothing_for_train_are_an_error(shares):
    with pytest.raises(SplitError, match="together below 1"):
        split.wanted_counts(10, shares)


def nearest(sizes: list[int], wanted: dict[str, int]) -> tuple[int, int]:
    """Of all ways to deal groups to three sides, train not empty: empty sides, pictures off."""
    best = (9, 0)
    for dealt in itertools.product(range(3), repeat=len(sizes)):
        there = [sum(size for size, side in zip(sizes, dealt, strict=True) if side == at) for at in range(3)]
        if there[TRAIN]:
            off = abs(there[VALIDATION] - wanted["validation"]) + abs(there[TEST] - wanted["test"])
            best = min(best, (there.count(0), off))
    return best


@pytest.mark.parametrize(
    ("sizes", "shares", "wanted"),
    [
        ([2, 3, 1, 3, 1, 5], {"validation": 0.25, "test": 0.1}, [9, 4, 2]),
        ([1, 2, 5, 2, 7], {"validation": 0.5, "test": 0.3}, [3, 9, 5]),
        ([7, 3, 2, 1, 1, 1], {"validation": 0.5, "test": 0.3}, [2, 8, 5]),
        ([7, 5, 9, 3, 1, 6, 7], {"validation": 0.5, "test": 0.2}, [11, 19, 8]),
    ],
)
def test_three_sides_are_exact_where_any_choice_of_groups_is(sizes, shares, wanted):
    """What one side takes may be what another needs."""
    outcome = split.assign(groups_of(sizes), digests(sum(sizes)), shares, "s")
    assert counts(outcome) == wanted


@settings(max_examples=150)
@given(
    st.lists(st.integers(1, 9), min_size=3, max_size=7),
    st.sampled_from([0.1, 0.2, 0.3, 0.5]),
    st.sampled_from([0.1, 0.2, 0.3]),
    st.text(max_size=2),
)
def test_no_choice_of_groups_is_nearer_to_three_sides(sizes, validation, test, seed):
    shares = {"validation": validation, "test": test}
    outcome = split.assign(groups_of(sizes), digests(sum(sizes)), shares, seed)
    off = sum(abs(outcome.off_by[name]) for name in ("validation", "test"))
    assert (len(outcome.empty), off) == nearest(sizes, outcome.wanted)


def test_three_sides_are_exact_among_many_groups():
    """Both validation and test need an odd group, of which there are three."""
    sizes = [2] * 2000 + [7] * 3
    outcome = split.assign(
        groups_of(sizes), digests(sum(sizes)), {"validation": 801 / sum(sizes), "test": 401 / sum(sizes)}, "s"
    )
    assert counts(outcome) == [sum(sizes) - 1202, 801, 401]
