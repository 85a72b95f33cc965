"""Archives damaged at random, all the way from the directory to the inspection of each picture."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

import zip_bytes
from builders import picture
from pipeline.inspect_images import inspected
from truthmill.archive import open_directory, unpack_all
from truthmill.errors import ArchiveError
from truthmill.images import Limits
from truthmill.records import Entry, Inspection
from truthmill.rejections import REASONS
from zip_bytes import DEFLATED, SIZES_FOLLOW, Member

ZEROS = {"crc": 0, "compressed": 0, "size": 0}
PICTURES = {
    form: picture(number, (24, 16), form) for number, form in enumerate(("JPEG", "PNG", "WEBP", "GIF"))
}


def archives() -> list[bytes]:
    """Stored and deflated, sizes before and behind, prepended, commented, zip64."""
    members = [
        Member(name=b"pets/rex.jpg", content=PICTURES["JPEG"]),
        Member(name=b"pets/tom.png", content=PICTURES["PNG"], method=DEFLATED),
        Member(name="pets/Käse.webp".encode(), content=PICTURES["WEBP"]),
        Member(name=b"pets/", content=b""),
        Member(name=b"pets/empty.jpg", content=b""),
        Member(
            name=b"pets/late.gif", content=PICTURES["GIF"], method=DEFLATED, flags=SIZES_FOLLOW, local=ZEROS
        ),
    ]
    return [zip_bytes.archive(members), b"MZ" * 50 + zip_bytes.archive(members[:3])]


ARCHIVES = archives()


@st.composite
def damaged(draw) -> bytes:
    """One of ARCHIVES after up to four changes: bytes set, cut out, doubled, or moved; or its end cut off."""
    content = bytearray(draw(st.sampled_from(ARCHIVES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 12))
        piece = bytes(content[at : at + length])
        kind = draw(st.sampled_from(("set", "ones", "zero", "cut", "double", "move", "end")))
        if kind == "end":
            del content[at:]
        elif kind == "double":
            content[at:at] = piece
        else:
            new = {"set": draw(st.binary(min_size=1, max_size=8)), "ones": b"\xff" * len(piece)}
            content[at : at + length] = new.get(kind, bytes(len(piece)) if kind == "zero" else b"")
        if kind == "move":
            to = draw(st.integers(0, len(content)))
            content[to:to] = piece
    return bytes(content)


def outcomes(content: bytes) -> tuple[int, list[Inspection]]:
    """Records of the directory, and what becomes of them."""
    directory = open_directory(lambda at, length: content[at : at + length], len(content), "pets.zip")
    found = list(directory.entries())
    ends = [one for one in found if isinstance(one, Inspection)]
    entries = [one for one in found if isinstance(one, Entry)]
    stream = zip_bytes.streamed(content)
    ends += inspected(unpack_all(entries, stream), Limits())
    return directory.count, ends


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_every_entry_of_a_damaged_archive_ends_in_exactly_one_place(content):
    """Refused as a whole by name, or each record is usable or has a reason that is known."""
    try:
        count, ends = outcomes(content)
    except ArchiveError:
        return
    assert len(ends) == count
    assert max(Counter(end.entry.offset for end in ends if not end.reason).values(), default=1) == 1
    for end in ends:
        assert end.reason in REASONS if end.reason else end.sha256 and end.width


def test_what_is_damaged_here_is_whole_before():
    usable = [[end.entry.name for end in outcomes(content)[1] if not end.reason] for content in ARCHIVES]
    assert usable == [
        ["pets/rex.jpg", "pets/tom.png", "pets/Käse.webp", "pets/late.gif"],
        ["pets/rex.jpg", "pets/tom.png", "pets/Käse.webp"],
    ]
