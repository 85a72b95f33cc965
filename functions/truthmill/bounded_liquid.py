"""Liquid that a template can neither keep busy for long nor fill the memory with.

What a template does is counted, so that the same template is refused everywhere and no clock is needed: each
value looked up and each filter cost what there is of them to go through.
"""

from collections.abc import Callable
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.exceptions import FilterError, LiquidError, ResourceLimitError

MOST_LOOPS = 100_000
MOST_WORK = 40_000_000  # characters and items that are gone through: some two seconds
MOST_RANGE = 100_000  # items of (1..n) outside of a loop
MOST_TEXT = 2_000_000  # characters of one value, and bytes of the page
MOST_BITS = 4_096  # of a number: 1,233 digits
LOOPED_TEXT = 500_000_000  # characters of the template, times how often it loops


class _Counting(RenderContext):
    """A rendering that counts what it does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left = MOST_WORK

    def get(self, *args: Any, **kwargs: Any) -> object:
        value = super().get(*args, **kwargs)
        self._count(_extent(value))
        return value

    def assign(self, key: str, val: Any) -> None:
        self._count(len(self.locals))  # whose sizes are added up
        super().assign(key, val)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        found = super().filter(name, token)

        def counted(left: object, *args: object, **named: object) -> object:
            given = [left, *args, *named.values()]
            if any(isinstance(each, range) and _too_long(each) for each in given):
                raise FilterError(f"{name}: a range of more than {MOST_RANGE:,} items", token=token)
            self._count(max(sum(map(_extent, given)), _made_by(name, left, args)))
            try:
                made = found(left, *args, **named)
            except (LiquidError, TypeError):  # Liquid adds the place
                raise
            except Exception as error:
                raise FilterError(f"{name}: {error or type(error).__name__}", token=token) from error
            if isinstance(made, int) and made.bit_length() > MOST_BITS:
                raise FilterError(f"{name}: a number of more than {MOST_BITS} bits", token=token)
            return made

        return counted

    def _count(self, cost: int) -> None:
        self._left -= 20 + cost
        if self._left < 0:
            raise ResourceLimitError("the template takes too long", token=None)


def _too_long(numbers: range) -> bool:
    return numbers.stop - numbers.start > MOST_RANGE


def _extent(value: object) -> int:
    """How much there is of a value to go through."""
    return len(value) if isinstance(value, str | list | tuple | dict) else 1


def _made_by(name: str, left: object, args: tuple[object, ...]) -> int:
    """At least how many characters come of the filters that can multiply."""
    if name == "join" and args and isinstance(left, list | tuple | range):
        return len(left) * len(str(args[0]))
    if name == "replace" and len(args) > 1:
        return str(left).count(str(args[0])) * len(str(args[1]))
    return 0


class _Template(BoundTemplate):
    context_class = _Counting


class BoundedLiquid(Environment):
    """Autoescape on, no files, and limits. length: of the template that it is for, in characters."""

    template_class = _Template
    output_stream_limit = MOST_TEXT
    local_namespace_limit = 1_000_000
    context_depth_limit = 30

    def __init__(self, length: int) -> None:
        super().__init__(autoescape=True)
        loops = min(MOST_LOOPS, LOOPED_TEXT // max(1, length))
        self.loop_iteration_limit = loops  # type: ignore[misc] # Liquid reads it of the instance
