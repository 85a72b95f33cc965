"""Formats written by libraries that aren't ours, in the environments that `foreign_readers.py` runs in.

python foreign_writers.py FOLDER NAME…: below FOLDER a folder for each. The pictures and their boxes come as
JSON on the standard input: labels, and of each picture its split, file name, path, width, height and boxes as
class, left, top, width, height.
"""

import json
import os
import shutil
import sys
from pathlib import Path


def rows(source, split):
    """As object detection datasets of Hugging Face have them; pictures without a name."""
    for number, picture in enumerate(source["pictures"]):
        if picture["split"] == split:
            objects = {
                "bbox": [list(map(float, box[1:])) for box in picture["boxes"]],
                "category": [box[0] for box in picture["boxes"]],
            }
            yield {
                "image_id": number,
                "image": {"bytes": Path(picture["path"]).read_bytes()},
                "objects": objects,
            }


def datasets_parquet(root, source):
    """Snappy, dictionaries, boxes in single precision."""
    import datasets

    features = datasets.Features(
        {
            "image_id": datasets.Value("int64"),
            "image": datasets.Image(),
            "objects": {
                "bbox": datasets.List(datasets.List(datasets.Value("float32"), length=4)),
                "category": datasets.List(datasets.ClassLabel(names=source["labels"])),
            },
        }
    )
    for split in ("train", "validation"):
        made = datasets.Dataset.from_list(list(rows(source, split)), features=features)
        (root / "data").mkdir(parents=True, exist_ok=True)
        made.to_parquet(root / f"data/{split}-00000-of-00001.parquet")


def pyarrow_parquet(root, source, **options):
    """A list of structs, sizes of 64 bits, names of classes, null for a picture that isn't labeled."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    box = pa.struct({"bbox": pa.list_(pa.float64()), "label": pa.string()})
    schema = pa.schema(
        {
            "file_name": pa.string(),
            "image": pa.struct({"bytes": pa.binary()}),
            "width": pa.int64(),
            "height": pa.int64(),
            "annotations": pa.list_(box),
        }
    )
    for split in ("train", "validation"):
        lines = [
            {
                "file_name": picture["file"],
                "image": {"bytes": Path(picture["path"]).read_bytes()},
                "width": picture["width"],
                "height": picture["height"],
                "annotations": [
                    {"bbox": box[1:], "label": source["labels"][box[0]]} for box in picture["boxes"]
                ],
            }
            for picture in source["pictures"]
            if picture["split"] == split
        ]
        lines.append({**lines[0], "file_name": f"unlabeled-{split}.jpg", "annotations": None})
        folder = root / split
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(lines, schema=schema)
        pq.write_table(table, folder / "0000.parquet", **options)


def pyarrow_pages_2(root, source):
    """Pages of version 2, gzip, many row groups."""
    pyarrow_parquet(root, source, data_page_version="2.0", compression="gzip", row_group_size=2)


def pyarrow_small_pages(root, source):
    """Many pages, some before and some after the dictionary is full; nothing compressed."""
    pyarrow_parquet(
        root, source, data_page_size=64, dictionary_pagesize_limit=128, write_batch_size=1, compression="none"
    )


def pyarrow_zstd(root, source):
    pyarrow_parquet(root, source, compression="zstd")


def pyarrow_brotli(root, source):
    """Pages of version 2, of which the levels aren't compressed."""
    pyarrow_parquet(root, source, compression="brotli", data_page_version="2.0")


def pyarrow_lz4(root, source):
    pyarrow_parquet(root, source, compression="lz4")


def pyarrow_deltas(root, source):
    """As DuckDB writes its version 2: differences of numbers, lengths of texts, and what texts begin with."""
    encodings = {
        "file_name": "DELTA_BYTE_ARRAY",
        "image.bytes": "DELTA_LENGTH_BYTE_ARRAY",
        "width": "DELTA_BINARY_PACKED",
        "height": "DELTA_BINARY_PACKED",
        "annotations.list.element.bbox.list.element": "BYTE_STREAM_SPLIT",
        "annotations.list.element.label": "DELTA_BYTE_ARRAY",
    }
    pyarrow_parquet(root, source, use_dictionary=False, column_encoding=encodings)


