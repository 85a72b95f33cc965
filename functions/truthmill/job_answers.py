"""What a job's kind makes of a task: the input of its template, and the check of its answer."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from truthmill import earlier_labels, worker_template
from truthmill.labeling_kinds import ADJUSTMENT, CUSTOM, VERIFICATION, Kinds
from truthmill.verification import read_verdict
from truthmill.worker_answers import Answer, AnswerError, read_answer


def read_job_answer(
    kinds: Kinds, content: Any, labels: Sequence[str], stored_size: Callable[[], tuple[int, int] | None]
) -> Answer:
    """The boxes of an answer; none where the job asks for something else. Raises AnswerError.

    stored_size: the stored picture's width and height in pixels, asked for only where boxes need it.
    """
    if kinds.consolidation == CUSTOM:
        if not isinstance(content, dict):
            raise AnswerError("The answer is not an object keyed by the names of the form's elements.")
        return Answer((), (0, 0))
    if kinds.consolidation == VERIFICATION:
        read_verdict(content, labels)
        return Answer((), (0, 0))
    return read_answer(content, labels, stored_size())


def template_input(
    kinds: Kinds, line: str, uri: str, labels: Sequence[str], prepared: str = ""
) -> dict[str, Any]:
    """What a template finds under `task.input`.

    prepared: what the job's own pre-annotation function made, as JSON. The built-in ones of adjustment and
    verification give the manifest's whole line, from which templates take the earlier labels, and the boxes
    among these as an element's initial value.
    """
    if prepared:
        made: dict[str, Any] = msgspec.json.decode(prepared)
        return made
    built_in = worker_template.input_of(uri, tuple(labels))
    if kinds.pre in (ADJUSTMENT, VERIFICATION):
        given = msgspec.json.decode(line)
        name = earlier_labels.attribute(given)
        boxes = earlier_labels.boxes(given, name) if name else []
        built_in |= {"manifestLine": given, "initialValue": [box._asdict() for box in boxes]}
    return built_in
