"""What a format's writer is given and what it yields.

A dataset is written in shards: contiguous runs of one split's pictures, each by whoever it is handed to. A
writer makes one pass over its shard's pictures and yields what belongs into which file; it opens nothing.
Whoever runs it (`adapters.channel_store` in S3, `adapters.channel_folder` in a folder) puts the pieces
together:

- `Append`: a piece of a file that has several. A file's bytes are its sections in their order, and within a
  section the shards in theirs; so shards that were written apart are merged by joining objects as they are
  (UploadPartCopy), unless the format's `merge` says otherwise for that file.
- `Whole`: a file of its own, such as the labels of one picture.
- `Close`: a file of pieces is complete, before the shard is.
- `Copy`: the stored picture under another name; made inside the store, no byte passes through.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError

MAX_FILE = 256 * 1024 * 1024  # bytes of one file of a format that is read in shards


class Append(msgspec.Struct, frozen=True, gc=False):
    """Bytes at the end of a section of a file. file: its name below the channel's prefix."""

    file: str
    data: bytes
    section: int = 0


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A whole file."""

    file: str
    data: bytes


class Close(msgspec.Struct, frozen=True, gc=False):
    """Nothing more comes for this file; for formats that write many large ones after each other."""

    file: str


class Copy(msgspec.Struct, frozen=True, gc=False):
    """A stored picture that lies in the channel too. key: of the picture; file: below the prefix."""

    key: str
    file: str


Event: TypeAlias = Append | Whole | Copy | Close


def no_content(picture: LabeledPicture) -> bytes:
    """Where nobody can hand out pictures. Raises FormatError."""
    raise FormatError(f"{picture.key}: its bytes are needed, and only its labels are there.")


@dataclass(frozen=True, slots=True)
class Shard:
    """A contiguous run of one split's pictures.

    pictures: gone through once. number: from 0 within the split; the first shard also writes what comes once
    a file. first_picture, first_box: how many of the split come before it, so that numbers go on.
    content: a picture's bytes, for formats that embed them.
    """

    heading: Heading
    split: str
    pictures: Iterable[LabeledPicture]
    number: int = 0
    first_picture: int = 0
    first_box: int = 0
    content: Callable[[LabeledPicture], bytes] = no_content


class Counts(msgspec.Struct):
    """What files about the whole need to know of a split; a shard's are added to another's.

    most_boxes: in the most crowded picture. endings: of the pictures' file names, lower case, no dot.
    smallest_side, largest_side: of any picture, pixels; 0 without one. aspect: the longer side of the most
    slender picture over its shorter one.
    """

    pictures: int = 0
    boxes: int = 0
    most_boxes: int = 0
    endings: set[str] = msgspec.field(default_factory=set)
    smallest_side: int = 0
    largest_side: int = 0
    aspect: float = 0.0

    def of(self, pictures: Iterable[LabeledPicture]) -> Iterator[LabeledPicture]:
        """The same pictures, counted as they pass."""
        measured = (0, 0)
        for picture in pictures:
            boxes = len(picture.boxes)
            self.pictures += 1
            self.boxes += boxes
            self.most_boxes = max(self.most_boxes, boxes)
            self.endings.add(picture.file.rpartition(".")[2].lower())
            size = picture.width, picture.height
            if size != measured:
                self._measure(*sorted(size))
                measured = size
            yield picture

    def _measure(self, shorter: int, longer: int) -> None:
        self.smallest_side = min(self.smallest_side or shorter, shorter)
        self.largest_side = max(self.largest_side, longer)
        self.aspect = max(self.aspect, longer / shorter)

    def add(self, other: "Counts") -> None:
        """With another shard's."""
        self.pictures += other.pictures
        self.boxes += other.boxes
        self.most_boxes = max(self.most_boxes, other.most_boxes)
        self.endings |= other.endings
        self.smallest_side = min(self.smallest_side or other.smallest_side, other.smallest_side or 1 << 62)
        self.largest_side = max(self.largest_side, other.largest_side)
        self.aspect = max(self.aspect, other.aspect)
