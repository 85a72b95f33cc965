"""State Notify: closes run.json as SUCCEEDED, moves latest.json, tells the topic."""

from typing import Any

import msgspec

from adapters.storage import Storage, storage
from adapters.topic import publish
from pipeline.observed import observed
from pipeline.run import ATTEMPTS, RunReference, now, read_run, update_run
from truthmill import layout
from truthmill.run import Run


class Latest(msgspec.Struct, frozen=True, rename="camel"):
    """channels/latest.json. started_at: of the run, so that an older run never moves it back."""

    run: str
    started_at: str


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return notify(RunReference.from_event(event), storage())


def notify(reference: RunReference, store: Storage) -> dict[str, Any]:
    at = reference.layout
    move_latest(store, read_run(store, reference))
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


def move_latest(store: Storage, run: Run) -> None:
    """Point latest.json at this run, unless it points at a later one; never at half of one."""
    key = layout.latest(run.dataset)
    for _ in range(ATTEMPTS):
        try:
            found, etag = store.read_json(key, Latest)
        except FileNotFoundError:
            found, etag = Latest("", ""), ""
        if found.started_at > run.started_at or store.replaced(key, Latest(run.run, run.started_at), etag):
            return
