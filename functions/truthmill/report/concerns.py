"""One thing that a reader should know before training, and how it is worded."""

from dataclasses import dataclass
from typing import Literal

from truthmill.report.markup import short

Level = Literal["stop", "look", "note"]
LEVELS: tuple[Level, ...] = ("stop", "look", "note")


@dataclass(frozen=True, slots=True)
class Concern:
    """level: "stop" before training, "look" into it, or "note". where: the page's section that shows it."""

    level: Level
    title: str
    found: str
    advice: str
    where: str


def many(number: int, what: str, plural: str = "") -> str:
    """A number of things: “1 box”, “2,000 boxes”."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def some(names: list[str], most: int = 6) -> str:
    """Quoted, the first few."""
    shown = ", ".join(f"“{short(name, 60)}”" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
