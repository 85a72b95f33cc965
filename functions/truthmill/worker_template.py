"""The worker's page of a task: the job's Liquid template, rendered.

The filters that Ground Truth adds to Liquid, and what a template finds under `task.input`.
(`worker_pages` writes the built-in templates.)
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from liquid import Environment, Undefined
from liquid.exceptions import (
    FilterArgumentError,
    FilterError,
    FilterItemTypeError,
    FilterValueError,
    LiquidError,
    LiquidTypeError,
    ResourceLimitError,
    TemplateNotFoundError,
    UndefinedError,
    UnknownFilterError,
)
from markupsafe import Markup

from truthmill.errors import RequestError

Link = Callable[[str], str]


class _Bounded(Environment):
    """Liquid with limits, so that a template can neither run for ever nor fill the memory."""

    loop_iteration_limit = 100_000
    output_stream_limit = 2_000_000  # bytes
    local_namespace_limit = 1_000_000
    context_depth_limit = 30


class TemplateError(Exception):
    """A template that can't be rendered; its text names line and cause.

    details: what kind of mistake it is (rule), line and column (from 1), and the cause in Liquid's words.
    """

    def __init__(self, rule: str, line: int, column: int, cause: str) -> None:
        super().__init__(f"Line {line}, column {column}: {cause}.")
        self.details = {"rule": rule, "line": line, "column": column, "cause": cause}


_VALUE = (
    FilterError,
    FilterArgumentError,
    FilterValueError,
    FilterItemTypeError,
    LiquidTypeError,
    UndefinedError,
)
_RULES: dict[str, type[LiquidError] | tuple[type[LiquidError], ...]] = {  # the first that fits
    "filter": UnknownFilterError,
    "files": TemplateNotFoundError,
    "limit": ResourceLimitError,
    "value": _VALUE,
    "syntax": LiquidError,
}


def render(template: str, task_input: Mapping[str, Any], link: Link) -> str:
    """The page's HTML. Every value is escaped unless the template says `skip_autoescape`.

    link: from an S3 URI to a link which a browser can read for some minutes; what `grant_read_access` calls.
    Raises TemplateError.
    """
    try:
        return _environment(link).from_string(template).render(task={"input": task_input})
    except LiquidError as error:
        raise _explained(error, template) from error


def check(template: str, where: str) -> None:
    """Raise RequestError where a user's own template could not be rendered, or has nothing to answer with."""
    try:
        _environment(str).from_string(template)
    except LiquidError as error:
        raise RequestError(
            f"{where} isn't a Liquid template. {_explained(error, template)} Correct it."
        ) from error
    if not re.search(r"<(crowd-[a-z-]+|form|button)\b", template):
        raise RequestError(
            f"{where} has no <crowd-form>: workers could not answer. Begin with Ground Truth's template for "
            "bounding boxes, or leave the template out for the built-in one."
        )


def _environment(link: Link) -> Environment:
    environment = _Bounded(autoescape=True)
    environment.add_filter("grant_read_access", lambda uri: _granted(str(uri), link))
    environment.add_filter("to_json", lambda value: msgspec.json.encode(value, enc_hook=_plain).decode())
    environment.add_filter("skip_autoescape", lambda value: Markup(str(value)))  # noqa: S704 the documented way out
    return environment


def _granted(uri: str, link: Link) -> str:
    """A link to an object; what is no object's URI, as of an input that lacks it, stays as it is."""
    return link(uri) if re.fullmatch(r"s3://[^/]+/.+", uri, re.DOTALL) else uri


def _plain(value: Any) -> Any:
    """As JSON has it what Liquid makes of values on their way: captured text, a range, nothing at all."""
    if isinstance(value, Undefined) or value == None:  # noqa: E711 so `map` gives nothing
        return None
    if isinstance(value, Markup):  # `join` and `capture` have escaped what they took in
        return value.unescape()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise NotImplementedError


def _explained(error: LiquidError, template: str) -> TemplateError:
    """Line, column (both from 1) and cause. What has no place of its own is missing at the template's end."""
    token = error.token
    place = token.start_index if token is not None and token.start_index >= 0 else len(template)
    line = template.count("\n", 0, place) + 1
    column = place - (template.rfind("\n", 0, place) + 1) + 1
    cause = str(error.message)
    if isinstance(error, TemplateNotFoundError):
        cause = f"template {cause!r} can't be read: a worker's template is one file"
    rule = next(rule for rule, kinds in _RULES.items() if isinstance(error, kinds))
    return TemplateError(rule, line, column, cause)


def input_of(uri: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """What PRE-BoundingBox hands to a template as `task.input`."""
    return {"taskObject": uri, "labels": list(labels)}
