"""State AwaitLabels: leaves the task token where the event finds it, then looks whether the job has ended.

In this order: a job that ends in between is found by one of the two, so none is waited for in vain.
"""

from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.waiting import answer_if_ended
from truthmill import layout


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return await_labels(event["name"], event["token"], storage())


def await_labels(job: str, token: str, store: Storage) -> dict[str, Any]:
    """What it answers goes nowhere: the state machine hears from whoever answers the token."""
    store.write_json(layout.token(job), {"token": token})
    return {"answered": answer_if_ended(job, token, store)}
