"""What is asked for at every request and rarely changes is asked again after some seconds only."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Answers by key, in this one process, for as long as they may be believed."""

    def __init__(
        self, seconds: float, most: int = 1_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """most: answers that are kept at once. clock: in seconds."""
        self.seconds = seconds
        self.most = most
        self.clock = clock
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str, ask: Callable[[], T]) -> T:
        """The answer kept, or the one that `ask` gives now. What `ask` raises is not kept."""
        now = self.clock()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < self.seconds:
            return kept[1]
        return self._keep(key, now, ask())

    def renew(self, key: str, ask: Callable[[], T]) -> T:
        """The answer that `ask` gives now, kept from now on."""
        return self._keep(key, self.clock(), ask())

    def _keep(self, key: str, now: float, answer: T) -> T:
        if len(self._kept) >= self.most:
            self._kept.clear()
        self._kept[key] = (now, answer)
        return answer
