"""A run's objects in a bucket in memory, as the states leave them, for tests of the report."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

from adapters.storage import Storage, memory
from pipeline.run import RunReference
from truthmill.layout import RunLayout

DATASET, RUN = "pets", "0123456789ab"
AT = RunLayout(DATASET, RUN)
REFERENCE = RunReference("bucket", DATASET, RUN, "arn:aws:states:us-east-1:1:execution:dataset:e1")
BACKGROUND, FILL = (70, 90, 80), (230, 200, 60)

Drawn = tuple[int, int, int, int, int]  # class id, left, top, width, height


@dataclass
class ReportRun:
    """What a run has left. pictures: (name, split, boxes); boxes None: without an answer."""

    labels: tuple[str, ...] = ("cat", "dog")
    size: tuple[int, int] = (320, 240)
    pictures: list[tuple[str, str, Sequence[Drawn] | None]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    similar: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    confidences: dict[str, list[float]] = field(default_factory=dict)
    responses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def key(self, name: str) -> str:
        number, (_, split, _) = next(
            (number, found) for number, found in enumerate(self.pictures) if found[0] == name
        )
        return f"datasets/{DATASET}/images/{split}/{number:08x}-picture.png"

    def counts(self) -> dict[str, int]:
        sides = [split for _, split, _ in self.pictures]
        labeled = sum(boxes is not None for _, _, boxes in self.pictures)
        duplicates = sum(line["reason"] in {"duplicate", "known"} for line in self.rejected)
        return {
            "inputs": len(self.pictures) + len(self.rejected),
            "train": sides.count("train"),
            "validation": sides.count("validation"),
            "test": sides.count("test"),
            "duplicates": duplicates,
            "rejected": len(self.rejected) - duplicates,
            "ignored": 0,
            "labeled": labeled,
            "unlabeled": len(self.pictures) - labeled,
        }

    def run_json(self) -> dict[str, Any]:
        request = {"labels": self.labels, "source": "s3://bucket/incoming/pets.zip", "channels": ["coco"]}
        return {
            "run": RUN,
            "dataset": DATASET,
            "state": "RUNNING",
            "trigger": "s3",
            "execution": REFERENCE.execution,
            "startedAt": "2026-01-01T00:00:00Z",
            "request": request,
            "counts": self.counts(),
            "split": {"wanted": {"train": 80, "validation": 20}, "straddlingGroups": 0, "largestGroup": 1},
            "cost": {"estimatedUsd": 3.2, "serviceUsd": 0, "workersUsd": 3.2, "book": "truthmill 2026-11"},
            "jobs": [{"name": "job", "number": 0, "objects": len(self.pictures), "arn": "arn"}],
            **self.more,
        }

    def write(self, *, with_pictures: bool = True) -> Storage:
        store = memory()
        store.write_json(AT.run_json, self.run_json())
        segment = {"run": RUN, "key": f"datasets/{DATASET}/ledger/{RUN}-labeled.jsonl", "pictures": 1}
        store.write_json(f"datasets/{DATASET}/ledger.json", {"labels": self.labels, "segments": [segment]})
        store.write_lines(segment["key"], map(self._ledger_line, self.pictures))
        store.write_lines(AT.rejected, self.rejected)
        store.write_lines(AT.similar, self.similar)
        store.write_lines(AT.boxes_checked, self.findings)
        missing = [name for name, _, boxes in self.pictures if boxes is None]
        store.write_lines(AT.unlabeled, [{"key": "k", "name": n, "reason": "Nobody came."} for n in missing])
        if self.confidences or self.responses:
            self._write_answers(store)
        if with_pictures:
            for name, _, boxes in self.pictures:
                store.write(self.key(name), a_png(self.size, boxes or ()))
        return store

    def _ledger_line(self, found: tuple[str, str, Sequence[Drawn] | None]) -> dict[str, Any]:
        name, split, boxes = found
        line = {
            "sha256": "0" * 64,
            "key": self.key(name),
            "split": split,
            "name": name,
            "run": RUN,
            "width": self.size[0],
            "height": self.size[1],
        }
        return line if boxes is None else line | {"boxes": list(map(_box, boxes))}

    def _write_answers(self, store: Storage) -> None:
        job = f"{AT.labeling_output}job/"
        lines = (
            {
                "source-ref": store.uri(self.key(name)),
                "split": split,
                "bounding-box": {
                    "image_size": [{"width": self.size[0], "height": self.size[1], "depth": 3}],
                    "annotations": list(map(_box, boxes or ())),
                },
                "bounding-box-metadata": {
                    "objects": [{"confidence": each} for each in self.confidences.get(name, ())],
                    "class-map": {str(box[0]): self.labels[box[0]] for box in boxes or ()},
                    "type": "groundtruth/object-detection",
                },
            }
            for name, split, boxes in self.pictures
        )
        store.write_lines(f"{job}manifests/output/output.manifest", lines)
        for number, answers in self.responses.items():
            key = f"{job}annotations/worker-response/iteration-1/{number}/2026-01-01_00:00:00.json"
            store.write(key, json.dumps({"answers": answers}).encode())


def an_answer(worker: str, seconds: float, boxes: Sequence[tuple[str, int, int, int, int]]) -> dict[str, Any]:
    """A worker's answer as Ground Truth keeps it; boxes: label, left, top, width, height."""
    drawn = [
        {"label": label, "left": left, "top": top, "width": width, "height": height}
        for label, left, top, width, height in boxes
    ]
    return {
        "workerId": worker,
        "timeSpentInSeconds": seconds,
        "answerContent": {"boundingBox": {"boundingBoxes": drawn}},
    }


def a_png(size: tuple[int, int], boxes: Sequence[Drawn]) -> bytes:
    """A plain picture with a filled rectangle for each box."""
    picture = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for _, left, top, width, height in boxes:
        draw.rectangle((left, top, left + width - 1, top + height - 1), fill=FILL)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _box(box: Drawn) -> dict[str, int]:
    return dict(zip(("class_id", "left", "top", "width", "height"), box, strict=True))
