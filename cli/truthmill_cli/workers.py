"""`truthmill workers`: accounts of the people who label, invited by e-mail, and the teams they are in."""

import time
from datetime import UTC, datetime
from typing import Any

from truthmill.invitation import is_address
from truthmill_cli import team
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack
from truthmill_cli.team_defaults import TEAM


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
    Raises UsageError where it isn't an address, can't be mailed to, or there is no such team.
    """
    from adapters.members import NotInvitedError  # noqa: PLC0415 -- slow to import

    if not is_address(email):
        raise UsageError(f"{email!r} isn't an e-mail address.")
    found, members = team.find(where, of), team.work(where).members
    try:
        invited = members.invite(
            email, found.group, about or found.description, temporary_password=temporary_password
        )
    except NotInvitedError as error:
        raise UsageError(f"{email} could not be invited: {error}") from error
    if lead:
        members.make_lead(email)
    return "invited" if invited else "member"


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


def reset_factor(where: Stack, email: str, of: str = TEAM) -> None:
    """For who has lost the device of their second factor; they are signed out. Raises UsageError."""
    team.work(where).reset_factor(team.member(where, team.find(where, of), email))


def remove(where: Stack, email: str, of: str = TEAM) -> int:
    """Take somebody out of a team and sign them out; answers how many tasks went back to the others."""
    found = team.find(where, of)
    return team.work(where).remove(found, team.member(where, found, email), time.time_ns() // 1_000_000)
