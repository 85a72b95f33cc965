"""What CreateLabelingJob and CreateWorkteam demand beyond their shapes: Ground Truth's documented rules.

What isn't taken at all is in `labeling_members`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from truthmill.labeling_kinds import CUSTOM, kinds
from truthmill.labeling_limits import MAX_AVAILABILITY_S, MAX_TIME_LIMIT_S
from truthmill.labeling_protocol import validation_error
from truthmill.s3_uri import S3Location, names_object, s3_location

DEFAULT_AVAILABILITY_S = MAX_AVAILABILITY_S  # for a private work team


def checked_location(uri: str, member: str) -> S3Location:
    """Raises ProtocolError (ValidationException) where it names no object. member: for the message."""
    if not names_object(uri):
        raise validation_error(f"{member} is {uri!r}; it names an object in S3: s3://bucket/key.")
    return s3_location(uri)


def check_labeling_job(request: Mapping[str, Any]) -> None:
    """Raise ProtocolError (ValidationException) for the first rule that a CreateLabelingJob request breaks.

    Its shape has been checked.
    """
    _check_attribute_name(request["LabelAttributeName"])
    _check_places(request)
    _check_human_task(request["HumanTaskConfig"])
    custom = kinds(request["HumanTaskConfig"]).consolidation == CUSTOM
    if "LabelCategoryConfigS3Uri" in request:
        checked_location(request["LabelCategoryConfigS3Uri"], "LabelCategoryConfigS3Uri")
    elif not custom:
        raise validation_error(
            "LabelCategoryConfigS3Uri is missing; a bounding-box job needs its label category file."
        )


def _check_attribute_name(name: str) -> None:
    for ending in ("-metadata", "-ref"):
        if name.endswith(ending):
            raise validation_error(
                f"LabelAttributeName is {name!r}; for bounding boxes it must not end in {ending!r}."
            )


def _check_places(request: Mapping[str, Any]) -> None:
    source = request["InputConfig"]["DataSource"]
    if "S3DataSource" not in source:
        raise validation_error("InputConfig.DataSource.S3DataSource is missing; it names the manifest in S3.")
    checked_location(
        source["S3DataSource"]["ManifestS3Uri"], "InputConfig.DataSource.S3DataSource.ManifestS3Uri"
    )
    checked_location(request["OutputConfig"]["S3OutputPath"].rstrip("/") + "/x", "OutputConfig.S3OutputPath")


def check_output_bucket(request: Mapping[str, Any], bucket: str) -> None:
    """Raise ProtocolError where the service could write no results: what workers did would be stuck.

    bucket: the stack's DataBucket.
    """
    given, _ = checked_location(request["OutputConfig"]["S3OutputPath"].rstrip("/") + "/x", "S3OutputPath")
    if given != bucket:
        raise validation_error(
            f"OutputConfig.S3OutputPath is in bucket {given!r}; this service writes to {bucket!r} only "
            "(its stack's parameter DataBucket)."
        )


def check_output_key(request: Mapping[str, Any], key_arn: str) -> None:
    """Raise ProtocolError where results are to be encrypted by a key that the service may not use.

    key_arn: the stack's OutputKmsKeyArn, empty where it has none.
    """
    given = request["OutputConfig"].get("KmsKeyId")
    if given and (not key_arn or given not in (key_arn, key_arn.rpartition("/")[2])):
        may = f"may use {key_arn!r} only" if key_arn else "may use no key"
        raise validation_error(
            f"OutputConfig.KmsKeyId is {given!r}; this service {may} (its stack's parameter OutputKmsKeyArn)."
        )


def _check_human_task(task: Mapping[str, Any]) -> None:
    if "UiTemplateS3Uri" not in task["UiConfig"]:
        raise validation_error(
            "HumanTaskConfig.UiConfig.UiTemplateS3Uri is missing; a bounding-box job needs a worker template."
        )
    checked_location(task["UiConfig"]["UiTemplateS3Uri"], "HumanTaskConfig.UiConfig.UiTemplateS3Uri")
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


def check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    """Raise ProtocolError (ValidationException) for a tag that no resource of AWS may have."""
    keys = [tag["Key"] for tag in tags]
    for key in keys:
        if key.lower().startswith("aws:"):
            raise validation_error(f"Tags: {key!r} begins with aws:, which is kept for AWS.")
        if keys.count(key) > 1:
            raise validation_error(f"Tags: {key!r} is there more than once; a resource has a key once.")


def check_members(definitions: Sequence[Mapping[str, Any]], pool: str, client: str) -> None:
    """Raise ProtocolError where a work team isn't made of groups of this service's user pool.

    client: of the pool, by which the portal signs workers in.
    """
    for number, definition in enumerate(definitions, start=1):
        cognito = definition.get("CognitoMemberDefinition")
        if cognito is None:
            raise validation_error(
                f"MemberDefinitions.{number}: workers sign in by Cognito; give a CognitoMemberDefinition."
            )
        if cognito["UserPool"] != pool:
            raise validation_error(
                f"MemberDefinitions.{number}: UserPool is {cognito['UserPool']!r}; "
                f"workers of this service sign in at {pool!r}."
            )
        if cognito["ClientId"] != client:
            raise validation_error(
                f"MemberDefinitions.{number}: ClientId is {cognito['ClientId']!r}; "
                f"workers of this service sign in by {client!r}, its stack's output UserPoolClientId."
            )
