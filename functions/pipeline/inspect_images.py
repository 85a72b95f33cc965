"""State InspectImages: what each picture of a batch is, verified by decoding it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.run import RunReference, read_run
from pipeline.source import limits_of, read_entries
from truthmill import images
from truthmill.errors import PictureError
from truthmill.records import Batch, Entry, Inspection
from truthmill.request import Request


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    batch = msgspec.convert(event["batch"], Batch)
    return inspect_batch(RunReference.from_event(event), batch, storage())


def inspect_batch(reference: RunReference, batch: Batch, store: Storage) -> dict[str, Any]:
    """Write one inspection for each entry; a batch that is done already is left as it is."""
    key = reference.layout.inspected_batch(batch.batch)
    if not store.exists(key):
        store.write_lines(key, inspections(read_run(store, reference).asked, batch))
    return {"done": len(batch.entries)}


def inspections(asked: Request, batch: Batch) -> Iterator[Inspection]:
    """Each entry of the batch, inspected."""
    limits = limits_of(asked)
    for entry, content in read_entries(asked.source, batch.entries, storage):
        yield inspection(entry, content, limits)


def inspection(entry: Entry, content: bytes | PictureError, limits: images.Limits) -> Inspection:
    """One picture; why it can't be used is part of the answer, never an error."""
    try:
        if isinstance(content, PictureError):
            raise content
        picture = images.inspect(content, entry.name, limits)
    except PictureError as error:
        return Inspection(entry=entry, reason=error.reason, detail=error.detail)
    return Inspection(
        entry=entry,
        sha256=picture.sha256,
        pixels=picture.pixels,
        fingerprint=picture.fingerprint,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        conversions=picture.conversions,
        taken=picture.taken,
        orientation=picture.orientation,
    )
