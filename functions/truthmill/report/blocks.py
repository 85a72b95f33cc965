"""What sections are made of: headings, charts with their numbers, facts side by side, commands to copy."""

from truthmill.layout import SPLITS
from truthmill.report.facts import Facts
from truthmill.report.markup import Markup, tag

SPLIT_NAMES = {"train": "Training", "validation": "Validation", "test": "Test"}


def section(anchor: str, title: str, *content: object) -> Markup:
    """A section that can be linked to; empty where it has nothing to say."""
    if not any(content):
        return Markup()
    heading = tag("h2", title, id=f"{anchor}-title")
    return tag("section", heading, *content, id=anchor, aria_labelledby=f"{anchor}-title")


def chart(title: str, drawing: Markup, *about: object, behind: Markup | None = None) -> Markup:
    """A chart with its title and, on demand, its numbers."""
    numbers = tag("details", tag("summary", "Numbers"), behind) if behind else ""
    return tag("figure", tag("figcaption", tag("strong", title), *about), drawing, numbers, class_="chart")


def splits_of(facts: Facts) -> list[str]:
    """The sides that have pictures, in their order."""
    return [name for name in SPLITS if name in facts.measures.splits]


def facts_list(told: list[tuple[str, object]]) -> Markup:
    """Names and values, side by side."""
    if not told:
        return Markup()
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in told), class_="facts")


def command(line: str) -> Markup:
    """A line to copy: a click, or the keyboard's focus, shows where it ends."""
    return tag("pre", tag("code", line), tabindex="0", role="group", aria_label="Command to copy")
