"""Sources for `truthmill convert` as other tools lay them out, and what its readers make of them."""

import json

from adapters.channel_folder import open_source
from picture_bytes import corners, exif, saved
from truthmill.channels import CHANNELS, detect

HALF = "0 0.5 0.5 0.5 0.5"  # of 40 x 20 pixels: from 10, 5 on 20 x 10


def picture(path, width=40, height=20):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved(corners(width, height), "JPEG"))


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(root, labels=None, **options):
    """The class list, and by path the split and the boxes as class, left, top, width, height; or why none."""
    reading = CHANNELS[detect(open_source(root))].read(open_source(root), labels, **options)
    pictures = {}
    for drawn in reading.pictures:
        assert drawn.path not in pictures
        boxes = [(box.class_id, box.left, box.top, box.width, box.height) for box in drawn.boxes]
        pictures[drawn.path] = (drawn.split, drawn.unlabeled or boxes)
    return reading.labels, pictures, reading.notes


def splits(root):
    return {path: split for path, (split, _) in read(root)[1].items()}


def yolo(root, yaml, *pictures):
    text(root / "data.yaml", yaml)
    for name in pictures:
        picture(root / name)
        folder, _, rest = f"/{name}".rpartition("/images/")
        text(root / f"{folder}/labels/{rest.rpartition('.')[0]}.txt".lstrip("/"), HALF)


def voc(path, *boxes, filename="", size=(40, 20)):
    """boxes: the name, then xmin, ymin, xmax, ymax as text."""
    objects = "".join(
        f"<object><name>{name}</name><difficult>1</difficult><part><name>head</name><bndbox/></part>"
        f"<bndbox><ymax>{bottom}</ymax><xmin>{left}</xmin><xmax>{right}</xmax><ymin>{top}</ymin></bndbox></object>"
        for name, left, top, right, bottom in boxes
    )
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    named = f"<filename>{filename}</filename>" if filename else ""
    text(path, f"<annotation>{named}<path>C:\\x\\y.jpg</path>{sides}{objects}</annotation>")


def coco(path, annotations, images=None, categories=None):
    document = {
        "images": images or [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 20}],
        "annotations": annotations,
        "categories": categories or [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    }
    text(path, json.dumps({key: value for key, value in document.items() if value is not None}))


def gt(number, name, class_map, attribute="job", date="2026-01-02T03:04:05.678901", **more):
    """A line as a bounding box job leaves it; each class of the map has a box of its own."""
    boxes = [{"class_id": int(at), "left": int(at), "top": 2, "width": 3, "height": 4} for at in class_map]
    return {
        "source-ref": f"s3://bucket/pictures/{name}",
        attribute: {"image_size": [{"width": 40, "height": 20, "depth": 1}], "annotations": boxes},
        f"{attribute}-metadata": {
            "objects": [{"confidence": 0.09, "worker-trust": 1} for _ in boxes],
            "class-map": class_map,
            "type": f"groundtruth/object{'-_'[number % 2]}detection",
            "human-annotated": "yes",
            "creation-date": date,
            "job-name": f"labeling-job/clone-{number}",
        },
        **more,
    }


def manifest(path, *lines):
    text(path, "".join(json.dumps(line) + "\n" for line in lines))


def turned(orientation, kind="JPEG"):
    """40 x 20 pixels as stored."""
    block = exif(orientation) if kind == "WEBP" else b"Exif\0\0" + exif(orientation)
    return saved(corners(40, 20), kind, exif=block)
