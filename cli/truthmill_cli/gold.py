"""Gold tasks: pictures with known boxes for a labeling job, also for one that runs."""

from itertools import islice
from typing import Any

from truthmill.errors import FormatError
from truthmill.gold import MOST
from truthmill.gold_manifest import KnownPicture, read_gold
from truthmill.labeling_input import read_label_categories
from truthmill.quality_rules import PREFIX, QualityRules
from truthmill.records import split_lines
from truthmill.s3_uri import s3_location
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack, storage


def add(where: Stack, job: str, rules: QualityRules) -> tuple[str, int]:
    """Tag the job so that it has gold tasks from now on; answers its ARN, and of how many pictures.

    The service reads the manifest later, by itself, so what can be wrong with it is looked at here.
    Raises UsageError.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- slow to import

    from adapters import sagemaker  # noqa: PLC0415

    if not where.labeling_endpoint:
        raise UsageError(f"Stack {where.name} labels with Ground Truth, which has no gold tasks.")
    service = sagemaker.client(where.labeling_endpoint)
    check_manifest(where, rules.gold_manifest)
    try:
        found = service.describe_labeling_job(LabelingJobName=job)
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFound":
            raise UsageError(f"There is no labeling job {job!r}. See which: truthmill team list") from error
        raise
    if found["LabelingJobStatus"] not in ("Initializing", "InProgress"):
        raise UsageError(
            f"Labeling job {job!r} is {found['LabelingJobStatus']}; gold tasks come to jobs that go on."
        )
    pictures = known_pictures(where, rules.gold_manifest, found)
    tags = {
        f"{PREFIX}gold-manifest": rules.gold_manifest,
        f"{PREFIX}gold-share": f"{rules.gold_share:g}",
        f"{PREFIX}gold-feedback": str(rules.gold_feedback).lower(),
        f"{PREFIX}gold-threshold": f"{rules.gold_threshold:g}",
        f"{PREFIX}gold-withdraw": str(rules.gold_withdraw).lower(),
    }
    arn = str(found["LabelingJobArn"])
    service.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return arn, len(pictures)


def known_pictures(where: Stack, uri: str, job: dict[str, Any]) -> list[KnownPicture]:
    """What the service will read of a manifest. job: its description. Raises UsageError."""
    objects, category_uri = storage(where), job.get("LabelCategoryConfigS3Uri")
    if not category_uri:
        raise UsageError(f"Labeling job {job['LabelingJobName']!r} has no labels; gold tasks are for boxes.")
    try:
        labels = tuple(read_label_categories(objects.read(s3_location(category_uri).key), category_uri))
        lines = split_lines(objects.stream(s3_location(uri).key))
        found = list(islice(read_gold(lines, labels, uri), MOST))
    except FormatError as error:
        raise UsageError(f"The gold manifest can't be used: {error}") from error
    if not found:
        raise UsageError(f"{uri} has no picture with its boxes: no line of it is labeled.")
    elsewhere = [each.uri for each in found if not each.uri.startswith(f"s3://{where.bucket}/")]
    if elsewhere:
        raise UsageError(
            f"{uri} has {elsewhere[0]}, which workers couldn't see; gold pictures lie in the stack's bucket: "
            f"s3://{where.bucket}/…"
        )
    return found


def check_manifest(where: Stack, uri: str) -> None:
    """Raises UsageError for a manifest that isn't there, or not in the bucket that the service may read."""
    if not uri.startswith(f"s3://{where.bucket}/") or not s3_location(uri).key:
        raise UsageError(
            f"{uri!r} is no manifest that the labeling service can read; put it into the stack's bucket: "
            f"s3://{where.bucket}/…"
        )
    if not storage(where).exists(s3_location(uri).key):
        raise UsageError(f"{uri} isn't there. Put the manifest with the known boxes there first.")
