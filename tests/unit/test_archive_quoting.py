"""Entries whose own headers make them longer than the directory tells, and so run into what follows."""

import pytest

import zip_bytes
from truthmill.archive import batches, open_directory, unpack_all
from truthmill.records import Entry
from zip_bytes import Member


def closed(body: bytes, directory: bytes, count: int) -> bytes:
    end = {"count": count, "count_here": count, "length": len(directory), "offset": len(body)}
    return body + directory + zip_bytes.end_record(**end)


def quoting(*between: Member) -> bytes:
    """An archive whose first entry's extra field makes it run 14 bytes into what follows, which it quotes."""
    behind = b"".join(member.local_bytes() for member in between)
    outer = Member(name=b"a.jpg", content=b"second", local_extra=b"filler" + behind[:14])
    body = outer.local_bytes()[: 35 + 6] + behind
    offsets, at = [], 35 + 6
    for member in between:
        offsets.append(at)
        at += len(member.local_bytes())
    directory = outer.central_bytes(0) + b"".join(map(Member.central_bytes, between, offsets))
    count = 1 + len(between)
    return (
        body
        + directory
        + zip_bytes.end_record(count=count, count_here=count, length=len(directory), offset=len(body))
    )


B, LINK = (
    Member(name=b"b.jpg", content=b"x" * 100),
    Member(name=b"b.jpg", content=b"x" * 100, attributes=0xA1FF << 16),
)


def in_batches(content: bytes, max_count: int) -> dict[str, bytes | str]:
    """As `unpacked`, of the entries that are used, in batches."""
    directory = open_directory(zip_bytes.ranged(content), len(content), "pets.zip")
    found = [e for e in directory.entries() if isinstance(e, Entry)]
    return {
        e.name: got if isinstance(got, bytes) else got.reason
        for batch in batches(found, 10**9, max_count)
        for e, got in unpack_all(batch.entries, zip_bytes.streamed(content))
    }


@pytest.mark.parametrize("between", [(B,), (LINK,), (LINK, Member(name=b"c.jpg"))])
def test_an_extra_field_that_runs_into_anything_is_found_however_batches_are_cut(between):
    """What follows may be in another batch, or in none."""
    content = quoting(*between)
    for max_count in (1, 10):
        ends = in_batches(content, max_count)
        assert ends.pop("a.jpg") == "overlap"
        assert all(isinstance(got, bytes) for got in ends.values())


def test_an_extra_field_that_runs_into_the_directory_is_rejected():
    record = Member(name=b"a.jpg", content=b"second").central_bytes(0)
    content = Member(name=b"a.jpg", content=b"second", local_extra=b"filler").local_bytes()[:41] + record
    content += zip_bytes.end_record(count=1, count_here=1, length=len(record), offset=41)
    assert in_batches(content, 10) == {"a.jpg": "overlap"}


def test_an_extra_field_that_runs_into_an_entry_of_another_order_is_rejected():
    inner = Member(name=b"b.jpg", content=b"second")
    outer = Member(name=b"a.jpg", content=b"second", local_extra=b"filler" + inner.local_bytes()[:35])
    body = outer.local_bytes()
    directory = inner.central_bytes(35 + 6) + outer.central_bytes(0)
    assert in_batches(closed(body, directory, 2), 1) == {"a.jpg": "overlap", "b.jpg": b"second"}
