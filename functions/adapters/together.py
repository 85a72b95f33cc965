"""Requests of which none needs another one's answer, made at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")
MOST = 8


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST)


def both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """What both answer; the first one runs in this thread, and may itself ask for things at once."""
    beside = _threads().submit(second)
    return first(), beside.result()


def each(ask: Callable[[Any], T], given: Iterable[Any]) -> list[T]:
    """What is answered to each, in that order."""
    return list(_threads().map(ask, given))
