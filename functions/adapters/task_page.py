"""A task's page, the same for a worker, for RenderUiTemplate and for `truthmill preview`.

The job's template is rendered, and our crowd elements take the place of Ground Truth's: they are part of the
page, since a sandboxed frame has an origin of its own and a browser keeps none of its files for the next one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from adapters.page_bundle import bundle, without_remarks
from adapters.page_files import files, modules

ELEMENTS_ENTRY, ELEMENTS_EARLY = "elements/main.js", "elements/early.js"
GROUND_TRUTHS_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?https?://assets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE
)
# A frame that is written into the page would have all that elements/early.js takes away.
WRITTEN_FRAME = re.compile("srcdoc", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A rendered page. links: what its template was given to read, each to one object."""

    html: str
    links: tuple[str, ...]


def task_page(template: str, task_input: Mapping[str, Any], link: Callable[[str], str]) -> TaskPage:
    """Render a template for a task. Raises worker_template.TemplateError.

    link: from an S3 URI to a link that a browser can read.
    """
    from truthmill import worker_template  # Liquid is half of all that the portal imports

    links: list[str] = []

    def granted(uri: str) -> str:
        links.append(link(uri))
        return links[-1]

    html = worker_template.render(template, task_input, granted)
    shown = WRITTEN_FRAME.sub("srcdocNotShown", GROUND_TRUTHS_SCRIPT.sub("", html))
    return TaskPage(_elements() + _labels(task_input.get("labels")) + shown, tuple(links))


def _labels(given: Any) -> str:
    """What the template was given, for an element of which it wrote no labels that can be read."""
    written = msgspec.json.encode(given).decode().replace("<", "\\u003c")
    return f'<script type="application/json" id="truthmill-labels">{written}</script>\n'


@lru_cache(maxsize=1)
def _elements() -> str:
    """The beginning of a task's page: our crowd elements and their styles; some 90 kB.

    Raises ValueError where a file would end its own element.
    """
    own = {path: files()[path] for path in ("theme.css", "frame.css", "bounding_box.css")}
    script = bundle(modules(), ELEMENTS_ENTRY)
    early = without_remarks(files()[ELEMENTS_EARLY]).strip()
    ending = next((path for path, text in own.items() if "</style" in text), "")
    if ending or any(end in text for end in ("</script", "<!--") for text in (script, early)):
        raise ValueError(f"{ending or ELEMENTS_ENTRY} has the end of its own element in it.")
    return (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<script>{early}</script>"
        f"<style>{own['theme.css']}{own['frame.css']}</style>"
        f'<style id="truthmill-bounding-box" media="not all">{own["bounding_box.css"]}</style>'
        f'<script type="module">{script}</script>\n'
    )
