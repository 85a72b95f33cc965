"""Labeling jobs and work teams in the table.

pk JOBS     sk <job>       a job                         TEMPLATE  sk <job>   its worker template
pk TEAMS    sk <team>      a work team                   COUNTS#<job>  sk <shard>  its counters, sharded
pk TAGS     sk <arn>       tags of a job or a team
Jobs which haven't ended, or whose end isn't announced, wait in the queue ACTIVE.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from adapters.table import ConditionFailedError, Item, Key, Table
from truthmill.labeling_jobs import ENDED, Counters, Job, legal

JOBS, TEAMS, TEMPLATES, TAGS, ACTIVE = "JOBS", "TEAMS", "TEMPLATE", "TAGS", "ACTIVE"
_COUNTED = ("labeled", "expired", "answers", "withdrawn", "extra", "gold")
_END = "\uffff"


class Jobs:
    """Jobs by name, in which upper and lower case are the same (CreateLabelingJob, LabelingJobName)."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def create(self, job: Job) -> bool:
        """Keep a new job; False where the name is taken."""
        try:
            self.table.put(_job_item(job), "attribute_not_exists(#pk)")
        except ConditionFailedError:
            return False
        return True

    def get(self, name: str) -> Job | None:
        return stored_job(self.table.get(job_key(name)))

    def all(self) -> Iterator[Job]:
        return map(_job, self.table.query(JOBS))

    def active(self) -> Iterator[Job]:
        """Jobs that haven't ended, or whose end isn't announced. May lag by a moment."""
        after = ""
        while True:
            found = self.table.waiting(ACTIVE, after, _END, 100)
            for item in found:
                after = item["place"]
            items = self.table.get_all(*(job_key(item["sk"]) for item in found))
            yield from filter(None, map(stored_job, items))
            if len(found) < 100:
                return

    def change(self, job: Job, **changes: Any) -> Job | None:
        """Write changes where the job still is the one read; None where somebody else changed it.

        Raises ValueError for a status that can't follow.
        """
        if not legal(job.status, changes.get("status", job.status)):
            raise ValueError(f"{job.name} is {job.status} and can't become {changes['status']}")
        changed = msgspec.structs.replace(job, revision=job.revision + 1, **changes)
        try:
            self.table.put(_job_item(changed), "#revision = :revision", {"revision": job.revision})
        except ConditionFailedError:
            return None
        return changed

    def update(self, name: str, **changes: Any) -> Job:
        """Write changes whatever else changed. Raises KeyError where there is no such job."""
        while True:
            job = self.get(name)
            if job is None:
                raise KeyError(name)
            changed = self.change(job, **changes)
            if changed is not None:
                return changed

    def claim(self, job: Job, now: int, until: int) -> Job | None:
        """Work on the job alone until a moment; None where somebody else does."""
        return None if job.claim > now else self.change(job, claim=until)

    def tags(self, arn: str) -> dict[str, str]:
        """Tags of a job or a team."""
        item = self.table.get((TAGS, arn))
        return item["tags"] if item else {}

    def set_tags(self, arn: str, tags: dict[str, str]) -> None:
        self.table.put({"pk": TAGS, "sk": arn, "tags": tags})

    def put_template(self, name: str, template: str) -> None:
        self.table.put({"pk": TEMPLATES, "sk": name, "template": template})

    def template(self, name: str) -> str:
        item = self.table.get((TEMPLATES, name))
        return item["template"] if item else ""

    def counters(self, job: Job) -> Counters:
        """The sum over the shards, and what was decided when the tasks were made."""
        shards = list(self.table.query(f"COUNTS#{job.name}"))
        found = {name: sum(shard.get(name, 0) for shard in shards) for name in _COUNTED}
        last = max((shard.get("last", 0) for shard in shards), default=0)
        return Counters(**found, last=last, skipped=job.skipped, unfit=job.unfit)

    def close(self, job: Job) -> None:
        """Take no answer from now on: an answer is written together with its shard's counter."""
        for shard in range(job.shards):
            self.table.write(
                [
                    self.table.updating(
                        (f"COUNTS#{job.name}", f"{shard:02d}"), "SET #closed = :yes", {"yes": True}
                    )
                ]
            )


class Teams:
    """Work teams by name, as plain documents."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def create(self, name: str, team: Item) -> bool:
        """Keep a new team; False where the name is taken."""
        try:
            self.table.put({**team, "pk": TEAMS, "sk": name}, "attribute_not_exists(#pk)")
        except ConditionFailedError:
            return False
        return True

    def replace(self, name: str, team: Item) -> bool:
        """Write a team that is there; False where it isn't."""
        try:
            self.table.put({**team, "pk": TEAMS, "sk": name}, "attribute_exists(#pk)")
        except ConditionFailedError:
            return False
        return True

    def get(self, name: str) -> Item | None:
        return self.table.get((TEAMS, name))

    def all(self) -> Iterator[Item]:
        return self.table.query(TEAMS)

    def delete(self, name: str) -> None:
        self.table.delete((TEAMS, name))


def _job_item(job: Job) -> Item:
    fields = msgspec.structs.asdict(job)
    fields["request"] = msgspec.json.encode(job.request).decode()
    fields["labels"] = list(job.labels)
    fields["rules"] = msgspec.json.encode(job.rules).decode()
    item = {"pk": JOBS, "sk": job.name.lower(), **fields}
    if job.status not in ENDED or not job.announced:
        item |= {"queue": ACTIVE, "place": job.name.lower()}
    return item


def job_key(name: str) -> Key:
    return JOBS, name.lower()


def stored_job(item: Item | None) -> Job | None:
    """The job of an item; None where there is none."""
    return _job(item) if item else None


def _job(item: Item) -> Job:
    decoded: Item = {name: msgspec.json.decode(item[name]) for name in ("request", "rules") if name in item}
    return msgspec.convert({**item, **decoded}, Job)
