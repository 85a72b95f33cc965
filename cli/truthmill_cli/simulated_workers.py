"""`truthmill workers simulate`: accounts for simulated workers, and their work until nothing waits."""

import json
import re
import secrets
import urllib.request
from dataclasses import dataclass
from typing import Any

from truthmill_cli import stack, workers
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home
from truthmill_cli.stack import Stack

REMEMBERED = "workers.json"
_DEFAULT_INVITATION = "Your username is {username} and temporary password is {####}."


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a simulated worker signs in. temporary: not empty where `password` has to be chosen first."""

    email: str
    password: str
    temporary: str = ""


def credentials(where: Stack, home: Home, count: int) -> list[Credentials]:
    """As many simulated workers, invited where they don't exist yet. Their passwords are remembered."""
    return [_credentials(where, home, f"simulated-{number}@example.com") for number in range(1, count + 1)]


def _credentials(where: Stack, home: Home, email: str) -> Credentials:
    remembered = home.read(REMEMBERED)
    known = remembered.get(where.user_pool, {})
    state = _state(where, email)
    if email in known and state == "CONFIRMED":
        return Credentials(email, known[email])
    password = known.get(email) or new_password()
    home.write(REMEMBERED, remembered | {where.user_pool: known | {email: password}})
    return Credentials(email, password, _invite(where, email, state))


def _state(where: Stack, email: str) -> str:
    service = stack.client("cognito-idp")
    try:
        return str(service.admin_get_user(UserPoolId=where.user_pool, Username=email)["UserStatus"])
    except service.exceptions.UserNotFoundException:
        return ""


def _invite(where: Stack, email: str, state: str) -> str:
    """The temporary password of an invitation. Nobody reads example.com's mail, so in AWS one is set."""
    if state:  # invited before, by a simulation that was cut short
        temporary = new_password()
        stack.client("cognito-idp").admin_set_user_password(
            UserPoolId=where.user_pool, Username=email, Password=temporary, Permanent=False
        )
        return temporary
    if not where.is_local:
        temporary = new_password()
        workers.invite(where, email, temporary)
        return temporary
    workers.invite(where, email)
    return read_invitation(_newest_mail(where, email), _invitation(where), email)


def _newest_mail(where: Stack, email: str) -> str:
    """The last mail to an address, from the local engine's mailbox."""
    with urllib.request.urlopen(f"{where.endpoint}/_ministack/ses/messages", timeout=10) as answer:  # noqa: S310
        accounts: dict[str, Any] = json.load(answer)["messages"]
    mails = [mail for sent in accounts.values() for mail in sent if email in mail["To"]]
    if not mails:
        raise FailedError(f"No invitation to {email} was sent.")
    newest = max(mails, key=lambda mail: str(mail["Timestamp"]))
    return str(newest["BodyText"] or newest["BodyHtml"])


def _invitation(where: Stack) -> str:
    """The pool's invitation, with its placeholders."""
    pool = stack.client("cognito-idp").describe_user_pool(UserPoolId=where.user_pool)["UserPool"]
    template = pool.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate", {})
    return str(template.get("EmailMessage") or _DEFAULT_INVITATION)


def read_invitation(mail: str, template: str, email: str) -> str:
    """The temporary password in an invitation, found by the template it was made from. Raises FailedError."""
    before, after = template.split("{####}", 1)
    pattern = _literally(before) + r"(\S+?)" + _literally(after) + r"\s*$"
    match = re.search(pattern, mail)
    if match is None:
        raise FailedError(f"The invitation to {email} doesn't read as the user pool's template says.")
    return match[1]


def _literally(text: str) -> str:
    """A pattern for a part of the template; the user's name may stand anywhere in it."""
    return r"\S+?".join(re.escape(part) for part in text.split("{username}"))


def new_password() -> str:
    """A password that any pool's policy takes: long, of all four kinds of characters."""
    return f"{secrets.token_urlsafe(18)}aA1-"
