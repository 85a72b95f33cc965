"""Task tokens of executions that wait for labeling jobs, and how they are answered."""

from typing import Any

import msgspec

from adapters import executions, sagemaker
from adapters.storage import Storage
from truthmill import layout


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """Who waits for a labeling job: the execution's task token, and the key of its run.json."""

    token: str
    run_json: str = ""


def stored(job: str, store: Storage) -> Waiting:
    """What lies under the job's name; an empty token where nobody waits for it."""
    try:
        return store.read_json(layout.token(job), Waiting)[0]
    except FileNotFoundError:
        return Waiting("")


def answer_if_ended(job: str, token: str, store: Storage) -> bool:
    """Answer the token where the job has ended, with how; a token that nobody waits with is forgotten."""
    return answered(job, token, sagemaker.describe_labeling_job(job), store)


def answered(job: str, token: str, found: dict[str, Any], store: Storage) -> bool:
    """As `answer_if_ended`, of a job that has been described."""
    if found["LabelingJobStatus"] not in sagemaker.ENDED:
        return False
    while token:
        executions.answer(token, ended(found))
        waits = stored(job, store).token
        if waits == token:
            store.delete(layout.token(job))
            break
        token = waits  # AwaitLabels went round meanwhile, and may have seen the job before it ended
    return True


def ended(found: dict[str, Any]) -> dict[str, str]:
    """How a job ended, as PlanLabeling takes it."""
    return {
        "name": found["LabelingJobName"],
        "status": found["LabelingJobStatus"],
        "reason": found.get("FailureReason", ""),
    }
