"""The labeling service's client: boto3's own, for Ground Truth and for Truthmill's service alike."""

import os
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from truthmill.errors import LabelingConflictError, LabelingError

ENDED = ("Completed", "Failed", "Stopped")
SUMMARIZED = ("LabelingJobName", "LabelingJobArn", "LabelingJobStatus", "FailureReason", "LabelCounters")


def client(endpoint_url: str | None = None) -> Any:
    """A boto3 `sagemaker` client.

    endpoint_url: of Truthmill's labeling service; None takes AWS_ENDPOINT_URL_SAGEMAKER, and without it
    Amazon SageMaker is meant.
    """
    url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER") or None
    made = boto3.client(
        "sagemaker", endpoint_url=url, config=Config(retries={"mode": "standard", "max_attempts": 5})
    )
    if url:
        made.meta.events.register("before-sign.sagemaker.*", _sign_for_function_url)
    return made


def _sign_for_function_url(request: Any, **_: Any) -> None:
    """A function URL checks the signature for the service name `lambda` (Lambda's guide, function URLs)."""
    request.context.setdefault("signing", {})["signing_name"] = "lambda"


@lru_cache(maxsize=1)
def _shared() -> Any:
    return client()


def create_labeling_job(request: dict[str, Any]) -> str:
    """Create the job, or find the one of that name; its ARN.

    request: of CreateLabelingJob. Raises LabelingError with the service's own words where it refuses, and
    LabelingConflictError where the name is taken by a job with another input manifest.
    """
    name = request["LabelingJobName"]
    try:
        return str(_shared().create_labeling_job(**request)["LabelingJobArn"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "ResourceInUse":
            if code.startswith(("Validation", "Resource", "AccessDenied")):
                raise LabelingError(
                    f"The labeling service refused job {name}: {error.response['Error'].get('Message', code)}"
                ) from error
            raise
    there = _shared().describe_labeling_job(LabelingJobName=name)
    other = different_settings(request, there)
    if other:
        raise LabelingConflictError(
            f"A labeling job {name} exists with other settings ({', '.join(other)}). Names follow from "
            "content, so somebody made it by hand: give the dataset another name."
        )
    return str(there["LabelingJobArn"])


def different_settings(request: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """Members of a CreateLabelingJob request that a job of the same name was made with otherwise.

    A service describes a job with its defaults filled in and with empty members; those are no difference.
    """
    found = []
    for member, wanted in request.items():
        if member in {"LabelingJobName", "Tags"}:  # tags may be added to later
            continue
        have = there.get(member)
        if member == "HumanTaskConfig" and isinstance(have, dict):
            found += [f"{member}.{name}" for name in wanted if not _same(wanted[name], have.get(name))]
        elif not _same(wanted, have):
            found.append(member)
    return found


def _same(wanted: Any, have: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(have, dict):
        return all(_same(wanted.get(name), have.get(name)) for name in wanted | have)
    return bool(wanted == have) or not (wanted or have)


def find_labeling_job(name: str) -> dict[str, Any] | None:
    """DescribeLabelingJob's answer; None where the service has no such job."""
    try:
        return describe_labeling_job(name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFound":
            return None
        raise


def stop_labeling_job(name: str) -> bool:
    """Have workers asked no further; False where the job has ended, or was never there."""
    try:
        _shared().stop_labeling_job(LabelingJobName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ResourceNotFound", "ValidationException"}:
            return False
        raise
    return True


def describe_labeling_job(name: str) -> dict[str, Any]:
    """DescribeLabelingJob's answer."""
    found: dict[str, Any] = _shared().describe_labeling_job(LabelingJobName=name)
    return found
