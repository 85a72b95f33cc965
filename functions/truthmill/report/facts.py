"""All that the page is made from: gathered by the state, judged and drawn by the other modules here."""

from collections import Counter
from dataclasses import dataclass, field

from truthmill.records import Rejected, Similar
from truthmill.report.measures import LabeledLine, Measures, PlainBox
from truthmill.report.workers import Staff
from truthmill.run import Run


@dataclass(slots=True)
class Agreement:
    """Of pictures that several workers labeled: their boxes' confidence, which says how certain their answers
    make a box (of our own service the probability that it is there), mean over a picture's boxes.

    pictures: how many of them; bins: up to 50, 60, 70, 80, 90, 99, 100 %. least: keys, the worst first, each
    with its lowest box's confidence.
    """

    pictures: int = 0
    total: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * 7)
    least: dict[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return self.total / self.pictures if self.pictures else 0.0


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A box that was cut, dropped or is doubtful. box: as it was drawn, pixels; None where nobody knows."""

    key: str
    box: PlainBox | None


@dataclass(slots=True)
class Listed:
    """Inputs and boxes that aren't used, counted by reason, with some of each.

    rejected: by reason, duplicates among them. findings: of boxes.jsonl, by reason; dropped: of them those
    that aren't used; doubtful: some, by reason. unlabeled: by the reason that was given.
    """

    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Rejected]] = field(default_factory=dict)
    findings: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    doubtful: dict[str, list[Doubtful]] = field(default_factory=dict)
    unlabeled: Counter[str] = field(default_factory=Counter)
    unlabeled_names: list[str] = field(default_factory=list)
    duplicates: list[Rejected] = field(default_factory=list)
    similar_pairs: int = 0
    similar: list[Similar] = field(default_factory=list)

    def keys(self) -> set[str]:
        """Pictures that are shown because a list names them."""
        pairs = {key for pair in self.similar for key in (pair.key, pair.of)}
        return (
            pairs
            | {line.of for line in self.duplicates}
            | {found.key for several in self.doubtful.values() for found in several}
        )


@dataclass(slots=True)
class Facts:
    """bucket: name of the dataset's. lines: of pictures that a list names, by key. durations: see there.

    limits: what those who read a format won't take of it, by the format's name.
    """

    run: Run
    bucket: str
    measures: Measures
    listed: Listed = field(default_factory=Listed)
    agreement: Agreement = field(default_factory=Agreement)
    staff: Staff = field(default_factory=lambda: Staff(()))
    lines: dict[str, LabeledLine] = field(default_factory=dict)
    durations: list[tuple[str, float]] = field(default_factory=list)
    limits: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.measures.labels

    @property
    def is_resplit(self) -> bool:
        """Whether the run brought nothing in, and split anew what was there."""
        return bool(self.run.request.get("resplit"))

    def count(self, name: str) -> int:
        return self.run.counts.get(name, 0)
