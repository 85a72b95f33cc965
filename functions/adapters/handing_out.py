"""How a worker comes by a task: what they hold, what lapsed, gold, the queues, and what others hold for long.

Whoever takes a task goes through a queue from where they got to: what they passed was theirs or somebody
else's, and what comes back is queued anew behind. So choosing never scans, however large the job.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, product, repeat
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from adapters.desks import Desk, Held, put_desk
from adapters.jobs import Jobs
from adapters.promises import gold_promises, promising
from adapters.remembered import Remembered
from adapters.stored_tasks import StoredTask, StoredTasks, queue, updating
from adapters.table import ConditionFailedError, Item
from truthmill import gold, leases
from truthmill.labeling_jobs import Job
from truthmill.leases import BudgetSpentError, LeaseRefusedError, Task

PAGE = 20
INDEX_LAG_MS = 30_000  # an index may show an item that much later than it was written
REWIND_MS = 600_000  # who finds nothing looks through the whole queues again this often
TRIES = 8
# How many objects of a job are done says which are open. Meanwhile more are done, so fewer are open than may
# be; who finds nothing looks at once.
DONE: Remembered[int] = Remembered(2)


class OvertakenError(Exception):
    """What was to be written with the desk can't be any more; nothing was written."""


class Pending(NamedTuple):
    """What has to be written together with the worker's desk, however that goes on.

    number: of the object that it is about. desk: as it is after that, at the version that was read. writes:
    and how many answers more they promise; asked for just before they are written, so that what they need
    can be on its way till then.
    """

    number: int
    desk: Desk
    writes: Callable[[], tuple[list[dict[str, Any]], int]]


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

    def __init__(
        self, stored: StoredTasks, job: Job, worker: str, now: int, pending: Pending | None = None
    ) -> None:
        self.stored = stored
        self.table = stored.table
        self.job = job
        self.worker = worker
        self.now = now
        self.until = now + job.time_limit_ms
        self.pending = pending
        self.desk = pending.desk if pending else stored.desk(worker, job.name)
        self.recent = [*(each.number for each in self.desk.held), *([pending.number] if pending else [])]
        self.spent = False
        self.seen: dict[int, StoredTask] = {}
        self.pages: dict[tuple[int, str, str, int], tuple[list[Item], list[int]]] = {}

    def held(self, count: int) -> list[tuple[Held, StoredTask]]:
        """Leases until the worker holds `count`, or as many as there are; what they hold stays theirs.

        The one held longest comes first. Who did badly on gold tasks gets no more. What is pending is written
        with the first lease, or alone. Raises OvertakenError where it can't be.
        """
        for _ in range(TRIES):
            live = self._live()
            badly = gold.below(self.desk.gold_result, self.job.rules.gold_threshold)
            if len(live) >= count or badly or not self._take(count - len(live)):
                break
        if self.pending:
            self._keep(self.desk)
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

    def _take(self, wanted: int) -> bool:
        """As `_take_one`; once all answers that may be paid for are promised, of what was so already."""
        try:
            return self._take_lapsed() if self.spent else self._take_one(wanted)
        except BudgetSpentError:
            self.spent = True
            return self._take_lapsed()

    def _take_lapsed(self) -> bool:
        """Lease what somebody else didn't come back to: that promises no answer more."""
        for shard in range(self.job.shards):
            page = self.table.waiting(queue(self.job, shard), f"{1:013d}", f"{self.now:013d}#~", 10 * PAGE)
            if any(self._lease(number) for number in self._choices(page)):
                return True
        return False

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
            self._keep(given)
        return bool(given)

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
        if any(self._take_within(spans, places, wanted) for spans in self._windows()):
            return True
        rewound = self.now if rewind else self.desk.rewound
        self._keep(msgspec.structs.replace(self.desk, places=places, rewound=rewound))
        return False

    def _take_within(self, spans: list[_Span], places: dict[str, str], wanted: int) -> bool:
        first = self._shard()
        shards = ((first + step) % self.job.shards for step in range(self.job.shards))
        for shard, span in product(shards, spans):
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
        return False

    def _shard(self) -> int:
        """Where to look first: where they last found something, so that empty queues aren't asked each time.

        Workers begin at different ones.
        """
        own = [number for number in self.recent if not self.job.is_gold(number)]
        return self.job.shard(own[-1] if own else crc32(self.worker.encode()))

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

    def _windows(self) -> Iterator[list[_Span]]:
        """The parts of a queue that may be taken from now; a second time where more are open than was known.

        All that wait; where the job limits how many objects are open at once, of those that nobody had yet
        only the first that many which aren't done.
        """
        until = f"{self.now:013d}#~"
        if self.job.most_open >= self.job.objects:
            yield [_Span("", "", until)]
            return
        known = -1
        for ask in (DONE.get, DONE.renew):
            done = ask(self.job.name, lambda: Jobs(self.table).counters(self.job).done)
            last = done + self.job.most_open - 1
            if done != known:
                yield [_Span("", "", f"{0:013d}#{last:06d}"), _Span("+", f"{1:013d}", until)]
            known = done

    def _lease(self, number: int, places: dict[str, str] | None = None, slow_until: int = 0) -> bool:
        """Lease one object, if it is to be had; the worker's desk is written with it.

        One that more workers are wanted for waits in its queue still, also for who has it on the desk.
        """
        held = tuple(each for each in self.desk.held if each.until > self.now)
        if any(each.number == number for each in held) or self._is_pending(number):
            return False
        changed = msgspec.structs.replace(
            self.desk,
            held=(*held, Held(number, self.now, self.until)),
            places=self.desk.places if places is None else places,
        )
        stored = self.seen.pop(number, None)
        for _ in range(TRIES):
            stored = stored or self.stored.get(self.job, number)
            task = self._leased(stored, slow_until) if stored else None
            if stored is None or task is None:
                return False
            more = task.promised - stored.task.promised
            try:
                self._write(changed, [updating(self.table, self.job, stored.task, task)], more)
            except ConditionFailedError as error:
                if 0 in error.failed:  # the same worker asked twice at once; what the other got is theirs
                    self._read_desk()
                    return True
                stored = None
                continue
            self.seen[number] = msgspec.structs.replace(stored, task=task)
            return True
        return False

    def _leased(self, stored: StoredTask, slow_until: int) -> Task | None:
        """The object as the worker has it; None where they can't."""
        try:
            task = leases.lease(stored.task, self.worker, self.now, self.until, slow_until)
        except LeaseRefusedError:
            return None
        return None if self.spent and task.promised > stored.task.promised else task

    def _keep(self, changed: Desk) -> None:
        """Write the desk where it changed, and what is pending."""
        if changed == self.desk and not self.pending:
            return
        try:
            self._write(changed)
        except ConditionFailedError:  # the same worker asked twice at once, and this one found nothing
            self._read_desk()

    def _write(self, changed: Desk, leased: Sequence[dict[str, Any]] = (), more: int = 0) -> None:
        """Write the desk (0), what is pending, and a lease, together. more: answers that the lease promises.

        Raises ConditionFailedError, and BudgetSpentError where these can't be paid for.
        """
        more += gold_promises(self.job, changed) - gold_promises(self.job, self.desk)
        pending, besides = self.pending.writes() if self.pending else ([], 0)
        own = [put_desk(self.table, changed, self.desk), *pending]
        limit = promising(self.table, self.job, more + besides)
        try:
            self.table.write([*own, *leased, *limit])
        except ConditionFailedError as error:
            if self.pending and min(error.failed) < len(own):
                raise OvertakenError from error
            if error.failed == (len(own) + len(leased),):
                raise BudgetSpentError from error
            raise
        self.desk = msgspec.structs.replace(changed, version=self.desk.version + 1)
        self.pending = None

    def _is_pending(self, number: int) -> bool:
        return self.pending is not None and self.pending.number == number

    def _read_desk(self) -> None:
        self.desk = self.stored.desk(self.worker, self.job.name)
        self.seen = {}
