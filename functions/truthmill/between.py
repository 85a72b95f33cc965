"""New pictures that resemble earlier ones on several sides: wherever they went, they would leak."""

from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping
from truthmill.layout import SPLITS
from truthmill.similarity_search import near_duplicates
from truthmill.split import UNDECIDED, settled_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sides_of_likeness(
    fingerprints: "NDArray[np.uint8]", links: "NDArray[np.int64]", fixed: "NDArray[np.int8]", distance: int
) -> "tuple[NDArray[np.int8], NDArray[np.bool_]]":
    """The sides that pictures have, or get by what they resemble; which resemble several sides' pictures.

    links: of near-duplicates, `similarity_search.near_duplicates` of these fingerprints. fixed: sides that
    are settled, -1 elsewhere; they stay. A picture counts as resembling what is linked to it by other new
    ones, since all of these would have to be on its side.
    """
    count = len(fixed)
    likeness = grouping.union(count, links)
    side, straddling = settled_sides(likeness, fixed, count)
    decided = np.where(fixed == UNDECIDED, side[likeness], fixed).astype(np.int8)
    between = np.zeros(count, dtype=np.bool_)
    if straddling:
        torn = _in_straddling(likeness, fixed)
        open_ones = torn & (fixed == UNDECIDED)
        touched = np.zeros((len(SPLITS), count), dtype=np.bool_)
        for number, one in enumerate(touched):
            one[:] = _touching(fingerprints, open_ones, torn & (fixed == number), distance)
        between = open_ones & (touched.sum(axis=0) > 1)
        decided[open_ones] = np.where(touched.any(axis=0), touched.argmax(axis=0), UNDECIDED)[open_ones]
    return decided, between


def _in_straddling(likeness: "NDArray[np.int64]", fixed: "NDArray[np.int8]") -> "NDArray[np.bool_]":
    """Members of groups that are on several sides already."""
    is_fixed = fixed >= 0
    there = np.zeros((len(SPLITS), len(fixed)), dtype=np.bool_)
    there[fixed[is_fixed], likeness[is_fixed]] = True
    straddling: NDArray[np.bool_] = (there.sum(axis=0) > 1)[likeness]
    return straddling


def _touching(
    fingerprints: "NDArray[np.uint8]", new: "NDArray[np.bool_]", settled: "NDArray[np.bool_]", distance: int
) -> "NDArray[np.bool_]":
    """Which new pictures are linked to settled ones of one side, were there no others.

    Of a group there are enough links to connect it, not all; so they are looked for anew.
    """
    chosen = np.flatnonzero(new | settled)
    groups = grouping.union(len(chosen), near_duplicates(fingerprints[chosen], distance).links)
    has_settled = np.zeros(len(chosen), dtype=np.bool_)
    has_settled[groups[settled[chosen]]] = True
    touching = np.zeros(len(new), dtype=np.bool_)
    touching[chosen] = has_settled[groups]
    return touching & new
