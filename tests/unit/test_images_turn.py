"""Packed pixels are turned as Pillow turns pictures, whatever their sides: NumPy has to write in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from truthmill import image_pixels, image_turn

SIDES = st.one_of(st.integers(1, 20), st.integers(1, 300))


def turned(pixels: np.ndarray, orientation: int) -> tuple[bytes, bytes]:
    """All rows of height x width x 3 levels once turned: packed, and from the numbers."""
    height, width, _ = pixels.shape
    packed = np.concatenate([pixels.ravel(), np.full(image_turn.SPARE, 255, np.uint8)])
    rows, numbers = [], []
    for part, row in image_turn.upright_rows(packed, (width, height), image_turn.Turn(orientation)):
        rows.append(bytes(row))
        numbers.append(part.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    return b"".join(rows), b"".join(numbers)


def levels(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES, st.integers(1, 8))
def test_pixels_are_turned_as_pillow_turns_them(width, height, orientation):
    pixels = levels(width, height)
    expected = image_pixels.upright(Image.fromarray(pixels), orientation).tobytes()
    assert turned(pixels, orientation) == (expected, expected)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(
    "size_wh",
    [(4096, 700), (700, 4096), (1365, 600), (1024, 300), (4000, 300), (65_500, 2), (2, 65_500), (500_000, 1)],
)
def test_sides_that_collide_in_a_cache_or_fill_a_strip_make_no_difference(size_wh, orientation):
    """Also rows longer than a strip, which then has one."""
    pixels = levels(*size_wh)
    expected = image_pixels.upright(Image.fromarray(pixels), orientation).tobytes()
    assert turned(pixels, orientation) == (expected, expected)
