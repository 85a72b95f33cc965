"""An object of a job as it lies in the table: its keys, its queue, its item, and back.

What happens to it is in `tasks`.
"""

import msgspec

from adapters.table import Item, Key
from truthmill import leases
from truthmill.labeling_input import NewObject
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import LabeledObject, Submitted
from truthmill.leases import Task


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
