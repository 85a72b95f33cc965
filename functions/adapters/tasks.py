"""What workers do with tasks: take, extend, decline, release, answer; and what is taken back from them.

How the objects lie in the table is in `stored_tasks`, which of them a worker gets in `handing_out`. An object
and the desk of who works at it change in one transaction, tried again where somebody else was faster.
"""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import msgspec

from adapters.desks import Desk, Held, put_desk
from adapters.gold_tasks import GoldAnswer, without
from adapters.handing_out import TRIES, HandingOut, OvertakenError, Pending
from adapters.promises import promising
from adapters.stored_tasks import KEPT_S, StoredTask, StoredTasks, counting, queue, updating
from adapters.table import ConditionFailedError, Item
from truthmill import leases
from truthmill.consolidation import certainty
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import Submitted
from truthmill.leases import BudgetSpentError, LeaseRefusedError, Task
from truthmill.worker_answers import Answer
from truthmill.worker_quality import Panel

Found = tuple[StoredTask | None, Desk]
Change = Callable[[StoredTask, Desk], tuple[Task, Desk]]


class JobEndedError(Exception):
    """The job takes no more answers."""


class Tasks(StoredTasks):
    """The objects of jobs, and what workers do with them."""

    def hold(self, job: Job, worker: str, count: int, now: int) -> list[tuple[Held, StoredTask]]:
        """The worker's leases, topped up to `count` where there are as many. now: milliseconds since 1970."""
        return HandingOut(self, job, worker, now).held(count)

    def extend(self, job: Job, worker: str, number: int, now: int) -> Held:
        """Give the worker the whole time again from now on. Raises LeaseRefusedError."""
        until = now + job.time_limit_ms
        if job.is_gold(number):
            self._on_gold(job, worker, number, lambda desk: self.gold.extend(job, desk, number, until))
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
            self._on_gold(job, worker, number, lambda desk: self.gold.decline(job, desk, number))
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
            self._on_gold(job, worker, number, lambda desk: self.gold.release(job, desk, number))
            return

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            return leases.release(stored.task, worker, now), without(desk, number)

        self._change(job, worker, number, change, now)

    def answer(
        self,
        job: Job,
        worker: str,
        number: int,
        submitted: Submitted,
        digest: str,
        now: int,
        found: Found | None = None,
    ) -> bool:
        """Keep a worker's answer; True where it completes the object.

        digest: of the answer's content. found: what the caller has just read. The same answer again changes
        nothing and completes nothing. Raises LeaseRefusedError, and JobEndedError.
        """
        item = _answer_item(job, number, submitted, digest, now)

        def change(stored: StoredTask, desk: Desk) -> tuple[Task, Desk]:
            task = leases.answer(stored.task, worker, now, self._most(job, stored.task, submitted))
            return task, _after(desk, number, submitted)

        try:
            task = self._change(job, worker, number, change, now, extra=item, found=found)
        except LeaseRefusedError:
            given = self.table.get((item["pk"], item["sk"]))
            if given is not None and given["digest"] == digest:
                return False
            raise
        return task.labeled or task.state != leases.OPEN

    def answer_and_hold(
        self,
        job: Job,
        number: int,
        draft: Submitted,
        read: Callable[[], Answer],
        digest: str,
        now: int,
        found: Found,
        count: int,
    ) -> list[tuple[Held, StoredTask]]:
        """`answer`, then `hold`: where nobody is in the way by one transaction, so that both are or neither.

        draft: lacks what `read` answers, or raises, and which is waited for as late as can be.
        """
        worker, (stored, desk) = draft.sub, found

        @cache
        def writes() -> tuple[list[dict[str, Any]], int]:
            submitted = msgspec.structs.replace(draft, answer=read())
            if stored is None:
                raise LeaseRefusedError("NoSuchTask", "The job has no such object.")
            task = leases.answer(stored.task, worker, now, self._most(job, stored.task, submitted))
            item = _answer_item(job, number, submitted, digest, now)
            return [
                updating(self.table, job, stored.task, task),
                self.table.putting(item, "attribute_not_exists(#pk)"),
                counting(self.table, job, stored.task, task, now),
            ], task.promised - stored.task.promised

        try:
            pending = Pending(number, _after(desk, number, draft), writes)
            return HandingOut(self, job, worker, now, pending).held(count)
        except (OvertakenError, LeaseRefusedError):
            submitted = msgspec.structs.replace(draft, answer=read())
            self.answer(job, worker, number, submitted, digest, now)
            return self.hold(job, worker, count, now)

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
                raise leases.not_handed_out()
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
                updating(self.table, job, stored.task, task),
                self.table.putting(taken_back | {"withdrawn": given["answer"]}),
                counting(self.table, job, stored.task, task, now),
            ]
            try:
                self.table.write(writes)
            except ConditionFailedError as error:
                if 2 in error.failed:
                    raise JobEndedError(job.name) from error
                continue
            return
        raise TimeoutError(f"object {number} of {job.name} is changed by too many at once")

    def _change(
        self,
        job: Job,
        worker: str,
        number: int,
        change: Change,
        now: int,
        extra: Item | None = None,
        found: Found | None = None,
    ) -> Task:
        """Change an object and the worker's desk together, again and again where somebody is faster.

        extra: an item to be written with them where there is none. found: the two as they were read; what
        changed since then fails when it is written, and is read again. Raises what `change` raises,
        LeaseRefusedError where there is no such object, and JobEndedError where the job takes no more;
        BudgetSpentError where it would promise more answers than it may.
        """
        for _ in range(TRIES):
            stored, desk = found or self.with_desk(job, number, worker)
            found = None
            if stored is None:
                raise LeaseRefusedError("NoSuchTask", "The job has no such object.")
            task, changed = change(stored, desk)
            if task is stored.task and changed == desk:
                return task
            writes = [updating(self.table, job, stored.task, task), put_desk(self.table, changed, desk)]
            if extra is not None:
                writes.append(self.table.putting(extra, "attribute_not_exists(#pk)"))
            counted = len(writes)
            if task.answered != stored.task.answered or task.state != stored.task.state:
                writes.append(counting(self.table, job, stored.task, task, now))
            limited = len(writes)
            writes += promising(self.table, job, task.promised - stored.task.promised)
            try:
                self.table.write(writes)
            except ConditionFailedError as error:
                if counted < limited and counted in error.failed:
                    raise JobEndedError(job.name) from error
                if error.failed == (limited,):
                    raise BudgetSpentError from error
                continue
            return task
        raise TimeoutError(f"object {number} of {job.name} is changed by too many at once")


def _answer_item(job: Job, number: int, submitted: Submitted, digest: str, now: int) -> Item:
    return {
        "pk": queue(job, job.shard(number)),
        "sk": f"{number:06d}#{submitted.sub}",
        "digest": digest,
        "expires": now // 1000 + KEPT_S,
        "answer": msgspec.json.encode(submitted).decode(),
    }


def _after(desk: Desk, number: int, submitted: Submitted) -> Desk:
    """The desk of who answered."""
    took = submitted.submitted - submitted.accepted
    return msgspec.structs.replace(
        without(desk, number),
        answered=desk.answered + 1,
        last=submitted.submitted,
        spent=desk.spent + took,
    )
