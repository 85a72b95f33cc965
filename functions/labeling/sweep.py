"""Recovers what got lost, on a schedule: jobs whose start, end or event never happened, and overdue ones."""

from typing import Any

from adapters.functions import invoke_finish, invoke_start
from adapters.jobs import Jobs
from adapters.table import table
from labeling.observed import logger, now_ms, observed


@observed
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return sweep(Jobs(table()), now_ms())


def sweep(jobs: Jobs, now: int) -> dict[str, Any]:
    """Have every job that isn't over looked at again; start and finish decide whether to do anything.

    A job somebody is working at has a claim and is left alone. now: milliseconds since 1970.
    """
    started, looked_at = [], []
    for job in jobs.active():
        if job.claim > now:
            continue
        if job.status == "Initializing":
            invoke_start(job.name)
            started.append(job.name)
        else:
            invoke_finish(job.name)
            looked_at.append(job.name)
    logger.info("Swept", extra={"started": started, "looked_at": looked_at})
    return {"started": len(started), "looked_at": len(looked_at)}
