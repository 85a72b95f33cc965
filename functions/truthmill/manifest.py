"""Ground Truth's manifests: the input that a labeling job is given, the output that it leaves.

Sources: the SageMaker developer guide's pages "Input data" (limits of a line) and "Output data" (bounding
box job output). Files in the wild differ from those; what differs is said where it is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.boxes import Box
from truthmill.errors import FormatError, ManifestError

# Both spellings occur in files that Ground Truth wrote.
BOX_TYPES = ("groundtruth/object-detection", "groundtruth/object_detection")
MAX_LINE = 100_000  # characters; "Input data", limits of an input manifest
MAX_ATTRIBUTE = 20_000  # characters
MAX_KEY = 1_024  # bytes of UTF-8; S3's own limit


class Labeled(msgspec.Struct, frozen=True, kw_only=True):
    """A line with an answer; no boxes means that workers found nothing there, a real negative.

    source: S3 URI of the picture. width, height: pixels of the picture as the workers saw it, to be compared
    with the stored one. boxes: as drawn, with class ids in the dataset's label list; `check_boxes` makes
    trusted ones of them. confidences: as the line has them, one a box; empty where it has none.
    passed: every other key of the line, passed through by the job unchanged ("split", earlier attributes).
    """

    source: str
    width: int
    height: int
    boxes: tuple[DrawnBox, ...]
    confidences: tuple[float, ...] = ()
    passed: dict[str, Any] = msgspec.field(default_factory=dict)


class NotLabeled(msgspec.Struct, frozen=True, kw_only=True):
    """A line without an answer. reason: the job's failure reason, or what is missing."""

    source: str
    reason: str
    passed: dict[str, Any] = msgspec.field(default_factory=dict)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a verification job: whether a reviewer found the picture's boxes right."""

    source: str
    right: bool


class _Size(msgspec.Struct, frozen=True):
    width: int
    height: int


class _Answer(msgspec.Struct, frozen=True):
    image_size: list[_Size]
    annotations: list[DrawnBox]


class _Object(msgspec.Struct, frozen=True):
    confidence: float = 0.0


class _VerdictMetadata(msgspec.Struct, frozen=True, rename="kebab"):
    class_name: str = ""
    failure_reason: str = ""


class _Kind(msgspec.Struct, frozen=True, rename="kebab"):
    """As much of any label's metadata as tells what it is; other kinds of labels have other fields."""

    type: str = BOX_TYPES[0]
    creation_date: str = ""
    failure_reason: str = ""

    @property
    def is_of_boxes(self) -> bool:
        return self.type in BOX_TYPES


class _Metadata(msgspec.Struct, frozen=True, rename="kebab"):
    type: str = BOX_TYPES[0]
    creation_date: str = ""
    class_map: dict[str, str] = msgspec.field(default_factory=dict)
    objects: list[_Object] = msgspec.field(default_factory=list)
    failure_reason: str = ""


_decode_line = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_answer = msgspec.json.Decoder(_Answer | None).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_verdict = msgspec.json.Decoder(_VerdictMetadata).decode
VERDICTS = ("right", "wrong")  # the classes that a verification job chooses from
_BOM = b"\xef\xbb\xbf"
_METADATA = "-metadata"


