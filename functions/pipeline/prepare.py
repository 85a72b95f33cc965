"""State Prepare: reads the request, claims the run, reads the source's directory, writes the plan."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from adapters.executions import is_running
from adapters.storage import LineSink, Storage, encode_json, storage
from pipeline.ledger import read_ledger
from pipeline.naming import name_of
from pipeline.observed import observed
from pipeline.relabeling import Unanswered, is_dataset
from pipeline.run import Newest, RunReference, now
from pipeline.source import Prefix, Source, open_source
from truthmill import archive, labeling_job, layout, request_reading
from truthmill.errors import (
    BudgetExceededError,
    LabelingIncompleteError,
    LabelsChangedError,
    NoPicturesError,
    SplitError,
)
from truthmill.layout import RunLayout
from truthmill.records import Entry, Inspection, Rejected, Seen
from truthmill.request import Request
from truthmill.run import Run, goes_on_without, takes_over

BATCH_BYTES = 1024**3  # unpacked, of one InspectImages child: minutes at most, whatever they are
BATCH_COUNT = 400
# What doesn't mend itself: a sweep that failed for it waits until somebody changes something.
FOR_SOMEBODY = frozenset(
    error.__name__
    for error in (
        NoPicturesError,
        SplitError,
        BudgetExceededError,
        LabelingIncompleteError,
        LabelsChangedError,
    )
)
OTHER_ORDER = "The request has its labels in another order than the dataset: class ids go by {}."


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    given = event["input"] if isinstance(event["input"], dict) else {}
    uri, store = request_reading.source_uri(given), storage()
    source = open_source(uri, storage) if not is_dataset(uri, store) else Unanswered(store, uri)
    parsed = request_reading.parse(given, source.settings(), stack_defaults(os.environ))
    asked = in_the_datasets_order(parsed, store)
    own_service = bool(os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER"))
    labeling_job.check(asked, os.environ["AWS_REGION"], own_service=own_service)
    if asked.labeling.template and not asked.labeling.template.startswith("s3://"):
        from truthmill import worker_template

        worker_template.check(asked.labeling.template, '"labeling.template"')
    if asked.trigger == "schedule" and isinstance(source, Prefix):
        source = source.since(partial(swept, store, asked.dataset, source.key))
        if source.is_exhausted:
            last = store.read_json(layout.swept(asked.dataset), Newest)[0].run
            return nothing_new(store, asked.dataset, last, event["execution"])
        name = name_of(source, asked, store)
        if waits_for_somebody(store, RunLayout(asked.dataset, name), asked):
            return nothing_new(store, asked.dataset, name, event["execution"])
    else:
        name = name_of(source, asked, store)
    warnings = () if asked.labels == parsed.labels else (OTHER_ORDER.format(", ".join(asked.labels)),)
    return prepare(asked, source, name, event["execution"], store, warnings)


def in_the_datasets_order(asked: Request, store: Storage) -> Request:
    """With the labels as the dataset has them: a class id is an index in one list for all of its runs."""
    known = read_ledger(store, asked.dataset)[0]
    return msgspec.structs.replace(asked, labels=known.order(asked.labels))


def prepare(
    asked: Request, source: Source, name: str, execution: str, store: Storage, warnings: tuple[str, ...]
) -> dict[str, Any]:
    """Claim the run of that name and write its plan; answer with references only."""
    at = RunLayout(asked.dataset, name)
    reference = RunReference(store.bucket, asked.dataset, name, execution)
    store.write_json(layout.execution(execution.rpartition(":")[2]), {"key": at.run_json})
    ours = claim(store, at, new_run(name, asked, source, execution, warnings))
    if ours and not asked.of_dataset and not store.exists(at.plan):
        write_plan(store, at, source)
    return {
        "run": msgspec.to_builtins(reference),
        "decision": decision(asked) if ours else "exists",
        "plan": at.plan,
        "place": at.place,
    }


def decision(asked: Request) -> str:
    """Which way the execution goes on with a run that is its own."""
    if asked.resplit:
        return "resplit"
    return "relabel" if asked.of_dataset else "claimed"


def swept(store: Storage, dataset: str, prefix: str) -> Iterator[Seen]:
    """The loose objects that the last complete sweep of the dataset went through, in the order of keys.

    Those that were gone or replaced before they could be read are not: they may come again, with the same
    ETag.
    """
    try:
        last = store.read_json(layout.swept(dataset), Newest)[0]
    except FileNotFoundError:
        return iter(())
    at = RunLayout(dataset, last.run)
    if not (store.exists(at.listing) and store.exists(at.rejected)):
        return iter(())  # somebody cleared up; what is known already costs nothing
    rejected = store.read_lines(at.rejected, Rejected)
    missing = {prefix + line.name for line in rejected if line.reason in {"missing", "replaced"}}
    return (seen for seen in store.read_lines(at.listing, Seen) if seen.key not in missing)


def waits_for_somebody(store: Storage, at: RunLayout, asked: Request) -> bool:
    """Whether a sweep before this one found the very same, and failed for what doesn't mend itself.

    It would fail each time, and tell the topic; one that lacks answers would even pay for them each time.
    """
    try:
        found = store.read_json(at.run_json, Run)[0]
    except FileNotFoundError:
        return False
    if found.state != "FAILED" or found.error is None or found.error.name not in FOR_SOMEBODY:
        return False
    before = msgspec.structs.replace(found.asked, source=asked.source, trigger=asked.trigger)
    return before == asked


def nothing_new(store: Storage, dataset: str, run: str, execution: str) -> dict[str, Any]:
    """A sweep that finds nothing makes no run. run: that looked last, at which its execution points."""
    at = RunLayout(dataset, run)
    store.write_json(layout.execution(execution.rpartition(":")[2]), {"key": at.run_json})
    reference = RunReference(store.bucket, dataset, run, execution)
    return {
        "run": msgspec.to_builtins(reference),
        "decision": "nothing-new",
        "plan": at.plan,
        "place": at.place,
    }


def new_run(name: str, asked: Request, source: Source, execution: str, warnings: tuple[str, ...] = ()) -> Run:
    return Run(
        run=name,
        dataset=asked.dataset,
        state="RUNNING",
        trigger=asked.trigger,
        execution=execution,
        started_at=now(),
        request=msgspec.to_builtins(asked),
        source=source.described(),
        warnings=warnings,
    )


def claim(store: Storage, at: RunLayout, wanted: Run) -> bool:
    """Make run.json this execution's; False where the run is done, or another execution works on it."""
    while not store.create(at.run_json, encode_json(wanted), "application/json"):
        found, etag = store.read_json(at.run_json, Run)
        running = found.state == "RUNNING" and is_running(found.execution)
        if not takes_over(found, wanted.execution, still_running=running):
            return False
        taken = msgspec.structs.replace(
            found,
            state="RUNNING",
            trigger=wanted.trigger,
            execution=wanted.execution,
            started_at=found.started_at if found.execution == wanted.execution else wanted.started_at,
            request=wanted.request,
            source=wanted.source,
            ended_at="",
            error=None,
            asks_no_more=False,
            goes_on_without=goes_on_without(found, wanted),
        )
        if store.replaced(at.run_json, taken, etag):
            return True
    return True


