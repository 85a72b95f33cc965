"""`truthmill workers`: accounts of the people who label, invited by e-mail, and the teams they are in."""

import contextlib
import re
import time
from datetime import UTC, datetime
from typing import Any

from truthmill_cli import stack, team
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import TEAM, Stack

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def invite(
    where: Stack,
    email: str,
    temporary_password: str = "",
    *,
    of: str = TEAM,
    lead: bool = False,
    about: str = "",
) -> str:
    """Give somebody an account in a team: "invited", or "member" where they have one already.

    temporary_password: to set one and send no mail; otherwise the pool chooses one and sends the invitation.
    of: the team's name. lead: whether they run the teams they are in. about: what the mail says of the work;
    by default the team's description.
    Raises UsageError where it isn't an address, or there is no such team.
    """
    from adapters.accounts import LEADS  # noqa: PLC0415 -- slow to import

    if not _ADDRESS.fullmatch(email):
        raise UsageError(f"{email!r} isn't an e-mail address.")
    found, service = team.find(where, of), stack.client("cognito-idp")
    pool = where.user_pool
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    delivery: dict[str, Any] = {"DesiredDeliveryMediums": ["EMAIL"]}
    if temporary_password:
        delivery = {"TemporaryPassword": temporary_password, "MessageAction": "SUPPRESS"}
    state = "invited"
    try:
        service.admin_create_user(
            UserPoolId=pool,
            Username=email,
            UserAttributes=attributes,
            ClientMetadata={"about": about or found.description},
            **delivery,
        )
    except service.exceptions.UsernameExistsException:
        state = "member"
    groups = [*sorted(found.groups)[:1], *([LEADS] if lead else [])]
    if lead:
        with contextlib.suppress(service.exceptions.GroupExistsException):
            service.create_group(UserPoolId=pool, GroupName=LEADS)
    for group in groups:
        service.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=group)
    return state


def members(where: Stack, of: str = TEAM) -> list[dict[str, Any]]:
    """The team: each with e-mail, state (invited, active, reset, blocked), day of the invitation, lead."""
    work = team.work(where)
    return [
        {
            "email": each.email,
            "state": each.state,
            "invited": f"{datetime.fromtimestamp(each.invited / 1000, UTC):%Y-%m-%d}",
            "lead": each.lead,
        }
        for each in work.members.of(team.find(where, of).groups)
    ]


def resend(where: Stack, email: str, of: str = TEAM) -> None:
    """Send an invitation again. Raises UsageError for who isn't in the team or has signed in already."""
    found = team.find(where, of)
    one = team.member(where, found, email)
    if one.state != "invited":
        raise UsageError(f"{email} has signed in already, so there is no invitation to send again.")
    team.work(where).members.resend(one, found.description)


def remove(where: Stack, email: str, of: str = TEAM) -> int:
    """Take somebody out of a team and sign them out; answers how many tasks went back to the others."""
    found = team.find(where, of)
    return team.work(where).remove(found, team.member(where, found, email), time.time_ns() // 1_000_000)
