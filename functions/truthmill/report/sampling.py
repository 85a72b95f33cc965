"""Few of many, in one pass and bounded memory: the lowest by a score, or a fair sample by a digest."""

import heapq
from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")


class Lowest(Generic[T]):
    """The `size` items with the lowest scores of all that were offered; of equal ones the first that came."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, int, T]] = []  # the highest kept score on top
        self.offered = 0

    def offer(self, score: float, item: T) -> None:
        self.offered += 1
        entry = (-score, -self.offered, item)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def __iter__(self) -> Iterator[T]:
        """From the lowest score on."""
        return (item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))

    def __len__(self) -> int:
        return len(self._heap)


def chance(seed: str, text: str) -> float:
    """A number from 0 to 1 that follows from both texts; the lowest of many are a fair sample.

    Which pictures are shown therefore depends neither on their order nor on when the page is written.
    """
    return int.from_bytes(blake2b(f"{seed}:{text}".encode(), digest_size=8).digest(), "big") / 2**64
