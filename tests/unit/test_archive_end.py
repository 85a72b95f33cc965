"""Where a zip's directory lies: end records, zip64, what is refused as a whole."""

import hashlib
import zlib
from struct import pack

import pytest

import zip_bytes
from truthmill import archive_directory
from truthmill.archive import open_directory
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from zip_bytes import DEFLATED, STORED, Member
from zip_verdicts import SATURATED, entries, names, opened, reason, refusal

# Where the directory lies


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
def test_entries_come_in_order_with_offset_sizes_method_and_checksum(chunk):
    members = [
        Member(name=b"a/1.jpg", content=b"123456789"),
        Member(name=b"b.png", content=b"b" * 100, method=DEFLATED),
    ]
    packed = len(zip_bytes.deflate(b"b" * 100))
    assert list(opened(zip_bytes.archive(members), chunk).entries()) == [
        Entry(name="a/1.jpg", offset=0, compressed=9, size=9, method=STORED, crc=0xCBF43926),
        Entry(
            name="b.png", offset=46, compressed=packed, size=100, method=DEFLATED, crc=zlib.crc32(b"b" * 100),
            until=46 + 30 + 5 + packed,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("keep", "times"), [(108_000, 1), (107_999, 2)])
def test_a_directory_is_read_in_chunks_and_once_where_it_is_short_enough_to_be_kept(keep, times):
    content = zip_bytes.archive([Member(name=b"%04d.jpg" % number) for number in range(2000)])
    asked = []

    def read(start: int, length: int) -> bytes:
        asked.append(length)
        return content[start : start + length]

    directory = open_directory(read, len(content), "pets.zip", chunk=10_000, keep=keep)
    asked.clear()
    assert len(list(directory.entries())) == 2000
    assert max(asked) == 10_000
    assert sum(asked) == times * 2000 * (46 + 8)


def test_an_archive_without_entries_has_none():
    directory = opened(zip_bytes.archive([]))
    assert (list(directory.entries()), directory.count, directory.settings) == ([], 0, None)


def test_the_digest_is_of_the_directorys_bytes_and_the_archives_size():
    content = zip_bytes.archive([Member(content=b"x" * 50)])
    directory = content[30 + 5 + 50 : -22]
    expected = hashlib.sha256(directory + str(len(content)).encode()).hexdigest()
    assert {opened(content, chunk).digest for chunk in (1, 7, 65_536)} == {expected}


def test_the_digest_differs_where_one_picture_differs():
    digests = {opened(zip_bytes.archive([Member(content=content)])).digest for content in (b"cat", b"dog")}
    assert len(digests) == 2


@pytest.mark.parametrize("counted", [True, False])
def test_data_before_the_archive_moves_its_entries(counted):
    """Self-extracting archives: offsets count the program in front (zip -A), or don't (cat sfx a.zip)."""
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")], before=b"MZ" * 500, counted=counted)
    assert [entry.offset for entry in entries(content)] == [1000, 1042]


@pytest.mark.parametrize("counted", [True, False])
def test_data_before_a_zip64_archive_moves_its_entries_and_its_end_record(counted):
    content = zip_bytes.archive([Member()], before=b"MZ" * 500, counted=counted, zip64={})
    assert [entry.offset for entry in entries(content)] == [1000]


def test_a_comment_is_passed_over():
    assert names(zip_bytes.archive([Member()], comment=b"our dog " * 8000)) == ["a.jpg"]


def test_a_comment_of_full_length_is_passed_over():
    assert names(zip_bytes.archive([Member()], comment=b"-" * 0xFFFF)) == ["a.jpg"]


def test_an_end_signature_in_the_comment_is_not_an_end_record():
    comment = b"PK\x05\x06 is how the end begins, PK\x05\x06 " + b"PK\x05\x06" * 100
    assert names(zip_bytes.archive([Member()], comment=comment)) == ["a.jpg"]


def test_an_end_record_in_the_comment_that_fits_no_directory_is_passed_over():
    hidden = zip_bytes.end_record(count=1, count_here=1, length=51, offset=7)
    assert names(zip_bytes.archive([Member()], comment=b"see: " + hidden)) == ["a.jpg"]


def test_an_empty_end_record_in_the_comment_is_passed_over():
    assert names(zip_bytes.archive([Member()], comment=zip_bytes.end_record())) == ["a.jpg"]


def test_a_second_archive_within_the_comment_is_refused():
    """Some readers would take the last end record, some the first: they would see different pictures."""
    inner = zip_bytes.archive([Member(name=b"hidden.jpg")])
    assert "more than one end record" in refusal(zip_bytes.archive([Member()], comment=inner))


def test_a_comment_full_of_end_records_is_refused_after_few_reads():
    size = 22
    comment = b"".join(zip_bytes.end_record(comment_length=size * left) for left in range(2000, -1, -1))
    content = zip_bytes.archive([Member(content=b"x" * 200_000)], comment=comment)
    reads = []

    def read(start: int, length: int) -> bytes:
        reads.append(start)
        return content[start : start + length]

    with pytest.raises(ArchiveError, match="more than one end record"):
        open_directory(read, len(content), "pets.zip")
    assert len(reads) < 40


@pytest.mark.parametrize("after", [b"", b"junk"])
def test_two_archives_joined_into_one_file_are_refused(after):
    """Only the last one's directory would count, and the pictures of the first be lost without a reason."""
    first, second = (zip_bytes.archive([Member(name=name)]) for name in (b"a.jpg", b"b.jpg"))
    said = refusal(first + second + after)
    assert "pets.zip" in said
    assert after or "two archives joined" in said


def test_an_archive_before_one_whose_end_record_is_broken_is_not_taken_for_the_whole():
    """The broken one's pictures would be lost without a reason."""
    first = zip_bytes.archive([Member()])
    second = zip_bytes.archive([Member(name=b"b.jpg")], disk=1, comment_length=9)
    assert "of the second, " in refusal(first + second)


@pytest.mark.parametrize("between", [b"", b"junk" * 9])
@pytest.mark.parametrize("more", [b"", zip_bytes.archive([Member(name=b"older.jpg")])])
def test_two_archives_joined_with_offsets_made_right_are_refused_too(between, more):
    """As `cat a.zip b.zip > both.zip; zip -A both.zip` makes them."""
    before = more + zip_bytes.archive([Member(name=b"old.jpg")], comment=b"of the first") + between
    said = refusal(zip_bytes.archive([Member(), Member(name=b"b.jpg")], before=before))
    assert f"two archives joined into one file: of the first, {len(before)} bytes" in said


def test_an_archive_that_another_was_added_to_is_taken_where_its_entries_are_listed_still():
    """Its own directory and end record lie between entries, as tools that only append leave them."""
    old = Member(name=b"old.jpg")
    first, new = zip_bytes.archive([old]), Member()
    body = first + new.local_bytes()
    directory = old.central_bytes(0) + new.central_bytes(len(first))
    end = zip_bytes.end_record(count=2, count_here=2, length=len(directory), offset=len(body))
    assert names(body + directory + end) == ["old.jpg", "a.jpg"]


@pytest.mark.parametrize(
    "before",
    [
        b"MZ" + b"stub" * 9,
        Member(name=b"deleted.jpg").local_bytes(),
        Member(name=b"deleted.zip", content=zip_bytes.archive([Member()])).local_bytes(),
        zip_bytes.archive([]),
        b"MZ" + zip_bytes.archive([Member()]),
    ],
    ids=["stub", "deleted entry", "deleted archive", "empty archive", "stub with an archive"],
)
def test_an_archive_whose_offsets_count_what_lies_before_it_is_taken_where_that_is_none(before):
    """What was deleted lies there still; nothing that anybody still listed is passed over."""
    assert names(zip_bytes.archive([Member()], before=before)) == ["a.jpg"]


@pytest.mark.parametrize("length", [0, 3, 100, 65_535])
@pytest.mark.parametrize("chunk", [1, 7, 65_536])
def test_a_directory_that_is_signed_is_read(length, chunk):
    """A digital signature is the directory's last record (4.3.13)."""
    member = Member()
    directory = member.central_bytes(0) + b"PK\x05\x05" + pack("<H", length) + b"s" * length
    body = member.local_bytes()
    content = (
        body
        + directory
        + zip_bytes.end_record(count=1, count_here=1, length=len(directory), offset=len(body))
    )
    for keep in (0, 100_000):
        [entry] = opened(content, chunk, keep).entries()
        assert isinstance(entry, Entry)
    cut = (
        body
        + directory[:-1]
        + zip_bytes.end_record(count=1, count_here=1, length=len(directory) - 1, offset=len(body))
    )
    assert "doesn't begin or end where it should" in refusal(cut)


def test_bytes_after_the_end_record_are_tolerated():
    assert names(zip_bytes.archive([Member()]) + b"\r\n\x00\x00") == ["a.jpg"]


def test_a_comment_that_is_cut_off_is_tolerated():
    assert names(zip_bytes.archive([Member()], comment=b"long comment")[:-4]) == ["a.jpg"]


def test_an_archive_cut_off_behind_a_zip_within_it_is_not_taken_for_that_zip():
    inner = zip_bytes.archive([Member(name=b"inner.jpg")])
    outer = zip_bytes.archive([Member(content=b"x" * 99), Member(name=b"inner.zip", content=inner)])
    cut = outer[: outer.index(b"PK\x05\x06") + 22 + 10]
    assert "cut off" in refusal(cut) or "Upload it again" in refusal(cut)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK", "cut off"),
        (b"\xff\xd8\xff\xe0" + b"j" * 100, "not a zip"),
        (b"Rar!\x1a\x07\x01\x00" + b"r" * 100, "RAR archive"),
        (b"7z\xbc\xaf\x27\x1c" + b"7" * 100, "7-Zip archive"),
        (b"\x1f\x8b\x08" + b"g" * 100, "gzip file"),
        (b"a.jpg".ljust(257, b"\0") + b"ustar\x0000" + bytes(500), "tar archive"),
        (b"<!DOCTYPE html><title>Sign in</title>", "a download that failed"),
        (b"PK\x07\x08PK\x03\x04" + b"s" * 100, "first part of a split archive"),
    ],
    ids=["no bytes", "two bytes", "jpeg", "rar", "7z", "gzip", "tar", "page", "first part"],
)
def test_what_is_not_a_zip_is_named_for_what_it_is(content, said):
    assert said in refusal(content)


