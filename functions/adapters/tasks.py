"""Tasks, leases and answers in the table.

pk TASKS#<job>#<shard>  sk <number>             an object; waits in the queue TASKS#<job>#<shard> while open
                        sk <number>#<worker>    a worker's answer to it, so that one query reads both in order
pk COUNTS#<job>         sk <shard>              objects done in the shard

Whoever takes a task goes through a queue from where they got to: what they passed was theirs or somebody
else's, and what comes back is queued anew behind. So choosing never scans, however large the job.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import merge
from itertools import chain, product, repeat
from typing import Any, NamedTuple

import msgspec

from adapters.desks import Desk, Held, put_desk
from adapters.gold_tasks import GoldAnswer, GoldTasks, without
from adapters.jobs import Jobs
from adapters.stored_tasks import (
    StoredTask,
    labeled_object,
    new_task,
    queue,
    stored_task,
    task_item,
    task_key,
)
from adapters.table import ConditionFailedError, Item, Table
from truthmill import gold, leases
from truthmill.consolidation import certainty
from truthmill.labeling_input import NewObject
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import LabeledObject, Submitted
from truthmill.leases import LeaseRefusedError, Task
from truthmill.worker_quality import Panel

PAGE = 20
INDEX_LAG_MS = 30_000  # an index may show an item that much later than it was written
REWIND_MS = 600_000  # who finds nothing looks through the whole queues again this often
TRIES = 8
KEPT_S = 120 * 86_400  # a task and its answers leave the table that long after they were made


class _Span(NamedTuple):
    """A part of a queue. name: of its place on a desk; after, until: the places that bound it."""

    name: str
    after: str
    until: str


Change = Callable[[StoredTask, Desk], tuple[Task, Desk]]


class JobEndedError(Exception):
    """The job takes no more answers."""


class Tasks:
    """The objects of jobs."""

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

    def desk(self, worker: str, job: str) -> Desk:
        item = self.table.get((f"WORKER#{worker}", f"JOB#{job}"))
        return msgspec.convert(item, Desk) if item else Desk(worker=worker, job=job)

    def desks(self, worker: str) -> Iterator[Desk]:
        """What a worker holds, in every job they ever took a task of."""
        return (msgspec.convert(item, Desk) for item in self.table.query(f"WORKER#{worker}", "JOB#"))

    def rows(self, job: Job, shard: int, number: int | None = None) -> Iterator[Item]:
        """What lies in a shard, or of one object: each object, then declines of it and answers to it."""
        return self.table.query(queue(job, shard), "" if number is None else f"{number:06d}")

    def hold(self, job: Job, worker: str, count: int, now: int) -> list[tuple[Held, StoredTask]]:
        """Leases for a worker until they hold `count`, or as many as there are; what they hold stays theirs.

        The one held longest comes first. Who did badly on gold tasks gets no more. now: milliseconds.
        """
        until = now + job.time_limit_ms
        for _ in range(TRIES):
            desk, live = self._on_desk(job, worker, now)
            if len(live) >= count or gold.below(desk.gold_result, job.rules.gold_threshold):
                return live
            if not self._take_one(job, desk, now, until):
                break
        return self._on_desk(job, worker, now)[1]

    def _on_desk(self, job: Job, worker: str, now: int) -> tuple[Desk, list[tuple[Held, StoredTask]]]:
        """The desk, without what somebody else was faster with, and what is still worked at."""
        desk = self.desk(worker, job.name)
        live, gone = [], set()
        for each in desk.held:
            stored = self.get(job, each.number) if each.until > now else None
            if stored and (job.is_gold(each.number) or worker in stored.task.leases):
                live.append((each, stored))
            elif each.until > now:
                gone.add(each.number)
        held = tuple(each for each in desk.held if each.number not in gone)
        return msgspec.structs.replace(desk, held=held), live

    def _take_one(self, job: Job, desk: Desk, now: int, until: int) -> bool:
        """Lease one more object to the worker; False where there is none. Their lapsed ones come first.

        Where nothing waits, they get what somebody else holds for long, and whoever is first is taken.
        """
        for lapsed in [each for each in desk.held if each.until <= now and not job.is_gold(each.number)]:
            if self._lease(job, desk, lapsed.number, now, until, desk.places):
                return True
        return (
            (job.gold > 0 and self.gold.hand_out(job, desk, now, until))
            or self._take_from_queues(job, desk, now, until, rewind=False)
            or (now - desk.rewound > REWIND_MS and self._take_from_queues(job, desk, now, until, rewind=True))
            or self._take_slow(job, now, until, desk.worker)
        )

    def _take_slow(self, job: Job, now: int, until: int, worker: str) -> bool:
        """Lease an object that somebody else holds for long."""
        slow_until = now + job.time_limit_ms - leases.slow_after(job.time_limit_ms)
        desk = self.desk(worker, job.name)
        for shard in range(job.shards):
            page = self.table.waiting(queue(job, shard), f"{now:013d}#~", f"{slow_until:013d}#~", PAGE)
            theirs = [item for item in page if worker not in (*item["answered"], *item["declined"])]
            random.shuffle(theirs)
            for item in theirs:
                if self._lease(job, desk, int(item["sk"]), now, until, desk.places, slow_until):
                    return True
        return False

    def _take_from_queues(self, job: Job, desk: Desk, now: int, until: int, *, rewind: bool) -> bool:
        places = {} if rewind else dict(desk.places)
        first = sum(desk.worker.encode())  # workers begin at different queues
        spans = self._spans(job, now)
        for shard, span in product(((first + step) % job.shards for step in range(job.shards)), spans):
            name = f"{shard}{span.name}"
            after = places.get(name, span.after)
            for size in chain([PAGE], repeat(10 * PAGE)):
                page = self.table.waiting(queue(job, shard), after, span.until, size)
                mine = [
                    item["sk"] for item in page if desk.worker not in (*item["answered"], *item["declined"])
                ]
                random.shuffle(mine)  # workers at one queue rarely try the same object
                if any(self._lease(job, desk, int(number), now, until, places) for number in mine):
                    return True
                if not page:
                    break
                after = page[-1]["place"]
                places[name] = min(after, f"{now - INDEX_LAG_MS:013d}")
        changed = msgspec.structs.replace(desk, places=places, rewound=now if rewind else desk.rewound)
        if changed != desk:
            self._keep(changed, desk)
        return False

    def _spans(self, job: Job, now: int) -> list[_Span]:
        """The parts of a queue that may be taken from now.

        All that wait; where the job limits how many objects are open at once, of those that nobody had yet
        only the first that many which aren't done.
        """
        until = f"{now:013d}#~"
        if not 0 < job.most_open < job.objects:
            return [_Span("", "", until)]
        last = Jobs(self.table).counters(job).done + job.most_open - 1
        return [_Span("", "", f"{0:013d}#{last:06d}"), _Span("+", f"{1:013d}", until)]

    def _lease(
        self,
        job: Job,
        desk: Desk,
        number: int,
        now: int,
        until: int,
        places: dict[str, str],
        slow_until: int = 0,
    ) -> bool:
        """Lease one object, if it is to be had; the worker's desk is written with it.

        One that more workers are wanted for waits in its queue still, also for who has it on the desk.
        """
        if any(each.number == number and each.until > now for each in desk.held):
            return False
        for _ in range(TRIES):
            stored = self.get(job, number)
            if stored is None:
                return False
            try:
                task = leases.lease(stored.task, desk.worker, now, until, slow_until)
            except LeaseRefusedError:
                return False
            held = (*(each for each in desk.held if each.until > now), Held(number, now, until))
            changed = msgspec.structs.replace(desk, held=held, places=places)
            try:
                self.table.write(
                    [self._updating(job, stored.task, task), put_desk(self.table, changed, desk)]
                )
            except ConditionFailedError as error:
                if 1 in error.failed:  # the same worker asked twice at once; what the other got is theirs
                    return True
                continue
            return True
        return False

    def extend(self, job: Job, worker: str, number: int, now: int) -> Held:
        """Give the worker the whole time again from now on. Raises LeaseRefusedError."""
        until = now + job.time_limit_ms
        if job.is_gold(number):
            self._on_gold(job, worker, number, lambda desk: self.gold.extend(desk, number, until))
            return next(each for each in self.desk(worker, job.name).held if each.number == number)

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            since = next((each.since for each in desk.held if each.number == number), now)
            held = (*(each for each in desk.held if each.number != number), Held(number, since, until))
            return (
                leases.extend(stored.task, worker, now, until),
                msgspec.structs.replace(desk, held=tuple(sorted(held, key=lambda each: each.since))),
            )

        self._change(job, worker, number, change, now)
        return next(each for each in self.desk(worker, job.name).held if each.number == number)

    def decline(self, job: Job, worker: str, number: int, reason: str, now: int) -> None:
        """Return an object for good, with a reason. Raises LeaseRefusedError."""
        if job.is_gold(number):
            self._on_gold(job, worker, number, lambda desk: self.gold.decline(desk, number))
            return
        extra = {
            "pk": queue(job, job.shard(number)),
            "sk": f"{number:06d}#!{worker}",
            "declined": reason,
            "moment": now,
            "expires": now // 1000 + KEPT_S,
        }

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            return leases.decline(stored.task, worker, now), without(desk, number)

        self._change(job, worker, number, change, now, extra=extra)

    def release(self, job: Job, worker: str, number: int, now: int) -> None:
        """Return an object to the others."""
        if job.is_gold(number):
            self._on_gold(job, worker, number, lambda desk: self.gold.release(desk, number))
            return

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            return leases.release(stored.task, worker, now), without(desk, number)

        self._change(job, worker, number, change, now)

    def answer(self, job: Job, worker: str, number: int, submitted: Submitted, digest: str, now: int) -> bool:
        """Keep a worker's answer; True where it completes the object.

        digest: of the answer's content. The same answer again changes nothing and completes nothing. Raises
        LeaseRefusedError, and JobEndedError.
        """
        key = (queue(job, job.shard(number)), f"{number:06d}#{worker}")
        item = {"pk": key[0], "sk": key[1], "digest": digest, "expires": now // 1000 + KEPT_S}
        item["answer"] = msgspec.json.encode(submitted).decode()

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            free = without(desk, number)
            return (
                leases.answer(stored.task, worker, now, self._most(job, stored.task, submitted)),
                msgspec.structs.replace(free, answered=desk.answered + 1, last=now),
            )

        try:
            task = self._change(job, worker, number, change, now, extra=item)
        except LeaseRefusedError:
            given = self.table.get(key)
            if given is not None and given["digest"] == digest:
                return False
            raise
        return task.labeled or task.state != leases.OPEN

    def answer_gold(
        self, job: Job, worker: str, number: int, submitted: Submitted, digest: str, now: int
    ) -> GoldAnswer:
        """Keep a worker's answer to a gold task. Raises LeaseRefusedError."""
        expires = now // 1000 + KEPT_S
        for _ in range(TRIES):
            desk = self.desk(worker, job.name)
            found = self.gold.answer(job, desk, number, submitted, digest, expires)
            if found is not None:
                return found
        raise TimeoutError(f"gold task {number} of {job.name} is answered by too many at once")

    def _on_gold(self, job: Job, worker: str, number: int, change: Callable[[Desk], bool]) -> None:
        """Change the desk that a gold task is on. Raises LeaseRefusedError where it isn't on it."""
        for _ in range(TRIES):
            desk = self.desk(worker, job.name)
            if number not in {each.number for each in desk.held}:
                raise LeaseRefusedError("NoSuchTask", "The job has no such object.")
            if change(desk):
                return
        raise TimeoutError(f"object {number} of {job.name} is changed by too many at once")

    def _most(self, job: Job, task: Task, submitted: Submitted) -> int:
        """How many answers the object may get, where those it has with this one don't agree; else 0."""
        most = job.rules.max_workers
        if not len(task.answered) + 1 < most or len(task.answered) + 1 < task.wanted:
            return 0
        given = {each.worker: each.answer.boxes for each in (*self.answers_to(job, task.number), submitted)}
        return most if certainty(given, Panel(len(job.labels))) < job.rules.agreement else 0

    def withdraw(self, job: Job, workers: Collection[str], now: int) -> int:
        """Take back all answers of some workers (by their `sub`); answers how many objects were changed.

        What is taken back stays beside the object for the record. Doing it again changes nothing.
        """
        changed = 0
        for shard in range(job.shards):
            for row in self.rows(job, shard):
                if "line" in row and not {*row["answered"]}.isdisjoint(workers):
                    for worker in {*row["answered"]} & {*workers}:
                        self._withdraw(job, row["number"], worker, now)
                    changed += 1
        return changed

    def _withdraw(self, job: Job, number: int, worker: str, now: int) -> None:
        key = (queue(job, job.shard(number)), f"{number:06d}#{worker}")
        for _ in range(TRIES):
            stored, given = self.get(job, number), self.table.get(key)
            if stored is None or given is None or worker not in stored.task.answered:
                return
            task = leases.withdraw(stored.task, worker, now)
            taken_back = {name: value for name, value in given.items() if name != "answer"}
            writes = [
                self._updating(job, stored.task, task),
                self.table.putting(taken_back | {"withdrawn": given["answer"]}),
                self._counting(job, stored.task, task, now),
            ]
            try:
                self.table.write(writes)
            except ConditionFailedError as error:
                if 2 in error.failed:
                    raise JobEndedError(job.name) from error
                continue
            return
        raise TimeoutError(f"object {number} of {job.name} is changed by too many at once")

    def answers_to(self, job: Job, number: int) -> list[Submitted]:
        """The answers to one object."""
        rows = self.rows(job, job.shard(number), number)
        return [msgspec.json.decode(row["answer"], type=Submitted) for row in rows if "answer" in row]

    def _change(
        self, job: Job, worker: str, number: int, change: Change, now: int, extra: Item | None = None
    ) -> Task:
        """Change an object and the worker's desk together, again and again where somebody is faster.

        extra: an item to be written with them where there is none. Raises what `change` raises,
        LeaseRefusedError where there is no such object, and JobEndedError where the job takes no more.
        """
        for _ in range(TRIES):
            stored = self.get(job, number)
            desk = self.desk(worker, job.name)
            if stored is None:
                raise LeaseRefusedError("NoSuchTask", "The job has no such object.")
            task, changed = change(stored, desk)
            if task is stored.task and changed == desk:
                return task
            writes = [self._updating(job, stored.task, task), put_desk(self.table, changed, desk)]
            if extra is not None:
                writes.append(self.table.putting(extra, "attribute_not_exists(#pk)"))
            if task.answered != stored.task.answered or task.state != stored.task.state:
                writes.append(self._counting(job, stored.task, task, now))
            try:
                self.table.write(writes)
            except ConditionFailedError as error:
                if 3 in error.failed:
                    raise JobEndedError(job.name) from error
                continue
            return task
        raise TimeoutError(f"object {number} of {job.name} is changed by too many at once")

    def _updating(self, job: Job, was: Task, task: Task) -> dict[str, Any]:
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
            "queued": task.queued,
        }
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in values if name != "was")
        if place:
            expression += ", #queue = :queue, #place = :place"
            values |= {"queue": queue(job, job.shard(task.number)), "place": place}
        else:
            expression += " REMOVE #queue, #place"
        return self.table.updating(task_key(job, task.number), expression, values, "#version = :was")

    def _counting(self, job: Job, was: Task, task: Task, now: int) -> dict[str, Any]:
        values = {
            "answers": len(task.answered) - len(was.answered),
            "labeled": int(task.labeled) - int(was.labeled),
            "expired": int(task.state == leases.EXPIRED) - int(was.state == leases.EXPIRED),
            "extra": int(task.waits_for_extra) - int(was.waits_for_extra),
            "last": now,
        }
        return self.table.updating(
            (f"COUNTS#{job.name}", f"{job.shard(task.number):02d}"),
            "SET #last = :last ADD #answers :answers, #labeled :labeled, #expired :expired, #extra :extra",
            values,
            "attribute_not_exists(#closed)",
        )

    def _keep(self, desk: Desk, was: Desk) -> None:
        try:
            self.table.write([put_desk(self.table, desk, was)])
        except ConditionFailedError:
            return  # the same worker asked twice at once, and this one found nothing

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