class _LabelList:
    """The dataset's labels, with the index of each."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.ids = {label: class_id for class_id, label in enumerate(labels)}

    def class_id(self, number: int, class_map: dict[str, str]) -> int:
        """Index in the list of what a manifest's number means: the line's own map has the word.

        Without an entry in the map, the number counts only while the map contradicts the list nowhere.
        """
        name = class_map.get(str(number))
        if name is not None:
            if name not in self.ids:
                raise ValueError(f"Label {name!r} is not one of the dataset's: {list(self.labels)}.")
            return self.ids[name]
        agrees = all(str(self.ids.get(named)) == key for key, named in class_map.items())
        if not agrees or not 0 <= number < len(self.labels):
            raise ValueError(f"Class {number} has no name; the class-map is {class_map}.")
        return number


def read_output(
    lines: Iterable[bytes],
    labels: tuple[str, ...],
    attribute: str | None,
    where: str,
    *,
    anywhere: bool = False,
) -> Iterator[Labeled | NotLabeled]:
    """What a labeling job answered, picture by picture.

    labels: the dataset's list; the class ids that come out are indices in it. attribute: the job's label
    attribute; of chained jobs the one that is wanted (an adjustment job keeps the original beside its own).
    None: in each line the newest one with boxes, so that manifests of several jobs may be joined.
    where: name of the manifest, for messages. anywhere: whether a picture may lie elsewhere than in S3.
    Raises ManifestError with file and line.
    """
    known = _LabelList(labels)
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(_BOM) if number == 1 else line
        if not text.strip():
            continue
        try:
            yield _read_line(text, known, attribute, anywhere)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ManifestError(f"{where}, line {number}", str(error)) from error


def read_verdicts(lines: Iterable[bytes], attribute: str, where: str) -> Iterator[Verdict | NotLabeled]:
    """What a verification job answered, picture by picture; VERDICTS were its classes.

    attribute, where: as in `read_output`. Raises ManifestError with file and line.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _read_verdict(line, attribute)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ManifestError(f"{where}, line {number}", str(error)) from error


def _read_verdict(line: bytes, attribute: str) -> Verdict | NotLabeled:
    fields = _decode_line(line)
    source = msgspec.json.decode(fields["source-ref"], type=str)
    metadata = _decode_verdict(fields.get(f"{attribute}-metadata", b"{}"))
    if metadata.failure_reason or attribute not in fields:
        return NotLabeled(source=source, reason=metadata.failure_reason or f"no attribute {attribute!r}")
    if metadata.class_name not in VERDICTS:
        raise ValueError(f"class {metadata.class_name!r} is none of {VERDICTS}.")
    return Verdict(source=source, right=metadata.class_name == VERDICTS[0])


def class_list(manifests: Iterable[tuple[str, Iterable[bytes]]]) -> tuple[str, ...]:
    """The class list that the lines' class-maps give, which each name their own picture's classes only.

    manifests: each with its name. Raises FormatError where they disagree, or leave a number without a name:
    then only who ordered the labels knows the list.
    """
    names: dict[int, str] = {}
    where = ""
    for where, lines in manifests:
        for number, line in enumerate(lines, start=1):
            try:
                _learn(names, line.removeprefix(_BOM))
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                raise ManifestError(f"{where}, line {number}", str(error)) from error
    if sorted(names) != list(range(len(names))) or len(set(names.values())) != len(names):
        raise FormatError(
            f"{where}: the class-maps name {dict(sorted(names.items()))}, which is no whole list. "
            "Say the labels in their order, or put the label category file labels.json beside it."
        )
    return tuple(names[number] for number in range(len(names)))


def _learn(names: dict[int, str], line: bytes) -> None:
    for key, name in _class_maps(line):
        if names.setdefault(int(key), name) != name:
            raise ValueError(
                f"class {key} is {name!r} here and {names[int(key)]!r} before. Say the labels in their order."
            )


def _class_maps(line: bytes) -> Iterator[tuple[str, str]]:
    if line.strip():
        for key, value in _decode_line(line).items():
            if key.endswith(_METADATA) and _decode_kind(value).is_of_boxes:
                yield from _decode_metadata(value).class_map.items()


def _newest(fields: Mapping[str, msgspec.Raw]) -> str:
    """The label attribute that was written last, of equal dates the later one in the line, for jobs add
    theirs at its end; of a line without any a name that it doesn't have.
    """
    newest, attribute = "", "boxes"
    for key, value in fields.items():
        if key.endswith(_METADATA):
            kind = _decode_kind(value)
            if (kind.is_of_boxes or kind.failure_reason) and kind.creation_date >= newest:
                newest, attribute = kind.creation_date, key.removesuffix(_METADATA)
    return attribute


def _missing(attribute: str, passed: Mapping[str, Any]) -> str:
    """Why there is no answer under that name."""
    for key, value in passed.items():
        if isinstance(value, dict) and "annotations" in value and key + _METADATA not in passed:
            return f"{key!r} has no {key + _METADATA!r}, which names its classes"
    return f"no attribute {attribute!r}"


