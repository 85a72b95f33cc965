"""What tests are made of: pictures, archives, records with sensible values."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import blake2b, sha256
from typing import Any

from PIL import Image

from truthmill.curation import Gathered
from truthmill.records import Entry, Inspection


def picture(number: int = 0, size: tuple[int, int] = (64, 48), form: str = "JPEG") -> bytes:
    """A picture unlike those of other numbers: coarse noise, the same each time."""
    noise = b"".join(blake2b(f"{number}:{row}".encode(), digest_size=24).digest() for row in range(8))
    whole = Image.frombytes("RGB", (8, 8), noise).resize(size, Image.Resampling.BICUBIC)
    made = io.BytesIO()
    whole.save(made, form)
    return made.getvalue()


def pictures(numbers: Iterable[int], folder: str = "") -> dict[str, bytes]:
    """Such pictures by their names."""
    return {f"{folder}{number}.jpg": picture(number) for number in numbers}


def archive(files: Mapping[str, bytes], settings: Mapping[str, Any] | None = None) -> bytes:
    """A zip of files, with truthmill.json where settings are given; the same bytes each time."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        if settings is not None:
            target.writestr(zipfile.ZipInfo("truthmill.json"), json.dumps(settings))
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def inspection(name: str, content: str = "", **more: Any) -> Inspection:
    """A usable JPEG; content: decides its digests."""
    digest = sha256((content or name).encode()).hexdigest()
    given: dict[str, Any] = {
        "entry": Entry(name=name),
        "sha256": digest,
        "pixels": digest[:32],
        "width": 64,
        "height": 48,
        "format": "jpeg",
    }
    return Inspection(**(given | more))


def gathered(
    *names: str, sides: Mapping[str, str] | None = None, groups: Mapping[str, str] | None = None
) -> Gathered:
    """Pictures as SplitDataset reads them; equal parts before "=" mean equal pictures: "a=1", "a=2"."""
    made = Gathered()
    for name in names:
        digest = blake2b(name.partition("=")[0].encode(), digest_size=16).hexdigest()
        made.add(digest, name, "", (groups or {}).get(name, ""), (sides or {}).get(name, ""))
    return made


def coco_truth(
    boxes: Mapping[str, list[tuple[str, tuple[int, int, int, int]]]],
    labels: list[str],
    size_wh: tuple[int, int],
) -> dict[str, Any]:
    """A COCO document: for each file name its boxes as (label, (left, top, width, height))."""
    images = [
        {"id": number, "file_name": name, "width": size_wh[0], "height": size_wh[1]}
        for number, name in enumerate(boxes, start=1)
    ]
    annotations = [
        {
            "image_id": number,
            "category_id": labels.index(label) + 1,
            "bbox": list(box),
            "area": box[2] * box[3],
        }
        for number, drawn in enumerate(boxes.values(), start=1)
        for label, box in drawn
    ]
    return {
        "images": images,
        "annotations": [
            {"id": number, "iscrowd": 0, **annotation}
            for number, annotation in enumerate(annotations, start=1)
        ],
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, start=1)],
    }
