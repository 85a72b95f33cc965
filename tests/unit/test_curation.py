from collections import Counter
from hashlib import blake2b
from itertools import pairwise, permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from builders import gathered
from truthmill.curation import Gathered, curate
from truthmill.errors import FormatError, SplitError
from truthmill.grouping import link_equal
from truthmill.layout import SPLITS
from truthmill.request import Split
from truthmill.similarity import fingerprint, pack
from truthmill.similarity_search import near_duplicates

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


def drawn(seed: int) -> Image.Image:
    random = Random(seed)  # noqa: S311 - not a secret
    image = Image.linear_gradient("L").resize((320, 240)).convert("RGB")
    pen = ImageDraw.Draw(image)
    for _ in range(45):
        x, y, reach = random.uniform(0, 320), random.uniform(0, 240), random.uniform(8, 40)
        corners = [(x + random.uniform(-reach, reach), y + random.uniform(-reach, reach)) for _ in range(4)]
        pen.polygon(corners, fill=tuple(random.randint(0, 255) for _ in range(3)))
    return image.filter(ImageFilter.GaussianBlur(1))


def looked_at(pictures: dict[str, Image.Image], sides: dict[str, str], group: str = "") -> Gathered:
    """Pictures with their fingerprints, by name, with the sides of those that are known."""
    made = Gathered()
    for name, image in pictures.items():
        digest = blake2b(image.tobytes(), digest_size=16).hexdigest()
        made.add(digest, name, fingerprint(image), group, sides.get(name, ""))
    return made


def retouched(image: Image.Image, *, at: int) -> Image.Image:
    """One pixel is black."""
    copy = image.copy()
    copy.putpixel((at, at), (0, 0, 0))
    return copy


LOOKING = Split(validation=0.2, near_duplicates=3)


def test_a_picture_that_resembles_earlier_ones_on_both_sides_is_not_kept():
    """Wherever it went it would leak."""
    image = drawn(1)
    earlier = {"t": retouched(image, at=1), "v": retouched(image, at=2)}
    others = {f"o{number}": drawn(number + 10) for number in range(6)}
    known = looked_at(earlier, {"t": "train", "v": "validation"})
    new = looked_at({"n": image, "m": retouched(image, at=3), **others}, {})
    curation = decided(new, known, rules=LOOKING)
    told = "train: it resembles a picture there; validation: it resembles a picture there"
    assert curation.between == {0: told, 1: told}
    assert curation.kept().tolist() == [False, False] + [True] * 6
    assert sum(curation.outcome.counts.values()) == 8


def test_a_picture_whose_group_is_on_another_side_than_what_it_resembles_is_not_kept():
    """Its folder's other pictures are in validation, the one that it is a copy of in train."""
    image = drawn(2)
    known = looked_at(
        {"copy": retouched(image, at=1), "a": drawn(3), "b": drawn(4)},
        {"copy": "train", "a": "validation", "b": "validation"},
    )
    known.groups[1:] = ["folder", "folder"]
    new = looked_at({"n": image, **{f"o{number}": drawn(number + 20) for number in range(5)}}, {})
    new.groups[:2] = ["folder", "folder"]
    curation = decided(new, known, rules=LOOKING)
    assert curation.between == {
        0: "train: it resembles a picture there; validation: its group 'folder' is there"
    }
    assert curation.sides[1] == 1
    assert curation.outcome.straddling == 0


def test_of_new_pictures_that_connect_two_sides_one_goes():
    """t in train and n1 are one group, n2 and v in validation another; n1 and n2 look alike."""
    known = gathered("t", "v", sides={"t": "train", "v": "validation"}, groups={"t": "g", "v": "h"})
    image = drawn(5)
    new = looked_at({"n1": image, "n2": retouched(image, at=1), "o": drawn(6)}, {})
    new.groups[:2] = ["g", "h"]
    curation = decided(new, known, rules=LOOKING)
    assert len(curation.between) == 1
    assert "other new pictures that belong with it are bound to another side" in str(curation.between)
    assert curation.outcome.straddling == 0


def test_of_a_scene_in_two_folders_the_fewer_pictures_go():
    """Folders are honoured, and groups never straddle: three of scene s are in train, one in val."""
    names = ["a", "b", "c", "d", "e"]
    folders = {"a": "train", "b": "train", "c": "train", "d": "validation", "e": "validation"}
    curation = decided(gathered(*names, sides=folders, groups=dict.fromkeys("abcd", "s")))
    assert curation.between == {
        3: "validation: its folder, or an interrupted run, put it there; "
        "other new pictures that belong with it are bound to another side"
    }
    assert curation.sides.tolist()[:3] == [0, 0, 0]


