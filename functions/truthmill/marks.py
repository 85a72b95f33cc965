"""Spots of a picture by which it is found again: where they are, and what is around them in 40 signs.

They are looked for in a square of SIDE x SIDE greys: extrema of a difference of Gaussians (Lowe, "Distinctive
image features", 2004, section 3), and one for the whole frame. What is around a spot is seen from its own
direction, so that a mirrored, turned, cropped or slightly rotated copy has most of the same.

Squares are worked on together, for to call NumPy takes longer than what it does for one. All sums are exact
in binary, so every platform gets the same. A mark is a number; from the highest bit: signs, x, y, direction,
mirrored, level (from 1) in 40, 6, 6, 6, 1 and 5 bits. 0 stands for none.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = "NDArray[Any]"  # of 32 bits, but where products are summed
    Integers: TypeAlias = "NDArray[np.int64]"

SIDE = 64  # pixels of the square
MARKS = (8, 6, 3, 1)  # the most that are kept, from the finest level to that of the whole frame
TURNS = 64  # directions that are told apart
SIGNS = 40  # bits that describe a mark's surroundings

_BLURS = (1.0, 1.6, 2.56, 4.1)  # standard deviations in pixels; a level lies between two
_REACH = (5.12, 8.192, 13.12, 28.0)  # half a side of what is described, pixels of the square, for each level
_GRID = 8  # samples across and down what is described
_LEAST_RESPONSE = 0.75  # shades; less is noise
_PIXELS = SIDE * SIDE
_PLACE_BITS = _PIXELS.bit_length() - 1  # of which of the pixels
_STRENGTH_BITS = 31  # of a float of 32 bits above 0, whose bits are in order
_ROW = sum(MARKS)
_SPOTS = len(MARKS) - 1  # levels in which spots are looked for
_SLOTS = tuple(slice(sum(MARKS[:level]), sum(MARKS[: level + 1])) for level in range(len(MARKS)))
_BORDER = 12  # pixels beyond the square by which a spot near its edge is described
_FRAMED = SIDE + 2 * _BORDER


def marks(squares: "Floats") -> "NDArray[np.uint64]":
    """Of P squares the marks, P x 18, the strongest of each level first; 0 in place of each there isn't.

    squares: P x SIDE x SIDE greys, whole numbers from 0 to 255. Some 250 kB a square are held.
    """
    import numpy as np  # noqa: PLC0415 - it takes longer to import than the rest of a handler

    blurs = _blurs()
    all_blurs = blurs.transpose(1, 0, 2).reshape(SIDE, -1)  # each is symmetric
    across = (squares.reshape(-1, SIDE) @ all_blurs).reshape(-1, SIDE, len(blurs), SIDE)
    blurred = blurs @ across.transpose(0, 2, 1, 3)
    slots, spots = _strongest(np.abs(blurred[:, 1:] - blurred[:, :-1]).ravel())
    # The middle is the frame's own spot, and a place to look at for marks that there aren't.
    places = np.full((len(squares), _ROW), SIDE // 2 * (SIDE + 1))
    places.ravel()[slots] = spots % _PIXELS
    is_there = np.zeros(places.shape, dtype=np.uint64)
    is_there.ravel()[slots] = is_there[:, -1] = 1
    return _described(_framed(blurred[:, 1:]), places) * is_there


def _strongest(response: "Floats") -> "tuple[Integers, Integers]":
    """The spots that stand out most of each level: which of all marks they become, and which pixels they are.

    response: of all pixels of all levels but the frame's, square by square. Pixels at an edge are no spots.
    """
    import numpy as np  # noqa: PLC0415 - as above

    across = np.maximum(response[:-2], response[1:-1])
    np.maximum(across, response[2:], out=across)
    around = np.maximum(across[: -2 * SIDE], across[SIDE:-SIDE])
    np.maximum(around, across[2 * SIDE :], out=around)
    first = SIDE + 1  # has neighbours on all sides
    inner = response[first:-first]
    is_spot = np.zeros(response.shape, dtype=bool)
    np.logical_and(inner == around, inner > _LEAST_RESPONSE, out=is_spot[first:-first])
    is_spot.reshape(-1, _SPOTS * _PIXELS)[:] &= _is_inside()
    spots = np.flatnonzero(is_spot)
    # Plane, strength and place make one number, for to sort such is fastest.
    strength = response[spots].view(np.int32).astype(np.int64)
    plane_at = _PLACE_BITS + _STRENGTH_BITS
    order = (spots >> _PLACE_BITS << plane_at) - (strength << _PLACE_BITS) + (spots & _PIXELS - 1)
    order.sort()
    plane, place = -(-order >> plane_at), order & _PIXELS - 1
    rank = np.arange(len(order)) - np.searchsorted(plane, np.arange(len(response) // _PIXELS))[plane]
    square, level = np.divmod(plane, _SPOTS)
    most, start = (of_level.take(level) for of_level in _most_and_first())
    kept = rank < most
    return (square * _ROW + start + rank)[kept], (plane * _PIXELS + place)[kept]


@cache
def _most_and_first() -> "Integers":
    """Of each level how many marks are kept, and which of all marks is the first."""
    import numpy as np  # noqa: PLC0415 - as above

    return np.array([(most, slots.start) for most, slots in zip(MARKS, _SLOTS, strict=True)]).T


def _framed(blurred: "Floats") -> "Floats":
    """P x levels x SIDE x SIDE with what a mirror shows beyond the edges, _BORDER pixels of it."""
    import numpy as np  # noqa: PLC0415 - as above

    framed = np.empty((*blurred.shape[:2], _FRAMED, _FRAMED), dtype=np.float32)
    framed[..., _BORDER:-_BORDER, _BORDER:-_BORDER] = blurred
    near, far = slice(2 * _BORDER - 1, _BORDER - 1, -1), slice(-_BORDER - 1, -2 * _BORDER - 1, -1)
    framed[..., :_BORDER, :], framed[..., -_BORDER:, :] = framed[..., near, :], framed[..., far, :]
    framed[..., :_BORDER], framed[..., -_BORDER:] = framed[..., near], framed[..., far]
    return framed


def _described(framed: "Floats", places: "Integers") -> "NDArray[np.uint64]":
    """The marks at these places, what is around each seen from the direction in which it is lightest."""
    import numpy as np  # noqa: PLC0415 - as above

    levels, planes = _levels()
    y, x = places // SIDE, places % SIDE
    squares = np.arange(len(places))[:, None] * _SPOTS
    at = (((squares + planes) * _FRAMED + y + _BORDER) * _FRAMED + x + _BORDER)[..., None]
    pixels = framed.ravel()
    moment = np.empty((*places.shape, 2))
    for level, slots in enumerate(_SLOTS):
        disc, weights = _disc(level)
        moment[:, slots] = pixels.take(at[:, slots] + disc).astype(np.float64) @ weights
    turn = np.rint(np.arctan2(moment[..., 1], moment[..., 0]) * (TURNS / math.tau)).astype(np.int64) % TURNS
    # A frame is turned by quarters only.
    turn[:, -1] = (turn[:, -1] + TURNS // 8) // (TURNS // 4) * (TURNS // 4) % TURNS
    waves, is_odd = _waves()
    strengths = pixels.take(at + _samples()[levels, turn]).astype(np.float64) @ waves
    is_mirrored = strengths[..., :1] < 0
    signs = (strengths[..., 1:] > 0) ^ (is_mirrored & is_odd)
    place = (((x * 64 + y) * 64 + turn) * 2 + is_mirrored[..., 0]) * 32 + levels + 1
    return packed(signs, place)


def packed(signs: "NDArray[np.bool_]", place: "Integers") -> "NDArray[np.uint64]":
    """Marks of so many x SIGNS signs, and of what they have below these, see the module."""
    import numpy as np  # noqa: PLC0415 - as above

    code = np.zeros((*place.shape, 8), dtype=np.uint8)
    code[..., : SIGNS // 8] = np.packbits(signs, axis=-1, bitorder="little")
    found: NDArray[np.uint64] = code.view("<u8")[..., 0] << np.uint64(24) | place.astype(np.uint64)
    return found


@cache
def _levels() -> "tuple[Integers, Integers]":
    """Of each mark its level, and which of the planes describes it; the coarsest describes the frame too."""
    import numpy as np  # noqa: PLC0415 - as above

    levels = np.repeat(np.arange(len(MARKS)), MARKS)
    return levels, np.minimum(levels, _SPOTS - 1)


@cache
def _is_inside() -> "NDArray[np.bool_]":
    """Of the pixels of one square's levels, whether one is as far from the edges as a spot has to be."""
    import numpy as np  # noqa: PLC0415 - as above

    inside = np.zeros((_SPOTS, SIDE, SIDE), dtype=bool)
    for level, reach in zip(inside, _REACH, strict=False):
        edge = round(reach / 2)
        level[edge:-edge, edge:-edge] = True
    return inside.ravel()


