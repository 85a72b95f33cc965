"""What the one who runs a team sees of a job: how far each worker got, and an object with its answers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import fmean, median
from typing import Any

import msgspec

from truthmill.boxes import Box, iou
from truthmill.labeling_output import Submitted, consolidated, iso_milli

SAME = 0.5  # boxes of one label whose IoU reaches this count as the same


class Declined(msgspec.Struct, frozen=True):
    """A worker (by the account's identity) returned an object for good."""

    worker: str
    reason: str


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """An object of a job with all that workers did to it. state: of `leases`."""

    number: int
    uri: str
    state: str
    answers: tuple[Submitted, ...] = ()
    declined: tuple[Declined, ...] = ()


class Progress(msgspec.Struct, frozen=True, rename="camel"):
    """One worker over some objects.

    median_seconds: of an answer; None without one. agreement: mean F1, 0 to 1, against each other worker's
    boxes on the same object; None where nobody else answered the same objects.
    """

    answered: int = 0
    declined: int = 0
    median_seconds: float | None = None
    agreement: float | None = None


def progress(objects: Iterable[Reviewed]) -> dict[str, Progress]:
    """Each worker's progress by their account's identity; holds a few numbers for every answer."""
    seconds: dict[str, list[float]] = defaultdict(list)
    agreed: dict[str, list[float]] = defaultdict(list)
    declined: dict[str, int] = defaultdict(int)
    for each in objects:
        for answer in each.answers:
            seconds[answer.sub].append((answer.submitted - answer.accepted) / 1000)
        for one, other in combinations(each.answers, 2):
            score = f1(one.answer.boxes, other.answer.boxes)
            agreed[one.sub].append(score)
            agreed[other.sub].append(score)
        for worker in each.declined:
            declined[worker.worker] += 1
    return {
        worker: Progress(
            len(seconds[worker]),
            declined[worker],
            round(median(seconds[worker]), 1) if seconds[worker] else None,
            round(fmean(agreed[worker]), 3) if agreed[worker] else None,
        )
        for worker in {*seconds, *declined}
    }


def f1(one: Sequence[Box], other: Sequence[Box]) -> float:
    """How far two lists of boxes agree, 0 to 1: twice the pairs by the sum of the boxes.

    Two empty lists agree wholly.
    Pairs are of one class with an IoU of at least SAME, the closest first, each box in one pair at most.
    """
    if not one and not other:
        return 1.0
    close = sorted(
        (
            (iou(mine, theirs), i, j)
            for i, mine in enumerate(one)
            for j, theirs in enumerate(other)
            if mine.class_id == theirs.class_id and iou(mine, theirs) >= SAME
        ),
        reverse=True,
    )
    mine_used: set[int] = set()
    theirs_used: set[int] = set()
    for _, i, j in close:
        if i not in mine_used and j not in theirs_used:
            mine_used.add(i)
            theirs_used.add(j)
    return 2 * len(mine_used) / (len(one) + len(other))


def summary(each: Reviewed, emails: Mapping[str, str]) -> dict[str, Any]:
    """An object in the list of a job's objects."""
    return {
        "object": f"{each.number:06d}",
        "objectName": each.uri.rsplit("/", 1)[-1],
        "state": each.state,
        "answers": len(each.answers),
        "declined": [
            {"member": one.worker, "email": emails.get(one.worker, ""), "reason": one.reason}
            for one in each.declined
        ],
    }


def detail(each: Reviewed, labels: Sequence[str], emails: Mapping[str, str]) -> dict[str, Any]:
    """An object with its answers, and what they come to. emails: of workers by their account's identity."""
    merged = consolidated(each.answers) if each.answers else []
    size = each.answers[0].answer.size_wh if each.answers else None
    return {
        **summary(each, emails),
        "labels": list(labels),
        "size": {"width": size[0], "height": size[1]} if size else None,
        "answers": [
            {
                "member": answer.sub,
                "email": emails.get(answer.sub, ""),
                "submitted": iso_milli(answer.submitted),
                "seconds": (answer.submitted - answer.accepted) / 1000,
                "boxes": [_box(box, labels) for box in answer.answer.boxes],
            }
            for answer in each.answers
        ],
        "merged": [{**_box(one.box, labels), "confidence": one.confidence} for one in merged],
    }


def _box(box: Box, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "label": labels[box.class_id],
        "left": box.left,
        "top": box.top,
        "width": box.width,
        "height": box.height,
    }