def test_an_interrupted_run_leaves_the_same_pictures_out_again():
    """What it kept is on its side; one of n1 and n2 had to go."""
    image = drawn(5)
    known = {"sides": {"t": "train", "v": "validation"}, "groups": {"t": "g", "v": "h"}}
    found, settled = [], {}
    for _ in range(2):
        new = looked_at({"n1": image, "n2": retouched(image, at=1), "o": drawn(6)}, {})
        new.groups[:2] = ["g", "h"]
        curation = decided(new, gathered("t", "v", **known), settled, rules=LOOKING)
        found.append((set(curation.between), curation.sides.tolist()))
        kept = zip(new.rows(), curation.kept(), curation.sides, strict=False)
        settled = {row.tobytes().hex(): SPLITS[side] for row, is_kept, side in kept if is_kept}
    assert found[0] == found[1]


def test_hundreds_of_pictures_that_resemble_both_sides_are_left_out():
    new, known = Gathered(), Gathered()
    for number in range(300):
        digest = blake2b(f"{number}".encode(), digest_size=16).hexdigest()
        new.add(digest, f"{number}.jpg", COPIES[number % 2, 1 + number % 4][1], "")
    for name, side in (("t", "train"), ("v", "validation")):
        known.add(blake2b(name.encode(), digest_size=16).hexdigest(), name, COPIES[0, 1][1], "", side)
    curation = decided(new, known, rules=LOOKING)
    assert sorted(curation.between) == list(range(0, 300, 2))
    assert curation.outcome.straddling == 1  # the earlier two are alike


@pytest.mark.parametrize("seed", ["a", "b", "c", "d"])
def test_a_copy_that_is_not_kept_binds_its_group_to_what_is_kept_in_its_place(seed):
    """A frame that lies in two scenes' folders makes them one group, whichever of its copies is kept."""
    names = ["x=1", "x=2", *(f"p{number}" for number in range(4)), *(f"q{number}" for number in range(4))]
    names += [f"o{number}" for number in range(20)]
    groups = {name: name[0] for name in names if name[0] in "pq"} | {"x=1": "p", "x=2": "q"}
    for ordered in (names, names[::-1]):
        found = sides(decided(gathered(*ordered, groups=groups), seed=seed), ordered)
        assert len({side for name, side in found.items() if name[0] in "xpq"}) == 1
        assert len(found) == len(names) - 1


def test_a_copy_of_an_earlier_picture_takes_its_group_to_that_ones_side():
    """Of frames of a scene one is known, under another group's name: the others join its side."""
    new = gathered("x=2", "s1", "s2", groups={"x=2": "s", "s1": "s", "s2": "s"})
    known = gathered("x=1", "v", "t", sides={"x=1": "validation", "v": "validation", "t": "train"})
    curation = decided(new, known)
    assert curation.kept().tolist() == [False, True, True]
    assert {SPLITS[side] for side in curation.sides[1:3]} == {"validation"}


def test_copies_of_earlier_pictures_on_two_sides_leave_their_group_no_side():
    new = gathered("x=2", "y=2", "s1", groups={"x=2": "s", "y=2": "s", "s1": "s"})
    known = gathered("x=1", "y=1", "z", sides={"x=1": "validation", "y=1": "train", "z": "train"})
    curation = decided(new, known)
    assert curation.between == {2: "train: its group 's' is there; validation: its group 's' is there"}


@st.composite
def drops(draw):
    """One to four drops of copies of six scenes: name, scene and copy, group, the side that its folder names.

    Near-duplicates count in some, folders in others.
    """
    copies = st.tuples(
        st.integers(0, 5),
        st.integers(1, 4),
        st.sampled_from(["", "", "", "g", "h", "i"]),
        st.sampled_from(["", "", "", "train", "validation", "test"]),
    )
    drawn_copies = draw(st.lists(copies, min_size=3, max_size=24))
    named = [(f"{number}.jpg", *copy) for number, copy in enumerate(drawn_copies)]
    cuts = sorted(draw(st.lists(st.integers(1, len(named)), max_size=3, unique=True)))
    return [named[start:end] for start, end in pairwise((0, *cuts, len(named))) if start < end]


