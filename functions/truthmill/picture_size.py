"""Width and height of a stored picture from its first bytes, without decoding it."""

JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers (ITU T.81, table B.1): C0 to CF without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
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
        return _jpeg_size(head)
    if head.startswith(PNG):
        return int.from_bytes(_part(head, 16, 4), "big"), int.from_bytes(_part(head, 20, 4), "big")
    return None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Segment by segment to the frame header (ITU T.81, B.1.1.4 and B.2.2)."""
    at = 2
    while True:
        if _part(head, at, 1) != b"\xff":
            return None
        marker = _part(head, at + 1, 1)[0]
        if marker == 0xFF:  # a fill byte before a marker
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in _FRAMES:
            frame = _part(head, at + 5, 4)
            return int.from_bytes(frame[2:], "big"), int.from_bytes(frame[:2], "big")
        else:
            at += 2 + int.from_bytes(_part(head, at + 2, 2), "big")


def _part(head: bytes, start: int, length: int) -> bytes:
    if start + length > len(head):
        raise MoreNeededError(start + length)
    return head[start : start + length]
