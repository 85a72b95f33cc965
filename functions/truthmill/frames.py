"""A whole picture in 40 signs, by which copies without any spot of their own are found.

They follow from the cells of a fingerprint, so nothing more is stored. Only what lies in a disc counts: a
crop, or a rotation with its bare corners, changes less of that. A picture is looked at the same way round as
its mirrored and turned copies are: lighter to the right, lighter below, and more so across than down. Where
that is nearly undecided, it is looked at the other way round too.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.cells import shades
from truthmill.marks import MARKS, SIDE, SIGNS, TURNS, packed
from truthmill.similarity import CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = 4  # the most of one picture, one for each way round

_UNDECIDED = 0.5  # of the root mean square of all strengths
_TOGETHER = 4096  # pictures
_MIDDLE = SIDE // 2
_EDGE = 1.05, 4.0  # of half a side: where the disc ends, and how steeply


def frames(rows: "NDArray[np.uint8]") -> "NDArray[np.uint64]":
    """Of P fingerprints the frames, as marks, P x FRAMES, the surest way round first; 0 for none."""
    found = np.zeros((len(rows), FRAMES), dtype=np.uint64)
    for start in range(0, len(rows), _TOGETHER):
        block = rows[start : start + _TOGETHER]
        found[start : start + _TOGETHER] = _frames(block)
    found[rows[:, 1] == 0] = 0
    return found


def _frames(rows: "NDArray[np.uint8]") -> "NDArray[np.uint64]":
    light = shades(rows)
    disc, waves, swapped, odd = _waves()
    strengths = (light - (light @ disc)[:, None]) @ waves
    size = np.sqrt((strengths * strengths).mean(axis=1)) + 1e-6
    across, down = strengths[:, 0], strengths[:, 1]
    doubts = np.stack([np.abs(across), np.abs(down), np.abs(np.abs(across) - np.abs(down))], axis=1)
    doubts /= size[:, None]
    ways = np.stack([across < 0, down < 0, np.abs(across) < np.abs(down)], axis=1)
    order = np.argsort(doubts, axis=1)[:, :2]  # of three decisions the two that are most in doubt
    found = np.zeros((len(rows), FRAMES), dtype=np.uint64)
    is_undecided = np.take_along_axis(doubts, order, axis=1) < _UNDECIDED
    for frame in range(FRAMES):
        other_way = [place for place in range(2) if frame >> place & 1]
        chosen = np.flatnonzero(is_undecided[:, other_way].all(axis=1))
        way = ways[chosen]
        for place in other_way:
            way[np.arange(len(chosen)), order[chosen, place]] ^= True
        found[chosen, frame] = _marks(strengths[chosen], way, swapped, odd)
    return found


def _marks(
    strengths: "NDArray[Any]",
    way: "NDArray[np.bool_]",
    swapped: "NDArray[np.int64]",
    odd: "NDArray[np.bool_]",
) -> "NDArray[np.uint64]":
    """way: P x 3, whether each is mirrored across, mirrored down, and then turned over its diagonal."""
    signs = (strengths > 0) ^ (way[:, :1] & odd[0]) ^ (way[:, 1:2] & odd[1])
    turned = np.flatnonzero(way[:, 2])
    signs[turned] = signs[turned][:, swapped]
    across, down, diagonal = way.T.astype(np.int64)
    # As a mirror that changes down, and a turn: what a mark holds.
    mirrored = across ^ down ^ diagonal
    quarters = _quarters()[across, down, diagonal]
    place = ((_MIDDLE * 64 + _MIDDLE) * 64 + quarters * (TURNS // 4)) * 2 + mirrored
    return packed(signs[:, 2:], place * 32 + len(MARKS))


@cache
def _quarters() -> "NDArray[np.int64]":
    """By the way round: the quarter turns of a picture that is seen so, after a mirror that changes down."""
    result = np.zeros((2, 2, 2), dtype=np.int64)
    for across, down, turned in np.ndindex(2, 2, 2):
        seen = np.diag([1 - 2 * across, 1 - 2 * down])
        if turned:
            seen = seen[::-1]
        result[across, down, turned] = {(1, 0): 0, (0, -1): 1, (-1, 0): 2, (0, 1): 3}[
            seen[0, 0], seen[1, 0] * (-1) ** (across ^ down ^ turned)
        ]
    return result


@cache
def _waves() -> "tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], NDArray[np.bool_]]":
    """Weights of the disc's mean; the cosine waves within the disc, one a column, first that across, then
    that down; which one each is with across and down exchanged; whether each changes sign in a mirror across,
    and in one down.
    """
    down, across = (np.mgrid[0:CELLS, 0:CELLS].reshape(2, -1) - (CELLS - 1) / 2) / (CELLS / 2)
    end, steep = _EDGE
    disc = np.clip((end - np.hypot(across, down)) * steep, 0, 1)
    orders = sorted(
        ((u, v) for u in range(CELLS) for v in range(CELLS) if u + v),
        key=lambda uv: (uv[0] ** 2 + uv[1] ** 2, max(uv), -uv[0]),
    )
    orders = orders[: SIGNS + 2]
    ticks = np.pi * (np.arange(CELLS) + 0.5) / CELLS
    waves = [np.outer(np.cos(v * ticks), np.cos(u * ticks)).ravel() * disc for u, v in orders]
    swapped = [orders.index((v, u)) for u, v in orders]
    odd = np.array([[u % 2 == 1 for u, _ in orders], [v % 2 == 1 for _, v in orders]])
    weights = (disc / disc.sum()).astype(np.float32)
    return weights, np.stack(waves, axis=1).astype(np.float32), np.array(swapped), odd
