"""How a job ends: its status, then its event. Each step can be done again."""

from adapters.functions import put_event
from adapters.jobs import Jobs
from labeling.observed import logger, now_ms
from truthmill.labeling_jobs import Job, Status, state_change


def fail(job: Job, reason: str, jobs: Jobs) -> None:
    """End the job as Failed, with the reason."""
    end(job, "Failed", jobs, reason=reason)


def end(job: Job, status: Status, jobs: Jobs, reason: str = "") -> None:
    """Set the job's last status and announce it. Only the holder of the job's claim may."""
    announce(jobs.update(job.name, status=status, reason=reason, modified=now_ms(), claim=0), jobs)


def announce(job: Job, jobs: Jobs) -> None:
    """Put the job's event and remember that; at least once, since the two can't be one."""
    put_event(state_change(job))
    jobs.update(job.name, announced=True)
    logger.info("Ended", extra={"status": job.status, "reason": job.reason})
