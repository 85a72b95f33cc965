"""A job's own pre-annotation function, asked about every object before workers are."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from adapters.functions import FunctionFailedError, call
from truthmill.custom_functions import FunctionAnswerError, pre_annotation_event, read_prepared
from truthmill.labeling_input import MAX_LINE, NewObject
from truthmill.labeling_jobs import Job
from truthmill.labeling_kinds import CUSTOM, PRE
from truthmill.leases import SKIPPED, UNFIT

AT_ONCE = 16
MAX_ITEM = 390_000  # bytes of line and input: the two lie in one item, which takes 400 KB


def prepared(job: Job, objects: list[NewObject]) -> list[NewObject]:
    """The objects with what the function made of them; as they are where the job has none of its own.

    One that it wants no worker for is skipped; one on which it fails is unfit, and the others go on.
    """
    if job.kinds.pre != CUSTOM:
        return objects
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _prepared(job, each), objects))


def _prepared(job: Job, each: NewObject) -> NewObject:
    try:
        found = read_prepared(call(job.task[PRE], pre_annotation_event(job, each.line)))
        return msgspec.structs.replace(each, **_changes(found.input, found.human, each.line))
    except (FunctionFailedError, FunctionAnswerError) as error:
        return msgspec.structs.replace(each, state=UNFIT, reason=str(error)[:1_000])


def _changes(made: dict[str, Any], human: bool, line: str) -> dict[str, Any]:
    if not human:
        return {"state": SKIPPED}
    text = msgspec.json.encode(made).decode()
    if len(text) > MAX_LINE:
        raise FunctionAnswerError(f"taskInput has {len(text)} characters; at most {MAX_LINE}.")
    size = len(text.encode()) + len(line.encode())
    if size > MAX_ITEM:
        raise FunctionAnswerError(f"taskInput and the manifest's line have {size} bytes; at most {MAX_ITEM}.")
    return {"input": text}
