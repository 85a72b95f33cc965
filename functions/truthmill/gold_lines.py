"""The input line of a gold picture, such that nothing in it tells it from the job's own.

An adjustment job's objects come with first boxes. Those of a gold picture are its known boxes, of which some
lack and some lie beside their thing: who sends them unchanged hasn't looked.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from truthmill import earlier_labels
from truthmill.boxes import Box
from truthmill.gold_manifest import KnownPicture
from truthmill.labeling_jobs import Job
from truthmill.labeling_kinds import ADJUSTMENT

AWAY = 2  # a box beside its thing lies away from it by its side through this: an IoU of a third at the most
KINDS = ("lacks", "beside", "right")


def gold_line(job: Job, known: KnownPicture, ordinary: str) -> str:
    """A gold picture's line. ordinary: of one of the job's own objects, whose other keys it takes."""
    if job.kinds.pre != ADJUSTMENT:
        return msgspec.json.encode({"source-ref": known.uri}).decode()
    line: dict[str, Any] = msgspec.json.decode(ordinary) | {"source-ref": known.uri}
    if name := earlier_labels.attribute(line):
        boxes = first_boxes(known, job.secret)
        line |= _attribute(line, name, boxes, known.size_wh, job.labels)
    return msgspec.json.encode(line).decode()


def first_boxes(known: KnownPicture, secret: str) -> tuple[Box, ...]:
    """What is drawn already. secret: the job's; without it nobody can tell which of them are right."""
    kept = []
    for number, box in enumerate(known.boxes):
        digest = hashlib.sha256(f"{secret}\n{known.uri}\n{number}".encode()).digest()
        kind = KINDS[digest[0] % len(KINDS)] if number else "beside"  # one at the least is wrong
        if kind != "lacks":
            kept.append(_beside(box, known.size_wh, digest[1]) if kind == "beside" else box)
    return tuple(kept)


def _beside(box: Box, size_wh: tuple[int, int], chance: int) -> Box:
    """The box, moved along one side to where there is more room; half as large where there is none."""
    width, height = size_wh
    left = _moved(box.left, box.width, width)
    top = _moved(box.top, box.height, height)
    if (chance % 2 or top is None) and left is not None:
        return msgspec.structs.replace(box, left=left)
    if top is not None:
        return msgspec.structs.replace(box, top=top)
    return msgspec.structs.replace(box, width=max(1, box.width * 2 // 5))


def _moved(start: int, side: int, whole: int) -> int | None:
    away = -(-side // AWAY)
    after = whole - start - side
    if max(start, after) < away:
        return None
    return start + away if after >= start else start - away


def _attribute(
    line: dict[str, Any], name: str, boxes: Sequence[Box], size_wh: tuple[int, int], labels: Sequence[str]
) -> dict[str, Any]:
    """The boxes in the form that the line has them in."""
    metadata = line[f"{name}-metadata"]
    objects = metadata.get("objects") or [{"confidence": 0}]
    width, height = size_wh
    told = {
        "objects": [objects[number % len(objects)] for number in range(len(boxes))],
        "class-map": {str(number): labels[number] for number in sorted({box.class_id for box in boxes})},
    }
    return {
        name: line[name]
        | {
            "image_size": [{"width": width, "height": height, "depth": 3}],
            "annotations": [msgspec.to_builtins(box) for box in boxes],
        },
        f"{name}-metadata": metadata | told,
    }
