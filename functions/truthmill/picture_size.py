"""Width and height of a stored picture from its first bytes, without decoding it."""

import struct
from typing import IO

from truthmill.image_metadata import ORIENTATION, first_directory

JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers (ITU T.81, table B.1): C0 to CF without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APP1, _EXIF = 0xE1, b"Exif\0\0"
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class MoreNeededError(Exception):
    """The size comes later in the file. bytes_needed: how many from its beginning hold the next part."""

    def __init__(self, bytes_needed: int) -> None:
        super().__init__(f"{bytes_needed} bytes are needed")
        self.bytes_needed = bytes_needed


def picture_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as stored (no EXIF orientation applied); None where it's neither format.

    head: the file from its beginning. Raises MoreNeededError where it is too short to tell.
    """
    if head.startswith(JPEG):
        return _jpeg_size(head)[0]
    if head.startswith(PNG):
        return int.from_bytes(_part(head, 16, 4), "big"), int.from_bytes(_part(head, 20, 4), "big")
    return None


def shown_size(head: bytes) -> tuple[int, int] | None:
    """As `picture_size`, but of the picture as a JPEG's EXIF orientation has it shown: upright."""
    if not head.startswith(JPEG):
        return picture_size(head)
    size, exif = _jpeg_size(head)
    return (
        size[::-1] if size and _orientation(head, *exif) in range(5, 9) else size
    )  # from 5 on a quarter turn


def shown_size_by_decoder(file: IO[bytes]) -> tuple[int, int]:
    """As `shown_size`, of formats other than JPEG and PNG. Raises OSError where it is no picture."""
    from PIL import Image  # noqa: PLC0415 - most pictures need none

    with Image.open(file) as picture:
        return picture.size[::-1] if picture.getexif().get(ORIENTATION) in range(5, 9) else picture.size


def _orientation(head: bytes, start: int, end: int) -> int:
    """Of an EXIF block, which lies before the size; 1 where it says none."""
    try:
        return first_directory(head[start:end]).integer(ORIENTATION, 1)
    except (struct.error, ValueError):
        return 1


def _jpeg_size(head: bytes) -> tuple[tuple[int, int] | None, tuple[int, int]]:
    """Segment by segment to the frame header (ITU T.81, B.1.1.4 and B.2.2); and where its EXIF block lies."""
    at, exif = 2, (0, 0)
    while True:
        if _part(head, at, 1) != b"\xff":
            return None, exif
        marker = _part(head, at + 1, 1)[0]
        if marker == 0xFF:  # a fill byte before a marker
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in _FRAMES:
            frame = _part(head, at + 5, 4)
            return (int.from_bytes(frame[2:], "big"), int.from_bytes(frame[:2], "big")), exif
        else:
            following = at + 2 + int.from_bytes(_part(head, at + 2, 2), "big")
            if marker == _APP1 and not exif[1] and head[at + 4 : at + 10] == _EXIF:
                exif = at + 10, following
            at = following


def _part(head: bytes, start: int, length: int) -> bytes:
    if start + length > len(head):
        raise MoreNeededError(start + length)
    return head[start : start + length]