@cache
def _blurs() -> "Floats":
    """For each blur a matrix from SIDE pixels to SIDE blurred ones, the picture mirrored at its edges.

    In steps of 1/256: shades of 8 bits, blurred both ways, then need the 24 bits that 32-bit floats have.
    """
    import numpy as np  # noqa: PLC0415 - as above

    inside = np.arange(SIDE)
    folds = np.concatenate([inside, inside[::-1], inside[::-1]])  # what lies before the first comes last
    matrices = np.zeros((len(_BLURS), SIDE, SIDE), dtype=np.float32)
    for matrix, sigma in zip(matrices, _BLURS, strict=True):
        reach = math.ceil(3 * sigma)
        offsets = np.arange(-reach, reach + 1)
        weights = np.exp(-(offsets**2) / (2 * sigma**2))
        weights = np.rint(weights * (256 / weights.sum()))
        weights[reach] += 256 - weights.sum()
        for offset, weight in zip(offsets, weights / 256, strict=True):
            np.add.at(matrix, (inside, folds[inside + offset]), weight)
    return matrices


@cache
def _disc(level: int) -> "tuple[Integers, Floats]":
    """Pixels around a place: their steps in `_framed`, and across and down as a centroid's weights."""
    import numpy as np  # noqa: PLC0415 - as above

    reach, step = round(_REACH[level]), 2 if level else 1  # but for the finest, levels are blurred enough
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = (x * x + y * y <= reach * reach) & (x % step == 0) & (y % step == 0)
    return y[inside] * _FRAMED + x[inside], np.stack([x[inside], y[inside]], axis=1).astype(np.float64)


