"""Zip archives made byte by byte, for what `zipfile` can't write: lies, other packers' habits, hostile bytes.

Every number can be said wrong on purpose; what isn't said is right. Fields as in PKWARE's APPNOTE.TXT.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import Any

STORED, DEFLATED = 0, 8
UNIX, FAT = 3, 0
UTF8, SIZES_FOLLOW, ENCRYPTED = 0x0800, 0x0008, 0x0001


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry. `local` and `central` override what the local header or the directory's record says.

    content: unpacked; packed: what lies in the archive, made of it where it is None. descriptor: what follows
    the packed bytes. at: the offset that the directory says, in place of the true one.
    """

    name: bytes = b"a.jpg"
    content: bytes = b"picture"
    packed: bytes | None = None
    method: int = STORED
    flags: int = 0
    system: int = UNIX
    attributes: int = 0
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes = b""
    at: int | None = None
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    def said(self, **overridden: Any) -> dict[str, Any]:
        true = {
            "name": self.name,
            "method": self.method,
            "flags": self.flags,
            "crc": zlib.crc32(self.content),
            "compressed": len(self.data),
            "size": len(self.content),
            "disk": 0,
        }
        assert overridden.keys() <= true.keys()
        return true | overridden

    @property
    def data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.content) if self.method == DEFLATED else self.content

    def local_bytes(self) -> bytes:
        said = self.said(**self.local)
        fixed = pack(
            "<4sHHHHHLLLHH", b"PK\x03\x04", 20, said["flags"], said["method"], 0, 0x21, said["crc"],
            said["compressed"], said["size"], len(said["name"]), len(self.local_extra),
        )  # fmt: skip
        return fixed + said["name"] + self.local_extra + self.data + self.descriptor

    def central_bytes(self, offset: int) -> bytes:
        said = self.said(**self.central)
        offset = offset if self.at is None else self.at
        fixed = pack(
            "<4sBBHHHHHLLLHHHHHLL", b"PK\x01\x02", 63, self.system, 20, said["flags"], said["method"],
            0, 33, said["crc"], said["compressed"], said["size"], len(said["name"]), len(self.central_extra),
            len(self.comment), said["disk"], 0, self.attributes, offset,
        )  # fmt: skip
        return fixed + said["name"] + self.central_extra + self.comment


def archive(
    members: Sequence[Member],
    *,
    before: bytes = b"",
    counted: bool = True,
    comment: bytes = b"",
    zip64: dict[str, int] | None = None,
    locator: dict[str, int] | None = None,
    **end: int,
) -> bytes:
    """A whole archive. before: data prepended; counted: whether offsets count it.

    zip64: a zip64 end record is written, with these values overridden; locator: overrides in its locator.
    end: overrides in the end record: disk, first_disk, count_here, count, length, offset, comment_length.
    """
    body, offsets = bytearray(), []
    base = len(before) if counted else 0
    for member in members:
        offsets.append(base + len(body))
        body += member.local_bytes()
    directory = b"".join(member.central_bytes(at) for member, at in zip(members, offsets, strict=True))
    position = base + len(body)
    true = {"disk": 0, "first_disk": 0, "count_here": len(members), "count": len(members)}
    true |= {"length": len(directory), "offset": position}
    wide = b""
    if zip64 is not None:
        wide = zip64_end(position + len(directory), true | zip64, **(locator or {}))
    return before + bytes(body) + directory + wide + end_record(comment, **(true | end))


def end_record(comment: bytes = b"", **said: int) -> bytes:
    """The end record; everything that isn't said is 0, the comment's length is right."""
    names = ("disk", "first_disk", "count_here", "count", "length", "offset")
    values = [said.get(name, 0) for name in names]
    return pack("<4sHHHHLLH", b"PK\x05\x06", *values, said.get("comment_length", len(comment))) + comment


def zip64_end(position: int, said: dict[str, int], *, at: int | None = None, disks: int = 1) -> bytes:
    """The zip64 end record and its locator. position: of the record; at: what the locator says of it."""
    names = ("disk", "first_disk", "count_here", "count", "length", "offset")
    record = pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, *[said[name] for name in names])
    return record + pack("<4sLQL", b"PK\x06\x07", 0, position if at is None else at, disks)


def zip64_extra(*values: int) -> bytes:
    """The zip64 extra field: those of size, packed size, offset that don't fit."""
    return extra_field(0x0001, b"".join(pack("<Q", value) for value in values))


def unicode_path(raw: bytes, name: str) -> bytes:
    """Info-ZIP's Unicode path extra field for the name that the header has as `raw`."""
    return extra_field(0x7075, pack("<BL", 1, zlib.crc32(raw)) + name.encode())


def extra_field(identifier: int, data: bytes) -> bytes:
    return pack("<HH", identifier, len(data)) + data


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def ranged(content: bytes) -> Any:
    """Reads of an archive that is in memory, as a store answers them: fewer bytes only at its end."""

    def read(start: int, length: int) -> bytes:
        assert 0 <= start < len(content) or (start == 0 and not content), (start, length)
        assert length > 0 or not content
        return content[start : start + length]

    return read


def streamed(content: bytes, chunk: int = 1000) -> Any:
    """As `ranged`, the bytes of a read in chunks."""
    read = ranged(content)

    def stream(start: int, length: int) -> Iterator[bytes]:
        found = read(start, length)
        yield from (found[at : at + chunk] for at in range(0, len(found), chunk))

    return stream
