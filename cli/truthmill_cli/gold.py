"""Gold tasks: pictures with known boxes for a labeling job, also for one that runs."""

from truthmill.quality_rules import PREFIX, QualityRules
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack


def add(where: Stack, job: str, rules: QualityRules) -> str:
    """Tag the job so that it has gold tasks from now on; answers its ARN. Raises UsageError."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- slow to import

    from adapters import sagemaker  # noqa: PLC0415

    if not where.labeling_endpoint:
        raise UsageError(f"Stack {where.name} labels with Ground Truth, which has no gold tasks.")
    service = sagemaker.client(where.labeling_endpoint)
    try:
        arn = str(service.describe_labeling_job(LabelingJobName=job)["LabelingJobArn"])
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFound":
            raise UsageError(f"There is no labeling job {job!r}. See which: truthmill team list") from error
        raise
    tags = {
        f"{PREFIX}gold-manifest": rules.gold_manifest,
        f"{PREFIX}gold-share": f"{rules.gold_share:g}",
        f"{PREFIX}gold-feedback": str(rules.gold_feedback).lower(),
        f"{PREFIX}gold-threshold": f"{rules.gold_threshold:g}",
        f"{PREFIX}gold-withdraw": str(rules.gold_withdraw).lower(),
    }
    service.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return arn
