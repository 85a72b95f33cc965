"""What a job leaves in S3, in Ground Truth's layout: the output manifest's lines and the workers' answers.

Every text follows from what was submitted, not from when it is written, so writing twice changes nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from truthmill.consolidation import Consolidated, consolidate
from truthmill.labeling_jobs import Job
from truthmill.worker_answers import Answer
from truthmill.worker_quality import Panel

TYPE = "groundtruth/object-detection"


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's answer to one object. content: as it came; the moments in milliseconds since 1970.

    sub, issuer: the worker's identity at the user pool.
    """

    worker: str
    sub: str
    issuer: str
    accepted: int
    submitted: int
    content: dict[str, Any]
    answer: Answer


class LabeledObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object with the answers it got. line: of the input manifest; state: of `leases`."""

    number: int
    line: str
    state: str
    answers: tuple[Submitted, ...]


def output_line(job: Job, done: LabeledObject, ended: int, panel: Panel | None = None) -> str:
    """The object's line of the output manifest: its input line, unchanged, and what the job adds.

    ended: when the job ended, for objects that nobody answered. panel: what is known of the workers.
    """
    if done.state == "labeled":
        found = consolidated(done.answers, panel)
        added = {
            job.attribute: _annotation(found, done.answers),
            f"{job.attribute}-metadata": _metadata(job, found, max(each.submitted for each in done.answers)),
        }
    else:
        added = {f"{job.attribute}-metadata": _failure(job, done, ended)}
    return done.line[: done.line.rindex("}")] + ", " + msgspec.json.encode(added).decode()[1:]


def consolidated(answers: Sequence[Submitted], panel: Panel | None = None) -> list[Consolidated]:
    """What the workers' answers come to."""
    boxes = {each.worker: each.answer.boxes for each in answers}
    return consolidate(boxes, answers[0].answer.size_wh, panel)


def _annotation(found: Sequence[Consolidated], answers: Sequence[Submitted]) -> dict[str, Any]:
    width, height = answers[0].answer.size_wh
    boxes = [each.box for each in found]
    return {
        "image_size": [{"width": width, "height": height, "depth": 3}],
        "annotations": [
            {
                "class_id": box.class_id,
                "left": box.left,
                "top": box.top,
                "width": box.width,
                "height": box.height,
            }
            for box in boxes
        ],
    }


def _metadata(job: Job, found: Sequence[Consolidated], moment: int) -> dict[str, Any]:
    classes = sorted({each.box.class_id for each in found})
    return {
        "objects": [{"confidence": each.confidence} for each in found],
        "class-map": {str(number): job.labels[number] for number in classes},
        "type": TYPE,
        "human-annotated": "yes",
        "creation-date": iso_micro(moment),
        "job-name": f"labeling-job/{job.name}",
    }


def _failure(job: Job, done: LabeledObject, ended: int) -> dict[str, Any]:
    reason = {
        "expired": "Expired: as many workers as the object needs declined it.",
    }.get(done.state, "Unlabeled: the job ended before the object had all its answers.")
    return {
        "type": TYPE,
        "human-annotated": "yes",
        "creation-date": iso_micro(ended),
        "job-name": f"labeling-job/{job.name}",
        "failure-reason": reason,
    }


def worker_response(done: LabeledObject) -> dict[str, Any]:
    """The document under annotations/worker-response: every worker's answer to one object."""
    return {"answers": [_response(each) for each in done.answers]}


def _response(each: Submitted) -> dict[str, Any]:
    return {
        "acceptanceTime": iso_milli(each.accepted),
        "answerContent": each.content,
        "submissionTime": iso_milli(each.submitted),
        "timeSpentInSeconds": (each.submitted - each.accepted) / 1000,
        "workerId": each.worker,
        "workerMetadata": {
            "identityData": {"identityProviderType": "Cognito", "issuer": each.issuer, "sub": each.sub}
        },
    }


def worker_response_key(done: LabeledObject) -> str:
    """Its key below the job's output: iteration, object, the moment of the last answer."""
    moment = datetime.fromtimestamp(max(each.submitted for each in done.answers) / 1000, UTC)
    stamp = moment.strftime("%Y-%m-%d_%H:%M:%S")
    return f"annotations/worker-response/iteration-1/{done.number}/{stamp}.json"


def consolidation_entry(job: Job, done: LabeledObject, panel: Panel | None = None) -> dict[str, Any]:
    """An entry of annotations/consolidated-annotation: what the answers to one object came to."""
    found = consolidated(done.answers, panel)
    content = {
        job.attribute: _annotation(found, done.answers),
        f"{job.attribute}-metadata": _metadata(job, found, max(each.submitted for each in done.answers)),
    }
    return {"datasetObjectId": str(done.number), "consolidatedAnnotation": {"content": content}}


def iso_milli(moment: int) -> str:
    """YYYY-MM-DDTHH:MM:SS.mmmZ."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def iso_micro(moment: int) -> str:
    """YYYY-MM-DDTHH:MM:SS.mmmmmm, as in Ground Truth's creation-date."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="microseconds")[:-6]
