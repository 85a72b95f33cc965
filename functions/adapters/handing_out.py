"""How a worker comes by a task: what they hold, what lapsed, gold, the queues, and what others hold for long.

Whoever takes a task goes through a queue from where they got to: what they passed was theirs or somebody
else's, and what comes back is queued anew behind. So choosing never scans, however large the job.
"""

import random
from itertools import chain, product, repeat
from typing import NamedTuple

import msgspec

from adapters.desks import Desk, Held, put_desk
from adapters.jobs import Jobs
from adapters.stored_tasks import StoredTask, StoredTasks, queue, updating
from adapters.table import ConditionFailedError, Item
from truthmill import gold, leases
from truthmill.labeling_jobs import Job
from truthmill.leases import LeaseRefusedError

PAGE = 20
INDEX_LAG_MS = 30_000  # an index may show an item that much later than it was written
REWIND_MS = 600_000  # who finds nothing looks through the whole queues again this often
TRIES = 8


class _Span(NamedTuple):
    """A part of a queue. name: of its place on a desk; after, until: the places that bound it."""

    name: str
    after: str
    until: str


class HandingOut:
    """One worker's request for tasks of a job at a moment, in milliseconds since 1970.

    What it reads and what it leased itself it doesn't read again: whatever somebody else changed meanwhile
    fails when it is written, and is read then.
    """

    def __init__(self, stored: StoredTasks, job: Job, worker: str, now: int) -> None:
        self.stored = stored
        self.table = stored.table
        self.job = job
        self.worker = worker
        self.now = now
        self.until = now + job.time_limit_ms
        self.desk = stored.desk(worker, job.name)
        self.seen: dict[int, StoredTask] = {}
        self.pages: dict[tuple[int, str, str, int], tuple[list[Item], list[int]]] = {}

    def held(self, count: int) -> list[tuple[Held, StoredTask]]:
        """Leases until the worker holds `count`, or as many as there are; what they hold stays theirs.

        The one held longest comes first. Who did badly on gold tasks gets no more.
        """
        for _ in range(TRIES):
            live = self._live()
            badly = gold.below(self.desk.gold_result, self.job.rules.gold_threshold)
            if len(live) >= count or badly or not self._take_one(count - len(live)):
                return live
        return self._live()

    def _live(self) -> list[tuple[Held, StoredTask]]:
        """What is still worked at; what somebody else was faster with leaves the desk."""
        live, gone = [], set()
        self._read({each.number for each in self.desk.held if each.until > self.now})
        for each in self.desk.held:
            stored = self.seen.get(each.number) if each.until > self.now else None
            if stored and (self.job.is_gold(each.number) or self.worker in stored.task.leases):
                live.append((each, stored))
            elif each.until > self.now:
                gone.add(each.number)
        held = tuple(each for each in self.desk.held if each.number not in gone)
        self.desk = msgspec.structs.replace(self.desk, held=held)
        return live

    def _read(self, numbers: set[int]) -> None:
        """Those of the objects that weren't read before, together."""
        self.seen |= self.stored.get_all(self.job, numbers - self.seen.keys())

    def _take_one(self, wanted: int) -> bool:
        """Lease one more object to the worker; False where there is none. Their lapsed ones come first.

        wanted: with those to come; that many are read at once. Where nothing waits, they get what somebody
        else holds for long, and whoever is first is taken.
        """
        lapsed = (each.number for each in self.desk.held if each.until <= self.now)
        return (
            any(self._lease(number) for number in list(lapsed) if not self.job.is_gold(number))
            or self._take_gold()
            or self._take_from_queues(wanted, rewind=False)
            or (self.now - self.desk.rewound > REWIND_MS and self._take_from_queues(wanted, rewind=True))
            or self._take_slow()
        )

    def _take_gold(self) -> bool:
        given = self.job.gold > 0 and self.stored.gold.hand_out(self.job, self.desk, self.now, self.until)
        if given:
            self._read_desk()
        return given

    def _take_slow(self) -> bool:
        """Lease an object that somebody else holds for long."""
        slow_until = self.until - leases.slow_after(self.job.time_limit_ms)
        for shard in range(self.job.shards):
            page = self.table.waiting(
                queue(self.job, shard), f"{self.now:013d}#~", f"{slow_until:013d}#~", PAGE
            )
            if any(self._lease(number, slow_until=slow_until) for number in self._choices(page)):
                return True
        return False

    def _take_from_queues(self, wanted: int, *, rewind: bool) -> bool:
        places = {} if rewind else dict(self.desk.places)
        first = sum(self.worker.encode())  # workers begin at different queues
        shards = ((first + step) % self.job.shards for step in range(self.job.shards))
        for shard, span in product(shards, self._spans()):
            name = f"{shard}{span.name}"
            after = places.get(name, span.after)
            for size in chain([PAGE], repeat(10 * PAGE)):
                page, choices = self._waiting(shard, after, span.until, size)
                self._read(set(choices[:wanted]))
                if any(self._lease(number, places) for number in choices):
                    return True
                if not page:
                    break
                after = page[-1]["place"]
                places[name] = min(after, f"{self.now - INDEX_LAG_MS:013d}")
        rewound = self.now if rewind else self.desk.rewound
        self._keep(msgspec.structs.replace(self.desk, places=places, rewound=rewound))
        return False

    def _waiting(self, shard: int, after: str, until: str, size: int) -> tuple[list[Item], list[int]]:
        """A page of a queue as it was when it was first asked for, and what the worker may have of it."""
        key = (shard, after, until, size)
        if key not in self.pages:
            page = self.table.waiting(queue(self.job, shard), after, until, size)
            self.pages[key] = page, self._choices(page)
        return self.pages[key]

    def _choices(self, page: list[Item]) -> list[int]:
        """Which of a queue's objects the worker may have; shuffled, so that two rarely try the same one."""
        mine = [int(item["sk"]) for item in page if self.worker not in (*item["answered"], *item["declined"])]
        random.shuffle(mine)
        return mine

    def _spans(self) -> list[_Span]:
        """The parts of a queue that may be taken from now.

        All that wait; where the job limits how many objects are open at once, of those that nobody had yet
        only the first that many which aren't done.
        """
        until = f"{self.now:013d}#~"
        if self.job.most_open >= self.job.objects:
            return [_Span("", "", until)]
        last = Jobs(self.table).counters(self.job).done + self.job.most_open - 1
        return [_Span("", "", f"{0:013d}#{last:06d}"), _Span("+", f"{1:013d}", until)]

    def _lease(self, number: int, places: dict[str, str] | None = None, slow_until: int = 0) -> bool:
        """Lease one object, if it is to be had; the worker's desk is written with it.

        One that more workers are wanted for waits in its queue still, also for who has it on the desk.
        """
        held = tuple(each for each in self.desk.held if each.until > self.now)
        if any(each.number == number for each in held):
            return False
        changed = msgspec.structs.replace(
            self.desk,
            held=(*held, Held(number, self.now, self.until)),
            places=self.desk.places if places is None else places,
        )
        stored = self.seen.pop(number, None)
        for _ in range(TRIES):
            stored = stored or self.stored.get(self.job, number)
            if stored is None:
                return False
            try:
                task = leases.lease(stored.task, self.worker, self.now, self.until, slow_until)
            except LeaseRefusedError:
                return False
            writes = [
                updating(self.table, self.job, stored.task, task),
                put_desk(self.table, changed, self.desk),
            ]
            try:
                self.table.write(writes)
            except ConditionFailedError as error:
                if 1 in error.failed:  # the same worker asked twice at once; what the other got is theirs
                    self._read_desk()
                    return True
                stored = None
                continue
            self._kept(changed)
            self.seen[number] = msgspec.structs.replace(stored, task=task)
            return True
        return False

    def _keep(self, changed: Desk) -> None:
        """Write the desk where it changed."""
        if changed == self.desk:
            return
        try:
            self.table.write([put_desk(self.table, changed, self.desk)])
        except ConditionFailedError:  # the same worker asked twice at once, and this one found nothing
            self._read_desk()
        else:
            self._kept(changed)

    def _kept(self, changed: Desk) -> None:
        self.desk = msgspec.structs.replace(changed, version=self.desk.version + 1)

    def _read_desk(self) -> None:
        self.desk = self.stored.desk(self.worker, self.job.name)
        self.seen = {}
