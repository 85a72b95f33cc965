"""The verdict over all checks, for somebody who decides whether to train.

Thresholds are conventions, not laws: the page names the figure, so that somebody who sees it differently can.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from truthmill.report import box_checks, split_checks, work_checks
from truthmill.report.concerns import LEVELS, Concern, Level, many
from truthmill.report.facts import Facts


@dataclass(frozen=True, slots=True)
class Judgement:
    """concerns: the gravest first. passed: checks that found nothing, in a few words each."""

    concerns: tuple[Concern, ...]
    passed: tuple[str, ...]

    @property
    def level(self) -> Level | Literal["ready"]:
        return self.concerns[0].level if self.concerns and self.concerns[0].level != "note" else "ready"

    @property
    def headline(self) -> str:
        looks = sum(concern.level == "look" for concern in self.concerns)
        return {
            "stop": "Don't train on this yet",
            "look": f"Train, but look at {many(looks, 'point')} first",
            "note": "",
            "ready": "Ready to train",
        }[self.level]


def judge(facts: Facts) -> Judgement:
    """Every check in its order; a check with nothing to say has passed."""
    concerns: list[Concern] = []
    passed = []
    for name, check in CHECKS.items():
        found = list(check(facts))
        concerns += found
        if not found:
            passed.append(name)
    concerns.sort(key=lambda concern: LEVELS.index(concern.level))  # stable: within a level as checked
    return Judgement(tuple(concerns), tuple(passed))


CHECKS: dict[str, Callable[[Facts], Iterator[Concern]]] = {
    "Both sides of the split have pictures": split_checks.sides,
    "No group on both sides of the split": split_checks.leaks,
    "Every class has boxes on both sides": split_checks.classes,
    "Every picture came back with an answer": work_checks.unlabeled,
    "No class is rare": split_checks.rare,
    "The split is as wanted": split_checks.split_off,
    "Classes are spread evenly over the split": split_checks.unbalanced,
    "No classes in one place": box_checks.confused,
    "Nothing is boxed twice": box_checks.doubles,
    "Every box could be used as drawn": box_checks.checked,
    "Workers agree": work_checks.agreement,
    "No worker stands out": work_checks.workers,
    "No tiny boxes": box_checks.tiny,
    "No box covers a whole picture": box_checks.huge,
    "Few boxes touch the edge": box_checks.edges,
    "Most pictures have boxes": box_checks.empty,
    "Few inputs were rejected": work_checks.rejected,
    "There are enough pictures": split_checks.few,
    "Every channel keeps the limits of its reader": work_checks.limits,
}
