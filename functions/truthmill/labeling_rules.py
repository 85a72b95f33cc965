"""What CreateLabelingJob and CreateWorkteam demand beyond their shapes: Ground Truth's documented rules."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from truthmill.errors import ManifestError
from truthmill.labeling_limits import DAY_S, MAX_AVAILABILITY_S, MAX_LABELS, MAX_TIME_LIMIT_S
from truthmill.labeling_protocol import validation_error

DEFAULT_AVAILABILITY_S = 10 * DAY_S
MAX_LINE = 100_000  # characters
MAX_ATTRIBUTE = 20_000
PICTURES = (".jpg", ".jpeg", ".png")

_S3 = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)
_BUILT_IN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:(PRE|ACS)-BoundingBox(:.+)?")


def s3_location(uri: str, member: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI. member: for the message."""
    found = _S3.fullmatch(uri)
    if not found:
        raise validation_error(f"{member} is {uri!r}; it names an object in S3: s3://bucket/key.")
    return found[1], found[2]


def check_labeling_job(request: Mapping[str, Any]) -> None:
    """Raise ProtocolError (ValidationException) for the first rule that a CreateLabelingJob request breaks.

    Its shape has been checked.
    """
    _check_attribute_name(request["LabelAttributeName"])
    _check_places(request)
    _check_human_task(request["HumanTaskConfig"])
    if "LabelingJobAlgorithmsConfig" in request:
        raise validation_error(
            "LabelingJobAlgorithmsConfig: automated labeling is not offered by this service; leave it out."
        )


def _check_attribute_name(name: str) -> None:
    for ending in ("-metadata", "-ref"):
        if name.endswith(ending):
            raise validation_error(
                f"LabelAttributeName is {name!r}; for bounding boxes it must not end in {ending!r}."
            )


def _check_places(request: Mapping[str, Any]) -> None:
    source = request["InputConfig"]["DataSource"]
    if "S3DataSource" not in source or "SnsDataSource" in source:
        raise validation_error(
            "InputConfig.DataSource: this service reads a manifest from S3 (S3DataSource); "
            "streaming jobs (SnsDataSource) are not offered."
        )
    s3_location(source["S3DataSource"]["ManifestS3Uri"], "InputConfig.DataSource.S3DataSource.ManifestS3Uri")
    s3_location(request["OutputConfig"]["S3OutputPath"].rstrip("/") + "/x", "OutputConfig.S3OutputPath")
    if "SnsTopicArn" in request["OutputConfig"]:
        raise validation_error("OutputConfig.SnsTopicArn: streaming jobs are not offered; leave it out.")
    if "KmsKeyId" in request["OutputConfig"]:
        raise validation_error(
            "OutputConfig.KmsKeyId: results are encrypted as their bucket's default says; leave it out."
        )
    if "LabelCategoryConfigS3Uri" not in request:
        raise validation_error(
            "LabelCategoryConfigS3Uri is missing; a bounding-box job needs its label category file."
        )
    s3_location(request["LabelCategoryConfigS3Uri"], "LabelCategoryConfigS3Uri")


def _check_human_task(task: Mapping[str, Any]) -> None:
    if "UiTemplateS3Uri" not in task["UiConfig"]:
        raise validation_error(
            "HumanTaskConfig.UiConfig.UiTemplateS3Uri is missing; a bounding-box job needs a worker template."
        )
    s3_location(task["UiConfig"]["UiTemplateS3Uri"], "HumanTaskConfig.UiConfig.UiTemplateS3Uri")
    if task["TaskTimeLimitInSeconds"] > MAX_TIME_LIMIT_S:
        raise validation_error(
            f"HumanTaskConfig.TaskTimeLimitInSeconds is {task['TaskTimeLimitInSeconds']}; "
            f"at most {MAX_TIME_LIMIT_S} for images."
        )
    if task.get("TaskAvailabilityLifetimeInSeconds", 60) > MAX_AVAILABILITY_S:
        raise validation_error(
            "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds is "
            f"{task['TaskAvailabilityLifetimeInSeconds']}; "
            f"at most {MAX_AVAILABILITY_S} for a private work team."
        )
    if ":workteam/private-crowd/" not in task["WorkteamArn"]:
        raise validation_error(
            "HumanTaskConfig.WorkteamArn: this service works with private work teams only."
        )
    if "PublicWorkforceTaskPrice" in task:
        raise validation_error(
            "HumanTaskConfig.PublicWorkforceTaskPrice: a private work team must not have a price."
        )
    _check_functions(task)


