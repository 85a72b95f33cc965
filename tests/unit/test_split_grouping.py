"""Which pictures belong together: rules on names, links, closure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill import grouping
from truthmill.errors import RequestError


@pytest.mark.parametrize(
    ("rule", "name", "taken", "key"),
    [
        ("none", "a/b.jpg", "2024-05-01T10:20:30", ""),
        ("folder", "trip/day 1/b.jpg", "", "trip/day 1"),
        ("folder", "trip\\day 1\\b.jpg", "", "trip/day 1"),
        ("folder", "b.jpg", "", ""),
        ("folder", "./b.jpg", "", ""),
        ("folder", "./trip/b.jpg", "", "trip"),
        ("folder", "trip//day 1/./b.jpg", "", "trip/day 1"),
        ("folder", "Ka\u0308fer/b.jpg", "", "K\u00e4fer"),
        ("folder", "K\u00e4fer/b.jpg", "", "K\u00e4fer"),
        ({"pattern": "(?P<group>K\u00e4fer[0-9])"}, "Ka\u0308fer1.jpg", "", "K\u00e4fer1"),
        ("capture-minute", "b.jpg", "2024-05-01T10:20:30", "2024-05-01T10:20"),
        ("capture-minute", "b.jpg", "", ""),
        ({"pattern": r"(?P<group>cam\d+)_"}, "x/cam7_001.jpg", "", "cam7"),
        ({"pattern": r"(?P<group>cam\d+)_"}, "x/other.jpg", "", ""),
        ({"pattern": r"a(?P<group>z)?"}, "a.jpg", "", ""),
    ],
)
def test_a_rule_gives_the_key_of_a_picture(rule, name, taken, key):
    assert grouping.group_by(name, taken, rule) == key


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("minute", "choose from none, folder, capture-minute"),
        ({"regex": "x"}, "choose from"),
        ({"pattern": "(?P<group>"}, "isn't a regular expression of RE2"),
        ({"pattern": "(cam)"}, 'no group named "group"'),
        ({"pattern": "(?P<group>a)" * 60}, "at most 500"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named(rule, problem):
    with pytest.raises(RequestError, match=problem):
        grouping.check_rule(rule)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("train/a.jpg", "train"),
        ("pets/Val/cats/a.jpg", "validation"),
        ("validation\\a.jpg", "validation"),
        ("TEST/a.jpg", "test"),
        ("train/test/a.jpg", "train"),
        ("training/a.jpg", ""),
        ("train.jpg", ""),
    ],
)
def test_folders_stand_for_splits(name, side):
    assert grouping.folder_split(name) == side


def test_equal_keys_are_linked_to_the_first_and_empty_ones_not_at_all():
    links = grouping.link_equal(["a", "", "b", "a", "", "a"])
    assert links.tolist() == [[0, 0], [3, 5]]


def test_links_of_several_kinds_close_transitively():
    """0-3 look alike, 3-4 share a folder, 4-1 a minute; 2 is alone."""
    links = (np.array([[0], [3]]), np.array([[3], [4]]), np.array([[4], [1]]))
    assert grouping.union(5, *links).tolist() == [0, 0, 2, 0, 0]


def test_no_links_leave_every_picture_alone():
    assert grouping.union(3).tolist() == [0, 1, 2]


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))
    )
)
def test_the_closure_is_that_of_following_links_one_by_one(case):
    count, pairs = case
    expected = list(range(count))
    for one, other in pairs:
        low, high = sorted((expected[one], expected[other]))
        expected = [low if group == high else group for group in expected]
    links = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert grouping.union(count, links).tolist() == expected


def test_a_chain_of_a_hundred_thousand_is_one_group():
    chain = np.random.default_rng(0).permutation(100_000)
    assert not grouping.union(100_000, np.stack([chain[:-1], chain[1:]])).any()


def test_names_of_sides_become_numbers():
    assert grouping.sides_of(["train", "", "test", "validation"]).tolist() == [0, -1, 2, 1]
