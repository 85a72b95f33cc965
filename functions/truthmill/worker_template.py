"""The worker's page of a task: the job's Liquid template, rendered.

The filters that Ground Truth adds to Liquid, and what a template finds under `task.input`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from liquid import Environment
from liquid.exceptions import LiquidError
from markupsafe import Markup

Link = Callable[[str], str]


class _Bounded(Environment):
    """Liquid with limits, so that a template can neither run for ever nor fill the memory."""

    loop_iteration_limit = 100_000
    output_stream_limit = 2_000_000  # bytes
    local_namespace_limit = 1_000_000
    context_depth_limit = 30


class TemplateError(Exception):
    """A template that can't be rendered; its text names the cause, and the line where Liquid knows it."""


def render(template: str, task_input: Mapping[str, Any], link: Link) -> str:
    """The page's HTML. Every value is escaped unless the template says `skip_autoescape`.

    link: from an S3 URI to a link which a browser can read for some minutes; what `grant_read_access` calls.
    Raises TemplateError.
    """
    environment = _Bounded(autoescape=True)
    environment.add_filter("grant_read_access", lambda uri: link(str(uri)))
    environment.add_filter("to_json", lambda value: msgspec.json.encode(value).decode())
    environment.add_filter("skip_autoescape", lambda value: Markup(str(value)))  # noqa: S704 the documented way out
    try:
        return environment.from_string(template).render(task={"input": task_input})
    except LiquidError as error:
        raise TemplateError(str(error)) from error


def input_of(uri: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """What PRE-BoundingBox hands to a template as `task.input`."""
    return {"taskObject": uri, "labels": list(labels)}
