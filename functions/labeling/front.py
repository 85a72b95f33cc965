"""How the portal sends its front page."""

import os

from adapters.front_page import front_page, packed_front_page, sources
from labeling.web import Reply, Web, is_local

S3 = "https://*.amazonaws.com https://*.amazonaws.com.cn"  # a lead looks at pictures in the portal itself
POLICY = (
    "default-src 'none'; script-src {early} {script}; style-src {styles}; img-src data: {pictures}; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def front(web: Web) -> Reply:
    """The one HTML page, which anybody may read."""
    pictures = os.environ["AWS_ENDPOINT_URL"] if is_local() else S3
    headers = {
        "content-type": "text/html; charset=utf-8",
        "vary": "accept-encoding",
        "content-security-policy": POLICY.format(pictures=pictures, **sources()),
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
    }
    if web.takes_gzip:
        return Reply(content=packed_front_page(), headers={**headers, "content-encoding": "gzip"})
    return Reply(page=front_page(), headers=headers)
