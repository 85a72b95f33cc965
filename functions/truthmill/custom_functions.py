"""The events of a job's own Lambda functions and what they answer.

Source: the SageMaker developer guide's "Pre-annotation Lambda" and "Post-annotation Lambda" of custom
labeling workflows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from truthmill.labeling_jobs import Job
from truthmill.labeling_output import LabeledObject

VERSION = "2018-10-16"


class FunctionAnswerError(Exception):
    """What a function answered can't be used; its text says what is right."""


class Prepared(msgspec.Struct, frozen=True):
    """input: what a template finds under `task.input`. human: whether workers are asked at all."""

    input: dict[str, Any]
    human: bool


def pre_annotation_event(job: Job, line: str) -> dict[str, Any]:
    """The event for one object. line: of the manifest."""
    return {"version": VERSION, "labelingJobArn": job.arn, "dataObject": msgspec.json.decode(line)}


def read_prepared(answer: Any) -> Prepared:
    """Raises FunctionAnswerError. The older spelling `humanAnnotationRequired`, and words, are taken too."""
    if not isinstance(answer, dict) or not isinstance(answer.get("taskInput"), dict):
        raise FunctionAnswerError(
            f'the pre-annotation function answered {answer!r:.200}; it answers {{"taskInput": {{…}}, '
            '"isHumanAnnotationRequired": true}.'
        )
    human = answer.get("isHumanAnnotationRequired", answer.get("humanAnnotationRequired", True))
    return Prepared(answer["taskInput"], str(human).lower() != "false")


def consolidation_event(job: Job, payload_uri: str) -> dict[str, Any]:
    """The event for a batch of objects, whose answers lie at payload_uri."""
    return {
        "version": VERSION,
        "labelingJobArn": job.arn,
        "labelCategories": list(job.labels),
        "labelAttributeName": job.attribute,
        "roleArn": job.request["RoleArn"],
        "payload": {"s3Uri": payload_uri},
    }


def consolidation_request(objects: Sequence[LabeledObject]) -> list[dict[str, Any]]:
    """The payload: every object with its workers' answers, each as a text of JSON."""
    return [
        {
            "datasetObjectId": str(each.number),
            "dataObject": {"s3Uri": each.uri} if each.uri else {"content": _source(each.line)},
            "annotations": [
                {
                    "workerId": answer.worker,
                    "annotationData": {"content": msgspec.json.encode(answer.content).decode()},
                }
                for answer in each.answers
            ],
        }
        for each in objects
    ]


def _source(line: str) -> Any:
    return msgspec.json.decode(line)["source"]


def read_consolidated(
    answer: Any, asked: Sequence[LabeledObject], attribute: str
) -> dict[int, Mapping[str, Any]]:
    """What the function made of each object, by its number; one it left out has no label.

    Nor has one whose content lacks the label attribute. What else stands there goes into the output unless
    the object's input line has it, which passes through unchanged. Raises FunctionAnswerError.
    """
    try:
        found: dict[int, Mapping[str, Any]] = {
            int(entry["datasetObjectId"]): dict(entry["consolidatedAnnotation"]["content"])
            for entry in answer
        }
    except (KeyError, TypeError, ValueError) as error:
        raise FunctionAnswerError(
            f"the consolidation function answered {answer!r:.200}; it answers "
            '[{"datasetObjectId": "…", "consolidatedAnnotation": {"content": {…}}}].'
        ) from error
    lines = {each.number: each.line for each in asked}
    unknown = found.keys() - lines.keys()
    if unknown:
        raise FunctionAnswerError(
            f"the consolidation function answered for object {min(unknown)}, of which it wasn't asked."
        )
    return {number: _beside(made, lines[number]) for number, made in found.items() if attribute in made}


def _beside(made: Mapping[str, Any], line: str) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.json.decode(line)
    return {name: value for name, value in made.items() if name not in given}