@pytest.mark.parametrize("left", [30, 60, 90, 95, 110])
def test_an_archive_that_was_cut_off_is_refused(left):
    """The whole is 42 bytes of entry, 51 of directory, 22 of end record."""
    content = zip_bytes.archive([Member()])
    assert len(content) == 115
    assert "cut off" in refusal(content[:left])


def test_an_archive_with_bytes_missing_before_its_directory_is_refused():
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")])
    assert "Bytes are missing" in refusal(content[10:])


@pytest.mark.parametrize(
    "lie",
    [{"length": 50}, {"length": 52}, {"length": 4_000_000}, {"offset": 5_000}],
    ids=str,
)
def test_a_directory_that_is_not_where_the_end_record_says_is_refused(lie):
    assert "directory" in refusal(zip_bytes.archive([Member()], **lie))


@pytest.mark.parametrize("first", [True, False])
def test_a_directory_that_does_not_end_where_the_end_record_begins_is_called_just_that(first):
    """Before the entries, or with something behind it: some readers take it, others move its offsets."""
    member = Member()
    body, length = member.local_bytes(), len(member.central_bytes(0))
    content = member.central_bytes(length) + body if first else body + member.central_bytes(0) + b"between"
    said = {"count": 1, "count_here": 1, "length": length, "offset": 0 if first else len(body)}
    between = len(body) if first else 7
    assert f"with {between} bytes between it and the end record" in refusal(
        content + zip_bytes.end_record(**said)
    )