def write_plan(store: Storage, at: RunLayout, source: Source) -> None:
    """plan.jsonl, and what became of the inputs that no batch needs to look at; the plan last.

    Both are uploaded as they come: a function's disk has less room than ten million entries take.
    """
    with store.sink(at.plan) as plan, store.sink(at.inspected_by_prepare) as aside:
        for batch in archive.batches(_usable(source.entries(at), aside), BATCH_BYTES, BATCH_COUNT):
            plan.add(batch)


def _usable(inputs: Iterator[Entry | Inspection], aside: LineSink) -> Iterator[Entry]:
    """The entries to inspect; what is decided already goes aside, a line each."""
    for found in inputs:
        if isinstance(found, Inspection):
            aside.add(found)
        else:
            yield found


def stack_defaults(environment: Any) -> dict[str, Any]:
    """What the stack's parameters say, in the request's form."""
    labels = [name.strip() for name in environment.get("DEFAULT_LABELS", "").split(",") if name.strip()]
    workforce = {
        "workteamArn": environment.get("DEFAULT_WORKTEAM_ARN", ""),
        "workersPerObject": int(environment.get("DEFAULT_WORKERS_PER_OBJECT", "1")),
        "pricePerTask": environment.get("DEFAULT_PRICE_PER_TASK", "0"),
    }
    return {
        "labels": labels,
        "workforce": workforce,
        "split": {"validation": float(environment.get("DEFAULT_VALIDATION", "0.2"))},
    }
