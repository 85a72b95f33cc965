"""What a user may ask: the request's schema. `request_reading` makes one of what a user gave."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from truthmill import layout
from truthmill.labeling_limits import (
    MAX_AVAILABILITY_S,
    MAX_CONCURRENT_TASKS,
    MAX_TIME_LIMIT_S,
)
from truthmill.s3_uri import s3_location

CHANNELS = (
    "augmented-manifest",
    "sagemaker-image",
    "recordio",
    "tensorflow",
    "coco",
    "imagefolder",
    "yolo",
    "pascal-voc",
    "webdataset",
    "parquet",
    "rekognition",
)
DEFAULT_CHANNELS = ("augmented-manifest", "coco")  # neither copies a picture


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A part of the request; an unknown key is an error that names it."""


def _told(description: str, **limits: Any) -> Meta:
    """What a key means, for docs/request.md, with its limits."""
    return Meta(description=description, **limits)


class Instructions(_Part, frozen=True):
    """What workers read."""

    title: Annotated[str, _told("In the workers' list of jobs.", min_length=1, max_length=128)] = (
        "Draw a box around every object"
    )
    description: Annotated[str, _told("Below the title.", min_length=1, max_length=255)] = (
        "Choose a label, then draw a box that touches the object on all four sides."
    )
    keywords: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=30)], ...],
        _told("By which workers find the job: at most 5, of 30 characters each.", max_length=5),
    ] = ()
    short: Annotated[str, _told("Always beside the picture; Markdown.")] = (
        "Draw a box around each object, as tight as you can."
    )
    full: Annotated[str, _told("On demand beside the picture; Markdown.")] = (
        "Draw one box for each object, even where objects overlap. Leave nothing out, cut nothing off."
    )


class Split(_Part, frozen=True):
    """Which pictures train, which validate."""

    validation: Annotated[float, _told("Share of the pictures, by count.", ge=0, lt=1)] = 0.2
    test: Annotated[float, _told("Share of a third split; 0 makes none.", ge=0, lt=1)] = 0.0
    group_by: Annotated[
        str | dict[str, str],
        _told(
            "Pictures of one group stay on one side: `none`, `folder`, `capture-minute`, or "
            '`{"pattern": "…"}` with a regular expression (RE2) that has a group named `group`.'
        ),
    ] = "none"
    near_duplicates: Annotated[
        Annotated[int, Meta(ge=0, le=8)] | None,
        _told(
            "Of 256 cells, how many may differ for pictures to be one group. More finds more copies, but "
            "takes pictures of a place with another thing in it for copies; null: no such groups."
        ),
    ] = 3
    folders: Annotated[
        Literal["ignore", "honour"], _told("Whether folders named train, val, validation or test decide.")
    ] = "ignore"
    stratify: Annotated[
        bool, _told("Balance the classes over the splits; with `resplit` only, for labels must be known.")
    ] = False
    seed: Annotated[str, _told("Another one gives another split; empty takes the dataset's name.")] = ""
    on_degenerate: Annotated[
        Literal["fail", "continue"], _told("What becomes of a run whose split is empty on a side or far off.")
    ] = "fail"


class Pictures(_Part, frozen=True):
    """Limits in pixels."""

    smallest_side: Annotated[int, _told("Pictures with a smaller side are rejected; 0: none.", ge=0)] = 0
    largest_side: Annotated[
        int, _told("Pictures with a larger side are scaled down before labeling; 0: none.", ge=0)
    ] = 0


