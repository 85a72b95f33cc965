"""Invoked by the event that an execution was stopped or has failed: nobody goes on labeling for nobody.

What was labeled is kept: the next execution of the run finds it (events/execution-aborted.json).
"""

from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.waiting import give_up
from truthmill import layout
from truthmill.run import Run


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return stop_labeling_jobs(event["detail"]["executionArn"], storage())


def stop_labeling_jobs(execution: str, store: Storage) -> dict[str, Any]:
    """Stop the open jobs of the execution's run, unless another execution works on that run by now."""
    try:
        pointer = store.read_json(layout.execution(execution.rpartition(":")[2]), dict[str, str])[0]
        run = store.read_json(pointer["key"], Run)[0]
    except FileNotFoundError:  # it ended before it had a run
        return {"stopped": []}
    if run.execution != execution:
        return {"stopped": []}
    open_jobs = [job.name for job in run.jobs if job.arn and not job.has_ended]
    return {"stopped": [name for name in open_jobs if give_up(name, pointer["key"], store)]}
