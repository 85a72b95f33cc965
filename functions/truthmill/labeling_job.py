"""A labeling job's request, made by pure functions so that a test compares literals.

Source of every rule: CreateLabelingJob in the SageMaker API reference, and botocore's service model.
"""

import hashlib
from html import escape
from typing import Any

import msgspec

from truthmill.errors import LabelingError
from truthmill.request import Request

ATTRIBUTE = "bounding-box"
MAX_OBJECTS = 100_000  # of a job with bounding boxes; Ground Truth's input data quotas
AVAILABLE_S = 30 * 24 * 3600  # the longest that a task may wait for a private or vendor team

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


def job_name(dataset: str, manifest_digest: str, request: Request, number: int) -> str:
    """<dataset>-<digest of its manifest and settings>-<number>; at most 63 characters by construction.

    manifest_digest: sha256 of the job's input manifest (hex).
    """
    settings = msgspec.json.encode(
        [manifest_digest, request.labels, request.instructions, request.workforce], order="deterministic"
    )
    return f"{dataset}-{hashlib.sha256(settings).hexdigest()[:12]}-{number:03d}"


def label_categories(labels: tuple[str, ...]) -> bytes:
    """The label category file."""
    return msgspec.json.encode(
        {"document-version": "2018-11-28", "labels": [{"label": name} for name in labels]}
    )


def worker_template(request: Request) -> bytes:
    """The worker template: Liquid over crowd elements. short and full are HTML, the header is text."""
    words = request.instructions
    header = escape(words.title)
    return f"""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box
    name="boundingBox"
    src="{{{{ task.input.taskObject | grant_read_access }}}}"
    header="{header}"
    labels="{{{{ task.input.labels | to_json | escape }}}}"
  >
    <full-instructions header="{header}">{words.full}</full-instructions>
    <short-instructions>{words.short}</short-instructions>
  </crowd-bounding-box>
</crowd-form>
""".encode()


def builtin_function(kind: str, region: str, *, own_service: bool) -> str:
    """ARN of a built-in function: kind PRE or ACS.

    own_service: Truthmill's service knows the functions by name, so any region will do there.
    Raises LabelingError in a region where Ground Truth has none.
    """
    if region not in ACCOUNTS and not own_service:
        raise LabelingError(
            f"Ground Truth has no built-in bounding box functions in {region}. Deploy in one of "
            f"{', '.join(sorted(ACCOUNTS))}, or set LabelingEndpoint to Truthmill's own labeling service."
        )
    return f"arn:aws:lambda:{region}:{ACCOUNTS.get(region, '0' * 12)}:function:{kind}-BoundingBox"


def create_request(
    request: Request,
    name: str,
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
    if not request.workforce.workteam_arn:
        raise LabelingError(
            'No work team: neither the request ("workforce": {"workteamArn": …}) nor the stack\'s parameter '
            "DefaultWorkteamArn names one. Add it to either, and start the run again."
        )
    return {
        "LabelingJobName": name,
        "LabelAttributeName": ATTRIBUTE,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest_uri}}},
        "OutputConfig": {"S3OutputPath": output_uri},
        "RoleArn": role_arn,
        "LabelCategoryConfigS3Uri": labels_uri,
        "HumanTaskConfig": {
            "WorkteamArn": request.workforce.workteam_arn,
            "UiConfig": {"UiTemplateS3Uri": template_uri},
            "PreHumanTaskLambdaArn": builtin_function("PRE", region, own_service=own_service),
            "TaskTitle": request.instructions.title,
            "TaskDescription": request.instructions.description,
            "NumberOfHumanWorkersPerDataObject": request.workforce.workers_per_object,
            "TaskTimeLimitInSeconds": request.workforce.task_time_limit,
            "TaskAvailabilityLifetimeInSeconds": AVAILABLE_S,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": builtin_function("ACS", region, own_service=own_service)
            },
        },
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }
