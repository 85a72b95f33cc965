"""A task's page, the same for a worker, for RenderUiTemplate and for `truthmill preview`.

The job's template is rendered, and our crowd elements take the place of Ground Truth's: they are part of the
page, since a sandboxed frame has an origin of its own and a browser keeps none of its files for the next one.
The page's files lie in labeling/page; the address of one of the portal's own holds a digest over all of them,
so a browser keeps it for good and a deployment changes it.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from adapters.page_bundle import bundle, without_remarks

FOLDER = Path(__file__).parent.parent / "labeling" / "page"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
PORTAL_BUNDLE, PORTAL_ENTRY, ELEMENTS_ENTRY = "portal/bundle.js", "portal/main.js", "elements/main.js"
PORTAL_STYLES, EARLY = "portal/bundle.css", "portal/early.js"
GROUND_TRUTHS_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?https?://assets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE
)


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
    shown = GROUND_TRUTHS_SCRIPT.sub("", html)
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
    own = {path: files()[path].decode() for path in ("theme.css", "frame.css", "bounding_box.css")}
    script = bundle(_modules(files()), ELEMENTS_ENTRY)
    ending = next((path for path, text in own.items() if "</style" in text), "")
    if ending or "</script" in script or "<!--" in script:
        raise ValueError(f"{ending or ELEMENTS_ENTRY} has the end of its own element in it.")
    return (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<script>Object.defineProperty(window, "truthmillFrame", { value: { name, parent } });</script>'
        f"<style>{own['theme.css']}{own['frame.css']}</style>"
        f'<style id="truthmill-bounding-box" media="not all">{own["bounding_box.css"]}</style>'
        f'<script type="module">{script}</script>\n'
    )


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    """All files but the front page, by their path in the folder, and the portal's bundles; some 200 kB."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in KINDS)
    found = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    return found | {
        PORTAL_BUNDLE: bundle(_modules(found), PORTAL_ENTRY).encode(),
        PORTAL_STYLES: found["theme.css"] + found["portal.css"],
    }


def _modules(found: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in found.items() if path.endswith(".js")}


def kind(path: str) -> str:
    """The media type of a file."""
    return KINDS[Path(path).suffix]


def front_page() -> str:
    """The portal's one HTML page."""
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    return page.replace("{{digest}}", digest()).replace("{{early}}", _early())


def early_source() -> str:
    """What a policy calls the one script that is written into the front page (CSP Level 3, 2.3.1)."""
    hashed = hashlib.sha256(_early().encode()).digest()
    return f"'sha256-{base64.b64encode(hashed).decode()}'"


@lru_cache(maxsize=1)
def _early() -> str:
    return without_remarks(files()[EARLY].decode()).strip()


@lru_cache(maxsize=1)
def digest() -> str:
    """Follows from the names and contents of all files."""
    total = hashlib.sha256()
    for path, content in files().items():
        total.update(f"{path} {len(content)} ".encode() + content)
    return total.hexdigest()[:16]


@lru_cache(maxsize=128)
def packed(path: str) -> bytes:
    return gzip.compress(files()[path], mtime=0)
