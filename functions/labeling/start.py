"""Starts a labeling job: reads its manifest, labels and template from S3, and makes a task of every line."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from adapters.functions import invoke_finish, invoke_start
from adapters.jobs import Jobs
from adapters.storage import storage
from adapters.table import table
from adapters.tasks import Tasks
from labeling import gold_loading
from labeling.ending import fail
from labeling.observed import RESERVE_MS, logger, now_ms, observed
from labeling.preparation import prepared
from truthmill import labeling_input, labeling_jobs, labeling_rules
from truthmill.errors import FormatError, ManifestError, RequestError
from truthmill.labeling_input import NewObject
from truthmill.labeling_jobs import Job
from truthmill.leases import SKIPPED, UNFIT
from truthmill.records import split_lines

CLAIM_MS = 15 * 60_000  # no invocation lasts longer
MAX_TEMPLATE = 128_000  # characters, as RenderUiTemplate's model says
CHUNK = 2_000  # tasks that are made before the job remembers how far it got


class UnreadableError(Exception):
    """An object in S3 that the job needs can't be read."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return start(event["job"], Jobs(table()), Tasks(table()), context.get_remaining_time_in_millis)


def start(name: str, jobs: Jobs, tasks: Tasks, left_ms: Callable[[], int]) -> dict[str, Any]:
    """Take the job from Initializing to InProgress, or to Failed where its input can't be used.

    Only one invocation works at a job; one that died is replaced by the sweep's once its claim has run out,
    and goes on where the job was. Tasks written twice are the same tasks, since no worker sees them before
    the job is InProgress. left_ms: what is left of this invocation; another one goes on when it is short.
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
        job = _ready(job, jobs, tasks, left_ms)
    except (UnreadableError, FormatError) as error:
        return {"job": name, "status": fail(jobs.get(name) or job, str(error), jobs).status}
    except Exception:
        jobs.update(name, claim=0)
        raise
    _hand_over(job, jobs)
    return {"job": name, "status": job.status, "objects": job.objects, "loaded": job.loaded}


def _hand_over(job: Job, jobs: Jobs) -> None:
    """Have done what comes next: the rest of the start, or the end of a job that is over already."""
    if job.status == "InProgress":
        logger.info("Started", extra={"objects": job.objects})
        if labeling_jobs.enough(
            job, jobs.counters(job), now_ms()
        ):  # its own function wants no worker for anything
            invoke_finish(job.name)
        return
    current = jobs.update(job.name, claim=0)
    if current.status == "Initializing":
        invoke_start(job.name)
    else:  # stopped meanwhile
        invoke_finish(job.name)


def _ready(job: Job, jobs: Jobs, tasks: Tasks, left_ms: Callable[[], int]) -> Job:
    """The job with its labels, template and tasks, InProgress; as far as it got where time is short.

    As it was last seen where it was stopped meanwhile.
    """
    if not job.objects:
        sized = _sized(job, jobs)
        if sized is None:
            return job
        job = sized
    lines = islice(_lines(job, job.labels), job.loaded, None)
    while chunk := list(islice(lines, CHUNK)):
        made = prepared(job, chunk)
        tasks.load(job, made, now_ms(), first=job.loaded)
        changed = jobs.change(job, **_progress(job, made))
        if changed is None or (left_ms() < RESERVE_MS and changed.loaded < changed.objects):
            return changed or job
        job = changed
    if job.loaded != job.objects:
        raise ManifestError(job.manifest_uri, f"had {job.objects} objects, and has {job.loaded} now.")
    gold_loading.load(job, jobs, tasks)
    loaded = jobs.get(job.name) or job
    if loaded.status != "Initializing":
        return loaded
    return jobs.change(loaded, status="InProgress", modified=now_ms(), claim=0) or loaded


def _progress(job: Job, made: list[NewObject]) -> dict[str, int]:
    return {
        "loaded": job.loaded + len(made),
        "skipped": job.skipped + sum(each.state == SKIPPED for each in made),
        "unfit": job.unfit + sum(each.state == UNFIT for each in made),
    }


def _sized(job: Job, jobs: Jobs) -> Job | None:
    """The job with its labels and how many objects it has; None where somebody else changed it."""
    most = int(os.environ["MAX_OBJECTS"])
    labels: list[str] = []
    if uri := job.request.get("LabelCategoryConfigS3Uri"):
        labels = labeling_input.read_label_categories(_read(uri), uri)
    jobs.put_template(job.name, _template(job.task["UiConfig"]["UiTemplateS3Uri"]))
    objects = sum(1 for _ in islice(_lines(job, tuple(labels)), most + 1))
    if not 1 <= objects <= most:
        has = f"more than {most}" if objects else "0"
        raise ManifestError(job.manifest_uri, f"has {has} objects; a job takes 1 to {most}.")
    return jobs.change(
        job, labels=tuple(labels), objects=objects, shards=labeling_jobs.shards_for(objects), loaded=0
    )


def _lines(job: Job, labels: tuple[str, ...]) -> Iterator[NewObject]:
    """The manifest's objects, streamed. Raises ManifestError, UnreadableError."""
    bucket, key = labeling_rules.checked_location(job.manifest_uri, "ManifestS3Uri")
    kinds = job.kinds
    try:
        for number, line in enumerate(split_lines(storage(bucket).stream(key)), start=1):
            if line.strip():
                where = f"{job.manifest_uri}, line {number}"
                yield labeling_input.read_input_line(line, job.attribute, kinds, labels, where)
    except (FileNotFoundError, PermissionError) as error:
        raise _unreadable(job.manifest_uri) from error


def _template(uri: str) -> str:
    """The job's template. Raises ManifestError where workers could not answer with it."""
    from truthmill import worker_template  # Liquid, which no other step of the start wants

    try:
        text = _read(uri).decode()
    except UnicodeDecodeError as error:
        raise ManifestError(uri, f"the worker template isn't UTF-8: {error}. Save it as UTF-8.") from error
    if len(text) > MAX_TEMPLATE:
        raise ManifestError(uri, f"the worker template has {len(text)} characters; at most {MAX_TEMPLATE}.")
    try:
        worker_template.check(text, "the worker template")
    except RequestError as error:
        raise ManifestError(uri, str(error)) from error
    return text


def _read(uri: str) -> bytes:
    bucket, key = labeling_rules.checked_location(uri, "URI")
    try:
        return storage(bucket).read(key)
    except (FileNotFoundError, PermissionError) as error:
        raise _unreadable(uri) from error


def _unreadable(uri: str) -> UnreadableError:
    return UnreadableError(
        f"{uri} can't be read: it isn't there, or the labeling service has no access to its bucket "
        "(the stack's parameter DataBucket)."
    )
