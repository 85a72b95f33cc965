"""Who may work on an object, and for how long: the rules of leases, answers and declines.

Near the end of a job an object that somebody holds for long is given to one more worker: the first answer is
taken, the other one refused. An object waits in a queue ordered by the moment from which it can be taken.
Time is in milliseconds since 1970 and handed in.
"""

import msgspec

SLOW_MS = 300_000
OPEN, LABELED, EXPIRED = "open", "labeled", "expired"
# Objects that no worker is asked about, since the job's pre-annotation function said so or failed on them.
SKIPPED, UNFIT = "skipped", "unfit"


class LeaseRefusedError(Exception):
    """A worker can't do this with the object now. code: stable, for the portal's API."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class BudgetSpentError(LeaseRefusedError):
    """The job has promised as many answers as may be paid for."""

    def __init__(self) -> None:
        super().__init__("BudgetSpent", "The job has all the answers that may be paid for.")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Where one object of a job stands.

    needed: answers that make it labeled. extra: answers it gets besides, since those it had didn't agree.
    answered, declined: workers, in the order they did. withdrawn: whose answers were taken back.
    leases: worker to the moment it runs out. lapsed: whose lease ran out and was cleared away.
    queued: since when it waits for a worker; 0 for the first time.
    version: counts the changes; whoever writes makes sure that it still is the one read.
    """

    number: int
    needed: int
    extra: int = 0
    version: int = 0
    state: str = OPEN
    answered: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    leases: dict[str, int] = {}
    lapsed: tuple[str, ...] = ()
    queued: int = 0

    def live(self, now: int) -> dict[str, int]:
        """The leases that haven't run out."""
        return {worker: until for worker, until in self.leases.items() if until > now}

    @property
    def wanted(self) -> int:
        """Answers after which it takes no more."""
        return self.needed + self.extra

    @property
    def promised(self) -> int:
        """Answers that are paid for, also withdrawn ones, or will be where whoever has it answers."""
        return len(self.answered) + len(self.withdrawn) + len(self.leases)

    @property
    def labeled(self) -> bool:
        """Whether it has the answers it needs, even where it waits for extra ones."""
        return self.state == LABELED or (self.state == OPEN and len(self.answered) >= self.needed)

    @property
    def waits_for_extra(self) -> bool:
        """Whether only an extra answer is outstanding."""
        return self.state == OPEN and len(self.answered) >= self.needed

    @property
    def available_from(self) -> int | None:
        """Its place in the queue: from when another worker may take it; None once it is done."""
        if self.state != OPEN:
            return None
        if len(self.answered) + len(self.leases) < self.wanted:
            return self.queued
        return min(self.leases.values())


def not_handed_out() -> LeaseRefusedError:
    """The error of who answers, declines or extends what they were never given."""
    return LeaseRefusedError("NotHandedOut", "The object wasn't handed out to you; ask for a task.")