@cache
def _samples() -> "Integers":
    """For each level and direction a grid around a place, its x axis pointing there: steps in `_framed`."""
    import numpy as np  # noqa: PLC0415 - as above

    ticks = (np.arange(_GRID) + 0.5) / _GRID * 2 - 1
    y, x = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    angle = (np.arange(TURNS) * math.tau / TURNS)[:, None]
    reach = np.array(_REACH)[:, None, None]
    across = np.rint(reach * (np.cos(angle) * x - np.sin(angle) * y))
    down = np.rint(reach * (np.sin(angle) * x + np.cos(angle) * y))
    steps: Integers = (down * _FRAMED + across).astype(np.int64)
    return steps


@cache
def _waves() -> "tuple[Floats, NDArray[np.bool_]]":
    """The cosine waves whose strengths describe a grid, one a column; and of all but the first, which change
    sign in a mirror.

    The first is (1, 1): its sign tells a mark from its mirror image. The constant and the two that the
    direction settles are left out. In steps of 1/1024, so that strengths are exact.
    """
    import numpy as np  # noqa: PLC0415 - as above

    ticks = np.pi * (np.arange(_GRID) + 0.5) / _GRID
    orders = sorted(
        ((u, v) for u in range(_GRID) for v in range(_GRID) if u + v > 1),
        key=lambda uv: (uv[0] ** 2 + uv[1] ** 2, uv),
    )[: SIGNS + 1]
    waves = np.stack([np.outer(np.cos(v * ticks), np.cos(u * ticks)).ravel() for u, v in orders], axis=1)
    return np.rint(waves * 1024) / 1024, np.array([v % 2 == 1 for _, v in orders[1:]])
