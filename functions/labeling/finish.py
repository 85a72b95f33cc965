"""Ends a labeling job: writes its output in Ground Truth's layout, sets its status, puts its event."""

from collections.abc import Callable
from typing import Any

from adapters.functions import invoke_finish
from adapters.jobs import Jobs
from adapters.table import table
from adapters.tasks import Tasks
from labeling import job_quality
from labeling.ending import announce, end
from labeling.observed import RESERVE_MS, logger, now_ms, observed
from labeling.output import Output
from truthmill.labeling_jobs import ENDED, Counters, Job, enough, outcome, spends_all, spent_reason

CLAIM_MS = 15 * 60_000  # no invocation lasts longer
NOTHING = "No object was labeled before the job's tasks ran out."


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return finish(event["job"], Jobs(table()), Tasks(table()), context.get_remaining_time_in_millis)


def finish(name: str, jobs: Jobs, tasks: Tasks, left_ms: Callable[[], int]) -> dict[str, Any]:
    """End the job where it is time; anything else changes nothing. Can be done again at any point.

    left_ms: what is left of this invocation; another one goes on with the output when it is short.
    """
    found = jobs.get(name)
    if found is None:
        return {"job": name, "status": "unknown"}
    if found.status in ENDED:
        if not found.announced:
            announce(found, jobs)
        return {"job": name, "status": found.status}
    if not outcome(found, jobs.counters(found), now_ms()):
        return {"job": name, "status": found.status}
    job = jobs.claim(found, now_ms(), now_ms() + CLAIM_MS)
    if job is None:
        return {"job": name, "status": "claimed"}
    try:
        if _asked_again(job, tasks):
            jobs.update(name, claim=0)
            return {"job": name, "status": found.status}
        return _write_and_end(job, jobs, tasks, left_ms)
    except Exception:
        jobs.update(name, claim=0)
        raise


def _asked_again(job: Job, tasks: Tasks) -> bool:
    """Whether answers were taken back, so that others are asked and it isn't over."""
    going = job.status == "InProgress" and now_ms() < job.deadline and not job.written
    return going and bool(job_quality.withdraw(job, tasks, now_ms()))


def _write_and_end(job: Job, jobs: Jobs, tasks: Tasks, left_ms: Callable[[], int]) -> dict[str, Any]:
    """Take no more answers, write all there are, and set the status."""
    jobs.close(job)
    counters = jobs.counters(job)
    if job.loaded == job.objects > 0:  # else it was stopped before workers could see it
        job = jobs.update(job.name, lapsed=_lapsed(job, counters))
        output = Output(job, job_quality.learned(job, tasks))
        job = _written(job, output, jobs, tasks, left_ms)
        if job.written < job.objects:
            jobs.update(job.name, claim=0)
            invoke_finish(job.name)
            return {"job": job.name, "status": job.status, "written": job.written}
        output.assemble(counters)
    status, reason = _verdict(job, counters)
    ended = end(job, status, jobs, reason=reason)
    logger.info("Finished", extra={"labeled": counters.labeled, "expired": counters.expired})
    return {"job": job.name, "status": ended.status, "labeled": counters.labeled - job.unconsolidated}


def _written(job: Job, output: Output, jobs: Jobs, tasks: Tasks, left_ms: Callable[[], int]) -> Job:
    """Write the objects from where the last invocation got to, as long as there is time."""
    for batch in output.batches(tasks.objects(job, first=job.written)):
        lost = output.write(batch)
        job = jobs.update(job.name, written=batch[-1].number + 1, unconsolidated=job.unconsolidated + lost)
        if left_ms() < RESERVE_MS:
            break
    return job


def _lapsed(job: Job, counters: Counters) -> bool:
    """Whether it ends since its tasks' lifetime is over; decided once, before the first object is written."""
    if job.written:
        return job.lapsed
    return job.status == "InProgress" and not enough(job, counters, now_ms())


def _verdict(job: Job, counters: Counters) -> tuple[Any, str]:
    """The last status, and the reason where it is Failed, or Stopped since nothing more may be paid for."""
    status = outcome(job, counters, now_ms())
    if counters.labeled and counters.labeled == job.unconsolidated and status == "Completed":
        return "Failed", "The job's consolidation function made no label of any object; see failure-reason."
    if status == "Stopped" and job.status != "Stopping" and spends_all(job, counters):
        return status, spent_reason(job, counters)
    return status, NOTHING if status == "Failed" else ""
