"""State InspectImages: what each picture of a batch is, verified by decoding it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from adapters.storage import Storage, storage
from pipeline.inspection import inspection
from pipeline.observed import observed
from pipeline.reading import read_entries
from pipeline.run import RunReference, read_run
from pipeline.source import limits_of
from truthmill.errors import PictureError
from truthmill.images import Limits
from truthmill.records import Batch, Entry, Inspection
from truthmill.run import Run

Look: TypeAlias = Callable[[Entry, bytes | PictureError, Limits], tuple[Inspection, bytes]]


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    batch = msgspec.convert(event["batch"], Batch)
    retried = event.get("retries", 0) > 0
    return inspect_batch(RunReference.from_event(event), batch, storage(), apart=retried)


def inspect_batch(
    reference: RunReference, batch: Batch, store: Storage, *, apart: bool = False
) -> dict[str, Any]:
    """Write one inspection for each entry; a batch that is done already is left as it is.

    apart: an earlier try failed, and the function may have died of a picture: see `apart`.
    """
    key = reference.layout.inspected_batch(batch.batch)
    if not store.exists(key):
        run = read_run(store, reference)
        store.write_lines(key, inspections_apart(run, batch) if apart else inspections(run, batch))
    return {"done": len(batch.entries)}


def inspections(run: Run, batch: Batch, look: Look = inspection) -> Iterator[Inspection]:
    """Each entry of the batch, inspected."""
    return inspected(read_entries(run, batch.entries, storage), limits_of(run.asked), look)


def inspections_apart(run: Run, batch: Batch) -> Iterator[Inspection]:
    """The same by another process."""
    from pipeline.apart import Apart

    with Apart.in_function() as process:
        yield from inspections(run, batch, process.inspection)


def inspected(
    contents: Iterable[tuple[Entry, bytes | PictureError]], limits: Limits, look: Look = inspection
) -> Iterator[Inspection]:
    """Each picture, in order; fingerprints are made of several at once, which takes half of the time."""
    from truthmill.similarity import TOGETHER, fingerprints

    found = (look(entry, content, limits) for entry, content in contents)
    while some := list(islice(found, TOGETHER)):
        squares = [square for _, square in some if square]
        made = iter(fingerprints(squares) if squares else ())
        for one, square in some:
            yield msgspec.structs.replace(one, fingerprint=next(made)) if square else one
