"""Archives as packers write them, anything that `zipfile` writes, and any damage done to one."""

import io
import string
import zipfile
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import zip_bytes
from truthmill.archive import open_directory
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from zip_bytes import DEFLATED, FAT, SIZES_FOLLOW, UTF8, Member
from zip_verdicts import SATURATED, names, opened, reasons

# Archives as the packers write them


def test_finder():
    """macOS: UTF-8 names without their flag, sizes after the data, folders, a __MACOSX twin of each file."""
    content = b"jpeg bytes"
    descriptor = b"PK\x07\x08" + pack("<LLL", 0x5B9E9F0F, len(content), len(content))
    zeros = {"crc": 0, "compressed": 0, "size": 0}
    common = {"method": DEFLATED, "flags": SIZES_FOLLOW, "local": zeros, "descriptor": descriptor}
    unix = {
        "local_extra": zip_bytes.extra_field(0x5855, bytes(12)),
        "central_extra": zip_bytes.extra_field(0x5855, bytes(8)),
    }
    members = [
        Member(name="Österreich/".encode(), content=b"", attributes=0x41ED4000),
        Member(name="Österreich/Ka\u0308tzchen.jpg".encode(), content=content, **common, **unix),
        Member(name=b"__MACOSX/", content=b""),
        Member(
            name="__MACOSX/Österreich/._Ka\u0308tzchen.jpg".encode(), content=b"resource", **common, **unix
        ),
    ]
    assert reasons(zip_bytes.archive(members)) == {
        "Österreich/": "ignored",
        "Österreich/Ka\u0308tzchen.jpg": "",
        "__MACOSX/": "ignored",
        "__MACOSX/Österreich/._Ka\u0308tzchen.jpg": "ignored",
    }


def test_archive_utility_beyond_65535_entries():
    """macOS writes the count modulo 65,536, without zip64."""
    content = zip_bytes.archive(
        [Member(name=b"%d" % n, content=b"") for n in range(65_537)], count=1, count_here=1
    )
    assert opened(content).count == 65_537


def test_archive_utility_beyond_four_gigabytes():
    """macOS writes offsets modulo 2^32, without zip64; the archive here has holes in place of its bytes."""
    true = [0, 3_000_000_000, 5_000_000_000, 9_000_000_000]
    sizes = [2_999_999_000, 1_900_000_000, 3_900_000_000, 1_000]
    directory = b"".join(
        Member(name=b"%d.jpg" % at, method=DEFLATED, packed=b"", at=at % 2**32,
               central={"compressed": size, "size": size}).central_bytes(0)
        for at, size in zip(true, sizes, strict=True)
    )  # fmt: skip
    start = 9_000_002_000
    tail = directory + zip_bytes.end_record(
        count=4, count_here=4, length=len(directory), offset=start % 2**32
    )

    def read(at: int, length: int) -> bytes:
        return tail[max(at - start, 0) :][:length].rjust(min(length, start + len(tail) - at), b"\0")

    found = list(open_directory(read, start + len(tail), "pets.zip").entries())
    assert [(item.entry.offset, item.reason) for item in found[:3]] == [
        (0, "too-large"), (3_000_000_000, "too-large"), (5_000_000_000, "too-large"),
    ]  # fmt: skip
    assert found[3].offset == 9_000_000_000


def test_explorer():
    """Windows: names in the code page of DOS, backslashes where old programs wrote them, FAT attributes."""
    members = [
        Member(name=b"Bilder\\", content=b"", system=FAT, attributes=0x10),
        Member(name=b"Bilder\\\x9asterreich.jpg", system=FAT, attributes=0x20),
        Member(name=b"Bilder\\Thumbs.db", system=FAT, attributes=0x26),
    ]
    assert reasons(zip_bytes.archive(members)) == {
        "Bilder\\": "ignored", "Bilder\\Üsterreich.jpg": "", "Bilder\\Thumbs.db": "ignored",
    }  # fmt: skip


def test_seven_zip():
    """7-Zip: NTFS times in the directory only, folders without a slash's size, the archive bit."""
    times = zip_bytes.extra_field(0x000A, bytes(4) + pack("<HH", 1, 24) + bytes(24))
    members = [
        Member(name=b"pets/", content=b"", attributes=0x10, system=FAT, central_extra=times),
        Member(name=b"pets/a.jpg", attributes=0x20, system=FAT, central_extra=times, method=DEFLATED),
    ]
    assert reasons(zip_bytes.archive(members)) == {"pets/": "ignored", "pets/a.jpg": ""}


