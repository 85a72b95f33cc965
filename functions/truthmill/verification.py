"""What workers think of labels that are there: a verdict each, of which one is made."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from truthmill.worker_answers import AnswerError


class Verdict(msgspec.Struct, frozen=True):
    """class_id: index in the job's labels. comment: the worker's own words, may be empty."""

    class_id: int
    comment: str = ""


def read_verdict(content: Any, labels: Sequence[str]) -> Verdict:
    """The verdict in a form's answer: what `crowd-image-classifier` or a radio group gives.

    A field `comment` beside it is the worker's. Raises AnswerError.
    """
    fields = content if isinstance(content, dict) else {}
    found = [label for value in fields.values() if (label := _chosen(value)) is not None]
    if len(found) != 1 or found[0] not in labels:
        raise AnswerError(
            f"The answer has the verdicts {found}; it has one of {list(labels)}: "
            '{"crowd-image-classifier": {"label": "…"}}.'
        )
    comment = fields.get("comment", "")
    return Verdict(list(labels).index(found[0]), comment.strip() if isinstance(comment, str) else "")


def _chosen(value: Any) -> str | None:
    """What one field chose; None for a field of another kind."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("label"), str):
        return str(value["label"])
    chosen = [name for name, on in value.items() if on is True]
    radio = bool(value) and all(isinstance(on, bool) for on in value.values())
    return str(chosen[0]) if radio and len(chosen) == 1 else None


def agreed(verdicts: Sequence[Verdict]) -> tuple[int, float]:
    """The class that most workers chose, and their share; of equal ones the first in the job's labels.

    As with boxes, the share of a single worker is 0.
    """
    votes = Counter(verdict.class_id for verdict in verdicts)
    class_id = min(votes, key=lambda each: (-votes[each], each))
    return class_id, 0.0 if len(verdicts) == 1 else round(votes[class_id] / len(verdicts), 4)
