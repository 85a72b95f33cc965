"""A task's page, the same for a worker, for RenderUiTemplate and for `truthmill preview`.

The job's template is rendered, and our crowd elements take the place of Ground Truth's. The page's files lie
in labeling/page; a file's address holds a digest over all of them, so a browser keeps it for good and a
deployment changes it.
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from adapters.page_bundle import bundle

FOLDER = Path(__file__).parent.parent / "labeling" / "page"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
BUNDLES = {"portal/bundle.js": "portal/main.js", "elements/bundle.js": "elements/main.js"}
GROUND_TRUTHS_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?https?://assets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A rendered page. links: what its template was given to read, each to one object."""

    html: str
    links: tuple[str, ...]


def task_page(
    template: str, task_input: Mapping[str, Any], link: Callable[[str], str], origin: str = ""
) -> TaskPage:
    """Render a template for a task. Raises worker_template.TemplateError.

    link: from an S3 URI to a link that a browser can read. origin: where the page's files are, without a
    slash at its end; empty where the page itself comes from there.
    """
    from truthmill import worker_template  # Liquid is half of all that the portal imports

    links: list[str] = []

    def granted(uri: str) -> str:
        links.append(link(uri))
        return links[-1]

    html = worker_template.render(template, task_input, granted)
    return TaskPage(framed(html, origin), tuple(links))


def framed(html: str, origin: str = "") -> str:
    """A rendered template with our crowd elements in the place of Ground Truth's."""
    own = f"{origin}/page/{digest()}"
    beginning = (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{own}/theme.css"><link rel="stylesheet" href="{own}/frame.css">'
        f'<link rel="preload" as="style" href="{own}/bounding_box.css">'
        f'<script type="module" src="{own}/elements/bundle.js"></script>\n'
    )
    return beginning + GROUND_TRUTHS_SCRIPT.sub("", html)


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    """All files but the front page, by their path in the folder, and the bundles; some 250 kB."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in KINDS)
    found = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    modules = {path: content.decode() for path, content in found.items() if path.endswith(".js")}
    return found | {path: bundle(modules, entry).encode() for path, entry in BUNDLES.items()}


def kind(path: str) -> str:
    """The media type of a file."""
    return KINDS[Path(path).suffix]


def front_page() -> str:
    """The portal's one HTML page."""
    return (FOLDER / "index.html").read_text(encoding="utf-8").replace("{{digest}}", digest())


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
