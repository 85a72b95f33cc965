"""The portal for those who run teams. A lead sees the teams they are in, and nothing of others."""

from adapters.accounts import LEADS
from adapters.links import link
from adapters.members import Member, Members, NotInvitedError
from adapters.sessions import Session
from adapters.team_work import Team, TeamWork, team_name
from labeling.observed import logger
from labeling.portal_account import Portal, signed_in
from labeling.web import Reply, Web
from truthmill import review
from truthmill.errors import PortalError
from truthmill.invitation import MOST_NAME, is_address
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import iso_milli

MOST_OBJECTS = 100
MOST_INVITATIONS = 50  # of a lead in a window of 15 minutes, sent again or not: they are mails to anybody


def teams(web: Web, portal: Portal) -> Reply:
    """The teams that the lead is in."""
    work, groups, _ = _lead(web, portal)
    own = [team for team in work.all_teams() if team.groups & groups]
    return Reply(document={"teams": [{"team": each.name, "description": each.description} for each in own]})


def team(web: Web, portal: Portal, team: str) -> Reply:
    """A team: who is in it, and what it was given to do."""
    work, found, _ = _own_team(web, portal, team)
    return Reply(
        document={
            "team": found.name,
            "description": found.description,
            "members": [
                {
                    "member": each.member,
                    "email": each.email,
                    "name": each.name,
                    "state": each.state,
                    "invited": iso_milli(each.invited),
                    "lead": each.lead,
                }
                for each in work.members.of(found.groups)
            ],
            "jobs": work.team_jobs(found),
        }
    )


def invite(web: Web, portal: Portal, team: str) -> Reply:
    """Somebody into the team: by mail, or at once where they have an account from another team."""
    work, found, session = _own_team(web, portal, team)
    email, name = web.text("email", 254).strip(), _name(web)
    if not is_address(email):
        raise PortalError(422, "Invalid", f"{email!r} isn't an e-mail address.")
    if _by_address(work, found, email) is not None:
        raise PortalError(409, "AlreadyMember", f"{email} is in the team already.", {"email": email})
    _count_invitation(portal, session)
    try:
        invited = work.members.invite(email, found.group, found.description, name=name)
    except NotInvitedError as error:
        words = f"{email} could not be invited: {error}"
        raise PortalError(409, "NotSent", words, {"email": email}) from error
    _audit("Invited", session, found, _by_address(work, found, email))
    return Reply(document={"invited": invited})


def resend(web: Web, portal: Portal, team: str, member: str) -> Reply:
    """The invitation by mail once more."""
    work, found, session = _own_team(web, portal, team)
    one = _member(work, found, member)
    if one.state != "invited":
        words = f"{one.email} has signed in already; there is nothing to resend."
        raise PortalError(409, "NotInvited", words, {"email": one.email})
    _count_invitation(portal, session)
    work.members.resend(one, found.description)
    _audit("Invited again", session, found, one)
    return Reply(document={"sent": True})


def remove(web: Web, portal: Portal, team: str, member: str) -> Reply:
    """Somebody out of the team; what they held goes back at once."""
    work, found, session = _own_team(web, portal, team)
    one = _member(work, found, member)
    returned = work.remove(found, one, portal.now())
    _audit("Removed", session, found, one)
    return Reply(document={"removed": True, "returned": returned})


def reset_factor(web: Web, portal: Portal, team: str, member: str) -> Reply:
    """For who has lost their device: signed out, and asked for no code until they set up another one."""
    work, found, session = _own_team(web, portal, team)
    one = _member(work, found, member)
    work.reset_factor(one)
    _audit("Second factor reset", session, found, one)
    return Reply(document={"reset": True})


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


def _name(web: Web) -> str:
    """What somebody who is invited is called; may be left out. Raises PortalError."""
    return web.text("name", MOST_NAME).strip() if web.document().get("name") else ""


def _count_invitation(portal: Portal, session: Session) -> None:
    if not portal.sessions.try_once(f"invitations {session.sub}", MOST_INVITATIONS, portal.now() // 1000):
        raise PortalError(429, "TooManyTries", "Too many invitations. Wait 15 minutes, then go on.")


def _audit(what: str, session: Session, team: Team, member: Member | None) -> None:
    """Who did what to whom, by their identities: addresses stay out of the logs."""
    logger.info(what, extra={"team": team.name, "member": member.member if member else "", "by": session.sub})


def _by_address(work: TeamWork, team: Team, email: str) -> Member | None:
    """Somebody in the team; in addresses upper and lower case are the same."""
    members = work.members.of(team.groups)
    return next((each for each in members if each.email.lower() == email.lower()), None)


def _lead(web: Web, portal: Portal) -> tuple[TeamWork, frozenset[str], Session]:
    """What leads work with, and the one who asks: their groups as they are now. Raises PortalError."""
    session = signed_in(web, portal)
    groups = portal.accounts.groups(session.username)
    if LEADS not in groups:
        raise PortalError(403, "NotLead", "This part is for those who run a team.")
    members = Members(portal.accounts.client, portal.accounts.pool)
    work = TeamWork(portal.jobs, portal.teams, portal.tasks, portal.sessions, members)
    return work, groups - {LEADS}, session


def _own_team(web: Web, portal: Portal, name: str) -> tuple[TeamWork, Team, Session]:
    """A team of others is as little there as one that doesn't exist."""
    work, groups, session = _lead(web, portal)
    found = work.team(name)
    if found is None or not found.groups & groups:
        raise PortalError(404, "NoSuchTeam", f"You run no team {name!r}.")
    return work, found, session


def _own_job(web: Web, portal: Portal, name: str) -> tuple[TeamWork, Job, Team]:
    work, groups, _ = _lead(web, portal)
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
