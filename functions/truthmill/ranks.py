"""Which of its equals each of many numbers is."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ranked(numbers: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Places of these numbers, equal ones together in their order, and how many equals come before each.

    numbers: from 0 on.
    """
    order = np.argsort(numbers, kind="stable")
    begins = np.diff(numbers[order], prepend=-1) != 0
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    return order, np.arange(len(numbers)) - first
