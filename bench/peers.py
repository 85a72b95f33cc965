"""How other tools convert: for each the scripts that a user would write, run in an environment of their own.

A script finds `source` (a dataset's folder as bench/conversions.py lays it out) and `target` (a new folder).
"""

from pathlib import Path

PYTHON = Path(__file__).parent.parent / ".tools" / "peers" / "bin" / "python"
FRAME = """
import sys
from pathlib import Path
source, target = Path(sys.argv[1]), Path(sys.argv[2])
target.mkdir()
{read}
{write}
"""

_LABELFORMAT = "from labelformat import formats"
_GLOBOX = "from globox import AnnotationSet"
_SUPERVISION = "import supervision"
_DATUMARO = "from datumaro import Dataset"

READ = {
    ("labelformat", "coco"): f"""{_LABELFORMAT}
found = formats.COCOObjectDetectionInput(source / "annotations" / "instances_train.json")""",
    ("labelformat", "yolo"): f"""{_LABELFORMAT}
found = formats.YOLOv8ObjectDetectionInput(source / "data.yaml", "train")""",
    ("labelformat", "pascal-voc"): f"""{_LABELFORMAT}
names = ",".join((source / "labels.txt").read_text().splitlines())
found = formats.PascalVOCObjectDetectionInput(source / "Annotations", names)""",
    ("globox", "coco"): f"""{_GLOBOX}
found = AnnotationSet.from_coco(source / "annotations" / "instances_train.json")""",
    ("globox", "yolo"): f"""{_GLOBOX}
found = AnnotationSet.from_yolo_v5(source / "labels" / "train", image_folder=source / "images" / "train",
                                   image_extension=".png")""",
    ("globox", "pascal-voc"): f"""{_GLOBOX}
found = AnnotationSet.from_pascal_voc(source / "Annotations")""",
    ("datumaro", "coco"): f"""{_DATUMARO}
found = Dataset.import_from(str(source), "coco_instances")""",
    ("datumaro", "yolo"): f"""{_DATUMARO}
found = Dataset.import_from(str(source), "yolo")""",
    # It knows the twenty classes of VOC; others stand in a file of its own.
    ("datumaro", "pascal-voc"): f"""{_DATUMARO}
names = (source / "labels.txt").read_text().splitlines()
(source / "labelmap.txt").write_text("".join(f"{{name}}:::\\n" for name in names))
found = Dataset.import_from(str(source), "voc_detection")""",
    ("supervision", "coco"): f"""{_SUPERVISION}
found = supervision.DetectionDataset.from_coco(
    str(source / "images" / "train"), str(source / "annotations" / "instances_train.json"))""",
    ("supervision", "yolo"): f"""{_SUPERVISION}
found = supervision.DetectionDataset.from_yolo(
    str(source / "images" / "train"), str(source / "labels" / "train"), str(source / "data.yaml"))""",
    ("supervision", "pascal-voc"): f"""{_SUPERVISION}
found = supervision.DetectionDataset.from_pascal_voc(
    str(source / "JPEGImages"), str(source / "Annotations"))""",
}
WRITE = {
    ("labelformat", "coco"): 'formats.COCOObjectDetectionOutput(target / "instances.json").save(found)',
    ("labelformat", "yolo"): 'formats.YOLOv8ObjectDetectionOutput(target / "data.yaml", "train").save(found)',
    ("labelformat", "pascal-voc"): "formats.PascalVOCObjectDetectionOutput(target).save(found)",
    ("globox", "coco"): 'found.save_coco(target / "instances.json", auto_ids=True)',
    (
        "globox",
        "yolo",
    ): """labels = sorted({box.label for annotation in found for box in annotation.boxes})
found.save_yolo_v5(target, label_to_id={name: number for number, name in enumerate(labels)})""",
    ("globox", "pascal-voc"): "found.save_pascal_voc(target)",
    ("datumaro", "coco"): 'found.export(str(target), "coco_instances", save_media=False)',
    # It wants both subsets.
    ("datumaro", "yolo"): """found.transform("random_split", splits=[("train", 0.8), ("val", 0.2)])
found.export(str(target), "yolo_ultralytics", save_media=False)""",
    ("datumaro", "pascal-voc"): 'found.export(str(target), "voc_detection", save_media=False)',
    ("supervision", "coco"): 'found.as_coco(annotations_path=str(target / "instances.json"))',
    ("supervision", "yolo"): 'found.as_yolo(annotations_directory_path=str(target / "labels"))',
    (
        "supervision",
        "pascal-voc",
    ): 'found.as_pascal_voc(annotations_directory_path=str(target / "Annotations"))',
}
NAMES = tuple(dict.fromkeys(name for name, _ in READ))


def command(name: str, source_format: str, to: str, source: Path, target: Path) -> list[str] | None:
    """What runs this conversion by that tool; None where it doesn't have it."""
    read, write = READ.get((name, source_format)), WRITE.get((name, to))
    if read is None or write is None:
        return None
    code = FRAME.format(read=read, write=write)
    return [str(PYTHON), "-W", "ignore", "-c", code, str(source), str(target)]
