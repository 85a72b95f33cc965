"""A complete run of a labeled dataset in a bucket, with its pictures, as the pipeline leaves it."""

import msgspec

from adapters.storage import Storage
from picture_bytes import corners, saved
from truthmill import layout
from truthmill.boxes import Box
from truthmill.layout import RunLayout
from truthmill.records import LedgerLine
from truthmill.run import Run

# By split and file name: width, height, boxes as class id, left, top, width, height.
Pictures = dict[tuple[str, str], tuple[int, int, list[tuple[int, int, int, int, int]]]]


def store_run(
    store: Storage,
    pictures: Pictures,
    labels: tuple[str, ...],
    name: str = "0123456789ab",
    channels: tuple[str, ...] = (),
) -> RunLayout:
    at = RunLayout("d", name)
    lines = []
    for (split, file), (width, height, boxes) in pictures.items():
        key = f"datasets/d/images/{split}/{file}"
        kind = "PNG" if file.endswith(".png") else "JPEG"
        store.write(key, saved(corners(width, height), kind))
        lines.append(
            LedgerLine(
                sha256=file,
                key=key,
                split=split,
                name=file,
                run=name,
                width=width,
                height=height,
                boxes=tuple(Box(*box) for box in boxes),
                labels=len(labels),
            )
        )
    segment = layout.ledger_segment("d", name, layout.LABELED)
    store.write_lines(segment, lines)
    store.write_json(
        at.ledger,
        {"labels": labels, "segments": [{"run": name, "key": segment, "pictures": len(lines)}]},
    )
    run = Run(
        run=name,
        dataset="d",
        state="SUCCEEDED",
        trigger="cli",
        execution="arn:aws:states:us-east-1:111122223333:execution:m:e",
        started_at="2026-11-24T00:00:00Z",
        request={"source": "s3://memory/incoming/d.zip", "dataset": "d", "labels": labels},
        split={"wanted": {"train": 80, "validation": 20}},
        channels=channels,
    )
    store.write(at.run_json, msgspec.json.encode(run))
    store.write_json(layout.latest("d"), {"run": name})
    return at
