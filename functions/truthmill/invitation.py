"""The e-mail that invites a worker: where to go, as whom, with which password, and what it is about."""

from html import escape

SUBJECT = "You are invited to label pictures"
PASSWORD_LINE = "Temporary password: {####}</p>"  # noqa: S105 how the mail says it, with the pool's placeholder
MOST = 500  # characters of what it is about


def message(portal: str, about: str = "") -> str:
    """The mail as HTML, with the user pool's placeholders for name ({username}) and password ({####}).

    portal: address for a browser. about: whatever the one who invites says of the work; shown as text,
    whatever is in it.
    """
    work = f"<p>{_text(about[:MOST])}</p>" if about.strip() else ""
    return (
        "<p>You are invited to label pictures: you see one after another, and draw a box around each "
        f"thing that is asked for.</p>{work}"
        f'<p>Sign in here: <a href="{_text(portal)}">{_text(portal)}</a></p>'
        f"<p>User name: {{username}}<br>{PASSWORD_LINE}"
        "<p>At the first sign-in you choose a password of your own. The invitation is good for 7 days; "
        "after that, ask the one who invited you for a new one.</p>"
    )


def _text(given: str) -> str:
    """Neither markup nor a placeholder."""
    return escape(" ".join(given.split())).replace("{", "&#123;").replace("}", "&#125;")
