"""A folder that `truthmill pull` laid out, and the archive behind it, read without the pipeline's code."""

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from truthmill.boxes import Box
from truthmill.layout import SPLITS
from truthmill_cli.errors import FailedError, UsageError

Key = tuple[str, str]  # split, file name


@dataclass(frozen=True, slots=True)
class LabeledFile:
    """A picture as a document has it. boxes: sorted, with the label's place in the reader's `labels`."""

    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What lies in the folder.

    digests: sha256 of each picture's file (hex). rejected: lines of rejected.jsonl. faults: what no reader of
    the channels should meet, such as a picture that is listed twice.
    """

    run: dict[str, Any] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    digests: dict[Key, str] = field(default_factory=dict)
    coco: dict[Key, LabeledFile] = field(default_factory=dict)
    manifest: dict[Key, LabeledFile] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read_pulled(folder: Path, labels: dict[str, int]) -> Pulled:
    """labels: gets a number for each label that occurs. A channel's file that isn't there is an empty one.

    Raises UsageError where nothing was pulled, FailedError where a file isn't what it should be.
    """
    if not (folder / "run.json").is_file():
        raise UsageError(f"{folder} has no run.json. Lay one out first: truthmill pull DATASET --to {folder}")
    pulled = Pulled(rejected=list(_json_lines(folder / "rejected.jsonl")))
    with _readable(folder / "run.json"):
        pulled.run.update(json.loads((folder / "run.json").read_bytes()))
    for split in SPLITS:
        coco = folder / "channels" / "coco" / f"instances_{split}.json"
        if coco.is_file():
            _add(pulled.coco, read_coco(coco, labels, pulled.faults), split, coco, pulled.faults)
        manifest = folder / "channels" / "augmented-manifest" / f"{split}.manifest"
        _add(pulled.manifest, _read_manifest(manifest, labels), split, manifest, pulled.faults)
        for path in sorted((folder / "images" / split).glob("*")):
            with path.open("rb") as file:
                pulled.digests[split, path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return pulled


def read_coco(path: Path, labels: dict[str, int], faults: list[str]) -> Iterator[tuple[str, LabeledFile]]:
    """File name and boxes of every image of a COCO document. Raises FailedError."""
    with _readable(path):
        document = json.loads(path.read_bytes())
        names = {category["id"]: category["name"] for category in document["categories"]}
        boxes: dict[int, list[Box]] = {}
        for annotation in document["annotations"]:
            box = _box(labels, names[annotation["category_id"]], annotation["bbox"])
            boxes.setdefault(annotation["image_id"], []).append(box)
        for image in document["images"]:
            found = tuple(sorted(boxes.pop(image["id"], [])))
            yield image["file_name"], LabeledFile(image["width"], image["height"], found)
        faults += [f"{path.name} has boxes of image {image}, which it doesn't list" for image in boxes]


def read_inputs(archive: Path) -> list[tuple[str, str]]:
    """Name and sha256 (hex) of every entry of the archive, folders included."""
    found = []
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            digest = hashlib.sha256()
            with opened.open(entry) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            found.append((entry.filename, digest.hexdigest()))
    return found


def sources_of(found: Pulled, inputs: Sequence[tuple[str, str]]) -> dict[Key, str]:
    """For each pulled picture the name of the input that it came from.

    It is found by the digest that the file's name begins with. Of inputs with the same bytes it is one that
    was not rejected. A picture of no input is left out.
    """
    not_used = {line["name"] for line in found.rejected}
    by_digest: dict[str, list[tuple[str, str]]] = {}
    for name, digest in inputs:
        if name not in not_used:
            by_digest.setdefault(digest[:8], []).append((name, digest))
    sources: dict[Key, str] = {}
    for key in found.digests:
        start = key[1].partition("-")[0]
        candidates = by_digest.get(start[:8], [])
        number = next((at for at, (_, digest) in enumerate(candidates) if digest.startswith(start)), None)
        if number is not None:
            # The last one stays, so that one input in two places is seen as such.
            sources[key] = candidates.pop(number)[0] if len(candidates) > 1 else candidates[number][0]
    return sources


def _read_manifest(path: Path, labels: dict[str, int]) -> Iterator[tuple[str, LabeledFile]]:
    with _readable(path):
        for line in _json_lines(path):
            size = line["bounding-box"]["image_size"][0]
            names = line["bounding-box-metadata"]["class-map"]
            boxes = sorted(
                _box(labels, names[str(each["class_id"])], [each[side] for side in _SIDES])
                for each in line["bounding-box"]["annotations"]
            )
            name = line["source-ref"].rpartition("/")[2]
            yield name, LabeledFile(size["width"], size["height"], tuple(boxes))


_SIDES = ("left", "top", "width", "height")


def _add(
    found: dict[Key, LabeledFile],
    pictures: Iterable[tuple[str, LabeledFile]],
    split: str,
    path: Path,
    faults: list[str],
) -> None:
    for name, picture in pictures:
        if (split, name) in found:
            faults.append(f"{path.name} lists {name} twice")
        found[split, name] = picture


def _box(labels: dict[str, int], label: str, sides: Sequence[int]) -> Box:
    left, top, width, height = sides
    return Box(labels.setdefault(label, len(labels)), left, top, width, height)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        with path.open("rb") as lines, _readable(path):
            for line in lines:
                yield json.loads(line)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FailedError(f"{path} can't be read: {type(error).__name__} {error}") from error
