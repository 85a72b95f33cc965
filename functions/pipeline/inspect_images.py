"""State InspectImages: what each picture of a batch is, verified by decoding it."""

from collections.abc import Iterable, Iterator
from itertools import islice
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
    return inspected(read_entries(asked.source, batch.entries, storage), limits_of(asked))


def inspected(
    contents: Iterable[tuple[Entry, bytes | PictureError]], limits: images.Limits
) -> Iterator[Inspection]:
    """Each picture, in order; fingerprints are made of several at once, which takes half of the time."""
    from truthmill.similarity import TOGETHER, fingerprints

    found = (inspection(entry, content, limits) for entry, content in contents)
    while some := list(islice(found, TOGETHER)):
        squares = [square for _, square in some if square]
        made = iter(fingerprints(squares) if squares else ())
        for one, square in some:
            yield msgspec.structs.replace(one, fingerprint=next(made)) if square else one


def inspection(
    entry: Entry, content: bytes | PictureError, limits: images.Limits
) -> tuple[Inspection, bytes]:
    """One picture but for its fingerprint, and what that is made of; why it can't be used is part of the
    answer, never an error.
    """
    try:
        if isinstance(content, PictureError):
            raise content
        picture = images.inspect(content, entry.name, limits)
    except PictureError as error:
        return Inspection(entry=entry, reason=error.reason, detail=error.detail), b""
    found = Inspection(
        entry=entry,
        sha256=picture.sha256,
        pixels=picture.pixels,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        conversions=picture.conversions,
        taken=picture.taken,
        orientation=picture.orientation,
    )
    return found, picture.square
