"""Which members of a graph are left out so that no path joins two sides."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill import separation
from truthmill.separation import Graph, separated

TRAIN, VALIDATION, TEST = 1, 2, 4


def graph(touches, pairs, hubs=0, first=()):
    """pairs: of members and hubs, which are counted on after the members."""
    neighbours = [[] for _ in range(len(touches) + hubs)]
    for one, other in pairs:
        neighbours[one].append(other)
        neighbours[other].append(one)
    return Graph(touches, neighbours, [number in first for number in range(len(touches))])


def left_out(found):
    return [number for number, side in enumerate(found) if side is None]


def joined_sides(given, absent):
    """For each member that is there, the sides that it can reach."""
    reached = {}
    for start in range(len(given.touches)):
        if start in absent:
            continue
        seen, waiting = {start}, [start]
        while waiting:
            for other in given.neighbours[waiting.pop()]:
                if other not in seen and other not in absent:
                    seen.add(other)
                    waiting.append(other)
        reached[start] = 0
        for member in seen:
            reached[start] |= given.touches[member] if member < len(given.touches) else 0
    return reached


def is_one_side(bits):
    return bits & (bits - 1) == 0


@st.composite
def graphs(draw, sides):
    members, hubs = draw(st.integers(1, 7)), draw(st.integers(0, 2))
    touches = draw(st.lists(st.sampled_from([0, 0, *sides]), min_size=members, max_size=members))
    every = [pair for pair in combinations(range(members + hubs), 2) if pair[0] < members]
    return graph(touches, draw(st.lists(st.sampled_from(every), unique=True)) if every else [], hubs)


def fewest(given):
    members = range(len(given.touches))
    return next(
        count
        for count in range(len(members) + 1)
        for absent in combinations(members, count)
        if all(map(is_one_side, joined_sides(given, set(absent)).values()))
    )


@given(graphs([TRAIN, VALIDATION, TRAIN | VALIDATION]))
def test_between_two_sides_no_fewer_could_be_left_out(given):
    found = separated(given)
    absent = set(left_out(found))
    assert {number: side for number, side in enumerate(found) if side is not None} == joined_sides(
        given, absent
    )
    assert all(map(is_one_side, joined_sides(given, absent).values()))
    assert len(absent) == fewest(given)


@given(graphs([TRAIN, VALIDATION, TEST, TRAIN | TEST]))
def test_between_three_sides_at_most_twice_as_many_are_left_out(given):
    absent = set(left_out(separated(given)))
    assert all(map(is_one_side, joined_sides(given, absent).values()))
    assert len(absent) <= 2 * fewest(given)


@pytest.mark.parametrize("exact", [0, separation.EXACT])
@given(given=graphs([TRAIN, VALIDATION, TEST]))
def test_nobody_is_left_out_who_could_be_put_back(given, exact):
    """Also where a part is too large for an exact choice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(separation, "EXACT", exact)
        absent = set(left_out(separated(given)))
    assert all(map(is_one_side, joined_sides(given, absent).values()))
    for number in absent:
        assert not all(map(is_one_side, joined_sides(given, absent - {number}).values()))


def test_who_is_to_be_kept_first_stays():
    """0 and 1 are linked, each bound to another side."""
    assert left_out(separated(graph([TRAIN, VALIDATION], [(0, 1)]))) == [0]
    assert left_out(separated(graph([TRAIN, VALIDATION], [(0, 1)], first={0}))) == [1]


def test_of_a_large_part_what_most_are_bound_to_is_kept():
    """200,000 of one group in train and 2,000 in validation, too many for an exact choice."""
    count = 202_000
    touches = [VALIDATION if number % 101 == 0 else TRAIN for number in range(count)]
    found = separated(graph(touches, [(number, count) for number in range(count)], hubs=1))
    assert left_out(found) == list(range(0, count, 101))
