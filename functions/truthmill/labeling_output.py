"""What a job leaves in S3, in Ground Truth's layout: the output manifest's lines and the workers' answers.

Every text follows from what was submitted, not from when it is written, so writing twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from truthmill import earlier_labels
from truthmill.consolidation import Consolidated, consolidate
from truthmill.labeling_jobs import Job
from truthmill.labeling_kinds import ADJUSTMENT, CUSTOM, VERIFICATION
from truthmill.leases import EXPIRED, LABELED, SKIPPED, UNFIT
from truthmill.verification import agreed, read_verdict
from truthmill.worker_answers import Answer
from truthmill.worker_quality import Panel

TYPE = "groundtruth/object-detection"
TYPES = {VERIFICATION: "groundtruth/label-verification", CUSTOM: "groundtruth/custom"}


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
    """An object with the answers it got. line: of the input manifest; state: of `leases`.

    uri: of its picture; empty where the line holds the object itself. reason: why no worker was asked.
    size: bytes of line and answers.
    """

    number: int
    line: str
    state: str
    answers: tuple[Submitted, ...]
    uri: str = ""
    reason: str = ""
    size: int = 0

    @property
    def last(self) -> int:
        """The moment of its last answer."""
        return max(each.submitted for each in self.answers)


def output_line(
    job: Job,
    done: LabeledObject,
    ended: int,
    panel: Panel | None = None,
    made: Mapping[str, Any] | None = None,
) -> str:
    """The object's line of the output manifest: its input line, unchanged, and what the job adds.

    ended: when the job ended, for objects that nobody answered. panel: what is known of the workers. made:
    what the job's own consolidation function made of the answers; None where it made nothing, or where the
    job has no such function.
    """
    if done.state == LABELED and (made is not None or job.kinds.consolidation != CUSTOM):
        added = content(job, done, panel) if made is None else _custom(job, done, made)
    else:
        added = {f"{job.attribute}-metadata": _unlabeled(job, done, ended)}
    return done.line[: done.line.rindex("}")] + ", " + msgspec.json.encode(added).decode()[1:]


def content(job: Job, done: LabeledObject, panel: Panel | None = None) -> dict[str, Any]:
    """What a built-in consolidation makes of the answers: the job's attribute and its metadata."""
    if job.kinds.consolidation == VERIFICATION:
        return _verified(job, done)
    found = consolidated(done.answers, panel)
    metadata = _metadata(job, found, done.last)
    if job.kinds.consolidation == ADJUSTMENT:
        changed = earlier_labels.adjusted(
            msgspec.json.decode(done.line), [each.box for each in found], job.labels
        )
        metadata["adjustment-status"] = "adjusted" if changed else "unadjusted"
    return {job.attribute: _annotation(found, done.answers), f"{job.attribute}-metadata": metadata}


def _verified(job: Job, done: LabeledObject) -> dict[str, Any]:
    """The verdict as the developer guide's "Label verification job output" has it."""
    in_order = sorted(done.answers, key=lambda each: (each.submitted, each.worker))
    verdicts = [read_verdict(each.content, job.labels) for each in in_order]
    class_id, confidence = agreed(verdicts)
    metadata = {
        "class-name": job.labels[class_id],
        "confidence": confidence,
        **_provenance(job, done.last),
        "worker-feedback": [{"comment": each.comment} for each in verdicts if each.comment],
    }
    return {job.attribute: str(class_id), f"{job.attribute}-metadata": metadata}


def _custom(job: Job, done: LabeledObject, made: Mapping[str, Any]) -> dict[str, Any]:
    """What the function made, with the metadata that every output has; its own words win."""
    name = f"{job.attribute}-metadata"
    own = made.get(name)
    return {**made, name: {**_provenance(job, done.last), **(own if isinstance(own, dict) else {})}}


def _provenance(job: Job, moment: int) -> dict[str, Any]:
    return {
        "type": TYPES.get(job.kinds.consolidation, TYPE),
        "human-annotated": "yes",
        "creation-date": iso_micro(moment),
        "job-name": f"labeling-job/{job.name}",
    }


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
        **_provenance(job, moment),
    }


def _unlabeled(job: Job, done: LabeledObject, ended: int) -> dict[str, Any]:
    """Metadata of an object without a label, with the reason unless the job's own function skipped it."""
    if done.state == SKIPPED:
        return _provenance(job, ended) | {"human-annotated": "no"}
    if job.lapsed and done.state not in (LABELED, EXPIRED, UNFIT):
        reason = "Expired: it had not all its answers within TaskAvailabilityLifetimeInSeconds."
    else:
        reason = {
            EXPIRED: "Expired: as many workers as the object needs declined it.",
            UNFIT: f"ClientError: {done.reason}",
            LABELED: "ClientError: the job's consolidation function made no label of its answers.",
        }.get(done.state, "Unlabeled: the job ended before the object had all its answers.")
    return {**_provenance(job, ended), "failure-reason": reason}


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
    moment = datetime.fromtimestamp(done.last / 1000, UTC)
    stamp = moment.strftime("%Y-%m-%d_%H:%M:%S")
    return f"annotations/worker-response/iteration-1/{done.number}/{stamp}.json"


def consolidation_entry(job: Job, done: LabeledObject, panel: Panel | None = None) -> dict[str, Any]:
    """An entry of annotations/consolidated-annotation: what the answers to one object came to."""
    made = content(job, done, panel)
    return {"datasetObjectId": str(done.number), "consolidatedAnnotation": {"content": made}}


def iso_milli(moment: int) -> str:
    """YYYY-MM-DDTHH:MM:SS.mmmZ."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def iso_micro(moment: int) -> str:
    """YYYY-MM-DDTHH:MM:SS.mmmmmm, as in Ground Truth's creation-date."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="microseconds")[:-6]