def test_info_zip():
    """zip 3.0 on Linux: times and owners in extra fields of other lengths here and there, a Unicode path."""
    raw = b"K#U00e4tzchen.jpg"
    local = zip_bytes.extra_field(0x5455, b"\x03" + bytes(8)) + zip_bytes.extra_field(0x7875, bytes(11))
    central = zip_bytes.extra_field(0x5455, b"\x01" + bytes(4)) + zip_bytes.extra_field(0x7875, bytes(11))
    path = zip_bytes.unicode_path(raw, "Kätzchen.jpg")
    member = Member(name=raw, local_extra=local + path, central_extra=central + path, attributes=0x81A4 << 16)
    assert names(zip_bytes.archive([member])) == ["Kätzchen.jpg"]


def test_winrar():
    """WinRAR: NTFS times in both headers, names in the DOS code page with a Unicode path beside it."""
    times = zip_bytes.extra_field(0x000A, bytes(4) + pack("<HH", 1, 24) + bytes(24))
    path = zip_bytes.unicode_path(b"K\x84tzchen.jpg", "Kätzchen.jpg")
    member = Member(name=b"K\x84tzchen.jpg", system=FAT, local_extra=times + path, central_extra=times + path)
    assert names(zip_bytes.archive([member])) == ["Kätzchen.jpg"]


def test_java():
    """java.util.zip: sizes after the data, 64 bits wide in zip64, the UTF-8 flag on every name."""
    content = b"jpeg bytes"
    descriptor = b"PK\x07\x08" + pack("<LQQ", 0x5B9E9F0F, 10, 10)
    member = Member(
        name="猫.jpg".encode(), content=content, flags=UTF8 | SIZES_FOLLOW, method=DEFLATED,
        descriptor=descriptor,
        local={"crc": 0, "compressed": 0, "size": 0}, local_extra=zip_bytes.zip64_extra(0, 0), system=FAT,
    )  # fmt: skip
    assert names(zip_bytes.archive([member, Member(name=b"b.jpg")], zip64={})) == ["猫.jpg", "b.jpg"]


# Anything that zipfile writes

_LETTERS = st.characters(categories=["L", "N", "S"], exclude_characters="\\:") | st.sampled_from(
    string.ascii_letters
)
_NAMES = st.lists(st.text(_LETTERS, min_size=1, max_size=10), min_size=1, max_size=3).map("/".join)
_FILES = st.tuples(
    _NAMES, st.binary(max_size=200), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
)


class _Stream(io.RawIOBase):
    """What can't be sought: zipfile writes sizes behind the data then."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.content += bytes(data)
        return len(data)


@given(
    st.lists(_FILES, max_size=6),
    st.binary(max_size=30),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 7, 65_536]),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_zipfile_writes_comes_back_entry_for_entry(files, comment, streamed, zip64, chunk):
    """By what the writer knows: zipfile can't read an end signature in a comment, though it writes one."""
    target = _Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w") as packing:
        for name, content, method in files:
            info = zipfile.ZipInfo(name + ".jpg")
            info.compress_type = method
            with packing.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
        packing.comment = comment
    content = target.content if streamed else target.getvalue()
    expected = [
        Entry(name=i.filename, offset=i.header_offset, compressed=i.compress_size, size=i.file_size,
              method=i.compress_type, crc=i.CRC)
        for i in packing.infolist()
    ]  # fmt: skip
    for keep in (0, 10_000):
        assert [replace(e, until=0) for e in opened(content, chunk, keep).entries()] == expected


@given(st.data())
def test_whatever_bytes_are_damaged_each_entry_has_one_end_or_the_archive_is_refused(data):
    members = [
        Member(name=b"a.jpg", comment=b"comment", central_extra=zip_bytes.unicode_path(b"a.jpg", "b.jpg")),
        Member(name=b"big.jpg", at=0xFFFFFFFF, central_extra=zip_bytes.zip64_extra(42)),
        Member(name=b"truthmill.json", method=DEFLATED),
    ]
    zip64 = data.draw(st.sampled_from([None, {}]))
    content = bytearray(
        zip_bytes.archive(members, zip64=zip64, comment=b"12345", **(SATURATED if zip64 == {} else {}))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.sampled_from([None, None, len(content) // 2, -3]))])
    try:
        directory = opened(content)
        found = list(directory.entries())
    except ArchiveError:
        return
    assert len(found) == directory.count == 3
    assert {type(item) for item in found} <= {Entry, Inspection}