class Workforce(_Part, frozen=True):
    """Who labels."""

    type: Annotated[
        Literal["private", "vendor", "mechanical-turk"],
        _told("The kind of work team; only `private` with Truthmill's own labeling service."),
    ] = "private"
    workteam_arn: Annotated[
        str, _told("Empty takes the stack's DefaultWorkteamArn; of Mechanical Turk, the region's own.")
    ] = ""
    workers_per_object: Annotated[int, _told("Workers who label each picture.", ge=1, le=9)] = 1
    price_per_task: Annotated[
        Decimal,
        _told(
            "What one answer costs you, USD, 0 or more. Workers of Mechanical Turk are paid it, in one of "
            "its prices; for other teams it is for estimate and budget only."
        ),
    ] = Decimal(0)
    content_classifiers: Annotated[
        tuple[Literal["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"], ...],
        _told("What you declare of the pictures; Mechanical Turk demands both."),
    ] = ()
    task_time_limit: Annotated[int, _told("Seconds for one picture.", ge=30, le=MAX_TIME_LIMIT_S)] = 3_600
    task_availability: Annotated[
        Annotated[int, Meta(ge=60, le=MAX_AVAILABILITY_S)] | None,
        _told(
            "Seconds that a task waits for workers, at most 30 days, 12 hours for Mechanical Turk; "
            "null: the most."
        ),
    ] = None
    max_concurrent_tasks: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_CONCURRENT_TASKS)] | None,
        _told("Pictures that workers may have at the same time; null: the service's default, 1,000."),
    ] = None


class StoppingConditions(_Part, frozen=True):
    """When a labeling job stops by itself; what it has is kept."""

    max_labeled: Annotated[
        Annotated[int, Meta(ge=1)] | None, _told("After so many labeled pictures of a job.")
    ] = None
    max_labeled_percentage: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None, _told("After so many percent of a job's pictures.")
    ] = None


class Labeling(_Part, frozen=True):
    """How labeling jobs are made."""

    template: Annotated[
        str,
        _told("A worker template of your own: Liquid, or the `s3://` URI of one; empty: the built-in one."),
    ] = ""
    kms_key_id: Annotated[str, _told("Key that encrypts what jobs write.", max_length=2048)] = ""
    tags: Annotated[dict[str, str], _told("Tags of the jobs, at most 48.")] = msgspec.field(
        default_factory=dict
    )
    stopping_conditions: Annotated[StoppingConditions, _told("When a job stops by itself.")] = (
        StoppingConditions()
    )
    pre_lambda_arn: Annotated[str, _told("Function in place of the built-in pre-annotation one.")] = ""
    consolidation_lambda_arn: Annotated[
        str, _told("Function in place of the built-in consolidation one; give both or none.")
    ] = ""
    stall_after_hours: Annotated[
        float, _told("Without a new answer for so long a job is reported as stalled, once; 0: never.", ge=0)
    ] = 24.0


class Prelabels(_Part, frozen=True):
    """Boxes that come with the pictures."""

    source: Annotated[
        str,
        _told(
            "A file of the source, a folder of it, `.` for all of it, or the `s3://` URI of a file: COCO, "
            "YOLO, Pascal VOC or an output manifest, told by its content.",
            min_length=1,
        ),
    ]
    use: Annotated[
        Literal["trusted", "review", "ignore"],
        _told("`trusted`: taken as labels; `review`: workers correct them; `ignore`: not read."),
    ] = "review"
    min_score: Annotated[
        float,
        _told(
            "Predictions that a model is less sure of are left out: boxes in COCO or YOLO that have a score; "
            "0: none.",
            ge=0,
            le=1,
        ),
    ] = 0.0


class Review(_Part, frozen=True):
    """A second job, whose results the channels use; what was there before is kept."""

    type: Annotated[
        Literal["adjustment", "verification"],
        _told("Workers correct the boxes, or say whether they are right."),
    ] = "adjustment"
    of: Annotated[
        Literal["all", "sample", "suspicious"],
        _told("Which labeled pictures; suspicious: workers disagreed, or a box was cut, doubled or dropped."),
    ] = "all"
    share: Annotated[float, _told("Of a sample.", gt=0, le=1)] = 0.1


class Gold(_Part, frozen=True):
    """Pictures with known boxes, mixed in among a worker's tasks; Truthmill's own labeling service only."""

    manifest: Annotated[
        str, _told("`s3://` URI of an output manifest with boxes of the job's labels.", pattern="^s3://.+/.+")
    ]
    share: Annotated[float, _told("How many of a worker's tasks are such.", gt=0, le=1)] = 0.05
    feedback: Annotated[bool, _told("Whether workers are told at once how they did on them.")] = False
    threshold: Annotated[
        float,
        _told("F1 below which a worker, after three of them, gets no more; 0: nobody.", ge=0, le=1),
    ] = 0.0
    withdraw: Annotated[
        bool, _told("Whether such a worker's answers are taken back, and others are asked.")
    ] = False


