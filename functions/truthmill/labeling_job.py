"""A labeling job's request, made by pure functions so that a test compares literals.

Source of every rule: CreateLabelingJob in the SageMaker API reference, and botocore's service model.
"""

import hashlib
from typing import Any

import msgspec

from truthmill.errors import LabelingError
from truthmill.labeling_limits import (
    MAX_AVAILABILITY_S,
    MAX_OBJECTS,
    MAX_PUBLIC_AVAILABILITY_S,
    PUBLIC_TEAM,
)
from truthmill.manifest import VERDICTS
from truthmill.quality_rules import QualityRules
from truthmill.request import Request
from truthmill.run import Job, JobKind

ATTRIBUTE = "bounding-box"

NO_ACCOUNT = "0" * 12  # of the built-in functions in other regions, for Truthmill's own service
# Who owns the built-in functions (Ground Truth's guide, PreHumanTaskLambdaArn).
ACCOUNTS = {
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
    "ca-central-1": "918755190332",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "eu-central-1": "203001061592",
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
}


def job_sizes(objects: int, most: int = MAX_OBJECTS) -> list[int]:
    """Objects of each job: as few jobs as possible, as even as possible, the larger ones first."""
    jobs = -(-objects // most)
    return [objects // jobs + (number < objects % jobs) for number in range(jobs)]


def attribute_of(kind: JobKind) -> str:
    """The label attribute that a job writes; a review's differs from the one that it builds on."""
    return {"label": ATTRIBUTE, "adjustment": "adjusted-box", "verification": "verified-box"}[kind]


def job_name(dataset: str, run: str, manifest_digest: str, request: Request, job: Job) -> str:
    """<dataset>-<digest of its run, manifest and settings>-<number>; at most 63 characters by construction.

    run: its name, which follows from content too: a relabeling may ask for the very pictures of an earlier
    job. manifest_digest: sha256 of the job's input manifest (hex).
    """
    settings = msgspec.json.encode(
        [
            run,
            manifest_digest,
            request.labels,
            request.instructions,
            request.workforce,
            request.labeling,
            job.kind,
            job.first_label,
            *([request.quality] if request.quality else []),
        ],
        order="deterministic",
    )
    return f"{dataset}-{hashlib.sha256(settings).hexdigest()[:12]}-{job.number:03d}"


def label_categories(request: Request, job: Job) -> bytes:
    """The label category file: the labels that the job asks for, or the verdicts to choose from."""
    labels = VERDICTS if job.kind == "verification" else request.labels[job.first_label :]
    document: dict[str, Any] = {
        "document-version": "2018-11-28",
        "labels": [{"label": name} for name in labels],
    }
    if job.kind != "label":  # which attribute the job builds on (Ground Truth's guide, "Verify and adjust")
        document["auditLabelAttributeName"] = ATTRIBUTE
    return msgspec.json.encode(document)


def builtin_function(step: str, kind: JobKind, region: str, *, own_service: bool) -> str:
    """ARN of a built-in function. step: PRE or ACS.

    own_service: Truthmill's service knows the functions by name, so any region will do there.
    Raises LabelingError in a region where Ground Truth has none.
    """
    if region not in ACCOUNTS and not own_service:
        raise LabelingError(
            f"Ground Truth has no built-in bounding box functions in {region}. Deploy in one of "
            f"{', '.join(sorted(ACCOUNTS))}, or set LabelingEndpoint to Truthmill's own labeling service."
        )
    task = {"label": "", "adjustment": "Adjustment", "verification": "Verification"}[kind]
    account = ACCOUNTS.get(region, NO_ACCOUNT)
    return f"arn:aws:lambda:{region}:{account}:function:{step}-{task}BoundingBox"


def check(request: Request, region: str, *, own_service: bool) -> None:
    """Raise LabelingError where no job could be made of the request, before anything is created."""
    builtin_function("PRE", "label", region, own_service=own_service)
    if own_service and request.workforce.type != "private":
        raise LabelingError(
            f'"workforce.type" is {request.workforce.type!r}; Truthmill\'s own labeling service has private '
            "teams only. Leave it out, or use a stack without LabelingEndpoint."
        )
    if not own_service and request.quality:
        raise LabelingError(
            '"quality" is what Truthmill\'s own labeling service does; Ground Truth has neither extra '
            'workers where answers disagree nor gold tasks. Leave "quality" out, or set the stack\'s '
            "parameter LabelingEndpoint."
        )
    needs_workers = request.prelabels is None or request.prelabels.use != "trusted" or request.review
    if needs_workers:
        work_team(request, region)


def quality_tags(request: Request, kind: JobKind = "label") -> dict[str, str]:
    """What `quality` asks of Truthmill's own service, as tags; nothing for a review, done by one worker."""
    asked = request.quality
    if asked is None or kind != "label":
        return {}
    gold = asked.gold
    rules = QualityRules(max_workers=asked.max_workers_per_object or 0, agreement=asked.agreement)
    if gold:
        rules = msgspec.structs.replace(
            rules,
            gold_manifest=gold.manifest,
            gold_share=gold.share,
            gold_feedback=gold.feedback,
            gold_threshold=gold.threshold,
            gold_withdraw=gold.withdraw,
        )
    return rules.tags()


def budget_tags(job: Job) -> dict[str, str]:
    """How many answers Truthmill's own service may take for a job, as a tag."""
    return QualityRules(max_answers=job.max_answers or 0).tags()


def work_team(request: Request, region: str) -> str:
    """ARN of the team. Raises LabelingError where none is named."""
    if request.workforce.type == "mechanical-turk":
        return request.workforce.workteam_arn or PUBLIC_TEAM.format(region=region)
    if not request.workforce.workteam_arn:
        raise LabelingError(
            'No work team: neither the request ("workforce": {"workteamArn": …}) nor the stack\'s parameter '
            "DefaultWorkteamArn names one. Add it to either, and start the run again."
        )
    return request.workforce.workteam_arn


def create_request(
    request: Request,
    job: Job,
    manifest_uri: str,
    labels_uri: str,
    template_uri: str,
    output_uri: str,
    role_arn: str,
    region: str,
    *,
    own_service: bool,
    tags: dict[str, str],
) -> dict[str, Any]:
    """CreateLabelingJob's request. URIs are s3://; output_uri is a prefix without its slash."""
    workforce, asked = request.workforce, request.labeling
    custom = asked.pre_lambda_arn and job.kind == "label"
    functions = [
        given if custom else builtin_function(step, job.kind, region, own_service=own_service)
        for step, given in (("PRE", asked.pre_lambda_arn), ("ACS", asked.consolidation_lambda_arn))
    ]
    public = workforce.type == "mechanical-turk"
    longest = MAX_PUBLIC_AVAILABILITY_S if public else MAX_AVAILABILITY_S
    source: dict[str, Any] = {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest_uri}}}
    if workforce.content_classifiers:
        source["DataAttributes"] = {"ContentClassifiers": list(workforce.content_classifiers)}
    task: dict[str, Any] = {
        "WorkteamArn": work_team(request, region),
        "UiConfig": {"UiTemplateS3Uri": template_uri},
        "PreHumanTaskLambdaArn": functions[0],
        "TaskTitle": request.instructions.title,
        "TaskDescription": request.instructions.description,
        "NumberOfHumanWorkersPerDataObject": workforce.workers_per_object,
        "TaskTimeLimitInSeconds": workforce.task_time_limit,
        "TaskAvailabilityLifetimeInSeconds": workforce.task_availability or longest,
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": functions[1]},
    }
    if request.instructions.keywords:
        task["TaskKeywords"] = list(request.instructions.keywords)
    if workforce.max_concurrent_tasks:
        task["MaxConcurrentTaskCount"] = workforce.max_concurrent_tasks
    if public:
        task["PublicWorkforceTaskPrice"] = _public_price(request)
    output = {"S3OutputPath": output_uri}
    if asked.kms_key_id:
        output["KmsKeyId"] = asked.kms_key_id
    made: dict[str, Any] = {
        "LabelingJobName": job.name,
        "LabelAttributeName": attribute_of(job.kind),
        "InputConfig": source,
        "OutputConfig": output,
        "RoleArn": role_arn,
        "LabelCategoryConfigS3Uri": labels_uri,
        "HumanTaskConfig": task,
        "Tags": [
            {"Key": key, "Value": value}
            for key, value in sorted(
                (asked.tags | quality_tags(request, job.kind) | budget_tags(job) | tags).items()
            )
        ],
    }
    conditions = {
        "MaxHumanLabeledObjectCount": asked.stopping_conditions.max_labeled,
        "MaxPercentageOfInputDatasetLabeled": asked.stopping_conditions.max_labeled_percentage,
    }
    if any(conditions.values()):
        made["StoppingConditions"] = {name: value for name, value in conditions.items() if value}
    return made


def _public_price(request: Request) -> dict[str, Any]:
    mills = int(request.workforce.price_per_task * 1000)
    return {
        "AmountInUsd": {
            "Dollars": mills // 1000,
            "Cents": mills % 1000 // 10,
            "TenthFractionsOfACent": mills % 10,
        }
    }
