from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import gathered
from truthmill.curation import Gathered, curate
from truthmill.errors import FormatError, SplitError
from truthmill.request import Split

RULES = Split(validation=0.2, near_duplicates=None)
NOTHING = Gathered()


def decided(new, known=NOTHING, settled=None, rules=RULES, seed="pets"):
    return curate(new, known, settled or {}, rules, seed)


def sides(curation, names):
    return {name: int(curation.sides[number]) for number, name in enumerate(names) if curation.kept()[number]}


def test_of_equal_pictures_the_first_by_name_digest_is_kept_whatever_the_order():
    names = ["a=1", "a=2", "a=3", "b=1"]
    one = decided(gathered(*names))
    other = decided(gathered(*reversed(names)))
    kept = {name for name, is_kept in zip(names, one.kept(), strict=True) if is_kept}
    assert kept == {name for name, is_kept in zip(reversed(names), other.kept(), strict=True) if is_kept}
    assert len(kept) == 2
    stands_for = {names[number] for number in one.stands_for[:3]}
    assert stands_for == kept - {"b=1"}


def test_a_known_picture_is_never_kept_again():
    curation = decided(gathered("a=new", "b"), gathered("z", "a=old", sides={"z": "train", "a=old": "train"}))
    assert curation.stands_for.tolist() == [3, 1]
    assert curation.kept().tolist() == [False, True]


def test_known_pictures_count_in_the_share():
    """Eight known in train and two new ones: both of the new must go to validation."""
    old = [f"old{number}" for number in range(8)]
    curation = decided(gathered("x", "y"), gathered(*old, sides=dict.fromkeys(old, "train")))
    assert curation.sides[:2].tolist() == [1, 1]
    assert curation.outcome.counts == {"train": 8, "validation": 2, "test": 0}


def test_sides_given_before_an_interruption_are_given_again():
    names = [f"p{number}" for number in range(10)]
    new = gathered(*names)
    settled = {new.rows()[number].tobytes().hex(): "validation" for number in (2, 3)}
    curation = decided(new, settled=settled)
    assert [names[number] for number in range(10) if curation.sides[number]] == ["p2", "p3"]


def test_a_group_joins_the_side_of_its_known_member():
    new = gathered("n1", "n2", *(f"p{number}" for number in range(8)), groups={"n1": "g", "n2": "g"})
    known = gathered("k", sides={"k": "validation"}, groups={"k": "g"})
    assert decided(new, known).sides[:2].tolist() == [1, 1]


def test_a_set_too_small_to_split_says_so():
    with pytest.raises(SplitError):
        decided(NOTHING)


@given(
    st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=3), min_size=2, max_size=40, unique=True),
    st.randoms(use_true_random=False),
    st.text(max_size=3),
)
def test_the_order_in_the_archive_changes_nothing(names, random, seed):
    shuffled = random.sample(names, len(names))
    assert sides(decided(gathered(*names), seed=seed), names) == sides(
        decided(gathered(*shuffled), seed=seed), shuffled
    )


@given(st.integers(2, 200), st.integers(0, 99))
def test_the_split_is_exact_to_the_picture(pictures, percent):
    """Halves go up, and a share above nothing gets one picture at least."""
    curation = decided(
        gathered(*map(str, range(pictures))), rules=Split(validation=percent / 100, near_duplicates=None)
    )
    wanted = max(1, (2 * percent * pictures + 100) // 200) if percent else 0
    counted = Counter(curation.sides.tolist())
    assert counted[1] == min(wanted, pictures - 1)
    assert counted[0] == pictures - counted[1]


def test_a_digest_of_another_version_is_an_error_and_never_a_new_picture():
    with pytest.raises(FormatError, match=r"'a\.jpg' has a digest of 32 bytes"):
        Gathered().add("ab" * 32, "a.jpg", "", "")
