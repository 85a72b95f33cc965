"""Checks of the boxes. A threshold stands beside the rule that uses it."""

from collections import Counter
from collections.abc import Iterator

from truthmill.box_check import FINDINGS
from truthmill.report.concerns import Concern, Level, many, some
from truthmill.report.facts import Facts
from truthmill.report.measures import HUGE_SHARE, TINY_SIDE

FEW_SHARE = 0.005  # of all boxes: up to it some lie by chance where others do
FEW_OF_CLASS = 0.05  # of the boxes of a pair's rarer class


def _level(number: int, facts: Facts) -> Level:
    return "look" if number > FEW_SHARE * facts.measures.boxes else "note"


def _level_of(pairs: Counter[tuple[int, int]], facts: Facts) -> Level:
    """Also where it is much of a rare class."""
    of_class = facts.measures.of_class
    for (one, other), number in pairs.items():
        if number > FEW_OF_CLASS * min(of_class(one), of_class(other)):
            return "look"
    return _level(pairs.total(), facts)


def confused(facts: Facts) -> Iterator[Concern]:
    """Classes that are drawn, or were said, in one place."""
    drawn, said = facts.measures.confused, facts.staff.confused
    told: tuple[tuple[Counter[tuple[int, int]], Level, str, str], ...] = (
        (
            drawn,
            _level_of(drawn, facts),
            "in one place in the finished labels",
            "Look at the sheet “suspicious”; correct them, or merge classes that nobody can tell apart.",
        ),
        (
            said,
            "note",
            "of one box said differently by workers (of the answers that were looked at)",
            "Say in the instructions how to tell them apart.",
        ),
    )
    for pairs, level, what, advice in told:
        named = [
            f"{facts.labels[one]} / {facts.labels[other]} ({number:,})"
            for (one, other), number in pairs.most_common()
        ]
        if named:
            yield Concern(
                level,
                "Classes are confused with each other",
                f"{many(sum(pairs.values()), 'time')} {what}: {some(named, 4)}.",
                advice,
                "suspicious" if pairs is drawn else "workers",
            )


def doubles(facts: Facts) -> Iterator[Concern]:
    """Things that may be boxed twice."""
    if facts.measures.doubles:
        yield Concern(
            _level(facts.measures.doubles, facts),
            f"{many(facts.measures.doubles, 'thing')} may be boxed twice",
            "Two boxes of one class lie nearly in the same place.",
            "Look at the sheet “suspicious”; a second box on one object counts as a miss in training.",
            "suspicious",
        )


def checked(facts: Facts) -> Iterator[Concern]:
    """What became of boxes that could not be used as drawn."""
    listed = facts.listed
    if not listed.findings:
        return
    said = "; ".join(f"{number:,} × {reason}" for reason, number in listed.findings.most_common())
    told = FINDINGS.get(listed.findings.most_common(1)[0][0], "")
    yield Concern(
        "look" if listed.dropped > 0.01 * max(1, facts.measures.boxes) else "note",
        f"{many(sum(listed.findings.values()), 'box', 'boxes')} cut, dropped or doubtful",
        f"{said}. {told}".strip(),
        "boxes.jsonl lists each with its reason.",
        "boxes",
    )


EDGE_SHARE = 0.25
EDGE_BOXES = 20  # of a class; of fewer a share says nothing


def edges(facts: Facts) -> Iterator[Concern]:
    """Many objects are cut off."""
    boxes = facts.measures.boxes
    touching = int(facts.measures.at_edge.sum())
    if boxes and touching > EDGE_SHARE * boxes:
        shares = [
            (int(at_edge) / facts.measures.of_class(number), facts.labels[number])
            for number, at_edge in enumerate(facts.measures.at_edge)
            if facts.measures.of_class(number) >= EDGE_BOXES
        ]
        worst = max(shares, default=(0.0, ""))
        yield Concern(
            "note",
            f"{touching / boxes:.0%} of the boxes touch the picture's edge",
            f"Objects are often cut off{f'; most often “{worst[1]}” ({worst[0]:.0%})' if worst[1] else ''}.",
            "If the model will see whole objects, take pictures with more room around them.",
            "boxes",
        )


TINY_SHARE = 0.05


def tiny(facts: Facts) -> Iterator[Concern]:
    """Boxes that may be slips of the hand."""
    tiny, boxes = facts.measures.sizes["tiny"], facts.measures.boxes
    if tiny:
        yield Concern(
            "look" if tiny > TINY_SHARE * boxes else "note",
            f"{many(tiny, 'box', 'boxes')} narrower than {TINY_SIDE} pixels",
            f"{tiny / boxes:.1%} of all boxes. Small slips of the hand look like this, and far-away things.",
            "Look at the sheet “smallest”. Train at full resolution or in tiles if they are real.",
            "smallest",
        )


def huge(facts: Facts) -> Iterator[Concern]:
    """Boxes that cover their picture."""
    huge = facts.measures.sizes["huge"]
    if huge:
        yield Concern(
            "note",
            f"{many(huge, 'box', 'boxes')} over {HUGE_SHARE:.0%} of the picture",
            "Either the object fills the picture, or somebody marked the picture as a whole.",
            "Look at the sheet “largest”.",
            "largest",
        )


MANY_EMPTY = 0.5


def empty(facts: Facts) -> Iterator[Concern]:
    """Most pictures show nothing."""
    empty, pictures = facts.measures.negatives, facts.measures.pictures
    if pictures and empty > MANY_EMPTY * pictures:
        yield Concern(
            "look" if facts.measures.boxes else "stop",
            f"{empty / pictures:.0%} of the pictures have no box",
            f"{empty:,} of {pictures:,} were labeled as showing nothing.",
            "Check some of the sheet “random”: are they really empty, or did workers submit without drawing?",
            "random",
        )