def webdataset_tar(root, source):
    """The JSON before the picture, annotations as COCO's, shards in folders, one of them compressed."""
    import webdataset

    for split, ending in (("train", "tar"), ("validation", "tar.gz")):
        (root / split).mkdir(parents=True)
        writer = webdataset.TarWriter(str(root / split / f"000.{ending}"))
        for number, picture in enumerate(source["pictures"]):
            if picture["split"] == split:
                annotations = [{"bbox": box[1:], "category_id": box[0]} for box in picture["boxes"]]
                sample = {
                    "__key__": f"{number:06d}",
                    "a.json": {"not": "ours"},
                    "json": {"annotations": annotations},
                    picture["file"].rpartition(".")[2]: Path(picture["path"]).read_bytes(),
                    "txt": "a caption",
                }
                writer.write(sample)
        writer.close()
    (root / "classes.json").write_text(json.dumps(source["labels"]))


def mxnet_recordio(root, source):
    """As im2rec packs lists of boxes: a header of four numbers with the size, rows of six."""
    import mxnet
    import numpy as np

    root.mkdir(parents=True)
    for split in ("train", "validation"):
        record = mxnet.recordio.MXIndexedRecordIO(str(root / f"{split}.idx"), str(root / f"{split}.rec"), "w")
        for number, picture in enumerate(source["pictures"]):
            if picture["split"] == split:
                width, height = picture["width"], picture["height"]
                label = [4, 6, width, height]
                for class_id, left, top, across, down in picture["boxes"]:
                    right, bottom = left + across, top + down
                    label += [class_id, left / width, top / height, right / width, bottom / height, 0]
                header = mxnet.recordio.IRHeader(0, np.array(label, dtype="float32"), number, 0)
                packed = mxnet.recordio.pack(header, Path(picture["path"]).read_bytes())
                record.write_idx(number, packed)
        record.close()
    (root / "classes.json").write_text(json.dumps(source["labels"]))


def in_supervision(source, split):
    import numpy as np
    import supervision

    mine = [picture for picture in source["pictures"] if picture["split"] == split]
    found = {}
    for picture in mine:
        boxes = np.array([box[1:] for box in picture["boxes"]], dtype=float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        classes = np.array([box[0] for box in picture["boxes"]], dtype=int)
        found[picture["path"]] = supervision.Detections(xyxy=boxes, class_id=classes)
    return supervision.DetectionDataset(
        classes=source["labels"], images=[picture["path"] for picture in mine], annotations=found
    )


def supervision_yolo(root, source):
    for split, folder in (("train", "train"), ("validation", "valid")):
        in_supervision(source, split).as_yolo(
            str(root / folder / "images"), str(root / folder / "labels"), str(root / "data.yaml")
        )


def supervision_coco(root, source):
    for split, folder in (("train", "train"), ("validation", "valid")):
        in_supervision(source, split).as_coco(
            str(root / folder), str(root / folder / "_annotations.coco.json")
        )


def supervision_voc(root, source):
    for split, folder in (("train", "train"), ("validation", "valid")):
        in_supervision(source, split).as_pascal_voc(
            str(root / folder / "images"), str(root / folder / "annotations")
        )
    (root / "labels.txt").write_text("".join(f"{label}\n" for label in source["labels"]))


def datumaro_written(root, source, name):
    import datumaro

    items = [
        datumaro.DatasetItem(
            Path(picture["file"]).stem,
            subset={"train": "train", "validation": "val"}[picture["split"]],
            media=datumaro.components.media.Image.from_file(picture["path"]),
            annotations=[datumaro.Bbox(*box[1:], label=box[0]) for box in picture["boxes"]],
        )
        for picture in source["pictures"]
    ]
    made = datumaro.Dataset.from_iterable(items, categories=source["labels"])
    made.export(str(root), name, save_media=True)


def datumaro_coco(root, source):
    datumaro_written(root, source, "coco_instances")


def datumaro_voc(root, source):
    datumaro_written(root, source, "voc_detection")


def datumaro_yolo(root, source):
    datumaro_written(root, source, "yolo_ultralytics")


def datumaro_darknet(root, source):
    datumaro_written(root, source, "yolo")


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    os.environ["HF_HOME"] = str(folder / "cache")
    told = json.load(sys.stdin)
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
        globals()[name](folder / name, told)
