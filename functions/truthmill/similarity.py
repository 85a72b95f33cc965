"""What a picture looks like, in a short text that survives what happens to copies of it.

A fingerprint has two parts. Its cells are the picture in 16 x 16 greys and 8 x 8 colours: with them two
pictures are laid over each other and compared. Its marks find the pictures worth comparing: up to 18 spots
that stand out from their surroundings (extrema of a difference of Gaussians: Lowe, "Distinctive image
features", 2004, section 3), each with 40 signs of what is around it, seen from the spot's own direction, so
that a mirrored, turned, cropped or slightly rotated copy has most of the same. All sums are exact in binary,
so every platform gets the same.
"""

import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from truthmill.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS = 16  # across and down
SIDE = 64  # pixels of the square in which marks are looked for
MARKS = (8, 6, 3, 1)  # the most that are kept, from the finest level to that of the whole frame
TURNS = 64  # directions that are told apart
SIGNS = 40  # bits that describe a mark's surroundings
TINTS = 8  # cells across and down of its colours
TINT_STEP = 8  # of Cb and Cr; 16 of them are told apart
TINTS_AT = 2 + CELLS * CELLS // 2  # bytes before the colours: darkest and lightest grey, cells of 4 bits
MARKS_AT = TINTS_AT + TINTS * TINTS  # bytes before the marks: the colours have 4 bits for Cb and 4 for Cr
LENGTH = MARKS_AT + 8 * sum(MARKS)  # bytes of a fingerprint

_BLURS = (1.0, 1.6, 2.56, 4.1)  # standard deviations in pixels; a level lies between two
_REACH = (5.12, 8.192, 13.12, 28.0)  # half a side of what is described, pixels of the square, for each level
_GRID = 8  # samples across and down what is described
_LEAST_RESPONSE = 0.75  # shades; less is noise
_LEAST_CONTRAST = 2.0  # shades by which a cell stands out
_LEAST_SHARE = 0.1  # of what stands out most
_LEAST_ROUGH = 16  # cells that stand out; fewer is a flat picture
_REDUCED = 128  # pixels of the smaller side that it is reduced to, at least, before it is resampled
_SAMPLED = 300  # pixels of the smaller side that are looked at, at least


def fingerprint(image: Image.Image) -> str:
    """The fingerprint of an upright RGB picture: base64 of LENGTH bytes, or "" where the picture is flat.

    A flat picture (a clear sky, a black frame) has nothing by which another could be told from it, so nothing
    but equal pixels makes it a duplicate. What is smooth over the whole frame doesn't count as contrast.
    """
    import numpy as np  # noqa: PLC0415 - it takes longer to import than the rest of a handler

    grey, *tints = _square(image).split()
    square = np.asarray(grey, dtype=np.float64)
    step = SIDE // CELLS
    cells = square.reshape(CELLS, step, CELLS, step).sum(axis=(1, 3)) / step**2
    if _is_flat(cells):
        return ""
    marks = _marks(square)
    if not marks.any():
        return ""
    low, high = math.floor(cells.min()), math.ceil(cells.max())
    shades = np.floor((cells - low) * 15 / (high - low) + 0.5).astype(np.uint8).ravel()
    packed = bytes([low, high]) + (shades[::2] << 4 | shades[1::2]).tobytes() + _tints(*tints)
    return b64encode(packed + marks.astype(">u8").tobytes()).decode()


def pack(fingerprints: Iterable[str]) -> "NDArray[np.uint8]":
    """Fingerprints as rows of LENGTH bytes, in their order, read as a stream; a flat picture's row is zero.

    Raises FormatError where one isn't a fingerprint of this version.
    """
    import numpy as np  # noqa: PLC0415 - as above

    rows = bytearray()
    for number, text in enumerate(fingerprints):
        try:
            row = b64decode(text, validate=True) if text else bytes(LENGTH)
        except (Base64Error, ValueError):
            row = b""
        if len(row) != LENGTH:
            raise FormatError(
                f"Picture {number} has the fingerprint {text[:40]!r} of {len(text)} characters, which is "
                "none of this version. Inspect the pictures again."
            )
        rows += row
    return np.frombuffer(rows, dtype=np.uint8).reshape(-1, LENGTH)


