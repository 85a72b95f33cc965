"""State RecordFailure: writes down why, where whoever asks will look, and tells the topic."""

from typing import Any

import msgspec

from adapters.storage import Storage, storage
from adapters.topic import publish
from pipeline.observed import observed
from pipeline.run import RunReference, now, update_run
from truthmill import layout
from truthmill.run import Failure, Run


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return record_failure(event, storage())


def record_failure(event: dict[str, Any], store: Storage) -> dict[str, Any]:
    """event: state (what the failed state was given, with its error), input, execution.

    Answers the error's name and its sentence, for the console.
    """
    failure = read_failure(event["state"]["error"])
    execution = event["execution"]
    if "run" in event["state"]:
        reference = RunReference.from_event(event["state"])
        key = reference.layout.run_json
        update_run(store, key, lambda found: _failed(found, failure))
        what = f"Run {reference.run} of dataset {reference.dataset}"
    else:
        name = execution.rpartition(":")[2]
        key = layout.failure(name)
        store.write_json(key, _unclaimed(event, failure))
        store.write_json(layout.execution(name), {"key": key})
        what = f"Execution {name}"
    publish(f"{what} failed", f"{what} failed: {failure.message}\nAll about it: {store.uri(key)}\n")
    return {"error": failure.name, "cause": failure.message}


def _failed(found: Run, failure: Failure) -> Run:
    return msgspec.structs.replace(found, state="FAILED", ended_at=now(), error=failure)


def _unclaimed(event: dict[str, Any], failure: Failure) -> Run:
    """run.json of an execution that ended before it had a run; the request as it came."""
    given = event["input"] if isinstance(event["input"], dict) else {"input": event["input"]}
    return Run(
        run="",
        dataset=str(given.get("dataset", "")),
        state="FAILED",
        trigger=str(given.get("trigger", "console")),
        execution=event["execution"],
        started_at=now(),
        ended_at=now(),
        request=given,
        error=failure,
    )


def read_failure(error: dict[str, str]) -> Failure:
    """The sentence within what Step Functions hands over: Lambda's cause is JSON with errorMessage."""
    cause = error.get("Cause", "")
    try:
        message = str(msgspec.json.decode(cause, type=dict[str, Any])["errorMessage"])
    except (msgspec.DecodeError, KeyError):
        message = cause
    return Failure(name=error.get("Error", "Unknown"), message=message or "No reason was given.")
