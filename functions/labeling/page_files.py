"""The portal's page as files: which there are, how each is sent, and the beginning of a task's page.

A file's address holds a digest over all of them, so a browser keeps it for good and a deployment changes it.
"""

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from labeling.web import Reply, Web

FOLDER = Path(__file__).with_name("page")
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
FRONT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FRONT_HEADERS = {
    "content-security-policy": FRONT_POLICY,
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
# A sandboxed frame has an origin of its own and asks for scripts across origins; they hold no secret.
FILE_HEADERS = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
FOR_GOOD = "public, max-age=31536000, immutable"
GROUND_TRUTHS_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?https?://assets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE
)


def front() -> Reply:
    """The portal's one HTML page."""
    text = (FOLDER / "index.html").read_text(encoding="utf-8").replace("{{digest}}", digest())
    return Reply(page=text, headers=FRONT_HEADERS)


def file(web: Web, given: str, path: str) -> Reply:
    """One file. given: the digest in its address; an old page's is answered too, and not kept."""
    content, kind = files()[path], KINDS[Path(path).suffix]
    headers = {**FILE_HEADERS, "content-type": kind, "vary": "accept-encoding"}
    if given == digest():
        headers["cache-control"] = FOR_GOOD
    if "gzip" in web.headers.get("accept-encoding", ""):
        return Reply(content=packed(path), headers={**headers, "content-encoding": "gzip"})
    return Reply(content=content, headers=headers)


def framed(html: str) -> str:
    """A rendered template with our crowd elements in the place of Ground Truth's."""
    own = f"/page/{digest()}"
    scripts = sorted(path for path in files() if path.endswith(".js") and not path.startswith("portal/"))
    ahead = "".join(f'<link rel="modulepreload" href="{own}/{path}">' for path in scripts)
    beginning = (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{own}/theme.css"><link rel="stylesheet" href="{own}/frame.css">{ahead}'
        f'<script type="module" src="{own}/elements/main.js"></script>\n'
    )
    return beginning + GROUND_TRUTHS_SCRIPT.sub("", html)


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    """All files but the front page, by their path in the folder; some 100 kB."""
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in KINDS)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in found}


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
