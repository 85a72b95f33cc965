"""Formats read by libraries that aren't ours, in an environment of its own (requirements/readers.in).

python foreign_readers.py FOLDER: below it a folder for each format. Prints JSON: format, split, file name,
then width, height and the boxes as label, left, top, width, height.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

SPLITS = ("train", "validation")


def supervision_yolo(root, split):
    import supervision

    images = root / "images" / split
    found = supervision.DetectionDataset.from_yolo(
        str(images), str(root / "labels" / split), str(root / "data.yaml")
    )
    return detections(found)


def supervision_voc(root, split):
    import shutil

    import supervision

    stems = (
        (root / "ImageSets/Main" / {"train": "train.txt", "validation": "val.txt"}[split]).read_text().split()
    )
    with tempfile.TemporaryDirectory() as folder:
        for path in (root / "JPEGImages").iterdir():
            if path.stem in stems:
                shutil.copy(path, folder)
                shutil.copy(root / "Annotations" / f"{path.stem}.xml", folder)
        return detections(supervision.DetectionDataset.from_pascal_voc(folder, folder))


def detections(dataset):
    pictures = {}
    for path, image, found in dataset:
        boxes = [
            [dataset.classes[class_id], left, top, right - left, bottom - top]
            for (left, top, right, bottom), class_id in zip(found.xyxy.tolist(), found.class_id, strict=True)
        ]
        pictures[Path(path).name] = [image.shape[1], image.shape[0], boxes]
    return pictures


def datasets_parquet(root, split):
    import datasets

    rows = datasets.load_dataset(
        "parquet", data_files={split: str(root / f"data/{split}-*.parquet")}, split=split
    )
    names = rows.features["objects"]["category"].feature.names
    paths = [row["path"] for row in rows.cast_column("image", datasets.Image(decode=False))["image"]]
    return {
        path: [
            *row["image"].size,
            [
                [names[category], *bbox]
                for bbox, category in zip(row["objects"]["bbox"], row["objects"]["category"], strict=True)
            ],
        ]
        for path, row in zip(paths, rows, strict=True)
    }


def datasets_imagefolder(root, split):
    import datasets

    names = json.loads((root / "classes.json").read_text())
    rows = datasets.load_dataset("imagefolder", data_dir=str(root), split=split)
    paths = [
        Path(row["path"]).name for row in rows.cast_column("image", datasets.Image(decode=False))["image"]
    ]
    return {
        path: [
            *row["image"].size,
            [
                [names[category], *bbox]
                for bbox, category in zip(row["objects"]["bbox"], row["objects"]["categories"], strict=True)
            ],
        ]
        for path, row in zip(paths, rows, strict=True)
    }


def webdataset_tar(root, split):
    import webdataset

    files = sorted(map(str, root.glob(f"{split}-*.tar")))
    pictures = {}
    for sample in webdataset.WebDataset(files, shardshuffle=False).decode("pil"):
        told = sample["json"]
        picture = next(sample[ending] for ending in ("jpg", "png") if ending in sample)
        boxes = [[label, *box] for label, box in zip(told["labels"], told["bbox"], strict=True)]
        pictures[told["file_name"]] = [*picture.size, boxes]
    return pictures


READERS = {
    "yolo": supervision_yolo,
    "pascal-voc": supervision_voc,
    "parquet": datasets_parquet,
    "imagefolder": datasets_imagefolder,
    "webdataset": webdataset_tar,
}

if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    folder = Path(sys.argv[1])
    os.environ["HF_HOME"] = str(folder / "cache")
    read = {name: {split: each(folder / name, split) for split in SPLITS} for name, each in READERS.items()}
    sys.stdout.write("\n" + json.dumps(read))
