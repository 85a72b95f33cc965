"""New pictures that belong with earlier ones on both sides: who is left out."""

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from truthmill.between import Bound, parted
from truthmill.likeness_across import SearchAcross, across
from truthmill.similarity import fingerprint, pack
from truthmill.similarity_search import near_duplicates

TRAIN, VALIDATION = 0, 1


def bound(each: int, links: list[tuple[int, int]]) -> Bound:
    """So many new pictures of a group in train, then of one in validation; then the earlier two."""
    count = 2 * each + 2
    return Bound(
        earlier=np.arange(count) >= 2 * each,
        sides=np.array([-1] * 2 * each + [TRAIN, VALIDATION], dtype=np.int8),
        again=np.zeros(count, dtype=np.bool_),
        keys=["t"] * each + ["v"] * each + ["t", "v"],
        digests=np.arange(8 * count, dtype=np.uint8).reshape(count, 8),
        links=np.array(links, dtype=np.int64).reshape(-1, 2).T,
    )


def kept_sides(found) -> list[int]:
    return sorted(
        side for side, out in zip(found.sides[:-2].tolist(), found.between, strict=False) if not out
    )


def test_one_bridge_between_two_crowds_costs_one_picture():
    found = parted(bound(10, [(0, 10)]))
    assert found.between.sum() == 1
    assert len(kept_sides(found)) == 19
    assert set(kept_sides(found)) == {TRAIN, VALIDATION}


@pytest.mark.parametrize(("linked", "left_out"), [(7, 7), (8, 8), (9, 10), (10, 10)])
def test_a_crowd_is_kept_on_one_side_where_that_leaves_out_a_fifth_more_at_most(linked, left_out):
    """Nine have to go, and what is left on the other side would have to be compared with all: ten go."""
    found = parted(bound(10, [(number, 10 + number) for number in range(linked)]))
    assert found.between.sum() == left_out
    assert len(set(kept_sides(found))) == (1 if left_out == 10 else 2)


def crowd(count: int) -> np.ndarray:
    """Fingerprints of one scene with something else in front of it each time: alike, and no copies."""
    rows = []
    for number in range(count):
        image = scenery(3, (320, 240))
        image.paste((255, 255 - 4 * number, 4 * number), (5 * number, 90, 5 * number + 60, 150))
        rows.append(fingerprint(image))
    return pack(rows)


def scenery(seed: int, size: tuple[int, int]) -> Image.Image:
    """Discs of all sizes and colours."""
    drawn, image = Random(seed), Image.new("RGB", size, (90, 120, 150))  # noqa: S311
    for _ in range(60):
        left, top, width = drawn.randrange(size[0]), drawn.randrange(size[1]), drawn.randrange(8, 60)
        colour = tuple(drawn.randrange(256) for _ in range(3))
        ImageDraw.Draw(image).ellipse((left, top, left + width, top + width), fill=colour)
    return image


def test_across_kinds_no_two_marks_are_compared_twice():
    """Most come together in several orders, and a crowd's time goes into comparing."""
    seen = []

    class Watched(SearchAcross):
        def compare(self, one, other):
            seen.extend(zip(one.tolist(), other.tolist(), strict=True))
            super().compare(one, other)

    search = Watched(crowd(60), 0, np.arange(60) % 2, most=200_000)
    search.run()
    assert len(seen) == len(set(seen)) > 20


