"""The files of the portal's page and of a task's page, which lie in labeling/page."""

from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "labeling" / "page"
KINDS = (".css", ".js", ".svg", ".html")


@lru_cache(maxsize=1)
def files() -> dict[str, str]:
    """All of them by their path in the folder; some 200 kB."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in KINDS)
    return {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def modules() -> dict[str, str]:
    return {path: text for path, text in files().items() if path.endswith(".js")}
