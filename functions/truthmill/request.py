"""What a user may ask: the request's schema, and where each value comes from.

Precedence: the execution's input, then truthmill.json at the archive's root, then the stack's parameters.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from truthmill import layout
from truthmill.errors import LabelsMissingError, RequestError
from truthmill.labeling_limits import (
    MAX_AVAILABILITY_S,
    MAX_CONCURRENT_TASKS,
    MAX_LABELS,
    MAX_TIME_LIMIT_S,
    problems,
)
from truthmill.labels import problem_of
from truthmill.s3_uri import s3_location

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
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
            '`{"pattern": "…"}` with a regular expression that has a group named `group`.'
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


def source_uri(given: Mapping[str, Any]) -> str:
    """The source of an execution's input as an s3:// URI of an archive or a prefix. Raises RequestError."""
    source = given.get("source")
    if isinstance(source, Mapping):
        source = f"s3://{source.get('bucket', '')}/{source.get('key', '')}"
    if not isinstance(source, str) or not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/[^/].*", source, re.DOTALL):
        raise RequestError(
            f'"source" is {given.get("source")!r}; it names a zip or a prefix in S3. '
            'Say "source": "s3://bucket/incoming/pets.zip".'
        )
    return source


def parse(given: Mapping[str, Any], bundled: Mapping[str, Any], defaults: Mapping[str, Any]) -> Request:
    """The request from its three origins: execution input, truthmill.json, stack parameters.

    Objects are merged key by key, everything else is replaced. Raises RequestError with the key's path, and
    LabelsMissingError where no label list comes from anywhere.
    """
    merged = _merge(_merge(dict(defaults), bundled), given)
    merged["source"] = source = source_uri(given)
    merged.setdefault("dataset", _dataset_of(source))
    _forget_other_teams(merged, defaults)
    if not merged.get("labels"):
        raise LabelsMissingError(source.rsplit("/", 1)[-1] or source)
    try:
        request = msgspec.convert(merged, Request)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"The request isn't valid: {error}. docs/request.md lists every key with its range."
        ) from error
    _check(request)
    return request


def _dataset_of(source: str) -> str:
    """The dataset whose own prefix the source is, or a name after the archive or prefix."""
    return layout.dataset_of(s3_location(source).key) or layout.dataset_name(source)


def _forget_other_teams(merged: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """The stack's default work team is a private one: it is not meant where another kind is asked for."""
    workforce, default = merged.get("workforce"), defaults.get("workforce")
    if isinstance(workforce, Mapping) and isinstance(default, Mapping):
        other = workforce.get("type", "private") != "private"
        if other and workforce.get("workteamArn") == default.get("workteamArn"):
            merged["workforce"] = {k: v for k, v in workforce.items() if k != "workteamArn"}


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(dict(merged[key]), value)
        else:
            merged[key] = value
    return merged


def _check_resplit(request: Request) -> None:
    if request.resplit and not request.of_dataset:
        prefix = f"s3://{request.bucket}/{layout.dataset_prefix(request.dataset)}"
        raise RequestError(
            f'"resplit" splits dataset {request.dataset!r} anew, and "source" is {request.source!r}. Give '
            f'the dataset\'s prefix, "{prefix}".'
        )
    if request.split.stratify and not request.resplit:
        raise RequestError(
            '"split.stratify" balances classes, which are known only once workers have labeled. Leave it '
            'out, and split the labeled dataset anew: "truthmill resplit DATASET --stratify".'
        )


def _check(request: Request) -> None:
    """The rules that a schema can't hold."""
    if not DATASET.fullmatch(request.dataset):
        raise RequestError(
            f'"dataset" is {request.dataset!r}; lower case letters, digits and hyphens, at most 40, '
            "beginning and ending with a letter or digit."
        )
    if request.split.group_by != "none":
        from truthmill import grouping  # noqa: PLC0415 - NumPy comes with it, and most requests don't need it

        grouping.check_rule(request.split.group_by)
    _check_resplit(request)
    if request.budget == Budget():
        raise RequestError('"budget" is empty. Say "maxCost", what labeling may cost at most in USD.')
    amounts = {"workforce.pricePerTask": request.workforce.price_per_task}
    if request.most_usd is not None:
        amounts["budget.maxCost"] = request.most_usd
    for name, amount in amounts.items():
        if not amount.is_finite() or amount < 0:
            raise RequestError(f'"{name}" is {amount}; it is an amount in USD, 0 or more, such as "0.036".')
    for problem in (*_label_problems(request), *problems(request), *_quality_problems(request)):
        raise RequestError(problem)
    unknown = [name for name in request.channels if name not in CHANNELS]
    if unknown or not request.channels:
        raise RequestError(f'"channels" has {unknown or "nothing"}; choose from {", ".join(CHANNELS)}.')


def _label_problems(request: Request) -> Iterator[str]:
    twice = sorted({label for label in request.labels if request.labels.count(label) > 1})
    if twice:
        yield f'"labels" has {twice[0]!r} more than once; each label is one class. Remove one.'
    for label in request.labels:
        if problem := problem_of(label):
            yield f'"labels" has {label!r}, which {problem}. Give the class a plain name.'
    if len(request.labels) > MAX_LABELS:
        yield f'"labels" has {len(request.labels)} labels; a labeling job takes at most {MAX_LABELS}.'


def _quality_problems(request: Request) -> Iterator[str]:
    most, first = request.most_workers, request.workforce.workers_per_object
    if most < first:
        yield (
            f'"quality.maxWorkersPerObject" is {most}, less than the {first} of "workforce.workersPerObject" '
            "with which each picture begins. Raise the one or lower the other."
        )