class Dataset:
    """What is kept of drops, as the ledger has it: name to digest, fingerprint, group and side."""

    def __init__(self, rules: Split) -> None:
        self.rules = rules
        self.kept: dict[str, tuple[str, str, str, str]] = {}

    def drop(self, pictures):
        new, known = Gathered(), Gathered()
        made = {}
        for name, scene, copy, group, side in pictures:
            digest, text = COPIES[scene, copy]
            made[name] = (digest, text, group, side)
            new.add(digest, name, text, group, side)
        for name, (digest, text, group, side) in self.kept.items():
            known.add(digest, name, text, group, side)
        curation = decided(new, known, rules=self.rules)
        self.note(made, curation)
        return curation

    def note(self, made, curation):
        for number, (name, (digest, text, group, side)) in enumerate(made.items()):
            is_kept = bool(curation.kept()[number])
            is_same = curation.stands_for[number] != number
            assert is_kept + is_same + (number in curation.between) == 1
            if is_kept:
                assert side in ("", SPLITS[curation.sides[number]])
                self.kept[name] = (digest, text, group, SPLITS[curation.sides[number]])
        self.check_groups_of_copies([group for _, _, group, _ in made.values()], curation)

    def check_groups_of_copies(self, groups, curation):
        """A picture that isn't kept, because a new one is the same, binds its group to that one."""
        kept, there = curation.kept(), {}
        for group, stands in zip(groups, curation.stands_for.tolist(), strict=True):
            if group and stands < len(kept) and kept[stands]:
                there.setdefault(group, set()).add(int(curation.sides[stands]))
        assert all(len(sides) == 1 for sides in there.values())

    def bonds(self):
        """Pairs of kept pictures that must be on one side: by their group, or by their likeness."""
        names = list(self.kept)
        by_group = link_equal(self.kept[name][2] for name in names)
        links = np.empty((2, 0), dtype=np.int64)
        if self.rules.near_duplicates is not None:
            links = near_duplicates(pack(self.kept[name][1] for name in names), 3).links
        return [(names[one], names[other]) for one, other in np.hstack([by_group, links]).T.tolist()]


@pytest.mark.parametrize("near_duplicates", [None, 3])
@settings(max_examples=20, deadline=None)
@given(drops=drops())
def test_neither_groups_nor_near_duplicates_straddle_however_a_dataset_grows(near_duplicates, drops):
    """What an earlier drop assigned stays, and every picture is kept, or the same as another, or left out."""
    dataset = Dataset(Split(validation=0.2, near_duplicates=near_duplicates))
    for pictures in drops:
        before = dict(dataset.kept)
        try:
            curation = dataset.drop(pictures)
        except SplitError:
            return
        assert curation.outcome.straddling == 0
        assert before.items() <= dataset.kept.items()
        assert all(dataset.kept[one][3] == dataset.kept[other][3] for one, other in dataset.bonds())


@settings(max_examples=8, deadline=None)
@given(drops=drops(), random=st.randoms(use_true_random=False))
def test_what_is_left_out_does_not_depend_on_the_order(drops, random):
    one, other = Dataset(LOOKING), Dataset(LOOKING)
    for pictures in drops:
        try:
            one.drop(pictures)
        except SplitError:
            return
        other.kept = dict(random.sample(list(other.kept.items()), len(other.kept)))
        other.drop(random.sample(pictures, len(pictures)))
        assert one.kept == other.kept


def test_of_pictures_that_look_the_same_it_does_not_matter_which_comes_first():
    """Two have sides of their own, the third none."""
    pictures = [("0.jpg", 2, 2, "", "train"), ("1.jpg", 2, 4, "", "validation"), ("2.jpg", 2, 1, "", "")]
    others = [(f"{number}.jpg", number, 1, "", "") for number in (3, 4, 5)]
    assert len({COPIES[2, copy][1] for copy in (1, 2, 4)}) == 1
    kept = []
    for order in permutations(pictures):
        dataset = Dataset(LOOKING)
        dataset.drop([*order, *others])
        kept.append(dataset.kept)
    assert all(one == kept[0] for one in kept)


def _copies() -> dict[tuple[int, int], tuple[str, str]]:
    """Digest and fingerprint of each copy of each scene."""
    made = {}
    for scene in range(6):
        image = drawn(scene + 40)
        for copy in range(1, 5):
            digest = blake2b(f"{scene} {copy}".encode(), digest_size=16).hexdigest()
            made[scene, copy] = (digest, fingerprint(retouched(image, at=copy)))
    return made


COPIES = _copies()


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
