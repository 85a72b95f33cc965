"""Invoked every quarter of an hour: does what a lost event should have done."""

from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import logger, observed
from pipeline.waiting import answer_if_ended, stored_token
from truthmill import layout


@observed
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return sweep(storage())


def sweep(store: Storage) -> dict[str, Any]:
    """One job that can't be asked about doesn't keep the others from being answered."""
    counts = {"waiting": 0, "answered": 0, "unknown": 0}
    for found in store.list(layout.TOKENS):
        job = found.key.removeprefix(layout.TOKENS).removesuffix(".json")
        counts["waiting"] += 1
        try:
            token = stored_token(job, store)
            counts["answered"] += bool(token) and answer_if_ended(job, token, store)
        except Exception:  # noqa: BLE001 - the border of a batch: each job is its own
            logger.exception("A waiting job can't be asked about", extra={"job": job})
            counts["unknown"] += 1
    return {"counts": counts}
