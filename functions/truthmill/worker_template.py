"""The worker's page of a task: the job's Liquid template, rendered.

The filters that Ground Truth adds to Liquid, and what a template finds under `task.input`.
(`worker_pages` writes the built-in templates.)
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from liquid import Undefined
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

from truthmill.bounded_liquid import BoundedLiquid
from truthmill.errors import RequestError

Link = Callable[[str], str]
ELEMENTS = {  # those of the page (labeling/page/elements/main.js), and those that need no script
    "crowd-alert", "crowd-badge", "crowd-bounding-box", "crowd-button", "crowd-card", "crowd-checkbox",
    "crowd-form", "crowd-icon-button", "crowd-input", "crowd-instructions", "crowd-radio-button",
    "crowd-radio-group", "crowd-tab", "crowd-tabs", "crowd-text-area",
}  # fmt: skip


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
        return _environment(template, link).from_string(_text(template)).render(task={"input": task_input})
    except LiquidError as error:
        raise _explained(error, template) from error
    except (ArithmeticError, ValueError, RecursionError) as error:  # of values that Liquid doesn't expect
        raise _explained(LiquidTypeError(str(error), token=None), template) from error


def check(template: str, where: str) -> None:
    """Raise RequestError where a user's own template could not be rendered, or has nothing to answer with."""
    try:
        _check_liquid(_text(template))
    except TemplateError as error:
        raise RequestError(f"{where} isn't a Liquid template. {error} Correct it.") from error
    if "crowd-form" not in template.lower():  # a script may make it
        raise RequestError(
            f"{where} has no <crowd-form>: workers could not answer. Begin with Ground Truth's template for "
            "bounding boxes, or leave the template out for the built-in one."
        )


def _check_liquid(template: str) -> None:
    """Raises TemplateError, also for a filter that no rendering may come to."""
    environment = _environment(template, str)
    try:
        used = environment.from_string(template).analyze(include_partials=False).filters
    except LiquidError as error:
        raise _explained(error, template) from error
    for name, places in used.items():
        if name not in environment.filters:
            raise _placed("filter", f"unknown filter '{name}'", template, places[0].index)


def lacks(template: str) -> list[TemplateError]:
    """What a page of this template would not have for the worker, though Liquid has nothing against it."""
    shown = re.sub(r"<!--.*?-->", lambda found: " " * len(found[0]), template, flags=re.DOTALL)
    unknown = [
        _placed(
            "element",
            f"{found[0]}> isn't known here, so that what it asks can't be answered",
            template,
            found.start(),
        )
        for found in re.finditer(r"<crowd-[a-z-]+", shown, re.IGNORECASE)
        if found[0][1:].lower() not in ELEMENTS
    ]
    if "crowd-form" not in shown.lower():
        words = "there is no <crowd-form>, so that nothing can be answered"
        unknown.append(_placed("element", words, template, len(template)))
    return unknown


def _text(template: str) -> str:
    """Without the mark that some editors begin a file with: it would be the page's first character."""
    return template.removeprefix("\ufeff")


def _environment(template: str, link: Link) -> BoundedLiquid:
    environment = BoundedLiquid(len(template))
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
    cause = str(error.message)
    if isinstance(error, TemplateNotFoundError):
        cause = f"template {cause!r} can't be read: a worker's template is one file"
    rule = next(rule for rule, kinds in _RULES.items() if isinstance(error, kinds))
    return _placed(rule, cause, template, place)


def _placed(rule: str, cause: str, template: str, place: int) -> TemplateError:
    line = template.count("\n", 0, place) + 1
    column = place - (template.rfind("\n", 0, place) + 1) + 1
    return TemplateError(rule, line, column, cause)


def input_of(uri: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """What PRE-BoundingBox hands to a template as `task.input`."""
    return {"taskObject": uri, "labels": list(labels)}
