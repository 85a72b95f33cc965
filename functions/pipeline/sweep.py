"""Invoked every quarter of an hour: does what lost events should have done, and writes down the progress."""

import time
from functools import cache
from typing import Any

import msgspec

from adapters import sagemaker
from adapters.executions import is_running
from adapters.storage import Storage, storage
from adapters.topic import publish
from pipeline.observed import logger, observed
from pipeline.run import update_run
from pipeline.waiting import answered, give_up, stored
from truthmill import layout, progress
from truthmill.run import Run


@observed
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return sweep(storage(), int(time.time()))


def sweep(store: Storage, now: int) -> dict[str, Any]:
    """One job that can't be asked about doesn't keep the others from being answered. now: s since 1970."""
    counts = {"waiting": 0, "answered": 0, "stalled": 0, "stopped": 0, "unknown": 0}

    @cache
    def is_over(run_json: str) -> bool:
        """Whether the execution of a run has ended, so that nobody waits for its jobs."""
        try:
            return not is_running(store.read_json(run_json, Run)[0].execution)
        except FileNotFoundError:  # somebody cleared the run away
            return False

    for found in store.list(layout.TOKENS):
        job = found.key.removeprefix(layout.TOKENS).removesuffix(".json")
        counts["waiting"] += 1
        try:
            waiting = stored(job, store)
            if waiting.run_json and is_over(waiting.run_json):
                counts["stopped"] += give_up(job, waiting.run_json, store)
                continue
            described = sagemaker.describe_labeling_job(job)
            if waiting.token and answered(job, waiting.token, described, store):
                counts["answered"] += 1
            elif waiting.run_json and described["LabelingJobStatus"] not in sagemaker.ENDED:
                counts["stalled"] += note_progress(job, waiting.run_json, described, store, now)
        except Exception:  # noqa: BLE001 - the border of a batch: each job is its own
            logger.exception("A waiting job can't be asked about", extra={"job": job})
            counts["unknown"] += 1
    return {"counts": counts}


def note_progress(job: str, key: str, described: dict[str, Any], store: Storage, now: int) -> bool:
    """Write how far the job is into run.json.

    Answers whether it is found to stand still, of which the topic hears once.
    """
    counters = described["LabelCounters"]
    labeled, left = counters.get("TotalLabeled", 0), counters.get("Unlabeled", 0)
    newly_stalled = False

    def change(found: Run) -> Run:
        nonlocal newly_stalled
        before = found.progress.get(job)
        after = progress.seen(before, labeled, left, now, found.asked.labeling.stall_after_hours)
        newly_stalled = after.stalled and not (before and before.stalled)
        return msgspec.structs.replace(found, progress=found.progress | {job: after})

    try:
        run = update_run(store, key, change)
    except FileNotFoundError:  # somebody cleared the run away
        return False
    if newly_stalled:
        hours = (now - run.progress[job].changed_at) / progress.HOUR_S
        publish(
            f"Labeling of {run.dataset} stands still",
            f"Labeling job {job} of dataset {run.dataset} has had no new answer for {hours:.0f} hours; "
            f"{labeled} pictures are labeled, {left} are left. Ask the work team, or stop the execution: "
            f"what is labeled is kept.\nAll about it: {store.uri(key)}\n",
        )
    return newly_stalled
