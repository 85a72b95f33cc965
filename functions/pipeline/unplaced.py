"""Pictures of a run that were to be placed and couldn't be: SplitDataset decides once more, without them.

A loose object may be deleted or replaced after it was inspected, and a picture may be too much for what makes
it fit to be stored. It is in manifests and ledger by then, and others may have been left out for it.
"""

from collections.abc import Iterator, Mapping

import msgspec

from adapters.storage import Storage
from pipeline.ledger import read_ledger
from truthmill.layout import RunLayout
from truthmill.ledger import Segment
from truthmill.records import Entry, PlaceBatch, Unplaced


class Accounted(msgspec.Struct, frozen=True):
    """What is read of split.json here. unplaced: how many of them the decision knows."""

    segment: Segment
    unplaced: int = 0


def of_batch(store: Storage, at: RunLayout, batch: int) -> dict[Entry, Unplaced]:
    """Those of one batch, under all that it was made of up to now."""
    return dict(_read(store, at.unplaced_batch(batch)))


def of_run(store: Storage, at: RunLayout) -> dict[Entry, Unplaced]:
    return {entry: line for part in store.list(at.unplaced) for entry, line in _read(store, part.key)}


def without(batch: PlaceBatch, unplaced: Mapping[Entry, Unplaced]) -> PlaceBatch:
    """The batch as it is once they are left out."""
    rest = tuple(placement for placement in batch.pictures if placement.entry not in unplaced)
    return msgspec.structs.replace(batch, pictures=rest)


def calls_for_another_split(store: Storage, at: RunLayout) -> bool:
    """Whether some were found since it was decided what is kept.

    Once there are answers nothing is decided anew, and all was in place before.
    """
    if next(store.list(at.unplaced), None) is None:
        return False  # of most runs; they ask no more than this
    segment = read_ledger(store, at.dataset)[0].of(at.run)
    if segment is None or segment.answered:
        return False
    return store.read_json(at.outcome, Accounted)[0].unplaced != len(of_run(store, at))


def is_placed(store: Storage, at: RunLayout) -> bool:
    """Whether all that a run was to place is in place, or known not to be."""
    try:
        batches = [batch.batch for batch in store.read_lines(at.place, PlaceBatch)]
    except FileNotFoundError:
        return False
    done = {found.key for found in store.list(at.placed)}
    return all(at.placed_batch(batch) in done for batch in batches)


def _read(store: Storage, key: str) -> Iterator[tuple[Entry, Unplaced]]:
    try:
        yield from ((line.entry, line) for line in store.read_lines(key, Unplaced))
    except FileNotFoundError:
        return
