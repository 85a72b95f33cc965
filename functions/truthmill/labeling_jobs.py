"""A labeling job: its states, its counters, and what the protocol and the event say of it.

Moments are in milliseconds since 1970.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from truthmill.labeling_kinds import Kinds, kinds
from truthmill.labeling_limits import DEFAULT_CONCURRENT_TASKS, MAX_AVAILABILITY_S
from truthmill.labeling_rules import DEFAULT_AVAILABILITY_S
from truthmill.layout import OUTPUT_MANIFEST
from truthmill.quality_rules import QualityRules

Status = Literal["Initializing", "InProgress", "Completed", "Failed", "Stopping", "Stopped"]
ENDED = ("Completed", "Failed", "Stopped")
STEPS: dict[str, tuple[str, ...]] = {
    "Initializing": ("InProgress", "Stopping", "Failed"),
    "InProgress": ("Stopping", "Completed", "Stopped", "Failed"),
    "Stopping": ("Stopped",),
    **dict.fromkeys(ENDED, ()),
}
EVENT_SOURCE = "truthmill.labeling"  # aws.* is reserved
EVENT_TYPE = "SageMaker Ground Truth Labeling Job State Change"
MAX_SHARDS = 16
OBJECTS_A_SHARD = 64
WORKFORCE = "default"  # as SageMaker names the one private workforce of an account's region


class Counters(msgspec.Struct, frozen=True):
    """Objects that are done: labeled, and expired (declined by as many as were needed). answers: taken,
    of which withdrawn ones no longer count for their objects; answers is without them.

    extra: labeled ones that wait for one more answer, since those they had didn't agree. last: when the last
    answer was taken.
    skipped, unfit: of which no worker was asked, since the job's own pre-annotation function said so or
    failed on them. gold: answers to gold tasks; counted where the job's answers are limited.
    """

    labeled: int = 0
    expired: int = 0
    answers: int = 0
    withdrawn: int = 0
    extra: int = 0
    last: int = 0
    skipped: int = 0
    unfit: int = 0
    gold: int = 0

    @property
    def paid(self) -> int:
        """Answers that were given, whatever became of them."""
        return self.answers + self.withdrawn + self.gold

    @property
    def done(self) -> int:
        return self.labeled + self.expired + self.skipped + self.unfit


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A labeling job as it is kept.

    request: of CreateLabelingJob. reference: its JobReferenceCode. shards: into how many queues its objects
    are spread, so that many workers don't meet at one. objects: how many it has, once counted; loaded: of how
    many there is a task, of which workers aren't asked about the skipped and the unfit; written: how many are
    in its output, of which custom consolidation made nothing of the unconsolidated. lapsed: whether it ended
    since its tasks' lifetime was over. claim: until when a function works at starting or ending it.
    announced: whether its event was put.
    rules: what its tags ask for. gold: how many gold pictures it has, gold_from: of which manifest.
    secret: what its tasks' names are made with (`task_names`); it is told to nobody.
    revision: counts the changes; whoever writes makes sure that it still is the one read.
    """

    name: str
    arn: str
    request: dict[str, Any]
    reference: str
    created: int
    modified: int
    status: Status = "Initializing"
    reason: str = ""
    labels: tuple[str, ...] = ()
    objects: int = 0
    shards: int = 1
    loaded: int = 0
    skipped: int = 0
    unfit: int = 0
    written: int = 0
    unconsolidated: int = 0
    lapsed: bool = False
    claim: int = 0
    announced: bool = False
    revision: int = 0
    rules: QualityRules = QualityRules()
    gold: int = 0
    gold_from: str = ""
    secret: str = ""

    @property
    def task(self) -> dict[str, Any]:
        """The request's HumanTaskConfig."""
        config: dict[str, Any] = self.request["HumanTaskConfig"]
        return config

    @property
    def kinds(self) -> Kinds:
        """What it asks of its workers."""
        return kinds(self.task)

    @property
    def most_open(self) -> int:
        """How many objects are open to workers at once."""
        return int(self.task.get("MaxConcurrentTaskCount", DEFAULT_CONCURRENT_TASKS))

    @property
    def output_key(self) -> str:
        """The KMS key that encrypts its output; empty for the bucket's default."""
        return str(self.request["OutputConfig"].get("KmsKeyId", ""))

    @property
    def attribute(self) -> str:
        return str(self.request["LabelAttributeName"])

    @property
    def workers_per_object(self) -> int:
        return int(self.task["NumberOfHumanWorkersPerDataObject"])

    @property
    def time_limit_ms(self) -> int:
        return int(self.task["TaskTimeLimitInSeconds"]) * 1000

    @property
    def team_arn(self) -> str:
        return str(self.task["WorkteamArn"])

    @property
    def manifest_uri(self) -> str:
        return str(self.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"])

    @property
    def output(self) -> str:
        """URI of the job's own output prefix, without a slash at its end."""
        return f"{self.request['OutputConfig']['S3OutputPath'].rstrip('/')}/{self.name}"

    @property
    def output_manifest(self) -> str:
        return f"{self.output}/{OUTPUT_MANIFEST}"

    @property
    def has_output(self) -> bool:
        """Whether it left a manifest; a job that was stopped before its tasks were made has none."""
        return self.status in ("Completed", "Stopped") and 0 < self.objects == self.written

    @property
    def deadline(self) -> int:
        """When its tasks stop being available: the request's lifetime after its creation, at most 30 days."""
        lifetime = int(self.task.get("TaskAvailabilityLifetimeInSeconds", DEFAULT_AVAILABILITY_S))
        return self.created + min(lifetime, MAX_AVAILABILITY_S) * 1000

    def is_gold(self, number: int) -> bool:
        """Whether a task's number is that of a gold picture: they follow the job's own objects."""
        return self.gold > 0 and number >= self.objects

    def shard(self, number: int) -> int:
        """The queue that an object is in."""
        return number % self.shards


def shards_for(objects: int) -> int:
    """Into how many queues so many objects are spread."""
    return max(1, min(MAX_SHARDS, objects // OBJECTS_A_SHARD))


def legal(was: str, becomes: str) -> bool:
    """Whether a job's status may go from one to the other; staying the same always may."""
    return was == becomes or becomes in STEPS[was]


def outcome(job: Job, counters: Counters, now: int) -> str:
    """The status in which the job ends now; empty where it goes on. now: milliseconds since 1970."""
    if job.status == "Stopping":
        return "Stopped"
    if job.status != "InProgress":
        return ""
    if status := enough(job, counters, now):
        return status
    if now >= job.deadline:
        return "Completed" if counters.labeled else "Failed"
    return ""


def _nobody_comes(job: Job, counters: Counters, now: int) -> bool:
    """Whether extra answers are all that is missing, and none came for as long as a task may take."""
    return now - counters.last > job.time_limit_ms


def enough(job: Job, counters: Counters, now: int) -> str:
    """The status in which the job ends by its counters alone; empty while it goes on.

    A stopping condition ends a job as Stopped: what is labeled is kept, the rest isn't asked for.
    """
    if counters.done >= job.objects and (not counters.extra or _nobody_comes(job, counters, now)):
        return "Completed"
    if spends_all(job, counters):
        return "Completed" if counters.done >= job.objects else "Stopped"
    conditions = job.request.get("StoppingConditions", {})
    most = conditions.get("MaxHumanLabeledObjectCount")
    share = conditions.get("MaxPercentageOfInputDatasetLabeled")
    if most is not None and counters.labeled >= most:
        return "Stopped"
    if share is not None and counters.labeled * 100 >= share * job.objects:
        return "Stopped"
    return ""


def spends_all(job: Job, counters: Counters) -> bool:
    """Whether a job has taken all the answers that may be paid for."""
    return 0 < job.rules.max_answers <= counters.paid


def spent_reason(job: Job, counters: Counters) -> str:
    """Why a job that spends all was stopped."""
    left = job.objects - counters.done
    return (
        f"It took {counters.paid} answers, of at most {job.rules.max_answers} that may be paid for (tag "
        "truthmill:max-answers; those withdrawn and those to gold tasks count too). "
        f"{left} of its {job.objects} objects have no label."
    )


def label_counters(job: Job, counters: Counters) -> dict[str, int]:
    """LabelCounters of DescribeLabelingJob. An expired object is a failure that isn't tried again."""
    labeled = counters.labeled - job.unconsolidated
    failed = counters.expired + counters.unfit + job.unconsolidated
    if job.lapsed:
        failed += max(0, job.objects - counters.done)
    return {
        "TotalLabeled": labeled,
        "HumanLabeled": labeled,
        "MachineLabeled": 0,
        "FailedNonRetryableError": failed,
        "Unlabeled": max(0, job.objects - labeled - failed),
    }


def describe(job: Job, counters: Counters, tags: Mapping[str, str]) -> dict[str, Any]:
    """DescribeLabelingJob's answer."""
    answer = {
        **{name: value for name, value in job.request.items() if name != "Tags"},
        "LabelingJobStatus": job.status,
        "LabelCounters": label_counters(job, counters),
        "CreationTime": job.created / 1000,
        "LastModifiedTime": job.modified / 1000,
        "JobReferenceCode": job.reference,
        "LabelingJobArn": job.arn,
        "Tags": tag_list(tags),
    }
    if job.reason:
        answer["FailureReason"] = job.reason[:1024]
    if job.has_output:
        answer["LabelingJobOutput"] = {"OutputDatasetS3Uri": job.output_manifest}
    return answer


def summary(job: Job, counters: Counters) -> dict[str, Any]:
    """An entry of ListLabelingJobs."""
    task = job.task
    entry = {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "CreationTime": job.created / 1000,
        "LastModifiedTime": job.modified / 1000,
        "LabelingJobStatus": job.status,
        "LabelCounters": label_counters(job, counters),
        "WorkteamArn": job.team_arn,
        "InputConfig": job.request["InputConfig"],
        "PreHumanTaskLambdaArn": task["PreHumanTaskLambdaArn"],
        "AnnotationConsolidationLambdaArn": task["AnnotationConsolidationConfig"][
            "AnnotationConsolidationLambdaArn"
        ],
    }
    if job.reason:
        entry["FailureReason"] = job.reason[:1024]
    if job.has_output:
        entry["LabelingJobOutput"] = {"OutputDatasetS3Uri": job.output_manifest}
    return entry


def workteam_summary(job: Job, counters: Counters, account: str) -> dict[str, Any]:
    """An entry of ListLabelingJobsForWorkteam."""
    labeled = label_counters(job, counters)
    return {
        "LabelingJobName": job.name,
        "JobReferenceCode": job.reference,
        "WorkRequesterAccountId": account,
        "CreationTime": job.created / 1000,
        "LabelCounters": {
            "HumanLabeled": labeled["HumanLabeled"],
            "PendingHuman": labeled["Unlabeled"],
            "Total": job.objects,
        },
        "NumberOfHumanWorkersPerDataObject": job.workers_per_object,
    }


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the protocol's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def state_change(job: Job) -> dict[str, Any]:
    """The entry for PutEvents when a job has ended: Ground Truth's event but for its source."""
    return {
        "Source": EVENT_SOURCE,
        "DetailType": EVENT_TYPE,
        "Resources": [job.arn],
        "Detail": msgspec.json.encode({"LabelingJobStatus": job.status}).decode(),
    }


def workteam_arn(region: str, account: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/{name}"


def workforce_arn(region: str, account: str) -> str:
    return f"arn:aws:sagemaker:{region}:{account}:workforce/private-crowd/{WORKFORCE}"


def labeling_job_arn(region: str, account: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{account}:labeling-job/{name.lower()}"