@pytest.mark.parametrize("count", [0, 1, 3, 0xFFFF])
def test_a_wrong_count_of_entries_is_refused(count):
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")], count=count, count_here=count)
    assert f"says {count} entries, its directory has 2" in refusal(content)


@pytest.mark.parametrize(("here", "count"), [(0, 2), (1, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("zip64", [False, True])
def test_counts_that_differ_in_a_whole_archive_are_called_what_they_are(here, count, zip64):
    """A split archive's last part has a number above 0; this one has none."""
    members = [Member(), Member(name=b"b.jpg")]
    said = {"count_here": here, "count": count}
    content = (
        zip_bytes.archive(members, zip64=said, **SATURATED) if zip64 else zip_bytes.archive(members, **said)
    )
    message = refusal(content)
    assert f"says that this file has {here} of {count} entries" in message
    assert "split" not in message


def test_a_part_s_number_that_only_zip64_could_tell_is_no_split_archive():
    message = refusal(zip_bytes.archive([Member()], disk=0xFFFF, first_disk=0xFFFF))
    assert "zip64 end record, and there is none" in message


@pytest.mark.parametrize("zip64", [{}, None])
def test_an_archive_of_more_entries_than_a_run_can_have_is_refused(zip64, monkeypatch):
    """Before its directory is read where a zip64 end record tells; others count modulo 65,536."""
    monkeypatch.setattr(archive_directory, "MAX_ENTRIES", 2)
    members = [Member(name=b"%d.jpg" % number) for number in range(3)]
    assert "has 3 entries or more; one archive may have 2" in refusal(zip_bytes.archive(members, zip64=zip64))
    assert len(names(zip_bytes.archive(members[:2], zip64=zip64))) == 2


def test_a_directory_that_ends_within_a_record_is_refused():
    """The record says a comment of 9 bytes, there are 4."""
    content = zip_bytes.archive([Member(comment=b"123456789")])
    at = content.index(b"123456789")
    cut = content[: at + 4] + content[at + 9 :].replace(pack("<L", 60), pack("<L", 55))
    assert "doesn't begin or end where it should" in refusal(cut)


def test_a_record_without_its_signature_is_refused():
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")])
    broken = content.replace(b"PK\x01\x02", b"PK\x01\xff").replace(b"PK\x01\xff", b"PK\x01\x02", 1)
    assert "doesn't begin or end where it should" in refusal(broken)


def test_an_encrypted_directory_is_refused():
    content = zip_bytes.archive([Member()])
    assert "encrypted" in refusal(content.replace(b"PK\x01\x02", b"\x93\x1f\x00\x7c"))


@pytest.mark.parametrize("parts", [{"disk": 2, "first_disk": 2}, {"disk": 1}], ids=str)
def test_a_part_of_a_split_archive_is_refused_with_what_to_do(parts):
    assert "split archive. Unpack it where all of its parts lie" in refusal(
        zip_bytes.archive([Member()], **parts)
    )


def test_a_whole_archive_may_say_anything_of_the_part_where_its_directory_begins():
    """Which only parts have; unzip, 7z and zipfile don't look at it."""
    assert names(zip_bytes.archive([Member()], first_disk=7)) == ["a.jpg"]


def test_a_part_of_a_split_zip64_archive_is_refused():
    content = zip_bytes.archive([Member()], zip64={}, locator={"at": 1, "disks": 4})
    assert "part 4 of a split archive. Unpack it where all of its parts lie" in refusal(content)


def test_an_archive_replaced_while_it_is_read_is_refused():
    content = zip_bytes.archive([Member(comment=b"c" * 60_000), Member(name=b"b.jpg", comment=b"c" * 60_000)])

    def shrunk(start: int, length: int) -> bytes:
        return content[start : start + length] if start + length == len(content) or length == 4 else b""

    with pytest.raises(ArchiveError, match="replaced while it was read"):
        open_directory(shrunk, len(content), "pets.zip").digest  # noqa: B018 - reading it is the test


# zip64


def test_a_zip64_end_record_counts_where_the_end_record_is_full():
    assert names(zip_bytes.archive([Member()], zip64={}, **SATURATED)) == ["a.jpg"]


def test_a_zip64_end_record_may_repeat_what_the_end_record_says():
    assert names(zip_bytes.archive([Member()], zip64={})) == ["a.jpg"]


def test_a_zip64_end_record_may_be_longer_than_today():
    content = zip_bytes.archive([Member()], zip64={}, **SATURATED)
    longer = content.replace(b"PK\x06\x06" + pack("<Q", 44), b"PK\x06\x06" + pack("<Q", 50))
    assert names(longer.replace(b"PK\x06\x07", b"future" + b"PK\x06\x07")) == ["a.jpg"]


@pytest.mark.parametrize("lie", [{"count": 2, "count_here": 2}, {"length": 99}, {"offset": 7}], ids=str)
def test_a_zip64_end_record_that_contradicts_the_end_record_is_refused(lie):
    assert "readers would see different archives" in refusal(zip_bytes.archive([Member()], zip64=lie))


@pytest.mark.parametrize(
    "lie", [{"count": 2, "count_here": 2}, {"length": 2**63}, {"offset": 2**64 - 1}, {"length": 3}], ids=str
)
def test_a_zip64_end_record_that_lies_is_refused(lie):
    refusal(zip_bytes.archive([Member()], zip64=lie, **SATURATED))


@pytest.mark.parametrize("at", [0, 3, 10_000, 2**64 - 1])
def test_a_zip64_locator_that_lies_is_made_good_by_the_record_before_it(at):
    """A locator may be off by the data prepended, so that the record right before it counts, too."""
    assert names(zip_bytes.archive([Member()], zip64={}, locator={"at": at}, **SATURATED)) == ["a.jpg"]


@pytest.mark.parametrize("at", [0, 93, 10_000, 2**64 - 1])
def test_a_zip64_locator_without_its_record_is_refused(at):
    content = zip_bytes.archive([Member()], zip64={}, locator={"at": at}, **SATURATED)
    assert "zip64 locator" in refusal(content.replace(b"PK\x06\x06", b"PK\x06\x00"))


def test_sizes_and_offset_come_from_the_zip64_extra_field():
    member = Member(
        central={"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF},
        at=0xFFFFFFFF,
        central_extra=zip_bytes.extra_field(0x5455, b"\x01time") + zip_bytes.zip64_extra(7, 7, 0),
    )
    [entry] = entries(zip_bytes.archive([member]))
    assert (entry.size, entry.compressed, entry.offset) == (7, 7, 0)


def test_the_zip64_extra_field_holds_only_what_is_full():
    member = Member(at=0xFFFFFFFF, central_extra=zip_bytes.zip64_extra(0))
    [entry] = entries(zip_bytes.archive([member]))
    assert (entry.size, entry.compressed, entry.offset) == (7, 7, 0)


@pytest.mark.parametrize(
    "extra", [b"", zip_bytes.extra_field(1, b"1234"), b"\x01\x00\xff\xff", b"\x01"], ids=repr
)
def test_a_zip64_extra_field_that_is_missing_or_short_makes_its_entry_unusable(extra):
    assert reason(Member(at=0xFFFFFFFF, central_extra=extra)) == "header-mismatch"


@pytest.mark.parametrize("sizes", [("size",), ("compressed",), ("size", "compressed")], ids="-".join)
@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_a_size_that_is_in_no_zip64_extra_field_is_called_just_that(sizes, method):
    """Neither a bomb, of four gigabytes from seven bytes, nor an overlap, of seven bytes that take four."""
    member = Member(method=method, central=dict.fromkeys(sizes, 0xFFFFFFFF))
    odd, _ = opened(zip_bytes.archive([member, Member(name=b"b.jpg")])).entries()
    assert isinstance(odd, Inspection)
    assert odd.reason == "header-mismatch"
    assert "zip64" in odd.detail


@pytest.mark.parametrize("values", [(2**64 - 1, 2**64 - 1, 2**64 - 1), (7, 7, 2**63), (7, 2**64 - 1, 0)])
def test_a_zip64_extra_field_with_absurd_numbers_harms_no_other_entry(values):
    member = Member(
        central={"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF},
        at=0xFFFFFFFF,
        central_extra=zip_bytes.zip64_extra(*values),
    )
    assert reason(member) in {"header-mismatch", "overlap"}
