"""A labeled dataset as every channel format sees it: the one form between any two formats."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from truthmill.boxes import Box
from truthmill.records import LedgerLine


class LabeledPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One stored, upright picture with its boxes; no boxes is a real negative, never "not labeled".

    key: in the dataset's bucket. split: "train", "validation" or "test". width, height: pixels.
    sha256: of the file as it came (hex); name: as in its source. Both are empty where the picture was read
    from a format that doesn't carry them.
    Raises ValueError for an empty side, or a box that isn't inside the picture.
    """

    key: str
    split: str
    width: int
    height: int
    boxes: tuple[Box, ...] = ()
    sha256: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"{self.key}: a picture of {self.width} x {self.height} pixels")
        for box in self.boxes:
            if not box.fits(self.width, self.height):
                raise ValueError(f"{self.key}: {box!r} is not inside {self.width} x {self.height} pixels")

    @property
    def file(self) -> str:
        """Last part of the key: the file's name below images/<split>/."""
        return self.key.rpartition("/")[2]


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
class LabeledDataset:
    """What a channel is written from.

    labels: the dataset's whole list; a box's class id is an index in it.
    pictures: for a split, its pictures in an order that is the same at every call. Formats call it as often
    as they need to, so that none has to hold the pictures.
    splits: in the order in which they are written.
    job: name of the labeling job; created: when the run began, "YYYY-MM-DDTHH:MM:SS" with
    or without a fraction.
    """

    bucket: str
    labels: tuple[str, ...]
    pictures: Callable[[str], Iterator[LabeledPicture]]
    splits: tuple[str, ...] = ("train", "validation")
    job: str = "truthmill"
    created: str = "1970-01-01T00:00:00"
