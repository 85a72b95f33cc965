"""Format augmented-manifest: what SageMaker's built-in Object Detection reads in Pipe mode.

`<split>.manifest` holds Ground Truth's own output lines; `channels.json` the InputDataConfig and the
HyperParameters, each under the name it has in CreateTrainingJob; `labels.json` the whole class list, as
Ground Truth's label category file, since a line names the classes of its own picture only.
Sources: SageMaker developer guide, "Augmented manifest files for training jobs", "Object Detection
Algorithm" and "Object Detection Hyperparameters".
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from truthmill.channels.reading import DrawnPicture, Files, PictureFinder, Reading, head, json_of, split_of
from truthmill.channels.sagemaker_input import channels_json, hyperparameters, s3_input
from truthmill.channels.writing import Append, Counts, Event, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError
from truthmill.manifest import BOX_TYPES, Labeled, class_list, read_output
from truthmill.records import split_lines
from truthmill.s3_uri import s3_location

ATTRIBUTE = "bounding-box"
CATEGORIES = "labels.json"
_OUTPUT, _BATCHES = "output/output.manifest", "intermediate/"
_LOOKED_AT = 1 << 20  # bytes; a manifest's first line names its picture within them
_encode = msgspec.json.Encoder().encode


def write(shard: Shard) -> Iterator[Event]:
    file = f"{shard.split}.manifest"
    if shard.number == 0:
        yield Append(file, b"")  # also for a split without pictures
    # Confidence compares within one labeling job only; a dataset may come from several.
    line = line_writer(shard.heading, confidence=0)
    for picture in shard.pictures:
        yield Append(file, line(picture))


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """channels.json and labels.json."""
    yield label_categories(heading)
    # SageMaker refuses a channel whose manifest is empty, so a split without pictures is no channel.
    splits = [split for split in heading.splits if counts[split].pictures]
    inputs = [_input(split, heading.uri(f"{heading.prefix}{split}.manifest")) for split in splits]
    yield channels_json(inputs, hyperparameters(heading, counts))


def label_categories(heading: Heading) -> Whole:
    """The class list as Ground Truth's label category file."""
    document = {"document-version": "2018-11-28", "labels": [{"label": label} for label in heading.labels]}
    return Whole(CATEGORIES, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def line_writer(heading: Heading, confidence: int) -> Callable[[LabeledPicture], bytes]:
    """From a picture to its line, with the newline. confidence: of each box."""
    names = [b'"%d":%b' % (class_id, _encode(label)) for class_id, label in enumerate(heading.labels)]
    single = b'{"confidence":%d}' % confidence
    rest = b'},"type":%b,"human-annotated":"yes","creation-date":%b,"job-name":%b}}\n' % (
        _encode(BOX_TYPES[0]),
        _encode(heading.created),
        _encode(f"labeling-job/{heading.job}"),
    )

    def line(picture: LabeledPicture) -> bytes:
        boxes = picture.boxes
        return b"".join(
            (
                b'{"source-ref":%b,"bounding-box":{"image_size":[{"width":%d,"height":%d,"depth":3}],'
                % (_encode(heading.uri(picture.key)), picture.width, picture.height),
                b'"annotations":%b},"bounding-box-metadata":{"objects":[' % _encode(boxes),
                b",".join([single] * len(boxes)),
                b'],"class-map":{',
                b",".join([names[class_id] for class_id in sorted({box.class_id for box in boxes})]),
                rest,
            )
        )

    return line


def _input(split: str, uri: str) -> dict[str, Any]:
    return {
        **s3_input(split, uri, "application/x-recordio", "AugmentedManifestFile", ["source-ref", ATTRIBUTE]),
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
    }


def detect(files: Files) -> bool:
    """Whether a manifest has a line with a picture in it."""
    return any(_begins_like_one(files, name) for name in manifests(files))


def manifests(files: Files) -> list[str]:
    """Files that may be manifests. Of a labeling job's folder the output alone: those of its batches have the
    same lines ("Output data", directory structure).
    """
    names = [name for name in files.names if name.lower().endswith((".manifest", ".jsonl", ".json"))]
    whole_jobs = tuple(name.removesuffix(_OUTPUT) + _BATCHES for name in names if name.endswith(_OUTPUT))
    return [name for name in names if not name.startswith(whole_jobs)] if whole_jobs else names


def _begins_like_one(files: Files, name: str) -> bool:
    if name.lower().endswith(".manifest"):
        return True
    line, _, _ = head(files, name, _LOOKED_AT).partition(b"\n")
    return line.lstrip(b"\xef\xbb\xbf ").startswith(b"{") and b'"source-ref"' in line


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every manifest of the source. Its own key "split", else its file's name tells a picture's split.

    Several jobs' manifests may number one class differently: a line's own class-map counts. The class list
    is labels.json, else the union of all class-maps where they agree and leave no gap.
    Of several label attributes in a line (chained jobs) the newest is read.
    """
    names = [name for name in manifests(files) if _begins_like_one(files, name)]
    if not names:
        raise FormatError('There is no manifest: JSON Lines with "source-ref".')
    listed = labels or _categories(files) or _from_the_lines(files, names)
    return Reading(listed, _pictures(files, names, listed))


def _key(source: str) -> str:
    """Of a picture's URI, s3:// or https://, the part after the bucket or host."""
    if source.startswith("s3://"):
        return s3_location(source).key
    _, found, rest = source.partition("://")
    return rest.partition("/")[2] if found else source


def _categories(files: Files) -> tuple[str, ...] | None:
    name = next((name for name in files.names if name.rpartition("/")[2] == CATEGORIES), None)
    if name is None:
        return None
    document = json_of(files, name, dict[str, Any])
    try:
        return tuple(str(each["label"]) for each in document["labels"])
    except (KeyError, TypeError) as error:
        raise FormatError(f"{name}: {error!r}. It is to be a label category file.") from error


def _from_the_lines(files: Files, names: list[str]) -> tuple[str, ...]:
    return class_list((name, split_lines(files.chunks(name))) for name in names)


def _pictures(files: Files, names: list[str], labels: tuple[str, ...]) -> Iterator[DrawnPicture]:
    finder = PictureFinder(files)
    for name in names:
        for line in read_output(split_lines(files.chunks(name)), labels, None, name, anywhere=True):
            said = line.passed.get("split")
            split = said if said in ("train", "validation", "test") else split_of(name)
            path = finder.find(_key(line.source), name, split)
            if isinstance(line, Labeled):
                yield DrawnPicture(
                    path=path,
                    split=split,
                    width=line.width,
                    height=line.height,
                    boxes=line.boxes,
                    told_in=name,
                )
            else:
                yield DrawnPicture(path=path, split=split, unlabeled=line.reason)
