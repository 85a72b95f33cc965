"""State WriteReport: one HTML page about the run."""

from collections.abc import Mapping
from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import logger, observed
from pipeline.report_sources import gather
from pipeline.run import RunReference, read_run
from truthmill.report import thumbnails
from truthmill.report.page import page
from truthmill.report.sheets import Tile

MOST_PICTURES = 120


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return write_report(RunReference.from_event(event), storage())


def write_report(reference: RunReference, store: Storage) -> dict[str, Any]:
    """Gather, judge, draw; a picture that can't be shown is left out, never a failure."""
    at = reference.layout
    facts = gather(store, at, read_run(store, reference))
    made = page(facts, lambda tiles, budget: packed(store, tiles, budget))
    store.write(at.report, made.encode(), "text/html; charset=utf-8")
    return {"report": at.report, "bytes": len(made.encode())}


def packed(store: Storage, tiles: list[Tile], budget: int) -> Mapping[str, str]:
    """The tiles' pictures, one after the other: of a large one nothing is held but its small copy."""
    small = {}
    for tile in tiles[:MOST_PICTURES]:
        key = tile.shown.line.key
        try:
            small[tile.name] = thumbnails.shrink(store.read(key), tile.window)
        except (FileNotFoundError, OSError, ValueError) as error:
            logger.warning("Picture left out", extra={"key": key, "reason": str(error)})
    return thumbnails.pack(small, budget)