def _square(image: Image.Image) -> Image.Image:
    """The picture in SIDE x SIDE pixels of Y, Cb and Cr, its proportions given up.

    Of a large picture every n-th pixel is looked at: each of the square still is the mean of 20 or more.
    """
    skip = min(image.size) // _SAMPLED
    if skip > 1:
        image = image.resize((image.width // skip, image.height // skip), Image.Resampling.NEAREST)
    factor = max(1, min(image.size) // _REDUCED)  # by whole pixels first, for that is much faster
    return image.reduce(factor).resize((SIDE, SIDE), Image.Resampling.BOX).convert("YCbCr")


def _tints(blue: Image.Image, red: Image.Image) -> bytes:
    """Cb and Cr of TINTS x TINTS cells in steps of TINT_STEP from the middle, a byte a cell."""
    import numpy as np  # noqa: PLC0415 - as above

    steps = [
        np.clip(
            np.asarray(part.reduce(SIDE // TINTS), dtype=np.int64) // TINT_STEP - (128 // TINT_STEP - 8),
            0,
            15,
        )
        for part in (blue, red)
    ]
    return (steps[0] << 4 | steps[1]).astype(np.uint8).tobytes()


def _is_flat(cells: "NDArray[np.float64]") -> bool:
    """Whether a smooth surface of the fourth degree is nearly all there is: a sky, with a bird in it."""
    import numpy as np  # noqa: PLC0415 - as above

    smooth = smooth_surfaces()
    shades = cells.ravel()
    rough = np.abs(shades - smooth @ (smooth.T @ shades))
    # The surface gives way a little to whatever stands out, all over: hence the share.
    least = max(_LEAST_CONTRAST, _LEAST_SHARE * rough.max())
    return int((rough >= least).sum()) < _LEAST_ROUGH


@cache
def smooth_surfaces() -> "NDArray[np.float64]":
    """An orthonormal basis of the surfaces of the fourth degree over the cells, one a column."""
    import numpy as np  # noqa: PLC0415 - as above

    y, x = np.mgrid[0:CELLS, 0:CELLS].reshape(2, -1) - (CELLS - 1) / 2
    terms = [x**across * y**down for across in range(5) for down in range(5 - across)]
    return np.linalg.qr(np.stack(terms, axis=1))[0]


def _marks(square: "NDArray[np.float64]") -> "NDArray[np.uint64]":
    """The marks of a square, the strongest of each level; 0 in place of each that there isn't.

    From the highest bit: signs, x, y, direction, mirrored, level (from 1) in 40, 6, 6, 6, 1 and 5 bits.
    """
    import numpy as np  # noqa: PLC0415 - as above

    blurs = _blurs()
    blurred = blurs @ square @ blurs.transpose(0, 2, 1)
    response = np.abs(blurred[1:] - blurred[:-1])
    across = np.maximum(np.maximum(response[:, :, 1:-1], response[:, :, :-2]), response[:, :, 2:])
    around = np.maximum(np.maximum(across[:, 1:-1], across[:, :-2]), across[:, 2:])
    peaks = (response[:, 1:-1, 1:-1] == around) & (around > _LEAST_RESPONSE)
    levels = []
    for level, most in enumerate(MARKS[:-1]):
        edge = round(_REACH[level] / 2)
        y, x = np.nonzero(peaks[level, edge - 1 : SIDE - edge - 1, edge - 1 : SIDE - edge - 1])
        strongest = np.argsort(-response[level, y + edge, x + edge], kind="stable")[:most]
        marks = _described(blurred[level + 1], level, x[strongest] + edge, y[strongest] + edge)
        levels.append(np.pad(marks, (0, most - len(marks))))
    middle = np.array([SIDE // 2])
    levels.append(_described(blurred[-1], len(MARKS) - 1, middle, middle))
    return np.concatenate(levels)


def _described(
    blurred: "NDArray[np.float64]", level: int, x: "NDArray[np.int64]", y: "NDArray[np.int64]"
) -> "NDArray[np.uint64]":
    """The marks at these places, what is around each seen from the direction in which it is lightest."""
    import numpy as np  # noqa: PLC0415 - as above

    down, across, weights = _disc(level)
    folds = _folds()
    moment = blurred[folds[y[:, None] + down], folds[x[:, None] + across]] @ weights
    turn = np.rint(np.arctan2(moment[:, 1], moment[:, 0]) * (TURNS / math.tau)).astype(np.int64) % TURNS
    if level == len(MARKS) - 1:  # a frame is turned by quarters only
        turn = (turn + TURNS // 8) // (TURNS // 4) * (TURNS // 4) % TURNS
    waves, is_odd = _waves()
    down, across = _samples(level)[:, turn]
    strengths = blurred[folds[y[:, None] + down], folds[x[:, None] + across]] @ waves
    is_mirrored = strengths[:, 0] < 0
    signs = (strengths[:, 1:] > 0) ^ (is_mirrored[:, None] & is_odd[1:])
    code = (signs @ 2.0 ** np.arange(SIGNS)).astype(np.uint64)
    place = (((x * 64 + y) * 64 + turn) * 2 + is_mirrored) * 32 + level + 1
    marks: NDArray[np.uint64] = code << np.uint64(24) | place.astype(np.uint64)
    return marks


def _rounded(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Values in steps of 1/1024, so that their products with shades add up exactly, in whatever order."""
    import numpy as np  # noqa: PLC0415 - as above

    return np.rint(values * 1024) / 1024


@cache
def _folds() -> "NDArray[np.int64]":
    """For SIDE pixels and as many beyond either end (those before come last) what a mirror shows."""
    import numpy as np  # noqa: PLC0415 - as above

    inside = np.arange(SIDE)
    return np.concatenate([inside, inside[::-1], inside[::-1]])


@cache
def _blurs() -> "NDArray[np.float64]":
    """For each blur a matrix from SIDE pixels to SIDE blurred ones, the picture mirrored at its borders."""
    import numpy as np  # noqa: PLC0415 - as above

    matrices = np.zeros((len(_BLURS), SIDE, SIDE))
    for matrix, sigma in zip(matrices, _BLURS, strict=True):
        reach = math.ceil(3 * sigma)
        offsets = np.arange(-reach, reach + 1)
        weights = np.exp(-(offsets**2) / (2 * sigma**2))
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            np.add.at(matrix, (np.arange(SIDE), _folds()[np.arange(SIDE) + offset]), weight)
    return _rounded(matrices)


@cache
def _disc(level: int) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]":
    """Pixels around a place: how far down, how far across, and both as a centroid's weights."""
    import numpy as np  # noqa: PLC0415 - as above

    reach = round(_REACH[level])
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = x * x + y * y <= reach * reach
    return y[inside], x[inside], np.stack([x[inside], y[inside]], axis=1).astype(np.float64)


@cache
def _samples(level: int) -> "NDArray[np.int64]":
    """For each direction a grid around a place, its x axis pointing there: how far down, how far across."""
    import numpy as np  # noqa: PLC0415 - as above

    ticks = ((np.arange(_GRID) + 0.5) / _GRID * 2 - 1) * _REACH[level]
    y, x = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    angle = (np.arange(TURNS) * math.tau / TURNS)[:, None]
    across = np.rint(np.cos(angle) * x - np.sin(angle) * y)
    down = np.rint(np.sin(angle) * x + np.cos(angle) * y)
    return np.stack([down, across]).astype(np.int64)


@cache
def _waves() -> "tuple[NDArray[np.float64], NDArray[np.bool_]]":
    """The cosine waves whose strengths describe a grid, one a column, and which change sign in a mirror.

    The first is (1, 1): its sign tells a mark from its mirror image. The constant and the two that the
    direction settles are left out.
    """
    import numpy as np  # noqa: PLC0415 - as above

    ticks = np.pi * (np.arange(_GRID) + 0.5) / _GRID
    orders = sorted(
        ((u, v) for u in range(_GRID) for v in range(_GRID) if u + v > 1),
        key=lambda uv: (uv[0] ** 2 + uv[1] ** 2, uv),
    )[: SIGNS + 1]
    waves = [np.outer(np.cos(v * ticks), np.cos(u * ticks)).ravel() for u, v in orders]
    return _rounded(np.stack(waves, axis=1)), np.array([v % 2 == 1 for _, v in orders])
