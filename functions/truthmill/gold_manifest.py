"""A gold manifest: an output manifest whose pictures' boxes are known."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from truthmill.box_check import check_boxes
from truthmill.boxes import Box
from truthmill.errors import ManifestError
from truthmill.manifest import Labeled, read_output
from truthmill.shallow_json import decode_object


class KnownPicture(NamedTuple):
    """A picture in S3, the boxes that are on it, its width and height."""

    uri: str
    boxes: tuple[Box, ...]
    size_wh: tuple[int, int]


def read_gold(lines: Iterable[bytes], labels: tuple[str, ...], where: str) -> Iterator[KnownPicture]:
    """The labeled pictures of a manifest, whichever attribute their boxes are under.

    labels: the job's. where: the manifest's URI, for messages. Raises FormatError.
    """
    for at, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{where}, line {at}"
        for read in read_output([line], labels, _attribute(line, place), place):
            if isinstance(read, Labeled):
                kept = check_boxes(read.boxes, read.width, read.height).kept
                yield KnownPicture(read.source, kept, (read.width, read.height))


def _attribute(line: bytes, where: str) -> str:
    """The label attribute of a line: the last one that it has with its metadata.

    A job's output has metadata alone where an object got no label. Raises ManifestError.
    """
    try:
        fields = decode_object(line)
    except msgspec.DecodeError as error:
        raise ManifestError(where, f"isn't a JSON object: {error}.") from error
    names = [name.removesuffix("-metadata") for name in fields if name.endswith("-metadata")]
    if not names:
        raise ManifestError(where, "has no label attribute with its -metadata; gold is an output manifest.")
    return [*names[:1], *(name for name in names if name in fields)][-1]
