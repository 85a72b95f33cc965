"""What a user may ask: the request's schema, and where each value comes from.

Precedence: the execution's input, then truthmill.json at the archive's root, then the stack's parameters.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from truthmill import layout
from truthmill.errors import LabelsMissingError, RequestError

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
CHANNELS = ("augmented-manifest", "coco")
MAX_LABELS = 50  # through the API; FACTS: quotas for bounding boxes


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A part of the request; an unknown key is an error that names it."""


class Instructions(_Part, frozen=True):
    """What workers read: title, description in the list of jobs; short, full (HTML) beside the task."""

    title: Annotated[str, Meta(min_length=1, max_length=128)] = "Draw a box around every object"
    description: Annotated[str, Meta(min_length=1, max_length=255)] = (
        "Choose a label, then draw a box that touches the object on all four sides."
    )
    short: str = "Draw a box around each object, as tight as you can."
    full: str = (
        "Draw one box for each object, even where objects overlap. Leave nothing out, cut nothing off."
    )


class Split(_Part, frozen=True):
    """validation, test: shares of the pictures, by count.

    group_by: pictures of one group stay on one side, see `grouping`. near_duplicates: Hamming distance up to
    which pictures are one group; None switches that off. folders: whether folders named train, val,
    validation or test decide. seed: decides which pictures; the dataset's name where it is empty.
    on_degenerate: what becomes of a run whose split is empty on a side or far off.
    """

    validation: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    test: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    group_by: str | dict[str, str] = "none"
    near_duplicates: Annotated[int, Meta(ge=0, le=8)] | None = 3
    folders: Literal["ignore", "honour"] = "ignore"
    seed: str = ""
    on_degenerate: Literal["fail", "continue"] = "fail"


class Pictures(_Part, frozen=True):
    """Sides in pixels: below the smallest, pictures are rejected; above the largest, scaled down; 0: none."""

    smallest_side: Annotated[int, Meta(ge=0)] = 0
    largest_side: Annotated[int, Meta(ge=0)] = 0


class Workforce(_Part, frozen=True):
    """Who labels. price_per_task: USD an answer; task_time_limit: seconds for one picture."""

    type: Literal["private"] = "private"
    workteam_arn: str = ""
    workers_per_object: Annotated[int, Meta(ge=1, le=9)] = 1
    price_per_task: Decimal = Decimal(0)
    task_time_limit: Annotated[int, Meta(ge=30, le=28_800)] = 3_600


class Budget(_Part, frozen=True):
    """max_cost: USD for the run's labeling."""

    max_cost: Decimal


class SourceObject(_Part, frozen=True):
    """A source as EventBridge's transformer gives it: a key needs no escaping there."""

    bucket: str
    key: str


class Request(_Part, frozen=True):
    """The request, whole: every default filled in. Made by `parse`."""

    source: str
    dataset: str
    labels: tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...]
    instructions: Instructions = Instructions()
    split: Split = Split()
    workforce: Workforce = Workforce()
    budget: Budget | None = None
    channels: tuple[str, ...] = CHANNELS
    pictures: Pictures = Pictures()
    on_incomplete: Literal["fail", "continue"] = "fail"
    trigger: Literal["console", "s3", "schedule", "cli"] = "console"

    @property
    def bucket(self) -> str:
        return self.source.removeprefix("s3://").partition("/")[0]

    @property
    def key(self) -> str:
        """Key of the archive, or the prefix with its slash."""
        return self.source.removeprefix("s3://").partition("/")[2]

    @property
    def is_archive(self) -> bool:
        return self.key.lower().endswith(".zip")


def source_uri(given: Mapping[str, Any]) -> str:
    """The source of an execution's input as an s3:// URI of an archive or a prefix. Raises RequestError."""
    source = given.get("source")
    if isinstance(source, Mapping):
        source = f"s3://{source.get('bucket', '')}/{source.get('key', '')}"
    if not isinstance(source, str) or not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/.*", source, re.DOTALL):
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
    merged.setdefault("dataset", layout.dataset_name(source))
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


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(dict(merged[key]), value)
        else:
            merged[key] = value
    return merged


def _check(request: Request) -> None:
    """The rules that a schema can't hold."""
    if not DATASET.fullmatch(request.dataset):
        raise RequestError(
            f'"dataset" is {request.dataset!r}; lower case letters, digits and hyphens, at most 40, '
            "beginning and ending with a letter or digit."
        )
    twice = sorted({label for label in request.labels if request.labels.count(label) > 1})
    if twice:
        raise RequestError(f'"labels" has {twice[0]!r} more than once; each label is one class. Remove one.')
    if len(request.labels) > MAX_LABELS:
        raise RequestError(f'"labels" has {len(request.labels)} labels; a labeling job takes at most 50.')
    if request.split.group_by != "none":
        from truthmill import grouping  # noqa: PLC0415 - NumPy comes with it, and most requests don't need it

        grouping.check_rule(request.split.group_by)
    amounts = {"workforce.pricePerTask": request.workforce.price_per_task}
    if request.budget:
        amounts["budget.maxCost"] = request.budget.max_cost
    for name, amount in amounts.items():
        if not amount.is_finite() or amount < 0:
            raise RequestError(f'"{name}" is {amount}; it is an amount in USD, 0 or more, such as "0.036".')
    unknown = [name for name in request.channels if name not in CHANNELS]
    if unknown or not request.channels:
        raise RequestError(f'"channels" has {unknown or "nothing"}; choose from {", ".join(CHANNELS)}.')
