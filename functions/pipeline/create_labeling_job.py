"""State CreateLabelingJob: creates the job for one manifest, or finds the one that is there."""

import os
from typing import Any

import msgspec

from adapters import sagemaker
from adapters.storage import Storage, storage
from pipeline import waiting
from pipeline.observed import observed
from pipeline.run import RunReference, read_run, update_run
from truthmill import labeling_job, layout, worker_pages
from truthmill.errors import LabelingError, RequestError
from truthmill.request import Request
from truthmill.run import Job, Run
from truthmill.s3_uri import s3_location
from truthmill.worker_template import check as check_template


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    job = msgspec.convert(event["job"], Job)
    return create(RunReference.from_event(event), job, storage(), os.environ)


def create(reference: RunReference, job: Job, store: Storage, environment: Any) -> dict[str, Any]:
    """Write what the job refers to, create it, note its ARN in run.json."""
    at = reference.layout
    asked = read_run(store, reference).asked
    labels, template = at.labels(job.number), at.template(job.number)
    store.write(labels, labeling_job.label_categories(asked, job), "application/json")
    own_service = bool(environment.get("AWS_ENDPOINT_URL_SAGEMAKER"))
    page = worker_template(asked, job, store, own_service=own_service)
    store.write(template, page.encode(), "text/html; charset=utf-8")
    request = labeling_job.create_request(
        asked,
        job,
        manifest_uri=store.uri(at.labeling_manifest(job.number)),
        labels_uri=store.uri(labels),
        template_uri=store.uri(template),
        output_uri=store.uri(at.labeling_output.rstrip("/")),
        role_arn=environment["LABELING_ROLE_ARN"],
        region=environment["AWS_REGION"],
        own_service=own_service,
        tags={"truthmill:dataset": at.dataset, "truthmill:run": at.run},
    )
    waiting.expected(job.name, at.run_json, store)
    try:
        arn = sagemaker.create_labeling_job(request)
    except LabelingError:
        store.delete(layout.token(job.name))
        raise
    update_run(store, at.run_json, lambda found: _with_arn(found, job.name, arn, reference.execution))
    return {"name": job.name, "arn": arn}


def worker_template(asked: Request, job: Job, store: Storage, *, own_service: bool) -> str:
    """The built-in template, or the user's own; a review has its own in any case."""
    given = asked.labeling.template
    if not given or job.kind != "label":
        return worker_pages.worker_template(asked, job.kind, own_service=own_service)
    if not given.startswith("s3://"):
        return given
    bucket, key = s3_location(given)
    try:
        text = (store if bucket == store.bucket else storage(bucket)).read(key).decode()
    except UnicodeDecodeError as error:
        raise RequestError(f"{given} isn't UTF-8 text: {error}. Save it as UTF-8.") from error
    check_template(text, given)
    return text


def _with_arn(found: Run, name: str, arn: str, execution: str) -> Run:
    """A job that was there already keeps the execution that made it."""
    jobs = tuple(
        msgspec.structs.replace(job, arn=arn, created_by=job.created_by or execution)
        if job.name == name
        else job
        for job in found.jobs
    )
    return msgspec.structs.replace(found, jobs=jobs)