def test_what_is_kept_of_a_crowd_resembles_no_earlier_picture_of_another_side():
    """The first look, at all of the crowd at once, misses some; what is to be kept is looked at again."""
    rows = copies(240)
    count = len(rows)
    earlier = np.arange(count) >= count - 8
    sides = np.where(earlier, np.arange(count) // 2 % 2, -1).astype(np.int8)
    found = parted(
        Bound(
            earlier=earlier,
            sides=sides,
            again=np.zeros(count, dtype=np.bool_),
            keys=[""] * count,
            digests=np.frombuffer(Random(1).randbytes(8 * count), np.uint8).reshape(count, 8),  # noqa: S311
            links=near_duplicates(rows, 3).links,
            fingerprints=rows,
            distance=3,
        )
    )
    kept = np.flatnonzero(~earlier & ~found.between & (found.sides >= 0))
    assert len(kept)
    for side in (TRAIN, VALIDATION):
        there, elsewhere = np.flatnonzero(earlier & (sides == side)), kept[found.sides[kept] != side]
        looked_at = np.concatenate([elsewhere, there])
        kinds = np.repeat([0, 1], [len(elsewhere), len(there)])
        assert across(rows[looked_at], 3, kinds).links.shape[1] == 0


def crowd_on_both_sides(most: int) -> Bound:
    """Look-alikes by turns of a group in train and of one in validation, new but for twenty; the first two
    resemble each other, and so many pairs are laid over each other at a look.
    """
    rows = crowd(40)
    count = len(rows)
    earlier = np.arange(count) >= count - 20
    return Bound(
        earlier=earlier,
        sides=np.where(earlier, np.arange(count) % 2, -1).astype(np.int8),
        again=np.zeros(count, dtype=np.bool_),
        keys=["t", "v"] * (count // 2),
        digests=np.frombuffer(Random(1).randbytes(8 * count), np.uint8).reshape(count, 8),  # noqa: S311
        links=np.array([[0], [1]], dtype=np.int64),
        fingerprints=rows,
        distance=0,
        most=most,
    )


def test_what_there_is_no_time_to_tell_of_is_left_out_and_says_so():
    """Each resembles pictures of the other side enough to be compared with them, and isn't."""
    found = parted(crowd_on_both_sides(most=1))
    untold = {number for number, why in found.why.items() if "there was no time to tell" in why}
    assert len(untold) > 10
    assert untold <= set(np.flatnonzero(found.between).tolist())


def test_with_time_to_tell_fewer_are_left_out():
    found = parted(crowd_on_both_sides(most=2_000))
    assert "no time to tell" not in str(found.why)
    assert found.between.sum() < 10


def copies(count: int) -> np.ndarray:
    """Fingerprints of copies of two scenes, in turn: brighter, cut off, or with specks on them."""
    random, rows = Random(7), []  # noqa: S311
    for number in range(count):
        image = scenery(number % 2, (240, 180))
        kind = random.randrange(3)
        if kind == 0:
            image = ImageEnhance.Brightness(image).enhance(random.uniform(0.8, 1.2))
        elif kind == 1:
            across, down = random.randrange(14), random.randrange(11)
            image = image.crop((across, down, 240 - across, 180 - down))
        else:
            for _ in range(40):
                image.putpixel((random.randrange(240), random.randrange(180)), (random.randrange(256),) * 3)
        rows.append(fingerprint(image))
    return pack(rows)


def variants(image: Image.Image) -> list[Image.Image]:
    width, height = image.size
    return [
        image,
        image.crop((0, 0, width * 94 // 100, height)).transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        image.crop((width // 25, height // 25, width * 24 // 25, height * 24 // 25)),
        image.crop((0, 0, width * 92 // 100, height * 92 // 100)),
        image.rotate(3).crop((width // 16, height // 16, width * 15 // 16, height * 15 // 16)),
        image.resize((width // 2, height // 2)),
        image.transpose(Image.Transpose.ROTATE_90),
        ImageEnhance.Brightness(image).enhance(0.85),
    ]


@pytest.mark.parametrize(
    ("seed", "earlier", "sides"),
    [
        (6, [1, 6, 3], [0, 1, 1]),
        (10, [2, 0, 4], [0, 1, 0]),
        (10, [6, 0, 4], [0, 1, 1]),
        (12, [6, 7, 0], [0, 1, 1]),
    ],
)
def test_a_search_of_what_is_kept_finds_no_pair_on_two_sides(seed, earlier, sides):
    """What brought them together is left out; how the rest are alike isn't told by the links to that."""
    rows = pack([fingerprint(image) for image in variants(scenery(seed, (320, 240)))])
    is_earlier, given = np.zeros(len(rows), dtype=np.bool_), np.full(len(rows), -1, dtype=np.int8)
    is_earlier[earlier], given[earlier] = True, sides
    found = parted(
        Bound(
            earlier=is_earlier,
            sides=given,
            again=np.zeros(len(rows), dtype=np.bool_),
            keys=[""] * len(rows),
            digests=np.arange(8 * len(rows), dtype=np.uint8).reshape(-1, 8),
            links=near_duplicates(rows, 3).links,
            fingerprints=rows,
            distance=3,
        )
    )
    kept = np.flatnonzero(is_earlier | ~found.between)
    links = kept[near_duplicates(rows[kept], 3).links]
    new = links[:, ~is_earlier[links].all(axis=0)]
    assert (found.sides[new[0]] == found.sides[new[1]]).all()
