"""How a job ends: its status, then its event. Each step can be done again."""

from typing import Any

from adapters.functions import put_event
from adapters.jobs import Jobs
from labeling.observed import logger, now_ms
from truthmill.labeling_jobs import ENDED, Job, Status, state_change


def fail(job: Job, reason: str, jobs: Jobs) -> Job:
    """End the job as Failed, with the reason."""
    return end(job, "Failed", jobs, reason=reason)


def end(job: Job, status: Status, jobs: Jobs, **changes: Any) -> Job:
    """Set the job's last status and announce it; one that was asked to stop meanwhile ends as Stopped.

    Only the holder of the job's claim may.
    """
    while job.status not in ENDED:
        last = "Stopped" if job.status == "Stopping" else status
        ended = jobs.change(job, **changes, status=last, modified=now_ms(), claim=0)
        job = ended or jobs.get(job.name) or job
    return announce(job, jobs)


def announce(job: Job, jobs: Jobs) -> Job:
    """Put the job's event and remember that; at least once, since the two can't be one."""
    put_event(state_change(job))
    logger.info("Ended", extra={"status": job.status, "reason": job.reason})
    return jobs.update(job.name, announced=True)