def slow_after(limit: int) -> int:
    """How long a lease of so many milliseconds is held before the object is given to one more worker."""
    return min(limit // 4, SLOW_MS)


def lease(task: Task, worker: str, now: int, until: int, slow_until: int = 0) -> Task:
    """Give the object to a worker.

    slow_until: a lease that runs until then or less has been held for long; one worker more than needed may
    then have the object too, and the first answer is taken.
    Raises LeaseRefusedError where it is done, taken, or theirs already.
    """
    _check_open(task, worker)
    current = _without_lapsed(task, now)
    others = {other: end for other, end in current.leases.items() if other != worker}
    room = current.wanted - len(current.answered)
    if any(end <= slow_until for end in others.values()):
        room += 1
    if worker not in current.leases and len(others) >= room:
        raise LeaseRefusedError("TaskTaken", "As many workers as the object needs are working on it.")
    lapsed = tuple(each for each in current.lapsed if each != worker)
    return _next(current, leases={**current.leases, worker: until}, lapsed=lapsed)


def extend(task: Task, worker: str, now: int, until: int) -> Task:
    """Give the worker more time; a lease that ran out comes back unless somebody else took the object.

    Raises LeaseRefusedError, also where they never had it.
    """
    leased = lease(task, worker, now, until)
    _check_handed_out(task, worker)
    return leased


def answer(task: Task, worker: str, now: int, most: int = 0) -> Task:
    """Take the worker's answer. A lease that ran out doesn't matter while nobody else took the object.

    most: where the answers, this one included, don't agree: how many the object may get in all; where it has
    fewer, it waits for one more. Raises LeaseRefusedError, also where they never had it.
    """
    current = extend(task, worker, now, now)
    answered = (*current.answered, worker)
    if len(answered) < current.wanted:
        return msgspec.structs.replace(current, answered=answered, leases=_others(current, worker))
    if len(answered) < most and len(current.declined) < current.needed:
        extra = len(answered) + 1 - current.needed
        left = _others(current, worker)
        return msgspec.structs.replace(current, answered=answered, leases=left, extra=extra, queued=now)
    return msgspec.structs.replace(current, answered=answered, leases={}, state=LABELED)


def decline(task: Task, worker: str, now: int) -> Task:
    """Return the object for good: this worker isn't asked again.

    Where as many workers as the object needs have declined it, it is expired and stays unlabeled, which is
    Ground Truth's documented rule; one that waits for an extra answer is done with those it has.
    Raises LeaseRefusedError, also where they never had it.
    """
    _check_open(task, worker)
    _check_handed_out(task, worker)
    current = _without_lapsed(task, now)
    declined = (*current.declined, worker)
    if len(declined) < current.needed:
        return _next(current, declined=declined, leases=_others(current, worker), queued=now)
    state = LABELED if len(current.answered) >= current.needed else EXPIRED
    return _next(current, declined=declined, leases={}, state=state, queued=now)


def release(task: Task, worker: str, now: int) -> Task:
    """Return the object to the others; this worker may take it again later, and not answer it before."""
    if worker not in task.leases and worker not in task.lapsed:
        return task
    current = _without_lapsed(task, now)
    lapsed = tuple(each for each in current.lapsed if each != worker)
    return _next(current, leases=_others(current, worker), lapsed=lapsed, queued=now)


def withdraw(task: Task, worker: str, now: int) -> Task:
    """Take a worker's answer back; the object is asked again where it lacks one, but not of this worker.

    What the worker has not answered stays as it is.
    """
    if worker not in task.answered:
        return task
    answered = tuple(each for each in task.answered if each != worker)
    withdrawn = (*task.withdrawn, worker)
    state = LABELED if len(answered) >= task.wanted else OPEN
    return _next(task, answered=answered, withdrawn=withdrawn, state=state, queued=now)


def position(task: Task) -> str:
    """Key in the queue: sorts by the moment from which it can be taken, then by number; empty once done."""
    moment = task.available_from
    return "" if moment is None else f"{moment:013d}#{task.number:06d}"


def _check_open(task: Task, worker: str) -> None:
    if worker in task.answered:
        raise LeaseRefusedError("AlreadyAnswered", "You have answered this object already.")
    if worker in task.withdrawn:
        raise LeaseRefusedError("AlreadyAnswered", "You have answered this object already.")
    if worker in task.declined:
        raise LeaseRefusedError("AlreadyDeclined", "You have declined this object.")
    if task.state != OPEN:
        raise LeaseRefusedError("TaskDone", "The object has all the answers it needs; others were faster.")


def _check_handed_out(task: Task, worker: str) -> None:
    if worker not in task.leases and worker not in task.lapsed:
        raise not_handed_out()


def _without_lapsed(task: Task, now: int) -> Task:
    """Leases that ran out are cleared away, and the object waits anew from now on."""
    live = task.live(now)
    if len(live) == len(task.leases):
        return task
    lapsed = (*task.lapsed, *(worker for worker in task.leases if worker not in live))
    return msgspec.structs.replace(task, leases=live, lapsed=lapsed, queued=now)


def _others(task: Task, worker: str) -> dict[str, int]:
    return {other: until for other, until in task.leases.items() if other != worker}


def _next(task: Task, **changes: object) -> Task:
    return msgspec.structs.replace(task, version=task.version + 1, **changes)
