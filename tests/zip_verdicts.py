"""What an archive's directory comes to: the entries, or each name's reason, or the refusal."""

import pytest

import zip_bytes
from truthmill.archive import Directory, open_directory
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from truthmill.rejections import REASONS
from zip_bytes import Member

SATURATED = {"count_here": 0xFFFF, "count": 0xFFFF, "length": 0xFFFFFFFF, "offset": 0xFFFFFFFF}


def opened(content: bytes, chunk: int = 65_536, keep: int = 10_000) -> Directory:
    return open_directory(zip_bytes.ranged(content), len(content), "pets.zip", chunk=chunk, keep=keep)


def entries(content: bytes) -> list[Entry]:
    """The entries of an archive in which nothing is rejected."""
    found = list(opened(content).entries())
    assert all(isinstance(entry, Entry) for entry in found), found
    return found


def names(content: bytes) -> list[str]:
    return [entry.name for entry in entries(content)]


def reasons(content: bytes) -> dict[str, str]:
    """Each name's reason; empty where the entry can be used."""
    verdicts = {}
    for found in opened(content).entries():
        rejected = isinstance(found, Inspection)
        verdicts[found.entry.name if rejected else found.name] = found.reason if rejected else ""
    assert set(verdicts.values()) <= {"", *REASONS}
    return verdicts


def reason(member: Member) -> str:
    """The member's reason, in an archive in which another entry must stay usable."""
    found = reasons(zip_bytes.archive([member, Member(name=b"good.png")]))
    assert found.pop("good.png") == ""
    return found.popitem()[1]


def refusal(content: bytes) -> str:
    with pytest.raises(ArchiveError) as caught:
        list(opened(content).entries())
    assert "pets.zip" in str(caught.value)
    return str(caught.value)
