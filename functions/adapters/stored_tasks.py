"""The objects of jobs as they lie in the table: keys, queues, items; how they are read and written.

pk TASKS#<job>#<shard>  sk <number>             an object; waits in the queue TASKS#<job>#<shard> while open
                        sk <number>#<worker>    a worker's answer to it, so that one query reads both in order
                        sk <number>#!<worker>   that a worker declined it, and why
pk COUNTS#<job>         sk <shard>              objects done in the shard
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Any

import msgspec

from adapters.desks import Desk, desk_key
from adapters.gold_tasks import GoldTasks
from adapters.table import Item, Key, Table
from truthmill import leases
from truthmill.labeling_input import NewObject
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import LabeledObject, Submitted
from truthmill.leases import Task

KEPT_S = 120 * 86_400  # a task and its answers leave the table that long after they were made


class StoredTask(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it lies in the table: its state, its manifest line, its picture.

    uri: empty where the line holds the object itself. input: what the job's own pre-annotation function made
    of it, as JSON. reason: why no worker is asked.
    """

    task: Task
    line: str
    uri: str
    input: str = ""
    reason: str = ""


def labeled_object(stored: StoredTask, answers: list[Submitted], size: int) -> LabeledObject:
    return LabeledObject(
        number=stored.task.number,
        line=stored.line,
        state=leases.LABELED if stored.task.labeled else stored.task.state,
        answers=tuple(answers),
        uri=stored.uri,
        reason=stored.reason,
        size=size,
    )


def queue(job: Job, shard: int) -> str:
    return f"TASKS#{job.name}#{shard:02d}"


def task_key(job: Job, number: int) -> Key:
    return queue(job, job.shard(number)), f"{number:06d}"


def new_task(job: Job, number: int, each: NewObject) -> StoredTask:
    task = Task(number=number, needed=job.workers_per_object, state=each.state)
    return StoredTask(task=task, line=each.line, uri=each.uri, input=each.input, reason=each.reason)


def task_item(job: Job, stored: StoredTask) -> Item:
    pk, sk = task_key(job, stored.task.number)
    item = {"pk": pk, "sk": sk, **msgspec.to_builtins(stored.task), "line": stored.line, "uri": stored.uri}
    item |= {name: text for name in ("input", "reason") if (text := getattr(stored, name))}
    place = leases.position(stored.task)
    return item | {"queue": pk, "place": place} if place else item


def stored_task(item: Item) -> StoredTask:
    return StoredTask(
        task=msgspec.convert(item, Task),
        line=item["line"],
        uri=item["uri"],
        input=item.get("input", ""),
        reason=item.get("reason", ""),
    )


