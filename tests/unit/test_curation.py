from collections import Counter
from hashlib import blake2b
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from builders import gathered
from truthmill.curation import Gathered, curate
from truthmill.errors import FormatError, SplitError
from truthmill.layout import SPLITS
from truthmill.request import Split
from truthmill.similarity import fingerprint

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
    assert curation.between.tolist() == [True, True] + [False] * 6
    assert curation.kept().tolist() == [False, False] + [True] * 6
    assert sum(curation.outcome.counts.values()) == 8


def test_what_a_picture_resembles_counts_more_than_its_folder():
    """Its folder's other pictures are in validation, the one that it is a copy of in train."""
    image = drawn(2)
    known = looked_at(
        {"copy": retouched(image, at=1), "a": drawn(3), "b": drawn(4)},
        {"copy": "train", "a": "validation", "b": "validation"},
        group="folder",
    )
    new = looked_at({"n": image, **{f"o{number}": drawn(number + 20) for number in range(5)}}, {})
    new.groups[0] = "folder"
    curation = decided(new, known, rules=LOOKING)
    assert not curation.between.any()
    assert curation.sides[0] == 0
    assert curation.outcome.straddling == 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_near_duplicates_straddle_however_a_dataset_grows(data):
    """Six scenes and copies of them, in drops of any size; what an earlier drop assigned stays."""
    copies = data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 200)), min_size=3, unique=True))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(copies)), max_size=3, unique=True)))
    sides: dict[str, str] = {}
    images: dict[str, Image.Image] = {}
    for start, end in pairwise((0, *cuts, len(copies))):
        if start == end:
            continue
        drop = {f"{scene}-{at}": retouched(SCENES[scene], at=at) for scene, at in copies[start:end]}
        try:
            found = decided(looked_at(drop, {}), looked_at(images, sides), rules=LOOKING)
        except SplitError:
            return
        for name, side, kept in zip(drop, found.sides.tolist(), found.kept().tolist(), strict=False):
            if kept:
                images[name], sides[name] = drop[name], SPLITS[side]
    by_scene: dict[str, set[str]] = {}
    for name, side in sides.items():
        by_scene.setdefault(name.partition("-")[0], set()).add(side)
    assert all(len(found) == 1 for found in by_scene.values())


SCENES = [drawn(number + 40) for number in range(6)]


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
