"""The dataset's ledger in the bucket: read as a whole, changed by a conditional write."""

import random
import time
from collections.abc import Callable, Iterator

import msgspec

from adapters.storage import ConflictError, Storage
from pipeline.run import ATTEMPTS
from truthmill import layout
from truthmill.ledger import Copies, Ledger, Segment
from truthmill.records import Copy, LedgerLine


def read_ledger(store: Storage, dataset: str) -> tuple[Ledger, str]:
    """The list of segments, and its ETag for a conditional write; both empty where the dataset is new."""
    try:
        return store.read_json(layout.ledger(dataset), Ledger)
    except FileNotFoundError:
        return Ledger(), ""


def change_ledger(store: Storage, dataset: str, change: Callable[[Ledger], Ledger]) -> Ledger:
    """Decide on the ledger as it is and write it; decide again where somebody else wrote in between.

    change: may read and write segments, under names that follow from their content; may be called again.
    """
    for attempt in range(ATTEMPTS):
        found, etag = read_ledger(store, dataset)
        changed = change(found)
        if changed == found:
            return found
        changed = msgspec.structs.replace(changed, revision=found.revision + 1)
        if store.replaced(layout.ledger(dataset), changed, etag):
            return changed
        time.sleep(random.uniform(0, 0.1 * (attempt + 1)))  # noqa: S311 - only spreads writers out
    raise ConflictError(layout.ledger(dataset))


def lines_of(store: Storage, segment: Segment) -> Iterator[LedgerLine]:
    return store.read_lines(segment.key, LedgerLine)


def copies_of(store: Storage, copies: Copies) -> Iterator[Copy]:
    return store.read_lines(copies.key, Copy)
