"""What the bucket and the services know of runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import obstore

from adapters import sagemaker
from adapters.storage import Storage
from truthmill import layout, progress
from truthmill.layout import RunLayout
from truthmill_cli import stack
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import Stack

Document = dict[str, Any]
"""run.json as it is; truthmill.run.Run says what is in it."""

ENDED = ("SUCCEEDED", "FAILED")
WAITING = "WAITING_FOR_LABELS"
INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far labeling is. labeled: pictures answered, of objects sent; waiting: not over yet."""

    labeled: int
    objects: int
    waiting: bool


def read(storage: Storage, key: str) -> Document | None:
    """A run.json; None where it isn't there."""
    try:
        return msgspec.json.decode(storage.read(key), type=Document)
    except FileNotFoundError:
        return None


def of_execution(storage: Storage, name: str) -> Document | None:
    """The run that an execution works on; None as long as it hasn't said so."""
    pointer = read(storage, layout.execution(name))
    return read(storage, pointer["key"]) if pointer else None


def every(storage: Storage) -> list[Document]:
    """All runs of all datasets, and what failed before it had a run; the oldest first."""
    keys = [
        RunLayout(_last(dataset), _last(run)).run_json
        for dataset in _below(storage, "datasets/")
        for run in _below(storage, f"{dataset}/runs/")
    ]
    keys += [found.key for found in storage.list("failures/")]
    found = [document for key in keys if (document := read(storage, key))]
    return sorted(found, key=lambda document: str(document["startedAt"]))


def find(storage: Storage, name: str) -> Document:
    """The run of that name, or the newest run of the dataset of that name. Raises UsageError."""
    matches = [document for document in every(storage) if name in _names(document)]
    if not matches:
        raise UsageError(f"There is no run and no dataset {name!r}. `truthmill status` lists them.")
    return matches[-1]


def _names(document: Document) -> tuple[str, ...]:
    return (
        document["run"],
        document["dataset"],
        f"{document['dataset']}/{document['run']}",
        execution_name(document),
    )


def execution_name(document: Document) -> str:
    return str(document["execution"]).rpartition(":")[2]


def labeling_progress(where: Stack, document: Document) -> Progress:
    """What the labeling service says of a run's jobs."""
    labeled = objects = 0
    waiting = False
    service = labeling_client(where)
    for job in document.get("jobs", []):
        objects += int(job["objects"])
        if not job.get("arn"):
            continue
        found = service.describe_labeling_job(LabelingJobName=job["name"])
        labeled += int(found["LabelCounters"]["TotalLabeled"])
        waiting = waiting or found["LabelingJobStatus"] not in sagemaker.ENDED
    return Progress(labeled, objects, waiting)


def pace(document: Document) -> Document:
    """When the jobs will have ended at the last day's pace (UTC), and whether one stands still."""
    found = [msgspec.convert(each, progress.Progress) for each in document.get("progress", {}).values()]
    ends = [each.ends_at for each in found]
    known = [end for end in ends if end is not None]
    last = max(known) if known and len(known) == len(ends) else None
    moment = datetime.fromtimestamp(last, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if last else None
    return {"endsAt": moment, "stalled": any(each.stalled for each in found)}


def labeling_client(where: Stack) -> Any:
    return sagemaker.client(where.labeling_endpoint or None)


def execution(arn: str) -> Document:
    """DescribeExecution's answer; status "" where Step Functions no longer knows it."""
    service = stack.client("stepfunctions")
    try:
        found: Document = service.describe_execution(executionArn=arn)
    except service.exceptions.ExecutionDoesNotExist:
        return {"status": ""}
    return found


def under_way(state_machine: str) -> Iterator[Document]:
    """Executions that are running."""
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=state_machine, statusFilter="RUNNING"):
        yield from page["executions"]


def needs_labels(storage: Storage, name: str) -> bool:
    """Whether an execution under way waits for labels, or may come to it yet."""
    document = of_execution(storage, name)
    if document is None or execution_name(document) != name:
        return True  # it hasn't made the run its own yet: what that says is of an earlier execution
    return document["state"] == "RUNNING" and not document.get("asksNoMore", False)


def _below(storage: Storage, prefix: str) -> list[str]:
    """The names one level below a prefix, each with its prefix and without a slash at its end."""
    found = obstore.list_with_delimiter(storage.store, prefix)
    return [str(name).rstrip("/") for name in found["common_prefixes"]]


def _last(prefix: str) -> str:
    return prefix.rpartition("/")[2]
