"""Readers of formats that no library reads, written from their documentation and from nothing of ours.

Each takes the format's folder and a split, and answers with width, height and the boxes (label, left, top,
width, height in pixels) by file name.
"""

import json
import struct

RECORD = 0xCED7230A  # dmlc-core, include/dmlc/recordio.h: RecordIOWriter::kMagic


def manifest(root, split):
    """SageMaker developer guide, "Use an Augmented Manifest File", and "Output data": bounding box job.

    Rekognition's "Object localization in manifest files" has the same lines.
    """
    pictures = {}
    for line in (root / f"{split}.manifest").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        (size,) = document["bounding-box"]["image_size"]
        metadata = document["bounding-box-metadata"]
        assert size["depth"] == 3
        assert metadata["type"] == "groundtruth/object-detection"
        assert metadata["human-annotated"] == "yes"
        annotations = document["bounding-box"]["annotations"]
        assert len(metadata["objects"]) == len(annotations)
        assert document["source-ref"].startswith("s3://")
        boxes = [
            [
                metadata["class-map"][str(box["class_id"])],
                box["left"],
                box["top"],
                box["width"],
                box["height"],
            ]
            for box in annotations
        ]
        pictures[document["source-ref"].rpartition("/")[2]] = [size["width"], size["height"], boxes]
    return pictures


def sagemaker_image(root, split):
    """SageMaker developer guide, "Object Detection Algorithm", "Train with the Image Format"."""
    pictures = {}
    for path in (root / f"{split}_annotation").iterdir():
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (root / split / document["file"]).is_file()
        assert path.name.removesuffix(".json") == document["file"].rpartition(".")[0]
        names = {each["class_id"]: each["name"] for each in document["categories"]}
        assert sorted(names) == list(range(len(names)))
        (size,) = document["image_size"]
        boxes = [
            [names[box["class_id"]], box["left"], box["top"], box["width"], box["height"]]
            for box in document["annotations"]
        ]
        pictures[document["file"]] = [size["width"], size["height"], boxes]
    assert len(list((root / split).iterdir())) == len(pictures)
    return pictures


def tensorflow(root, split):
    """SageMaker developer guide, "Object Detection - TensorFlow", "Training": bbox is two corners."""
    document = json.loads((root / split / "annotations.json").read_text(encoding="utf-8"))
    labels = json.loads((root / "classes.json").read_text(encoding="utf-8"))
    pictures = {}
    for image in document["images"]:
        assert (root / split / "images" / image["file_name"]).is_file()
        boxes = []
        for each in document["annotations"]:
            if each["image_id"] == image["id"]:
                left, top, right, bottom = each["bbox"]
                boxes.append([labels[each["category_id"]], left, top, right - left, bottom - top])
        pictures[image["file_name"]] = [image["width"], image["height"], boxes]
    assert len({image["id"] for image in document["images"]}) == len(document["images"])
    return pictures


def recordio(root, split):
    """dmlc-core, recordio.h (records), and MXNet's recordio.py (IRHeader) and image/detection.py (labels)."""
    data = (root / f"{split}.rec").read_bytes()
    labels = json.loads((root / "classes.json").read_text(encoding="utf-8"))
    starts = [line.split("\t") for line in (root / f"{split}.idx").read_text().splitlines()]
    listed = [line.split("\t") for line in (root / f"{split}.lst").read_text().splitlines()]
    sizes = [json.loads(line) for line in (root / f"{split}-sizes.jsonl").read_text().splitlines()]
    assert len(starts) == len(listed) == len(sizes)
    pictures = {}
    for (number, start), row, size in zip(starts, listed, sizes, strict=True):
        payload = _record(data, int(start))
        count, _, id_, _ = struct.unpack_from("<IfQQ", payload)
        assert (str(id_), row[0], row[-1]) == (number, number, size["file_name"])
        label = struct.unpack_from(f"<{count}f", payload, 24)
        assert label[:2] == (2, 5)
        assert payload[24 + 4 * count :][:2] in (b"\xff\xd8", b"\x89P")
        width, height, boxes = size["width"], size["height"], []
        for at in range(2, count, 5):
            class_id, left, top, right, bottom = label[at : at + 5]
            if class_id >= 0:
                sides = [left * width, top * height, (right - left) * width, (bottom - top) * height]
                boxes.append([labels[int(class_id)], *sides])
        pictures[size["file_name"]] = [width, height, boxes]
    return pictures


def _record(data, at):
    """Parts of a record are joined by the magic number that was taken out between them."""
    parts = []
    while True:
        magic, said = struct.unpack_from("<II", data, at)
        assert magic == RECORD
        length, kind = said & (2**29 - 1), said >> 29
        parts.append(data[at + 8 : at + 8 + length])
        at += 8 + (length + 3) // 4 * 4
        if kind in {0, 3}:
            return struct.pack("<I", RECORD).join(parts)


READERS = {
    "augmented-manifest": manifest,
    "rekognition": manifest,
    "sagemaker-image": sagemaker_image,
    "tensorflow": tensorflow,
    "recordio": recordio,
}
