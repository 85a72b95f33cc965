"""Who may work on an object, and for how long: the rules of leases, answers and declines.

An object waits in a queue ordered by the moment from which it can be taken. Time is in milliseconds since
1970 and handed in.
"""

import msgspec

OPEN, LABELED, EXPIRED = "open", "labeled", "expired"


class LeaseRefusedError(Exception):
    """A worker can't do this with the object now. code: stable, for the portal's API."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Where one object of a job stands.

    needed: answers it gets at the most. answered, declined: workers, in the order they did.
    leases: worker to the moment it runs out. queued: since when it waits for a worker; 0 for the first time.
    version: counts the changes; whoever writes makes sure that it still is the one read.
    """

    number: int
    needed: int
    version: int = 0
    state: str = OPEN
    answered: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    leases: dict[str, int] = {}
    queued: int = 0

    def live(self, now: int) -> dict[str, int]:
        """The leases that haven't run out."""
        return {worker: until for worker, until in self.leases.items() if until > now}

    @property
    def available_from(self) -> int | None:
        """Its place in the queue: from when another worker may take it; None once it is done."""
        if self.state != OPEN:
            return None
        if len(self.answered) + len(self.leases) < self.needed:
            return self.queued
        return min(self.leases.values())


def lease(task: Task, worker: str, now: int, until: int) -> Task:
    """Give the object to a worker. Raises LeaseRefusedError where it is done, taken, or theirs already."""
    _check_open(task, worker)
    current = _without_lapsed(task, now)
    others = current.live(now).keys() - {worker}
    if len(current.answered) + len(others) >= current.needed:
        raise LeaseRefusedError("TaskTaken", "As many workers as the object needs are working on it.")
    return _next(current, leases={**current.leases, worker: until})


def extend(task: Task, worker: str, now: int, until: int) -> Task:
    """Give the worker more time; a lease that ran out comes back unless somebody else took the object."""
    return lease(task, worker, now, until)


def answer(task: Task, worker: str, now: int) -> Task:
    """Take the worker's answer. A lease that ran out doesn't matter while nobody else took the object.

    Raises LeaseRefusedError.
    """
    current = lease(task, worker, now, now)
    answered = (*current.answered, worker)
    state = LABELED if len(answered) >= current.needed else OPEN
    return msgspec.structs.replace(current, answered=answered, leases=_others(current, worker), state=state)


def decline(task: Task, worker: str, now: int) -> Task:
    """Return the object for good: this worker isn't asked again.

    Where as many workers as the object needs have declined it, it is expired and stays unlabeled, which is
    Ground Truth's documented rule. Raises LeaseRefusedError.
    """
    _check_open(task, worker)
    current = _without_lapsed(task, now)
    declined = (*current.declined, worker)
    state = EXPIRED if len(declined) >= current.needed else OPEN
    return _next(current, declined=declined, leases=_others(current, worker), state=state, queued=now)


def release(task: Task, worker: str, now: int) -> Task:
    """Return the object to the others; this worker may take it again later."""
    if worker not in task.leases:
        return task
    current = _without_lapsed(task, now)
    return _next(current, leases=_others(current, worker), queued=now)


def position(task: Task) -> str:
    """Key in the queue: sorts by the moment from which it can be taken, then by number; empty once done."""
    moment = task.available_from
    return "" if moment is None else f"{moment:013d}#{task.number:06d}"


def _check_open(task: Task, worker: str) -> None:
    if worker in task.answered:
        raise LeaseRefusedError("AlreadyAnswered", "You have answered this object already.")
    if worker in task.declined:
        raise LeaseRefusedError("AlreadyDeclined", "You have declined this object.")
    if task.state != OPEN:
        raise LeaseRefusedError("TaskDone", "The object has all the answers it needs.")


def _without_lapsed(task: Task, now: int) -> Task:
    """Leases that ran out are forgotten, and the object waits anew from now on."""
    live = task.live(now)
    if len(live) == len(task.leases):
        return task
    return msgspec.structs.replace(task, leases=live, queued=now)


def _others(task: Task, worker: str) -> dict[str, int]:
    return {other: until for other, until in task.leases.items() if other != worker}


def _next(task: Task, **changes: object) -> Task:
    return msgspec.structs.replace(task, version=task.version + 1, **changes)
