"""A request from what a user gave, and the rules that its schema can't hold.

Precedence: the execution's input, then truthmill.json at the archive's root, then the stack's parameters.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from truthmill import layout
from truthmill.errors import LabelsMissingError, RequestError
from truthmill.labeling_limits import MAX_LABELS, problems
from truthmill.labels import problem_of
from truthmill.request import CHANNELS, Budget, Request
from truthmill.s3_uri import s3_location

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


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
