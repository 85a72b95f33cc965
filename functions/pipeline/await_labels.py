"""State AwaitLabels: leaves the task token where the event finds it, then looks whether the job has ended.

In this order: a job that ends in between is found by one of the two, so none is waited for in vain.
"""

from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.run import RunReference
from pipeline.waiting import Waiting, answer_if_ended
from truthmill import layout


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    key = RunReference.from_event(event).layout.run_json
    return await_labels(event["name"], event["token"], key, storage())


def await_labels(job: str, token: str, run_json: str, store: Storage) -> dict[str, Any]:
    """What it answers goes nowhere: the state machine hears from whoever answers the token.

    run_json: key of the run that waits, so that the sweep can write the progress there.
    """
    store.write_json(layout.token(job), Waiting(token, run_json))
    return {"answered": answer_if_ended(job, token, store)}
