"""A whole picture in a few signs, whichever way round it is."""

import numpy as np
import pytest
from test_similarity import picture

from truthmill import overlay, similarity
from truthmill.cells import shades, unpacked
from truthmill.frames import FRAMES, frames
from truthmill.mark_pairs import first_maps

SIGNS = np.uint64(24)  # bits below them


def row(cells: np.ndarray) -> np.ndarray:
    """A fingerprint of these 16 x 16 steps of 15 shades."""
    result = np.zeros((1, similarity.LENGTH), dtype=np.uint8)
    result[0, 1] = 225
    steps = cells.reshape(-1, 2).astype(np.uint8)
    result[0, 2 : similarity.TINTS_AT] = steps[:, 0] << 4 | steps[:, 1]
    return result


def cells_of(seed: int) -> np.ndarray:
    light = shades(similarity.pack([similarity.fingerprint(picture(seed))])).reshape(16, 16)
    return np.rint((light - light.min()) * (15 / (light.max() - light.min())))


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_or_mirrored_picture_has_the_same_signs_and_is_brought_back(quarters, mirrored):
    for seed in range(10):
        cells = cells_of(seed)
        seen = np.rot90(cells[:, ::-1] if mirrored else cells, quarters)
        one, other = frames(row(cells))[:, 0], frames(row(seen))[:, 0]
        assert one >> SIGNS == other >> SIGNS
        maps = first_maps(one, other)
        maps[:, :, 2] = 0
        pictures = [unpacked(row(of)) for of in (cells, seen)]
        over, _ = overlay.laid_over(*pictures, maps)
        assert np.allclose(over, pictures[0].shades, atol=0.5)


def test_what_is_nearly_undecided_is_looked_at_both_ways_round():
    """As light on the left as on the right: a little more on either side turns it round."""
    cells = cells_of(3)
    even = np.clip(np.rint((cells + cells[:, ::-1]) / 2), 0, 14)
    either = []
    for side in (slice(0, 5), slice(11, 16)):
        changed = even.copy()
        changed[6:9, side] += 1
        either.append({int(frame) >> 24 for frame in frames(row(changed))[0] if frame})
    assert all(1 < len(found) <= FRAMES for found in either)
    closest = min((one ^ other).bit_count() for one in either[0] for other in either[1])
    assert closest <= 4


def test_a_flat_picture_has_no_frame():
    assert not frames(np.zeros((2, similarity.LENGTH), dtype=np.uint8)).any()
