"""State WriteReport: one HTML page about the run."""

from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.run import RunReference, read_run
from truthmill.report import page


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return write_report(RunReference.from_event(event), storage())


def write_report(reference: RunReference, store: Storage) -> dict[str, Any]:
    key = reference.layout.report
    store.write(key, page(read_run(store, reference)).encode(), "text/html; charset=utf-8")
    return {"report": key}
