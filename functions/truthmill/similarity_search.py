"""Pairs of pictures that look alike, found without comparing all pairs."""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from truthmill.similarity import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DISTANCE = 8


@dataclass(frozen=True, slots=True)
class Pairs:
    """Near-duplicates: links is 2 x M picture numbers, the smaller above; distance of each."""

    links: "NDArray[np.int64]"
    distance: "NDArray[np.uint8]"


def near_duplicates(fingerprints: "NDArray[np.uint8]", distance: int) -> Pairs:
    """All pairs within a Hamming distance, by keys of which a pair within it shares at least one."""
    hashes, usable = _hashes(fingerprints)
    numbers = np.flatnonzero(usable)
    bands = np.array_split(np.arange(64), distance + 3)
    found = [np.empty((2, 0), dtype=np.int64)]
    for kept in combinations(bands, 3):
        mask = np.uint64(sum(1 << int(bit) for band in kept for bit in band))
        found.append(_within(hashes[numbers], hashes[numbers] & mask, distance))
    links = np.unique(np.hstack(found), axis=1)
    links = numbers[links]
    return Pairs(links, np.bitwise_count(hashes[links[0]] ^ hashes[links[1]]))


def _within(hashes: "NDArray[np.uint64]", keys: "NDArray[np.uint64]", distance: int) -> "NDArray[np.int64]":
    """Pairs with the same key within the distance: neighbours at ever wider steps in the keys' order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    found = [np.empty((2, 0), dtype=np.int64)]
    start = np.arange(len(order) - 1)
    step = 1
    while len(start):
        start = start[start + step < len(order)]
        start = start[ordered[start] == ordered[start + step]]
        one, other = order[start], order[start + step]
        near = np.bitwise_count(hashes[one] ^ hashes[other]) <= distance
        found.append(np.sort(np.stack([one[near], other[near]]), axis=0))
        step += 1
    return np.hstack(found)


def _hashes(fingerprints: "NDArray[np.uint8]") -> "tuple[NDArray[np.uint64], NDArray[np.bool_]]":
    """Signs of the 64 lowest frequencies of each picture; whether it has contrast enough to have any."""
    cells = np.arange(SIDE)
    wave = np.cos(np.pi / SIDE * (cells[None] + 0.5) * np.arange(9)[:, None])
    pictures = fingerprints.reshape(-1, SIDE, SIDE).astype(np.float32)
    usable = pictures.std(axis=(1, 2)) > 3
    frequencies = np.einsum("ux,nxy,vy->nuv", wave, pictures, wave, optimize=True)
    picked = frequencies.reshape(len(pictures), -1)[
        :, [u * 9 + v for u in range(9) for v in range(9) if u or v]
    ]
    bits = np.ascontiguousarray(np.packbits(picked[:, :64] > 0, axis=1))
    return bits.view(">u8").astype(np.uint64).ravel(), usable
