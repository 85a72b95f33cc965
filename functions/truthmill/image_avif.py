"""AVIF's container (ISO 23008-12, a kind of 14496-12): boxes within boxes, of which few are looked at.

The decoder knows best how a picture is put together. What it doesn't tell is which colours its numbers mean.
"""

import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass

from truthmill import image_primaries

_FULL_BOX = 4  # bytes of version and flags
_MAX_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class Colours:
    """What is said of the main picture beside a profile. profile: made from code points, or empty."""

    profile: bytes = b""
    is_grey: bool = False


def colours(avif: bytes) -> Colours:
    """By the properties of the primary item; what can't be found, or read, is nothing."""
    try:
        meta = _child(avif, (0, len(avif)), b"meta")
        inner = (meta[0] + _FULL_BOX, meta[1])
        properties = _child(avif, inner, b"iprp")
        said = list(_boxes(avif, _child(avif, properties, b"ipco")))
        wanted = _property_numbers(avif, _child(avif, properties, b"ipma"), _primary(avif, inner))
        return _of([(said[number - 1][0], avif[slice(*said[number - 1][1])]) for number in wanted if number])
    except (struct.error, IndexError, ValueError):
        return Colours()


def ends_within(data: bytes, kinds: Container[bytes]) -> bool:
    """Whether a box of one of these kinds is longer than what there is of it."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind not in kinds:
            return False
        if size == 1:
            if at + 16 > len(data):
                return True
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size < 8:  # 0: as far as the file goes
            return False
        at += size
    return at > len(data)


def _of(properties: list[tuple[bytes, bytes]]) -> Colours:
    profile, is_grey = b"", False
    for kind, body in properties:
        if kind == b"colr" and body[:4] == b"nclx":  # 14496-12, 12.1.5
            primaries, transfer = struct.unpack_from(">HH", body, 4)
            profile = image_primaries.of_code_points(primaries, transfer)
        elif kind == b"av1C":  # AV1 in ISOBMFF, 2.3.3
            is_grey = bool(body[2] & 0x10)
    return Colours(profile, is_grey)


def _primary(data: bytes, meta: tuple[int, int]) -> int:
    """Number of the item that is the main picture (8.11.4)."""
    start, _ = _child(data, meta, b"pitm")
    code = ">I" if data[start] else ">H"
    return int(struct.unpack_from(code, data, start + _FULL_BOX)[0])


def _property_numbers(data: bytes, box: tuple[int, int], item: int) -> list[int]:
    """Which properties, counted from 1, an item has (23008-12, 9.3)."""
    at, _ = box
    version, is_wide = data[at], data[at + 3] & 1
    (entries,) = struct.unpack_from(">I", data, at + _FULL_BOX)
    at += _FULL_BOX + 4
    item_code, number_code = ">I" if version else ">H", ">H" if is_wide else ">B"
    mask = 0x7FFF if is_wide else 0x7F  # without the bit that says whether a reader must know it
    for _ in range(min(entries, _MAX_BOXES)):
        (number,) = struct.unpack_from(item_code, data, at)
        at += struct.calcsize(item_code)
        count, at = data[at], at + 1
        size = struct.calcsize(number_code)
        found = [struct.unpack_from(number_code, data, at + size * n)[0] & mask for n in range(count)]
        if number == item:
            return found
        at += size * count
    return []


def _child(data: bytes, place: tuple[int, int], kind: bytes) -> tuple[int, int]:
    """Where the body of the first box of a kind lies. Raises ValueError where there is none."""
    for found, body in _boxes(data, place):
        if found == kind:
            return body
    raise ValueError(kind)


def _boxes(data: bytes, place: tuple[int, int]) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Kind of each box within a place, and where its body lies (14496-12, 4.2)."""
    at, end = place
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        following = at + size if size else end
        if size and size < head:
            raise ValueError("a box smaller than its head")
        yield kind, (at + head, min(following, end))
        at = following
