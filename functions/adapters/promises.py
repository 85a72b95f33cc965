"""How many answers a job has promised to pay for, where its tags limit them: pk COUNTS#<job>, sk BUDGET.

Whoever holds a task will be paid for their answer to it, so a lease is counted when it is handed out, and
taken back with it. Each write that changes what is promised counts it in its own transaction, so whoever
dies, and whoever is there at once, the limit is never passed.
"""

from typing import Any

from adapters.desks import Desk
from adapters.table import Key, Table
from truthmill.labeling_jobs import Job


def gold_promises(job: Job, desk: Desk) -> int:
    """Answers to gold tasks that a worker gave or may give."""
    return desk.gold_result.tasks + sum(job.is_gold(each.number) for each in desk.held)


def promising(table: Table, job: Job, more: int) -> list[dict[str, Any]]:
    """A write for `Table.write`, which fails where so many more would be too many; none without a limit."""
    most = job.rules.max_answers
    if not most or not more:
        return []
    values = {"more": more} | ({"over": most - more + 1} if more > 0 else {})
    condition = "attribute_not_exists(#promised) OR #promised < :over" if more > 0 else ""
    return [table.updating(_key(job), "ADD #promised :more", values, condition)]


def gold_answered(table: Table, job: Job) -> list[dict[str, Any]]:
    """A write for `Table.write` that counts an answer to a gold task; none without a limit."""
    return [table.updating(_key(job), "ADD #gold :one", {"one": 1})] if job.rules.max_answers else []


def _key(job: Job) -> Key:
    return f"COUNTS#{job.name}", "BUDGET"
