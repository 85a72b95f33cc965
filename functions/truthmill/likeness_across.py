"""Likeness between pictures of different kinds, and of which of them there was no time to tell it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill.similarity_search import (
    _ROW,
    ACROSS,
    _are_among,
    _is_upright,
    _of_both,
    _SearchAcross,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class Across:
    """links: as `similarity_search.links_across` gives them. unsure: pictures with others left uncompared."""

    links: "NDArray[np.int64]"
    unsure: "NDArray[np.bool_]"


def across(
    fingerprints: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]", most: int = ACROSS
) -> Across:
    """Links between pictures of different kinds; some `most` pairs of pictures are laid over each other."""
    search = _Accountable(fingerprints, distance, kind, most)
    search.run()
    return Across(search.links(), search.unsure)


class _Accountable(_SearchAcross):
    """Notes what there is no time for, where the search leaves it out in silence."""

    def __init__(
        self, rows: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]", most: int
    ) -> None:
        super().__init__(rows, distance, kind)
        self.left, self.most = _UNLIMITED, most
        self.unsure = np.zeros(len(rows), dtype=np.bool_)

    def _is_open(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        failed = np.minimum(self.failed[one // _ROW], self.failed[other // _ROW])
        in_time = (failed < self.tries) & (self.most > 0)
        if not in_time.all():
            self._note(one[~in_time], other[~in_time])
        is_open: NDArray[np.bool_] = in_time & ~_are_among(self.tried, _of_both(one, other))
        return is_open

    def _note(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """Pairs of marks that would have to be compared."""
        untold = ~(self.unsure[one // _ROW] & self.unsure[other // _ROW])
        untold &= self._is_apart(one // _ROW, other // _ROW)
        one, other = one[untold], other[untold]
        untold = _is_upright(self.marks.ravel()[one], self.marks.ravel()[other])
        untold &= ~_are_among(self.tried, _of_both(one, other))
        one, other = one[untold], other[untold]
        untold = self._is_borne_out(one, other)
        self.unsure[one[untold] // _ROW] = True
        self.unsure[other[untold] // _ROW] = True

    def _compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        self.most -= len(one)
        super()._compare(one, other)
