"""Task tokens of executions that wait for labeling jobs, how they are answered, and jobs given up."""

from typing import Any

import msgspec

from adapters import executions, sagemaker
from adapters.storage import Storage, encode_json
from pipeline.run import update_run
from truthmill import layout
from truthmill.run import Run


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """Who waits for a labeling job: the execution's task token, and the key of its run.json.

    The token is empty from just before the job is made until AwaitLabels comes.
    """

    token: str
    run_json: str = ""


def stored(job: str, store: Storage) -> Waiting:
    """What lies under the job's name; an empty token where nobody waits for it."""
    try:
        return store.read_json(layout.token(job), Waiting)[0]
    except FileNotFoundError:
        return Waiting("")


def expected(job: str, run_json: str, store: Storage) -> None:
    """Note whose job it will be, before there is one: the sweep stops it where its execution ends first."""
    store.create(layout.token(job), encode_json(Waiting("", run_json)), "application/json")


def give_up(job: str, run_json: str, store: Storage) -> bool:
    """Nobody waits for the job any more: have workers asked no further; False where it has ended.

    Noted first, so that whoever goes on with the run, a redrive too, asks again for what it leaves.
    """
    update_run(store, run_json, lambda found: _given_up(found, job))
    stopped = sagemaker.stop_labeling_job(job)
    store.delete(layout.token(job))
    return stopped


def _given_up(found: Run, name: str) -> Run:
    jobs = tuple(
        msgspec.structs.replace(job, given_up=job.given_up or (job.name == name and not job.has_ended))
        for job in found.jobs
    )
    return msgspec.structs.replace(found, jobs=jobs)


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
