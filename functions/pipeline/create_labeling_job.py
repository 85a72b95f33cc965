"""State CreateLabelingJob: creates the job for one manifest, or finds the one that is there."""

import os
from typing import Any

import msgspec

from adapters import sagemaker
from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.run import RunReference, read_run, update_run
from truthmill import labeling_job
from truthmill.run import Job, Run


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    job = msgspec.convert(event["job"], Job)
    return create(RunReference.from_event(event), job, storage(), os.environ)


def create(reference: RunReference, job: Job, store: Storage, environment: Any) -> dict[str, Any]:
    """Write what the job refers to, create it, note its ARN in run.json."""
    at = reference.layout
    asked = read_run(store, reference).asked
    store.write(at.labels, labeling_job.label_categories(asked.labels), "application/json")
    store.write(at.template, labeling_job.worker_template(asked), "text/html; charset=utf-8")
    request = labeling_job.create_request(
        asked,
        job.name,
        manifest_uri=store.uri(at.labeling_manifest(job.number)),
        labels_uri=store.uri(at.labels),
        template_uri=store.uri(at.template),
        output_uri=store.uri(at.labeling_output.rstrip("/")),
        role_arn=environment["LABELING_ROLE_ARN"],
        region=environment["AWS_REGION"],
        own_service=bool(environment.get("AWS_ENDPOINT_URL_SAGEMAKER")),
        tags={"truthmill:dataset": at.dataset, "truthmill:run": at.run},
    )
    arn = sagemaker.create_labeling_job(request)
    update_run(store, at.run_json, lambda found: _with_arn(found, job.name, arn))
    return {"name": job.name, "arn": arn}


def _with_arn(found: Run, name: str, arn: str) -> Run:
    jobs = tuple(msgspec.structs.replace(job, arn=arn) if job.name == name else job for job in found.jobs)
    return msgspec.structs.replace(found, jobs=jobs)
