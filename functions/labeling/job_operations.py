"""The operations on labeling jobs. Each takes a request whose shape has been checked."""

import hashlib
import secrets
from typing import Any

from labeling.observed import logger
from labeling.service import Service
from truthmill import (
    labeling_jobs,
    labeling_kinds,
    labeling_protocol,
    labeling_rules,
    quality_rules,
)
from truthmill.errors import ProtocolError
from truthmill.labeling_jobs import Job
from truthmill.labeling_protocol import validation_error
from truthmill.shallow_json import decode_object


def create_labeling_job(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Keep the job and have its manifest read; the answer doesn't wait for that."""
    from adapters.functions import invoke_start

    labeling_rules.check_labeling_job(request)
    labeling_rules.check_tags(request.get("Tags", []))
    labeling_kinds.check_custom_functions(
        request["HumanTaskConfig"], service.region, service.account, service.custom_functions
    )
    labeling_rules.check_output_key(request, service.output_key)
    labeling_rules.check_output_bucket(request, service.bucket)
    _team_name(service, request["HumanTaskConfig"]["WorkteamArn"])
    name, now = request["LabelingJobName"], service.now()
    arn = labeling_jobs.labeling_job_arn(service.region, service.account, name)
    job = Job(
        name=name,
        arn=arn,
        request={key: value for key, value in request.items() if key != "Tags"},
        reference=hashlib.sha256(f"{arn}{now}".encode()).hexdigest()[:20],
        created=now,
        modified=now,
        secret=secrets.token_hex(16),
        rules=quality_rules.from_tags({tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}),
    )
    if not service.jobs.create(job):
        raise ProtocolError(
            "ResourceInUse", f"Labeling job {name!r} exists already; its name can't be used again."
        )
    if request.get("Tags"):
        service.jobs.set_tags(arn, {tag["Key"]: tag["Value"] for tag in request["Tags"]})
    try:
        invoke_start(name)
    except Exception:  # noqa: BLE001 whatever it is, what was asked for is kept
        logger.exception("The job is kept, but its start failed; the sweep starts it")
    return {"LabelingJobArn": arn}


def describe_labeling_job(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    job = find(service, request["LabelingJobName"])
    return labeling_jobs.describe(job, service.jobs.counters(job), service.jobs.tags(job.arn))


def stop_labeling_job(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to end the job; what is labeled is kept. Stopping what has ended changes nothing."""
    from adapters.functions import invoke_finish

    job = find(service, request["LabelingJobName"])
    while job.status in ("Initializing", "InProgress"):
        changed = service.jobs.change(job, status="Stopping", modified=service.now())
        job = changed or find(service, job.name)
    if job.status == "Stopping":
        try:
            invoke_finish(job.name)
        except Exception:  # noqa: BLE001 whatever it is, what was asked for is kept
            logger.exception("The job is stopping, but its end failed; the sweep ends it")
    return {}


def list_labeling_jobs(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    _check_interval(request, "CreationTimeAfter", "CreationTimeBefore")
    _check_interval(request, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    entries = (
        {
            "Name": job.name,
            "CreationTime": job.created / 1000,
            "Status": job.status,
            "LastModifiedTime": job.modified / 1000,
            "job": job,
        }
        for job in service.jobs.all()
        if _wanted(job, request)
    )
    page, token = labeling_protocol.page("ListLabelingJobs", entries, request, "CreationTime")
    jobs = [entry["job"] for entry in page]
    summaries = [labeling_jobs.summary(job, service.jobs.counters(job)) for job in jobs]
    return {"LabelingJobSummaryList": summaries, **({"NextToken": token} if token else {})}


def list_labeling_jobs_for_workteam(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    arn = request["WorkteamArn"]
    _team_name(service, arn, "ResourceNotFound")
    _check_interval(request, "CreationTimeAfter", "CreationTimeBefore")
    contains = request.get("JobReferenceCodeContains", "")
    entries = (
        {"Name": job.name, "CreationTime": job.created / 1000, "job": job}
        for job in service.jobs.all()
        if job.team_arn == arn and contains in job.reference and _wanted(job, request)
    )
    page, token = labeling_protocol.page("ListLabelingJobsForWorkteam", entries, request, "CreationTime")
    jobs = [entry["job"] for entry in page]
    summaries = [
        labeling_jobs.workteam_summary(job, service.jobs.counters(job), service.account) for job in jobs
    ]
    return {"LabelingJobSummaryList": summaries, **({"NextToken": token} if token else {})}


def render_ui_template(_service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """The page that a worker would see; what is wrong with the template comes back as Errors."""
    import msgspec

    from adapters.links import link
    from adapters.task_page import task_page
    from truthmill.worker_template import TemplateError, lacks

    template = request.get("UiTemplate", {}).get("Content")
    if template is None or "HumanTaskUiArn" in request:
        raise validation_error("UiTemplate.Content is missing; this service renders the template itself.")
    rendered = ""
    errors: list[dict[str, str]] = []
    try:
        given = decode_object(request["Task"]["Input"])
        rendered = task_page(template, given, link).html
        errors = [{"Code": "UnusableTemplate", "Message": str(each)} for each in lacks(template)]
    except msgspec.DecodeError as error:
        problem = f"Task.Input isn't a JSON object: {error}."
        errors.append({"Code": "InvalidTaskInput", "Message": problem})
    except TemplateError as error:
        errors.append({"Code": "InvalidTemplate", "Message": str(error)})
    return {"RenderedContent": rendered, "Errors": errors}


def find(service: Service, name: str) -> Job:
    """Raises ProtocolError (ResourceNotFound)."""
    job = service.jobs.get(name)
    if job is None:
        raise ProtocolError("ResourceNotFound", f"There is no labeling job {name!r}.")
    return job


def _team_name(service: Service, arn: str, code: str = "ValidationException") -> str:
    """Name of a work team of this service. Raises ProtocolError."""
    name = arn.rsplit("/", 1)[-1]
    mine = arn == labeling_jobs.workteam_arn(service.region, service.account, name)
    if not mine or service.teams.get(name) is None:
        raise ProtocolError(code, f"There is no work team {arn!r} here; CreateWorkteam makes one.")
    return name


def _wanted(job: Job, request: dict[str, Any]) -> bool:
    created, modified = job.created / 1000, job.modified / 1000
    return (
        request.get("CreationTimeAfter", created - 1) < created
        and request.get("CreationTimeBefore", created + 1) > created
        and request.get("LastModifiedTimeAfter", modified - 1) < modified
        and request.get("LastModifiedTimeBefore", modified + 1) > modified
        and request.get("NameContains", "").lower() in job.name.lower()
        and request.get("StatusEquals", job.status) == job.status
    )


def _check_interval(request: dict[str, Any], after: str, before: str) -> None:
    if after in request and before in request and request[after] > request[before]:
        raise validation_error(f"{after} is later than {before}.")