def _read_line(line: bytes, known: _LabelList, wanted: str | None, anywhere: bool) -> Labeled | NotLabeled:
    fields = _decode_line(line)
    source = msgspec.json.decode(fields.pop("source-ref", b"null"))
    if not isinstance(source, str) or not (anywhere or source.startswith("s3://")):
        raise ValueError(f'"source-ref" is {source!r}; it must hold the picture\'s S3 URI.')
    attribute = _newest(fields) if wanted is None else wanted
    metadata = _decode_metadata(fields.pop(f"{attribute}-metadata", b"{}"))
    raw_answer = fields.pop(attribute, b"null")
    passed = {key: msgspec.json.decode(value) for key, value in fields.items()}
    # A failed line may hold an empty answer: the reason decides, or a failure would become a negative.
    if metadata.failure_reason:
        return NotLabeled(source=source, reason=metadata.failure_reason, passed=passed)
    if metadata.type not in BOX_TYPES:
        raise ValueError(f"{attribute!r} is of type {metadata.type!r}, not {BOX_TYPES[0]!r}.")
    answer = _decode_answer(raw_answer)
    if answer is None:
        return NotLabeled(source=source, reason=_missing(attribute, passed), passed=passed)
    return Labeled(
        source=source,
        width=_size(answer).width,
        height=_size(answer).height,
        boxes=_boxes(answer, metadata, known),
        confidences=tuple(each.confidence for each in metadata.objects),
        passed=passed,
    )


def _size(answer: _Answer) -> _Size:
    sizes = answer.image_size
    if len(sizes) != 1 or sizes[0].width < 1 or sizes[0].height < 1:
        raise ValueError(f'"image_size" is {sizes!r}; one width and height are wanted.')
    return sizes[0]


def _boxes(answer: _Answer, metadata: _Metadata, known: _LabelList) -> tuple[DrawnBox, ...]:
    numbers = {box.class_id for box in answer.annotations}
    ids = {number: known.class_id(number, metadata.class_map) for number in numbers}
    return tuple(msgspec.structs.replace(box, class_id=ids[box.class_id]) for box in answer.annotations)


def boxes_to_review(
    boxes: Iterable[Box], labels: tuple[str, ...], size_wh: tuple[int, int], created: str, attribute: str
) -> dict[str, Any]:
    """The attributes of an input line that an adjustment or verification job begins with.

    They are those that a labeling job would have written. created: "YYYY-MM-DDTHH:MM:SSZ".
    """
    drawn = list(boxes)
    width, height = size_wh
    return {
        attribute: {
            "image_size": [{"width": width, "height": height, "depth": 3}],
            "annotations": [msgspec.to_builtins(box) for box in drawn],
        },
        f"{attribute}-metadata": {
            "objects": [{"confidence": 0} for _ in drawn],
            "class-map": {str(number): labels[number] for number in sorted({box.class_id for box in drawn})},
            "type": BOX_TYPES[0],
            "human-annotated": "yes",
            "creation-date": created.rstrip("Z"),
            "job-name": "labeling-job/truthmill",
        },
    }


def input_line(bucket: str, key: str, split: str, more: Mapping[str, Any] | None = None) -> bytes:
    """One line of an input manifest, with its newline.

    key: plain, not URL-encoded. split: passed through to the output. more: further attributes to pass
    through, such as boxes to adjust. Raises ManifestError where Ground Truth would refuse the line.
    """
    where = f"s3://{bucket}/{key}"
    if not bucket or not 1 <= len(key.encode()) <= MAX_KEY:
        raise ManifestError(where, f"a bucket and a key of 1 to {MAX_KEY} bytes are needed.")
    fields = {"source-ref": where, "split": split, **(more or {})}
    for name, value in fields.items():
        if name.startswith("$"):
            raise ManifestError(where, f"attribute {name!r} begins with $; Ground Truth keeps such names.")
        length = len(msgspec.json.encode(value).decode())
        if length > MAX_ATTRIBUTE:
            raise ManifestError(where, f"attribute {name!r} has {length} characters; {MAX_ATTRIBUTE} fit.")
    line = msgspec.json.encode(fields)
    if len(line.decode()) > MAX_LINE:
        raise ManifestError(where, f"the line has {len(line.decode())} characters; {MAX_LINE} fit.")
    return line + b"\n"
