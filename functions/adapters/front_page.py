"""The portal's one HTML page, with its styles and scripts written into it.

A browser that had to ask for them would wait for each once more before it could ask for anything else.
"""

import base64
import gzip
import hashlib
import re
from functools import lru_cache
from urllib.parse import quote

from adapters.page_bundle import bundle, without_remarks
from adapters.page_files import files, modules

ENTRY, EARLY, ICON = "portal/main.js", "portal/early.js", "icon.svg"
_ENDS = re.compile(r"</(?:style|script)|<!--", re.IGNORECASE)


@lru_cache(maxsize=1)
def front_page() -> str:
    """Raises ValueError where a part would end its own element."""
    parts = {**_parts(), "icon": quote(files()[ICON].strip())}
    ending = [name for name, text in parts.items() if _ENDS.search(text)]
    if ending:
        raise ValueError(f"The front page's {ending[0]} has the end of its own element in it.")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], files()["index.html"])


@lru_cache(maxsize=1)
def packed_front_page() -> bytes:
    return gzip.compress(front_page().encode(), mtime=0)


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """What a policy calls the styles and scripts that are written into the page (CSP Level 3, 2.3.1)."""
    return {name: _digest(text) for name, text in _parts().items()}


@lru_cache(maxsize=1)
def _parts() -> dict[str, str]:
    return {
        "early": without_remarks(files()[EARLY]).strip(),
        "styles": files()["theme.css"] + files()["portal.css"],
        "script": bundle(modules(), ENTRY),
    }


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
