"""How the portal sends its page's files."""

import os

from adapters.task_page import digest, early_source, files, front_page, kind, packed
from labeling.web import Reply, Web, is_local

S3 = "https://*.amazonaws.com https://*.amazonaws.com.cn"  # a lead looks at pictures in the portal itself
FRONT_POLICY = (
    "default-src 'none'; script-src 'self' {early}; style-src 'self'; img-src 'self' {pictures}; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FRONT_HEADERS = {
    "content-security-policy": FRONT_POLICY,
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
# A sandboxed frame has an origin of its own and asks for scripts across origins; they hold no secret.
FILE_HEADERS = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
FOR_GOOD = "public, max-age=31536000, immutable"


def front() -> Reply:
    """The portal's one HTML page."""
    pictures = os.environ["AWS_ENDPOINT_URL"] if is_local() else S3
    policy = FRONT_HEADERS["content-security-policy"].format(pictures=pictures, early=early_source())
    return Reply(page=front_page(), headers={**FRONT_HEADERS, "content-security-policy": policy})


def file(web: Web, given: str, path: str) -> Reply:
    """One file. given: the digest in its address; an old page's is answered too, and not kept."""
    headers = {**FILE_HEADERS, "content-type": kind(path), "vary": "accept-encoding"}
    if given == digest():
        headers["cache-control"] = FOR_GOOD
    if web.takes_gzip:
        return Reply(content=packed(path), headers={**headers, "content-encoding": "gzip"})
    return Reply(content=files()[path], headers=headers)