class StoredTasks:
    """The objects of jobs, read; and put there when a job starts."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.gold = GoldTasks(table)

    def load(self, job: Job, objects: Iterable[NewObject], now: int, first: int = 0) -> int:
        """Write tasks of a job, in the manifest's order from number `first` on. Answers how many."""
        expires = now // 1000 + KEPT_S
        return self.table.write_many(
            task_item(job, new_task(job, number, each)) | {"expires": expires}
            for number, each in enumerate(objects, first)
        )

    def get(self, job: Job, number: int) -> StoredTask | None:
        """An object; a gold picture looks like one."""
        if job.is_gold(number):
            picture = self.gold.get(job, number)
            if picture is None:
                return None
            return StoredTask(task=Task(number=number, needed=1), line=picture.line, uri=picture.uri)
        item = self.table.get(task_key(job, number))
        return stored_task(item) if item else None

    def get_all(self, job: Job, numbers: Collection[int]) -> dict[int, StoredTask]:
        """Objects by their number, those that there are; by one request, but gold pictures one by one."""
        own = [number for number in numbers if not job.is_gold(number)]
        items = self.table.get_all(*(task_key(job, number) for number in own))
        found = {number: stored_task(item) for number, item in zip(own, items, strict=True) if item}
        gold = (number for number in numbers if job.is_gold(number))
        return found | {number: stored for number in gold if (stored := self.get(job, number))}

    def desk(self, worker: str, job: str) -> Desk:
        return _desk(self.table.get(desk_key(worker, job)), worker, job)

    def with_desk(
        self, job: Job, number: int, worker: str, read: Mapping[Key, Item | None] | None = None
    ) -> tuple[StoredTask | None, Desk]:
        """An object, and the desk of who works at it; by one request. read: what was read by a guess."""
        if job.is_gold(number):
            return self.get(job, number), self.desk(worker, job.name)
        keys = task_key(job, number), desk_key(worker, job.name)
        task, desk = map(read.get, keys) if read and keys[0] in read else self.table.get_all(*keys)
        return stored_task(task) if task else None, _desk(desk, worker, job.name)

    def desks_at(self, worker: str, jobs: Sequence[str]) -> list[Desk]:
        """What a worker holds in each of some jobs, in their order."""
        items = self.table.get_all(*(desk_key(worker, job) for job in jobs))
        return [_desk(item, worker, job) for job, item in zip(jobs, items, strict=True)]

    def desks(self, worker: str) -> Iterator[Desk]:
        """What a worker holds, in every job they ever took a task of."""
        return (msgspec.convert(item, Desk) for item in self.table.query(f"WORKER#{worker}", "JOB#"))

    def rows(self, job: Job, shard: int, number: int | None = None) -> Iterator[Item]:
        """What lies in a shard, or of one object: each object, then declines of it and answers to it."""
        return self.table.query(queue(job, shard), "" if number is None else f"{number:06d}")

    def answers_to(self, job: Job, number: int) -> list[Submitted]:
        """The answers to one object."""
        rows = self.rows(job, job.shard(number), number)
        return [msgspec.json.decode(row["answer"], type=Submitted) for row in rows if "answer" in row]

    def objects(self, job: Job, first: int = 0) -> Iterator[LabeledObject]:
        """The objects from one on with their answers, in the manifest's order; a page of a shard is held."""
        shards = (self._shard(job, shard, first) for shard in range(job.shards))
        return merge(*shards, key=lambda each: each.number)

    def _shard(self, job: Job, shard: int, first: int) -> Iterator[LabeledObject]:
        current: StoredTask | None = None
        answers: list[Submitted] = []
        size = 0
        for item in self.table.query(queue(job, shard), first=f"{first:06d}"):
            if "line" in item:
                if current is not None:
                    yield labeled_object(current, answers, size)
                current, answers, size = stored_task(item), [], len(item["line"])
            elif "answer" in item:
                answers.append(msgspec.json.decode(item["answer"], type=Submitted))
                size += len(item["answer"])
        if current is not None:
            yield labeled_object(current, answers, size)


def _desk(item: Item | None, worker: str, job: str) -> Desk:
    return msgspec.convert(item, Desk) if item else Desk(worker=worker, job=job)


def updating(table: Table, job: Job, was: Task, task: Task) -> dict[str, Any]:
    """A write for `Table.write` that fails where the object isn't any more what it was."""
    place = leases.position(task)
    values: dict[str, Any] = {
        "was": was.version,
        "version": task.version,
        "state": task.state,
        "answered": list(task.answered),
        "declined": list(task.declined),
        "withdrawn": list(task.withdrawn),
        "extra": task.extra,
        "leases": task.leases,
        "lapsed": list(task.lapsed),
        "queued": task.queued,
    }
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in values if name != "was")
    if place:
        expression += ", #queue = :queue, #place = :place"
        values |= {"queue": queue(job, job.shard(task.number)), "place": place}
    else:
        expression += " REMOVE #queue, #place"
    return table.updating(task_key(job, task.number), expression, values, "#version = :was")


def counting(table: Table, job: Job, was: Task, task: Task, now: int) -> dict[str, Any]:
    """A write for `Table.write` that counts what came of an object; it fails where the job is closed."""
    values = {
        "answers": len(task.answered) - len(was.answered),
        "withdrawn": len(task.withdrawn) - len(was.withdrawn),
        "labeled": int(task.labeled) - int(was.labeled),
        "expired": int(task.state == leases.EXPIRED) - int(was.state == leases.EXPIRED),
        "extra": int(task.waits_for_extra) - int(was.waits_for_extra),
        "last": now,
    }
    return table.updating(
        (f"COUNTS#{job.name}", f"{job.shard(task.number):02d}"),
        "SET #last = :last ADD #answers :answers, #withdrawn :withdrawn, #labeled :labeled, "
        "#expired :expired, #extra :extra",
        values,
        "attribute_not_exists(#closed)",
    )
