"""Starts a labeling job: reads its manifest, labels and template from S3, and makes a task of every line."""

from collections.abc import Iterator
from typing import Any

from adapters.functions import invoke_finish
from adapters.jobs import Jobs
from adapters.storage import storage
from adapters.table import table
from adapters.tasks import Tasks
from labeling import gold_loading
from labeling.ending import fail
from labeling.observed import logger, now_ms, observed
from truthmill import labeling_jobs, labeling_limits, labeling_rules
from truthmill.errors import FormatError, ManifestError
from truthmill.labeling_jobs import Job
from truthmill.records import split_lines

CLAIM_MS = 15 * 60_000  # no invocation lasts longer
MAX_TEMPLATE = 128_000  # characters, as RenderUiTemplate's model says


class UnreadableError(Exception):
    """An object in S3 that the job needs can't be read."""


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return start(event["job"], Jobs(table()), Tasks(table()))


def start(name: str, jobs: Jobs, tasks: Tasks) -> dict[str, Any]:
    """Take the job from Initializing to InProgress, or to Failed where its input can't be used.

    Only one invocation works at a job; one that died is replaced by the sweep's once its claim has run out.
    Tasks written twice are the same tasks, since no worker sees them before the job is InProgress.
    """
    found = jobs.get(name)
    if found is not None and found.status == "InProgress":  # tags have brought gold to a job that runs
        return {"job": name, "status": found.status, "gold": gold_loading.load(found, jobs, tasks)}
    if found is None or found.status != "Initializing":
        return {"job": name, "status": found.status if found else "unknown"}
    job = jobs.claim(found, now_ms(), now_ms() + CLAIM_MS)
    if job is None:
        return {"job": name, "status": "claimed"}
    try:
        job = _ready(job, jobs, tasks)
    except (UnreadableError, FormatError) as error:
        fail(job, str(error), jobs)
        return {"job": name, "status": "Failed"}
    except Exception:
        jobs.update(name, claim=0)
        raise
    if job.status != "InProgress":  # stopped meanwhile
        jobs.update(name, claim=0)
        invoke_finish(name)
    logger.info("Started", extra={"objects": job.objects})
    return {"job": name, "status": job.status, "objects": job.objects}


def _ready(job: Job, jobs: Jobs, tasks: Tasks) -> Job:
    """The job with its labels, template and tasks, InProgress; as it is where it was stopped meanwhile."""
    labels = labeling_rules.read_label_categories(
        _read(job.request["LabelCategoryConfigS3Uri"]), job.request["LabelCategoryConfigS3Uri"]
    )
    jobs.put_template(job.name, _template(job.task["UiConfig"]["UiTemplateS3Uri"]))
    objects = sum(1 for _ in _lines(job))
    if not 1 <= objects <= labeling_limits.MAX_OBJECTS:
        raise ManifestError(
            job.manifest_uri, f"has {objects} objects; a job takes 1 to {labeling_limits.MAX_OBJECTS}."
        )
    sized = jobs.change(job, labels=tuple(labels), objects=objects, shards=labeling_jobs.shards_for(objects))
    if sized is None:
        return job
    tasks.load(sized, _lines(sized), now_ms())
    gold_loading.load(sized, jobs, tasks)
    loaded = jobs.get(job.name) or sized
    if loaded.status != "Initializing":
        return loaded
    return jobs.change(loaded, status="InProgress", modified=now_ms(), claim=0) or loaded


def _lines(job: Job) -> Iterator[tuple[str, str]]:
    """The manifest's lines with their pictures' URIs, streamed. Raises ManifestError, UnreadableError."""
    bucket, key = labeling_rules.s3_location(job.manifest_uri, "ManifestS3Uri")
    try:
        for number, line in enumerate(split_lines(storage(bucket).stream(key)), start=1):
            if line.strip():
                where = f"{job.manifest_uri}, line {number}"
                yield labeling_rules.read_input_line(line, job.attribute, where)
    except (FileNotFoundError, PermissionError) as error:
        raise _unreadable(job.manifest_uri) from error


def _template(uri: str) -> str:
    try:
        text = _read(uri).decode()
    except UnicodeDecodeError as error:
        raise ManifestError(uri, f"the worker template isn't UTF-8: {error}.") from error
    if len(text) > MAX_TEMPLATE:
        raise ManifestError(uri, f"the worker template has {len(text)} characters; at most {MAX_TEMPLATE}.")
    return text


def _read(uri: str) -> bytes:
    bucket, key = labeling_rules.s3_location(uri, "URI")
    try:
        return storage(bucket).read(key)
    except (FileNotFoundError, PermissionError) as error:
        raise _unreadable(uri) from error


def _unreadable(uri: str) -> UnreadableError:
    return UnreadableError(
        f"{uri} can't be read: it isn't there, or the labeling service has no access to its bucket "
        "(the stack's parameter DataBucket)."
    )