class Quality(_Part, frozen=True):
    """What makes labels better than one worker's; with Truthmill's own labeling service only."""

    max_workers_per_object: Annotated[
        Annotated[int, Meta(ge=2, le=9)] | None,
        _told("Where the workers of a picture disagree, more are asked, up to so many; null: none."),
    ] = None
    agreement: Annotated[
        float,
        _told("How certain the answers must make every box, so that nobody else is asked.", ge=0.5, le=1),
    ] = 0.9
    gold: Annotated[Gold | None, _told("Pictures with known boxes among the workers' tasks.")] = None


class Budget(_Part, frozen=True):
    """What labeling may cost."""

    max_cost: Annotated[
        Decimal | None, _told("USD; a run that would cost more ends before anything is paid; null: no limit.")
    ] = None
    labeled_this_month: Annotated[
        int,
        _told("Objects that the account has had labeled before in the month; they use up dear tiers.", ge=0),
    ] = 0


class Request(_Part, frozen=True):
    """The request, whole: every default filled in. Made by `parse`."""

    source: Annotated[str, _told('`s3://` URI of a zip or a prefix, or `{"bucket": …, "key": …}`.')]
    dataset: Annotated[
        str,
        _told("Lower case letters, digits, hyphens, at most 40; by default after the zip or the prefix."),
    ]
    labels: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...],
        _told("1 to 50 class names, each once; a class id is an index in this list."),
    ]
    instructions: Annotated[Instructions, _told("What workers read.")] = Instructions()
    split: Annotated[Split, _told("Which pictures train, which validate.")] = Split()
    workforce: Annotated[Workforce, _told("Who labels.")] = Workforce()
    labeling: Annotated[Labeling, _told("How labeling jobs are made.")] = Labeling()
    prelabels: Annotated[Prelabels | None, _told("Boxes that come with the pictures.")] = None
    review: Annotated[Review | None, _told("A second job, whose results the channels use.")] = None
    quality: Annotated[
        Quality | None, _told("What makes labels better than one worker's: docs/quality.md.")
    ] = None
    budget: Annotated[Budget | None, _told("What labeling may cost.")] = None
    channels: Annotated[tuple[str, ...], _told("Training formats: " + ", ".join(CHANNELS) + ".")] = (
        DEFAULT_CHANNELS
    )
    pictures: Annotated[Pictures, _told("Limits in pixels.")] = Pictures()
    on_incomplete: Annotated[
        Literal["fail", "continue"],
        _told("What becomes of a run whose labeling stopped, failed, or left pictures without an answer."),
    ] = "fail"
    resplit: Annotated[
        bool, _told("Split the dataset anew, whose prefix is the source, and build channels; no one labels.")
    ] = False
    trigger: Annotated[
        Literal["console", "s3", "schedule", "cli"], _told("How the run was started; triggers set it.")
    ] = "console"

    @property
    def most_workers(self) -> int:
        """Workers of a picture at the most."""
        asked = self.quality and self.quality.max_workers_per_object
        return asked or self.workforce.workers_per_object

    @property
    def most_usd(self) -> Decimal | None:
        """What labeling may cost; None for no limit."""
        return self.budget.max_cost if self.budget else None

    @property
    def labeled_this_month(self) -> int:
        return self.budget.labeled_this_month if self.budget else 0

    @property
    def bucket(self) -> str:
        return s3_location(self.source).bucket

    @property
    def key(self) -> str:
        """Key of the archive, or the prefix with its slash."""
        return s3_location(self.source).key

    @property
    def of_dataset(self) -> bool:
        """Whether the source is the dataset itself, so that nothing comes in."""
        return layout.dataset_of(self.key) == self.dataset

    @property
    def is_relabeling(self) -> bool:
        """Whether it is for the dataset's pictures without an answer."""
        return self.of_dataset and not self.resplit

    @property
    def is_archive(self) -> bool:
        return self.key.lower().endswith(".zip")