def _check_functions(task: Mapping[str, Any]) -> None:
    given = {
        "PreHumanTaskLambdaArn": task.get("PreHumanTaskLambdaArn"),
        "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn": task.get(
            "AnnotationConsolidationConfig", {}
        ).get("AnnotationConsolidationLambdaArn"),
    }
    for (member, arn), expected in zip(given.items(), ("PRE", "ACS"), strict=True):
        if arn is None:
            raise validation_error(
                f"HumanTaskConfig.{member} is missing; for boxes it is Ground Truth's {expected}-BoundingBox."
            )
        found = _BUILT_IN.fullmatch(arn)
        if not found or found[1] != expected:
            raise validation_error(
                f"HumanTaskConfig.{member} is {arn!r}; this service offers {expected}-BoundingBox."
            )


def read_label_categories(document: bytes, where: str) -> list[str]:
    """Labels of a label category file, in its order. Raises ManifestError."""
    try:
        read = msgspec.json.decode(document)
        labels = [entry["label"] for entry in read["labels"]]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ManifestError(
            where,
            'isn\'t a label category file: {"document-version": "2018-11-28", "labels": [{"label": "…"}]}.',
        ) from error
    wrong = [label for label in labels if not isinstance(label, str) or not 1 <= len(label) <= 256]
    if wrong:
        raise ManifestError(where, f"label {wrong[0]!r}: a label is a text of 1 to 256 characters.")
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise ManifestError(where, f"label {twice[0]!r} is there twice.")
    if not 1 <= len(labels) <= MAX_LABELS:
        raise ManifestError(where, f"has {len(labels)} labels; a job takes 1 to {MAX_LABELS}.")
    return labels


def read_input_line(line: bytes, attribute: str, where: str) -> tuple[str, str]:
    """A line of an input manifest as text, and its picture's URI. where: file and line, for the message.

    Raises ManifestError.
    """
    try:
        text = line.decode().strip()
        read = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError(where, f"isn't a JSON object: {error}.") from error
    problem = _line_problem(text, read, attribute)
    if problem:
        raise ManifestError(where, problem)
    return text, read["source-ref"]


def _line_problem(text: str, read: Mapping[str, Any], attribute: str) -> str:
    """What is wrong with a line; empty where nothing is."""
    if len(text) > MAX_LINE:
        return f"has {len(text)} characters; at most {MAX_LINE}."
    if attribute in read or f"{attribute}-metadata" in read:
        return f"has the attribute {attribute!r} that this job is to add; choose another LabelAttributeName."
    for name, value in read.items():
        if name.startswith("$"):
            return f"attribute {name!r} begins with $."
        if len(text) > MAX_ATTRIBUTE and len(msgspec.json.encode(value).decode()) > MAX_ATTRIBUTE:
            return f"attribute {name!r} has more than {MAX_ATTRIBUTE} characters."
    return _source_problem(read.get("source-ref"))


def _source_problem(uri: Any) -> str:
    if not isinstance(uri, str) or not _S3.fullmatch(uri):
        return f'"source-ref" is {uri!r}; it names a picture in S3: s3://bucket/key.'
    if not uri.lower().endswith(PICTURES):
        return f'"source-ref" is {uri!r}; a bounding-box job takes {", ".join(PICTURES)}.'
    return ""


def check_members(definitions: Sequence[Mapping[str, Any]], pool: str) -> None:
    """Raise ProtocolError where a work team isn't made of groups of this service's user pool."""
    for number, definition in enumerate(definitions, start=1):
        cognito = definition.get("CognitoMemberDefinition")
        if cognito is None or "OidcMemberDefinition" in definition:
            raise validation_error(
                f"MemberDefinitions.{number}: workers sign in by Cognito; give a CognitoMemberDefinition."
            )
        if cognito["UserPool"] != pool:
            raise validation_error(
                f"MemberDefinitions.{number}: UserPool is {cognito['UserPool']!r}; "
                f"workers of this service sign in at {pool!r}."
            )
