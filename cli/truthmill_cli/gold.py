"""Gold tasks: pictures with known boxes for a labeling job, also for one that runs."""

from truthmill.quality_rules import PREFIX, QualityRules
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack, storage


def add(where: Stack, job: str, rules: QualityRules) -> str:
    """Tag the job so that it has gold tasks from now on; answers its ARN.

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
    tags = {
        f"{PREFIX}gold-manifest": rules.gold_manifest,
        f"{PREFIX}gold-share": f"{rules.gold_share:g}",
        f"{PREFIX}gold-feedback": str(rules.gold_feedback).lower(),
        f"{PREFIX}gold-threshold": f"{rules.gold_threshold:g}",
        f"{PREFIX}gold-withdraw": str(rules.gold_withdraw).lower(),
    }
    arn = str(found["LabelingJobArn"])
    service.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return arn


def check_manifest(where: Stack, uri: str) -> None:
    """Raises UsageError for a manifest that isn't there, or not in the bucket that the service may read."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or bucket != where.bucket or not key:
        raise UsageError(
            f"{uri!r} is no manifest that the labeling service can read; put it into the stack's bucket: "
            f"s3://{where.bucket}/…"
        )
    if not storage(where).exists(key):
        raise UsageError(f"{uri} isn't there. Put the manifest with the known boxes there first.")
