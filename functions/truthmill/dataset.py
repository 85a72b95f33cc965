"""A labeled dataset as every channel format sees it: the one form between any two formats."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from truthmill.box_columns import Span
from truthmill.boxes import Box
from truthmill.records import LedgerLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    Boxes: TypeAlias = Sequence[Box]
else:
    Boxes = tuple[Box, ...]  # what is decoded


class LabeledPicture(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One stored, upright picture with its boxes; no boxes is a real negative, never "not labeled".

    key: in the dataset's bucket, or its path below the source's folder. split: "train", "validation" or
    "test". width, height: pixels.
    sha256: of the file as it came (hex); name: as in its source. Both are empty where the picture was read
    from a format that doesn't carry them.
    as_file: its file's name in the channels, where that isn't the key's last part.
    Raises ValueError for an empty side, or a box that isn't inside the picture.
    """

    key: str
    split: str
    width: int
    height: int
    boxes: Boxes = ()
    sha256: str = ""
    name: str = ""
    as_file: str = ""

    def __post_init__(self) -> None:
        width, height = self.width, self.height
        if width < 1 or height < 1:
            raise ValueError(f"{self.key}: a picture of {width} x {height} pixels")
        if isinstance(self.boxes, Span) and self.boxes.are_in(width, height):
            return
        for box in self.boxes:
            if box.left + box.width > width or box.top + box.height > height:
                raise ValueError(f"{self.key}: {box!r} is not inside {width} x {height} pixels")

    @property
    def file(self) -> str:
        """The file's name below images/<split>/; no two pictures of a dataset have one that differs in its
        ending or in upper and lower case only.
        """
        return self.as_file or self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return self.file.rpartition(".")[0] or self.file


def labeled_picture(line: LedgerLine, labels: tuple[str, ...]) -> LabeledPicture | None:
    """The ledger's picture, or None where workers haven't looked for all of `labels` yet.

    Where the dataset has been labeled with further ones since, their boxes are left out.
    """
    if line.boxes is None or line.labels < len(labels):
        return None
    return LabeledPicture(
        key=line.key,
        split=line.split,
        width=line.width,
        height=line.height,
        boxes=tuple(box for box in line.boxes if box.class_id < len(labels)),
        sha256=line.sha256,
        name=line.name,
    )


@dataclass(frozen=True, slots=True)
class Heading:
    """What holds for a whole dataset.

    labels: the dataset's whole list; a box's class id is an index in it.
    splits: in the order in which they are written.
    bucket: of the pictures; empty where they are files. prefix: key prefix of the channel's own files.
    job: name of the labeling job; created: when the run began, "YYYY-MM-DDTHH:MM:SS" with or without a
    fraction.
    """

    labels: tuple[str, ...]
    splits: tuple[str, ...] = ("train", "validation")
    bucket: str = ""
    prefix: str = ""
    job: str = "truthmill"
    created: str = "1970-01-01T00:00:00"

    def uri(self, key: str) -> str:
        """S3 URI of a key; the key itself where there is no bucket."""
        return f"s3://{self.bucket}/{key}" if self.bucket else key
