"""Ends a labeling job: writes its output in Ground Truth's layout, sets its status, puts its event."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import obstore

from adapters.jobs import Jobs
from adapters.storage import Storage, storage
from adapters.table import table
from adapters.tasks import Tasks
from labeling import job_quality
from labeling.ending import announce, end
from labeling.observed import logger, now_ms, observed
from truthmill import labeling_output, labeling_rules
from truthmill.labeling_jobs import ENDED, Counters, Job, Status, enough
from truthmill.labeling_output import LabeledObject
from truthmill.worker_quality import Panel

CLAIM_MS = 15 * 60_000  # no invocation lasts longer
BATCH = 500  # objects held at once
WRITES = 32  # under way at once


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return finish(event["job"], Jobs(table()), Tasks(table()))


def finish(name: str, jobs: Jobs, tasks: Tasks) -> dict[str, Any]:
    """End the job where it is time; anything else changes nothing. Can be done again at any point."""
    found = jobs.get(name)
    if found is None:
        return {"job": name, "status": "unknown"}
    if found.status in ENDED:
        if not found.announced:
            announce(found, jobs)
        return {"job": name, "status": found.status}
    counters = jobs.counters(found)
    if not _outcome(found, counters):
        return {"job": name, "status": found.status}
    job = jobs.claim(found, now_ms(), now_ms() + CLAIM_MS)
    if job is None:
        return {"job": name, "status": "claimed"}
    try:
        if (
            job.status == "InProgress"
            and now_ms() < job.deadline
            and job_quality.withdraw(job, tasks, now_ms())
        ):
            jobs.update(name, claim=0)  # others are asked again, so it isn't over
            return {"job": name, "status": found.status}
        return _write_and_end(job, jobs, tasks)
    except Exception:
        jobs.update(name, claim=0)
        raise


def _write_and_end(job: Job, jobs: Jobs, tasks: Tasks) -> dict[str, Any]:
    """Take no more answers, write all there are, and set the status."""
    jobs.close(job)
    counters = jobs.counters(job)
    status = _outcome(job, counters)
    if job.objects:
        write_output(job, tasks)
    reason = "" if status != "Failed" else "No object was labeled before the job's tasks ran out."
    end(job, status, jobs, reason)
    logger.info("Finished", extra={"labeled": counters.labeled, "expired": counters.expired})
    return {"job": job.name, "status": status, "labeled": counters.labeled}


def _outcome(job: Job, counters: Counters) -> Any:
    """The status in which the job ends now; empty where it goes on."""
    status: Status | str = ""
    if job.status == "Stopping":
        status = "Stopped"
    elif job.status == "InProgress":
        status = enough(job, counters, now_ms())
        if not status and now_ms() >= job.deadline:
            status = "Completed" if counters.labeled else "Failed"
    return status


def write_output(job: Job, tasks: Tasks) -> None:
    """The workers' answers, the consolidated ones, last the output manifest. Writing again is the same."""
    bucket, prefix = labeling_rules.s3_location(job.output, "S3OutputPath")
    store = storage(bucket)
    learned = job_quality.learned(job, tasks)
    panel = learned.panel
    for number, batch in enumerate(_batches(tasks.objects(job))):
        answered = [each for each in batch if each.answers]
        asyncio.run(_write_responses(store, prefix, answered))
        _write_consolidated(store, prefix, job, number, answered, panel)
    ended = job.modified
    store.write(
        f"{prefix}/manifests/output/output.manifest",
        (
            (labeling_output.output_line(job, each, ended, panel) + "\n").encode()
            for each in tasks.objects(job)
        ),
        "application/x-ndjson",
    )
    if panel.evidence:
        store.write_json(f"{prefix}/truthmill/workers.json", job_quality.report(job, learned))


async def _write_responses(store: Storage, prefix: str, objects: list[LabeledObject]) -> None:
    """One document an object, some at a time."""
    gate = asyncio.Semaphore(WRITES)

    async def write(each: LabeledObject) -> None:
        async with gate:
            await obstore.put_async(
                store.store,
                f"{prefix}/{labeling_output.worker_response_key(each)}",
                msgspec.json.encode(labeling_output.worker_response(each)),
                attributes={"Content-Type": "application/json"},
                use_multipart=False,
            )

    await asyncio.gather(*map(write, objects))


def _write_consolidated(
    store: Storage, prefix: str, job: Job, number: int, objects: list[LabeledObject], panel: Panel
) -> None:
    """What the answers of a batch of objects came to; named by the batch, so writing again is the same."""
    labeled = [each for each in objects if each.state == "labeled"]
    if labeled:
        store.write_json(
            f"{prefix}/annotations/consolidated-annotation/consolidation-response/iteration-1/{number:06d}.json",
            [labeling_output.consolidation_entry(job, each, panel) for each in labeled],
        )


def _batches(objects: Iterator[LabeledObject]) -> Iterator[list[LabeledObject]]:
    while batch := list(islice(objects, BATCH)):
        yield batch
