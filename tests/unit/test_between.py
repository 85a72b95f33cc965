"""New pictures that belong with earlier ones on both sides: who is left out."""

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from truthmill.between import Bound, parted
from truthmill.similarity import fingerprint, pack
from truthmill.similarity_search import _SearchAcross

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


def crowd() -> np.ndarray:
    """Fingerprints of one scene with something else in front of it each time: alike, and no copies."""
    rows = []
    for number in range(60):
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

    class Watched(_SearchAcross):
        def _compare(self, one, other):
            seen.extend(map(frozenset, zip(one.tolist(), other.tolist(), strict=True)))
            super()._compare(one, other)

    search = Watched(crowd(), 0, np.arange(60) % 2)
    search.run()
    assert len(seen) == len(set(seen)) > 20
