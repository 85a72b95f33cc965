"""The portal for those who run teams. A lead sees the teams they are in, and nothing of others."""

from adapters.accounts import LEADS
from adapters.links import link
from adapters.members import Member, Members
from adapters.team_work import Team, TeamWork, team_name
from labeling.observed import logger
from labeling.portal_account import Portal, signed_in
from labeling.web import Reply, Web
from truthmill import review
from truthmill.errors import PortalError
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import iso_milli

MOST_OBJECTS = 100


def teams(web: Web, portal: Portal) -> Reply:
    """The teams that the lead is in."""
    work, groups = _lead(web, portal)
    own = [team for team in work.all_teams() if team.groups & groups]
    return Reply(document={"teams": [{"team": each.name, "description": each.description} for each in own]})


def team(web: Web, portal: Portal, team: str) -> Reply:
    """A team: who is in it, and what it was given to do."""
    work, found = _own_team(web, portal, team)
    return Reply(
        document={
            "team": found.name,
            "description": found.description,
            "members": [
                {
                    "member": each.member,
                    "email": each.email,
                    "state": each.state,
                    "invited": iso_milli(each.invited),
                    "lead": each.lead,
                }
                for each in work.members.of(found.groups)
            ],
            "jobs": work.team_jobs(found),
        }
    )


def resend(web: Web, portal: Portal, team: str, member: str) -> Reply:
    """The invitation by mail once more."""
    work, found = _own_team(web, portal, team)
    one = _member(work, found, member)
    if one.state != "invited":
        raise PortalError(
            409, "NotInvited", f"{one.email} has signed in already; there is nothing to resend."
        )
    work.members.resend(one, found.description)
    return Reply(document={"sent": True})


def remove(web: Web, portal: Portal, team: str, member: str) -> Reply:
    """Somebody out of the team; what they held goes back at once."""
    work, found = _own_team(web, portal, team)
    one = _member(work, found, member)
    returned = work.remove(found, one, portal.now())
    logger.info("Removed", extra={"team": found.name, "member": one.member, "returned": returned})
    return Reply(document={"removed": True, "returned": returned})


def job(web: Web, portal: Portal, job: str) -> Reply:
    """How far everybody got in a job."""
    work, found, own = _own_job(web, portal, job)
    return Reply(document=work.progress(found, work.members.of(own.groups)))


def objects(web: Web, portal: Portal, job: str) -> Reply:
    """The job's objects, page by page."""
    work, found, own = _own_job(web, portal, job)
    after, count = web.number("after", -1), web.number("count", 50)
    if not 1 <= count <= MOST_OBJECTS:
        raise PortalError(422, "Invalid", f'"count" is a whole number from 1 to {MOST_OBJECTS}.')
    return Reply(document=work.objects(found, after, count, _emails(work, own)))


def one_object(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """An object with its answers, ready to be drawn on the picture."""
    work, found, own = _own_job(web, portal, job)
    each = work.object(found, int(task))
    if each is None:
        raise PortalError(404, "NoSuchObject", f"The job has no object {task}.")
    document = review.detail(each, found.labels, _emails(work, own))
    return Reply(document={**document, "picture": link(each.uri)})


def _lead(web: Web, portal: Portal) -> tuple[TeamWork, frozenset[str]]:
    """What leads work with, and the groups of the one who asks, as they are now. Raises PortalError."""
    groups = portal.accounts.groups(signed_in(web, portal).username)
    if LEADS not in groups:
        raise PortalError(403, "NotLead", "This part is for those who run a team.")
    members = Members(portal.accounts.client, portal.accounts.pool)
    return TeamWork(portal.jobs, portal.teams, portal.tasks, portal.sessions, members), groups - {LEADS}


def _own_team(web: Web, portal: Portal, name: str) -> tuple[TeamWork, Team]:
    """A team of others is as little there as one that doesn't exist."""
    work, groups = _lead(web, portal)
    found = work.team(name)
    if found is None or not found.groups & groups:
        raise PortalError(404, "NoSuchTeam", f"You run no team {name!r}.")
    return work, found


def _own_job(web: Web, portal: Portal, name: str) -> tuple[TeamWork, Job, Team]:
    work, groups = _lead(web, portal)
    found = portal.jobs.get(name)
    own = work.team(team_name(found)) if found else None
    if found is None or own is None or not own.groups & groups:
        raise PortalError(404, "NoSuchJob", f"None of your teams has a job {name!r}.")
    return work, found, own


def _member(work: TeamWork, team: Team, identity: str) -> Member:
    found = next((each for each in work.members.of(team.groups) if each.member == identity), None)
    if found is None:
        raise PortalError(404, "NoSuchMember", "The team has no such member.")
    return found


def _emails(work: TeamWork, team: Team) -> dict[str, str]:
    return {each.member: each.email for each in work.members.of(team.groups)}
