"""State Notify: closes run.json as SUCCEEDED, moves latest.json, tells the topic."""

from typing import Any

import msgspec

from adapters.storage import Storage, storage
from adapters.topic import publish
from pipeline.observed import observed
from pipeline.run import ATTEMPTS, Newest, RunReference, now, read_run, update_run
from truthmill import layout
from truthmill.ledger import Ledger
from truthmill.run import Run


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return notify(RunReference.from_event(event), storage())


def notify(reference: RunReference, store: Storage) -> dict[str, Any]:
    at = reference.layout
    complete = read_run(store, reference)
    built_from = store.read_json(at.ledger, Ledger)[0].revision
    point_at(store, layout.latest(at.dataset), Newest(complete.run, complete.started_at, built_from))
    if not complete.asked.is_archive and not complete.asked.of_dataset:
        point_at(store, layout.swept(at.dataset), Newest(complete.run, complete.started_at))
    run = update_run(store, at.run_json, _succeeded)
    counts = ", ".join(f"{value} {name}" for name, value in run.counts.items())
    publish(
        f"Dataset {run.dataset} is ready",
        f"Run {run.run} of dataset {run.dataset} is ready: {counts}.\n"
        f"Channels: {store.uri(at.channels)}\nReport: {store.uri(at.report)}\n",
    )
    return {"state": run.state, "counts": run.counts}


def _succeeded(found: Run) -> Run:
    return msgspec.structs.replace(
        found, state="SUCCEEDED", ended_at=now(), error=None, channels=found.asked.channels
    )


def point_at(store: Storage, key: str, newest: Newest) -> None:
    """Have the key name this run, unless it names a later one; never half of one."""
    for _ in range(ATTEMPTS):
        try:
            found, etag = store.read_json(key, Newest)
        except FileNotFoundError:
            found, etag = Newest("", ""), ""
        if found.age > newest.age or store.replaced(key, newest, etag):
            return
