"""What the one who runs a team does: look at members, jobs and answers, and take somebody out of it.

The portal's pages for leads and the command `truthmill team` both work by this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import msgspec

from adapters.jobs import Jobs, Teams
from adapters.members import Member, Members
from adapters.sessions import Sessions
from adapters.table import Item, Table
from adapters.tasks import Tasks
from truthmill import review
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import Submitted, iso_milli
from truthmill.leases import LeaseRefusedError
from truthmill.review import Declined, Reviewed

SAMPLE = 2_000  # objects that are looked at for times and agreement
MOST_JOBS = 100


@dataclass(frozen=True, slots=True)
class Team:
    """A work team and the groups of the pool that make it up."""

    name: str
    description: str
    groups: frozenset[str]

    @property
    def group(self) -> str:
        """The one that new members are put into."""
        return min(self.groups)


@dataclass(frozen=True, slots=True)
class TeamWork:
    """Teams, their members and their jobs in one labeling stack."""

    jobs: Jobs
    teams: Teams
    tasks: Tasks
    sessions: Sessions
    members: Members

    @classmethod
    def of(cls, table: Table, members: Members) -> "TeamWork":
        return cls(Jobs(table), Teams(table), Tasks(table), Sessions(table), members)

    def all_teams(self) -> list[Team]:
        return [_team(item) for item in self.teams.all()]

    def team(self, name: str) -> Team | None:
        item = self.teams.get(name)
        return _team(item) if item else None

    def team_jobs(self, team: Team) -> list[dict[str, Any]]:
        """The team's jobs, the newest first; at most MOST_JOBS."""
        own = [job for job in self.jobs.all() if team_name(job) == team.name]
        newest = sorted(own, key=lambda job: job.created, reverse=True)[:MOST_JOBS]
        return [self.job(job) for job in newest]

    def job(self, job: Job) -> dict[str, Any]:
        """How a job stands."""
        counters = self.jobs.counters(job)
        return {
            "job": job.name,
            "title": job.task["TaskTitle"],
            "status": job.status,
            "objects": job.objects,
            "labeled": counters.labeled,
            "expired": counters.expired,
            "remaining": job.objects - counters.done,
            "answers": counters.answers,
            "labels": list(job.labels),
            "workersPerObject": job.workers_per_object,
            "created": iso_milli(job.created),
        }

    def progress(self, job: Job, members: list[Member]) -> dict[str, Any]:
        """How far each member got, and who worked on the job before they left the team.

        Counts of answers are exact; times and agreement are of at most SAMPLE objects, spread over the job.
        """
        sample = list(self._sample(job))
        seen = review.progress(sample)
        emails = {member.member: member.email for member in members}
        workers = []
        for worker in dict.fromkeys([*emails, *seen]):
            desk = self.tasks.desk(worker, job.name)
            fields = msgspec.to_builtins(seen.get(worker, review.Progress()))
            own = {"member": worker, "email": emails.get(worker, ""), "holds": len(desk.held)}
            workers.append({**fields, **own, "answered": desk.answered})
        return {"job": self.job(job), "workers": workers, "sampled": len(sample)}

    def objects(self, job: Job, after: int, count: int, emails: dict[str, str]) -> dict[str, Any]:
        """Objects of a job in the manifest's order. after: the number before the first, -1 to begin."""
        numbers = range(after + 1, min(job.objects, after + 1 + count))
        found = [one for number in numbers if (one := self.object(job, number))]
        more = bool(numbers) and numbers[-1] + 1 < job.objects
        return {
            "objects": [review.summary(each, emails) for each in found],
            "next": numbers[-1] if more else None,
        }

    def object(self, job: Job, number: int) -> Reviewed | None:
        """One object with its answers; None where the job has none of that number."""
        return _reviewed(list(self.tasks.rows(job, job.shard(number), number)))

    def remove(self, team: Team, member: Member, now: int) -> int:
        """Take somebody out of a team and sign them out; their tasks go back at once. Answers how many did.

        now: milliseconds since 1970.
        """
        self.members.remove(member, team.groups)
        self.sessions.end_all(member.member)
        returned = 0
        for desk in self.tasks.desks(member.member):
            job = self.jobs.get(desk.job) if desk.held else None
            if job is None or team_name(job) != team.name:
                continue
            for each in desk.held:
                self._release(job, member.member, each.number, now)
                returned += each.until > now
        return returned

    def reset_factor(self, member: Member) -> None:
        """For who has lost the device of their second factor; they are signed out."""
        self.members.reset_factor(member)
        self.sessions.end_all(member.member)

    def _release(self, job: Job, worker: str, number: int, now: int) -> None:
        try:
            self.tasks.release(job, worker, number, now)
        except LeaseRefusedError:
            return  # it is gone; nobody waits for it

    def _sample(self, job: Job) -> Iterator[Reviewed]:
        """Objects of which somebody did something, as many from each shard: they are spread evenly."""
        each = max(1, SAMPLE // job.shards)
        for shard in range(job.shards):
            groups = groupby(self.tasks.rows(job, shard), key=lambda item: item["sk"][:6])
            found = (_reviewed(list(items)) for _, items in groups)
            touched = (one for one in found if one and (one.answers or one.declined))
            yield from islice(touched, each)


def team_name(job: Job) -> str:
    """The team that a job was given to."""
    return job.team_arn.rsplit("/", 1)[-1]


def _team(item: Item) -> Team:
    groups = (each["CognitoMemberDefinition"]["UserGroup"] for each in item["MemberDefinitions"])
    return Team(item["sk"], item.get("Description", ""), frozenset(groups))


def _reviewed(rows: list[Item]) -> Reviewed | None:
    """An object from what lies under its number: itself, declines (`number#!worker`), answers."""
    task = next((row for row in rows if "line" in row), None)
    if task is None:
        return None
    return Reviewed(
        number=task["number"],
        uri=task["uri"],
        state=task["state"],
        answers=tuple(msgspec.json.decode(row["answer"], type=Submitted) for row in rows if "answer" in row),
        declined=tuple(
            Declined(row["sk"].partition("#!")[2], row["declined"])
            for row in rows
            if "declined" in row and "line" not in row
        ),
    )
