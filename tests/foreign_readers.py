"""Formats read by libraries that aren't ours, each in an environment of `requirements/` of its own.

python foreign_readers.py FOLDER LIBRARY…: below FOLDER a folder for each format. Prints JSON: "FORMAT by
LIBRARY", split, file name, then width, height and the boxes as label, left, top, width, height.
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


def datumaro_yolo(root, split):
    import datumaro

    return datumaro_items(datumaro.Dataset.import_from(str(root), "yolo"), root / "images" / split, split)


def datumaro_coco(root, split):
    """It wants the documents below annotations/, beside the pictures."""
    import shutil

    import datumaro

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "annotations").mkdir()
        shutil.copy(root / f"instances_{split}.json", Path(folder) / "annotations")
        shutil.copytree(root / "images", Path(folder) / "images")
        found = datumaro.Dataset.import_from(folder, "coco")
        return datumaro_items(found, root / "images" / split, split)


def datumaro_items(dataset, images, split):
    """An item has the name of its picture without the ending."""
    import datumaro

    labels = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
    by_stem = {path.stem: path.name for path in images.iterdir()}
    pictures = {}
    for item in dataset.get_subset(split):
        height, width = item.media.size
        boxes = [[labels[each.label], *each.get_bbox()] for each in item.annotations]
        pictures[by_stem[item.id]] = [width, height, boxes]
    return pictures


def mxnet_recordio(root, split):
    """The labels by the iterator that SageMaker's algorithm trains with, the pictures by their index."""
    import warnings

    warnings.simplefilter("ignore")  # of a NumPy that it is too old for
    import mxnet

    path, labels = str(root / split), json.loads((root / "classes.json").read_text())
    records = mxnet.recordio.MXIndexedRecordIO(f"{path}.idx", f"{path}.rec", "r")
    iterator = mxnet.io.ImageDetRecordIter(
        path_imgrec=f"{path}.rec",
        path_imgidx=f"{path}.idx",
        batch_size=1,
        data_shape=(3, 32, 32),
        label_pad_width=5100,
        shuffle=False,
    )
    pictures = {}
    lines = (root / f"{split}.lst").read_text().splitlines()
    for line, key, batch in zip(lines, records.keys, iterator, strict=True):
        header, content = mxnet.recordio.unpack(records.read_idx(key))
        height, width, _ = mxnet.image.imdecode(content).shape
        read = batch.label[0].asnumpy()[0].tolist()
        length, begin, step = (int(number) for number in read[3:6])  # after channels, height and width
        assert read[4 : 4 + length] == header.label.tolist()
        boxes = []
        for at in range(4 + begin, 4 + length, step):
            class_id, left, top, right, bottom = read[at : at + 5]
            if class_id >= 0:
                sides = [left * width, top * height, (right - left) * width, (bottom - top) * height]
                boxes.append([labels[int(class_id)], *sides])
        pictures[line.split("\t")[-1]] = [width, height, boxes]
    return pictures


READERS = {
    "supervision": {"yolo": supervision_yolo, "pascal-voc": supervision_voc},
    "datasets": {"parquet": datasets_parquet, "imagefolder": datasets_imagefolder},
    "webdataset": {"webdataset": webdataset_tar},
    "datumaro": {"yolo": datumaro_yolo, "coco": datumaro_coco},
    "mxnet": {"recordio": mxnet_recordio},
}

if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    folder = Path(sys.argv[1])
    os.environ["HF_HOME"] = str(folder / "cache")
    read = {
        f"{name} by {library}": {split: each(folder / name, split) for split in SPLITS}
        for library in sys.argv[2:]
        for name, each in READERS[library].items()
    }
    sys.stdout.write("\n" + json.dumps(read))
