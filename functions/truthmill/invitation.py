"""The e-mail that invites a worker: where to go, as whom, with which password, and what it is about."""

import re
from html import escape

SUBJECT = "You are invited to label pictures"
PASSWORD_LINE = "Temporary password: {####}</p>"  # noqa: S105 how the mail says it, with the pool's placeholder
MOST = 500  # characters of what it is about
MOST_NAME = 100  # characters of who is invited
# Enough to catch what was typed wrong; whether it can be mailed to is the mail's to find out.
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s.<>,;:\"()\[\]\\]+(\.[^@\s.<>,;:\"()\[\]\\]+)+")


def is_address(given: str) -> bool:
    """Whether that may be one e-mail address, of at most 254 characters (RFC 5321, 4.5.3.1)."""
    return len(given) <= 254 and given.isprintable() and _ADDRESS.fullmatch(given) is not None


def message(portal: str, about: str = "", name: str = "") -> str:
    """The mail as HTML, with the user pool's placeholders for name ({username}) and password ({####}).

    portal: address for a browser. about: whatever the one who invites says of the work; name: what they call
    the one who is invited. Both are shown as text, whatever is in them.
    """
    greeting = f"<p>{_text(name[:MOST_NAME])},</p>" if name.strip() else ""
    work = f"<p>{_text(about[:MOST])}</p>" if about.strip() else ""
    return (
        f"{greeting}<p>You are invited to label pictures: you see one after another, and draw a box around "
        f"each thing that is asked for.</p>{work}"
        f'<p>Sign in here: <a href="{_text(portal)}">{_text(portal)}</a></p>'
        f"<p>User name: {{username}}<br>{PASSWORD_LINE}"
        "<p>At the first sign-in you choose a password of your own. The invitation is good for 7 days; "
        "after that, ask the one who invited you for a new one.</p>"
    )


def _text(given: str) -> str:
    """Neither markup nor a placeholder."""
    return escape(" ".join(given.split())).replace("{", "&#123;").replace("}", "&#125;")
