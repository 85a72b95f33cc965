"""Work teams: the one that labeling jobs go to unless a request says otherwise, and what each does."""

import contextlib
import re
from typing import TYPE_CHECKING, Any

from truthmill_cli import stack
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack
from truthmill_cli.team_defaults import ABOUT, TEAM

if TYPE_CHECKING:
    from adapters.members import Member
    from adapters.team_work import Team, TeamWork
    from truthmill.labeling_jobs import Job

_NAME = re.compile("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # SageMaker's WorkteamName
MOST_ABOUT = 200  # its String200

# What SageMaker answers for a team that isn't there, and what it answers elsewhere.
_MISSING = ("ResourceNotFound", "ValidationException")


def ensure(
    labeling_endpoint: str, user_pool: str, user_pool_client: str, name: str = TEAM, about: str = ABOUT
) -> str:
    """A team's ARN; it is created where it doesn't exist.

    about: what the team does; invitations say it.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- slow to import

    from adapters import sagemaker  # noqa: PLC0415

    _ensure_group(user_pool, name)
    service = sagemaker.client(labeling_endpoint)
    try:
        return str(service.describe_workteam(WorkteamName=name)["Workteam"]["WorkteamArn"])
    except ClientError as error:
        if error.response["Error"].get("Code") not in _MISSING:
            raise
    member = {"UserPool": user_pool, "UserGroup": name, "ClientId": user_pool_client}
    created = service.create_workteam(
        WorkteamName=name,
        Description=about,
        MemberDefinitions=[{"CognitoMemberDefinition": member}],
    )
    return str(created["WorkteamArn"])


def create(where: Stack, name: str, about: str) -> str:
    """A team and its group; its ARN. Raises UsageError where there is one or can be none like it."""
    from adapters.accounts import LEADS  # noqa: PLC0415 -- slow to import

    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A team can't be named {name!r}: letters, digits and single hyphens between them, at most 63."
        )
    if name.lower() == LEADS:
        raise UsageError(f"{name} is the group of those who run teams; name the team otherwise.")
    if not 1 <= len(about.strip()) <= MOST_ABOUT:
        raise UsageError(
            f"--about has {len(about.strip())} characters; a team is described in 1 to {MOST_ABOUT}."
        )
    if any(each.name == name for each in work(where).all_teams()):
        raise UsageError(f"There is a work team {name!r} already.")
    return ensure(where.labeling_endpoint, where.user_pool, where.user_pool_client, name, about)


def _ensure_group(user_pool: str, name: str) -> None:
    """The group that a team's members are in; it has the team's name."""
    accounts = stack.client("cognito-idp")
    with contextlib.suppress(accounts.exceptions.GroupExistsException):
        accounts.create_group(UserPoolId=user_pool, GroupName=name)


def work(where: Stack) -> "TeamWork":
    """Teams, members and jobs of the stack. Raises UsageError where labeling is Ground Truth's."""
    from adapters.members import Members  # noqa: PLC0415 -- slow to import
    from adapters.table import Table  # noqa: PLC0415
    from adapters.team_work import TeamWork  # noqa: PLC0415

    if not where.user_pool:
        raise UsageError(
            f"Stack {where.name} has no labeling stack of its own, so its workers are Ground Truth's. "
            "Invite them in SageMaker's console, or name the labeling stack with --labeling-stack-name."
        )
    table = Table(stack.client("dynamodb"), where.table)
    return TeamWork.of(table, Members(stack.client("cognito-idp"), where.user_pool))


def find(where: Stack, name: str) -> "Team":
    """A team by its name. Raises UsageError."""
    teams = work(where).all_teams()
    found = next((each for each in teams if each.name == name), None)
    if found is None:
        known = ", ".join(sorted(each.name for each in teams)) or "none yet"
        raise UsageError(
            f"There is no work team {name!r}; there are: {known}. `truthmill team create {name}` makes it."
        )
    return found


def member(where: Stack, of: "Team", email: str) -> "Member":
    """Somebody in a team, by their address. Raises UsageError."""
    for each in work(where).members.of(of.groups):
        if each.email.lower() == email.lower():
            return each
    raise UsageError(f"{email} isn't in team {of.name}. See who is: truthmill workers list --team {of.name}")


def overview(where: Stack) -> list[dict[str, Any]]:
    """Every team with its members, by state, and its jobs."""
    teams = work(where)
    return [
        {
            "team": each.name,
            "description": each.description,
            "members": _by_state(teams.members.of(each.groups)),
            "jobs": teams.team_jobs(each),
        }
        for each in teams.all_teams()
    ]


def progress(where: Stack, job: str) -> dict[str, Any]:
    """How far everybody got in a job. Raises UsageError where there is none of that name."""
    teams, found = _job(where, job)
    return teams.progress(found, _members_of(teams, found))


def answered_object(where: Stack, job: str, number: int) -> dict[str, Any]:
    """An object of a job with its answers, and the URI of its picture. Raises UsageError."""
    from truthmill import review  # noqa: PLC0415

    teams, found = _job(where, job)
    each = teams.object(found, number)
    if each is None:
        raise UsageError(f"Job {job} has no object {number}; it has 0 to {found.objects - 1}.")
    emails = {one.member: one.email for one in _members_of(teams, found)}
    return {**review.detail(each, found.labels, emails), "uri": each.uri}


def _job(where: Stack, name: str) -> "tuple[TeamWork, Job]":
    teams = work(where)
    found = teams.jobs.get(name)
    if found is None:
        raise UsageError(f"There is no labeling job {name!r}. See which there are: truthmill team list")
    return teams, found


def _members_of(teams: "TeamWork", job: "Job") -> "list[Member]":
    from adapters.team_work import team_name  # noqa: PLC0415

    found = teams.team(team_name(job))
    return teams.members.of(found.groups) if found else []


def _by_state(members: "list[Member]") -> dict[str, int]:
    states = [each.state for each in members]
    return {state: states.count(state) for state in sorted(set(states))}
