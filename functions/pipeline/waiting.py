"""Task tokens of executions that wait for labeling jobs, and how they are answered."""

from typing import Any

from adapters import executions, sagemaker
from adapters.storage import Storage
from truthmill import layout


def stored_token(job: str, store: Storage) -> str:
    """The token under the job's name; empty where nobody waits for it."""
    try:
        found: dict[str, str] = store.read_json(layout.token(job), dict[str, str])[0]
    except FileNotFoundError:
        return ""
    return found["token"]


def answer_if_ended(job: str, token: str, store: Storage) -> bool:
    """Answer the token where the job has ended, with how; a token that nobody waits with is forgotten."""
    found = sagemaker.describe_labeling_job(job)
    if found["LabelingJobStatus"] not in sagemaker.ENDED:
        return False
    while token:
        executions.answer(token, ended(found))
        waits = stored_token(job, store)
        if waits == token:
            store.delete(layout.token(job))
            break
        token = waits  # AwaitLabels went round meanwhile, and may have seen the job before it ended
    return True


def ended(found: dict[str, Any]) -> dict[str, str]:
    """How a job ended, as BuildChannels takes it."""
    return {
        "name": found["LabelingJobName"],
        "status": found["LabelingJobStatus"],
        "reason": found.get("FailureReason", ""),
    }
