"""The dataset's ledger: which pictures it keeps, on which side, with which boxes.

`ledger.json` is small and is replaced by a conditional write; it lists immutable segments of JSON Lines
(`records.LedgerLine`), one for each run. So extending a ledger of a million lines writes the new lines only,
two runs at once lose nothing, and a reader sees the old state or the new one.
"""

from typing import TypeVar

import msgspec

from truthmill.errors import LabelsChangedError
from truthmill.records import Record


class Segment(Record, frozen=True):
    """The pictures that one run brought in.

    key: of the segment. labeled: whether every picture has its answer; answered: whether some may have one.
    sent_by: ARN of the execution that is having it labeled; nobody takes its pictures over meanwhile.
    labels: for how many of the dataset's labels every answered picture of it was looked at; 0 before answers.
    """

    run: str
    key: str
    pictures: int
    labeled: bool = False
    answered: bool = False
    sent_by: str = ""
    labels: int = 0


class Copies(Record, frozen=True):
    """Pictures of one run that the dataset keeps already, or once, under other names (`records.Copy`).

    key: of their lines. Their groups bind what is kept in their place, also in later runs.
    """

    run: str
    key: str
    pictures: int


class Ledger(Record, frozen=True):
    """ledger.json. labels: class id is the index; the same for all runs of the dataset.

    revision: one more with each change, so that of two readings the later one can be told.
    """

    labels: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    copies: tuple[Copies, ...] = ()
    revision: int = 0

    def of(self, run: str) -> Segment | None:
        return next((segment for segment in self.segments if segment.run == run), None)

    def with_segment(self, segment: Segment) -> "Ledger":
        """With the run's segment put in, in place of the one that it had; an empty one is left out."""
        return msgspec.structs.replace(self, segments=_with(self.segments, segment))

    def with_copies(self, copies: Copies) -> "Ledger":
        """The same with a run's copies."""
        return msgspec.structs.replace(self, copies=_with(self.copies, copies))

    def order(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels in the dataset's order, further ones after them; as they are where some are missing."""
        if not set(self.labels) <= set(labels):
            return labels
        return self.labels + tuple(label for label in labels if label not in self.labels)

    def with_labels(self, labels: tuple[str, ...], dataset: str) -> "Ledger":
        """With further labels after those that it has.

        Raises LabelsChangedError where the dataset has others: a class id is an index in one list for ever.
        """
        if self.labels != labels[: len(self.labels)]:
            raise LabelsChangedError(dataset, self.labels, labels)
        return msgspec.structs.replace(self, labels=labels)


P = TypeVar("P", Segment, Copies)


def _with(parts: tuple[P, ...], part: P) -> tuple[P, ...]:
    """With the run's part in the place of the one that it had, or last; an empty one is left out."""
    runs = [kept.run for kept in parts]
    place = runs.index(part.run) if part.run in runs else len(runs)
    changed = list(parts)
    changed[place : place + 1] = [part] if part.pictures else []
    return tuple(changed)
