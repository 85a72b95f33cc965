"""The directory of zips: what is read from it, what is refused, what is rejected entry by entry."""

import hashlib
import io
import string
import zipfile
import zlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zip_bytes
from truthmill import archive_entry
from truthmill.archive import Directory, open_directory
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from truthmill.rejections import REASONS
from zip_bytes import DEFLATED, ENCRYPTED, FAT, SIZES_FOLLOW, STORED, UNIX, UTF8, Member

DIRECTORY, SYMLINK, DEVICE, FIFO = 0x4000 << 16, 0xA1FF << 16, 0x2000 << 16, 0x1000 << 16


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
            name="b.png", offset=46, compressed=packed, size=100, method=DEFLATED, crc=zlib.crc32(b"b" * 100)
        ),
    ]


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
        (b"PK\x07\x08PK\x03\x04" + b"s" * 100, "first part of a split archive"),
    ],
    ids=["no bytes", "two bytes", "jpeg", "rar", "7z", "gzip", "first part"],
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


@pytest.mark.parametrize("count", [0, 1, 3, 0xFFFF])
def test_a_wrong_count_of_entries_is_refused(count):
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")], count=count, count_here=count)
    assert f"says {count} entries, its directory has 2" in refusal(content)


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


@pytest.mark.parametrize("parts", [{"disk": 2, "first_disk": 2}, {"disk": 1}, {"count_here": 0}], ids=str)
def test_a_part_of_a_split_archive_is_refused_with_what_to_do(parts):
    assert "split archive. Join the parts" in refusal(zip_bytes.archive([Member()], **parts))


def test_a_part_of_a_split_zip64_archive_is_refused():
    content = zip_bytes.archive([Member()], zip64={}, locator={"at": 1, "disks": 4})
    assert "part 4 of a split archive. Join the parts" in refusal(content)


def test_an_archive_replaced_while_it_is_read_is_refused():
    content = zip_bytes.archive([Member(comment=b"c" * 60_000), Member(name=b"b.jpg", comment=b"c" * 60_000)])

    def shrunk(start: int, length: int) -> bytes:
        return content[start : start + length] if start + length == len(content) or length == 4 else b""

    with pytest.raises(ArchiveError, match="replaced while it was read"):
        open_directory(shrunk, len(content), "pets.zip").digest  # noqa: B018 - reading it is the test


# zip64

SATURATED = {"count_here": 0xFFFF, "count": 0xFFFF, "length": 0xFFFFFFFF, "offset": 0xFFFFFFFF}


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


@pytest.mark.parametrize("values", [(2**64 - 1, 2**64 - 1, 2**64 - 1), (7, 7, 2**63), (7, 2**64 - 1, 0)])
def test_a_zip64_extra_field_with_absurd_numbers_harms_no_other_entry(values):
    member = Member(
        central={"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF},
        at=0xFFFFFFFF,
        central_extra=zip_bytes.zip64_extra(*values),
    )
    assert reason(member) in {"header-mismatch", "overlap"}


# Names

_LATER_PATH = zip_bytes.extra_field(0x7075, pack("<BL", 2, zlib.crc32(b"?.jpg")) + b"a.jpg")


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (Member(name="Jürgen/Österreich.jpg".encode(), flags=UTF8), "Jürgen/Österreich.jpg"),
        (Member(name="猫🐈.jpg".encode(), flags=UTF8), "猫🐈.jpg"),
        (Member(name=b"J\x81rgen.jpg", system=FAT), "Jürgen.jpg"),
        (Member(name="猫.jpg".encode()), "猫.jpg"),
        (Member(name=b"J\x81rgen.jpg", flags=UTF8), "Jürgen.jpg"),
        (Member(name=b"?.jpg", central_extra=zip_bytes.unicode_path(b"?.jpg", "猫.jpg")), "猫.jpg"),
        (Member(name=b"?.jpg", central_extra=zip_bytes.unicode_path(b"other", "猫.jpg")), "?.jpg"),
        (Member(name=b"?.jpg", central_extra=_LATER_PATH), "?.jpg"),
        (Member(name=b"?.jpg", flags=UTF8, central_extra=zip_bytes.unicode_path(b"?.jpg", "a")), "?.jpg"),
        (Member(name=b"folder\\cat.jpg", system=FAT), "folder\\cat.jpg"),
        (Member(name=b"./a b (1).jpg"), "./a b (1).jpg"),
        (Member(name=b"dots...jpg"), "dots...jpg"),
    ],
    ids=[
        "utf-8",
        "emoji",
        "cp437",
        "utf-8 without flag",
        "flag without utf-8",
        "unicode path",
        "stale unicode path",
        "unicode path of another version",
        "unicode path beside the flag",
        "backslash",
        "dot and spaces",
        "three dots",
    ],
)
def test_names_are_read_as_they_were_meant(member, name):
    assert names(zip_bytes.archive([member])) == [name]


@pytest.mark.parametrize(
    "name",
    [b"../a.jpg", b"a/../../b.jpg", b"..\\a.jpg", b"a\\..\\b.jpg", b"..", b"/etc/a.jpg", b"\\server\\a.jpg",
     b"C:\\a.jpg", b"c:/a.jpg", b"c:a.jpg", b"a\x00.jpg", b"a\nb.jpg", b"\x1b[2Ja.jpg", b"a\x7f.jpg",
     "a\u0085.jpg".encode(), "a\u202egpj.exe".encode(), "a\u2028b.jpg".encode(), b"", b"a" * 4093 + b".jpg",
     b"../", b"../__MACOSX/._a"],
    ids=repr,
)  # fmt: skip
def test_a_name_that_is_no_safe_relative_path_is_rejected(name):
    assert reason(Member(name=name)) == "unsafe-name"


def test_a_unicode_path_that_is_unsafe_is_rejected_though_the_plain_name_is_safe():
    extra = zip_bytes.unicode_path(b"a.jpg", "../a.jpg")
    assert reason(Member(central_extra=extra)) == "unsafe-name"


@pytest.mark.parametrize(
    "name",
    [b"folder/", b"folder\\", b"__MACOSX/._a.jpg", b"__MACOSX/a.jpg",
     b"a/.DS_Store", b".DS_Store", b"Thumbs.db",
     b"a\\thumbs.db", b"a/b/desktop.ini", b"a/._cat.jpg", b"truthmill.json"],
    ids=repr,
)  # fmt: skip
def test_folders_and_what_systems_leave_are_ignored(name):
    assert reason(Member(name=name)) == "ignored"


@pytest.mark.parametrize(
    "name",
    [b"my__MACOSX/a.txt", b"a/truthmill.json", b"notes.txt", b"zip", b"a.zip/b.txt", b".hidden.jpg"],
)
def test_what_only_looks_like_it_is_left_to_its_bytes(name):
    assert reason(Member(name=name)) == ""


def test_a_folder_by_its_attributes_is_ignored():
    assert reason(Member(name=b"folder", content=b"", attributes=DIRECTORY)) == "ignored"


@pytest.mark.parametrize("attributes", [SYMLINK, DEVICE, FIFO])
@pytest.mark.parametrize("system", [UNIX, FAT])
def test_links_and_special_files_are_rejected(attributes, system):
    assert reason(Member(attributes=attributes, system=system)) == "link"


@pytest.mark.parametrize("attributes", [0, 0x20, 0x81A4 << 16, 0x01A4 << 16, 0x0020_0020])
def test_ordinary_attributes_are_taken(attributes):
    assert reason(Member(attributes=attributes)) == ""


@pytest.mark.parametrize("name", [b"more.zip", b"a/MORE.ZIP", b"x.tar.gz", b"x.7z", b"x.rar", b"x.tgz"])
def test_an_archive_within_the_archive_is_rejected_as_such(name):
    assert reason(Member(name=name, central={"size": 10**9})) == "nested-archive"


def test_the_same_name_twice_and_names_that_differ_in_case_stay_apart():
    content = zip_bytes.archive([Member(name=name) for name in (b"a.jpg", b"a.jpg", b"A.JPG", b"a.png")])
    assert [(entry.name, entry.offset) for entry in entries(content)] == [
        ("a.jpg", 0), ("a.jpg", 42), ("A.JPG", 84), ("a.png", 126),
    ]  # fmt: skip


@given(
    st.text(st.sampled_from("aZ0._-/\\: ~\x00\u202eé") | st.characters(), max_size=12),
    st.sampled_from([".jpg", "PNG", ""]),
)
def test_the_glance_at_a_name_takes_nothing_that_the_long_look_rejects(stem, extension):
    name = stem + extension
    if archive_entry._PLAIN(name):
        assert archive_entry._of_name(name, len(name), 0) == ("", "")


# What can't be unpacked


@pytest.mark.parametrize("flags", [ENCRYPTED, ENCRYPTED | 0x40, 0x2000])
def test_an_encrypted_entry_is_rejected_by_name(flags):
    assert reason(Member(flags=flags)) == "encrypted"


def test_aes_is_encryption_rather_than_a_method():
    assert reason(Member(flags=ENCRYPTED, method=99)) == "encrypted"


@pytest.mark.parametrize(
    ("method", "name"), [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (77, "unknown")]
)
def test_another_method_is_rejected_by_its_name(method, name):
    [found] = opened(zip_bytes.archive([Member(method=method)])).entries()
    assert (found.reason, found.detail) == ("unsupported-compression", f"method {method} ({name})")


def test_an_entry_in_another_part_of_a_split_archive_is_rejected():
    assert reason(Member(central={"disk": 3})) == "header-mismatch"


@pytest.mark.parametrize(
    ("size", "compressed", "verdict"),
    [
        (40_000_000, 39_000_000, ""),
        (40_000_001, 39_000_000, "too-large"),
        (4_294_967_294, 4_000_000_000, "too-large"),
    ],
)
def test_an_entry_over_forty_million_bytes_is_rejected_before_it_is_read(size, compressed, verdict):
    """The archive is said to be 5 GB; only its last bytes are there to be read."""
    member = Member(method=DEFLATED, central={"size": size, "compressed": compressed})
    directory = member.central_bytes(0)
    start = 4_200_000_000
    tail = directory + zip_bytes.end_record(count=1, count_here=1, length=len(directory), offset=start)

    def read(at: int, length: int) -> bytes:
        return tail[max(at - start, 0) :][:length].rjust(min(length, start + len(tail) - at), b"\0")

    [found] = open_directory(read, start + len(tail), "pets.zip").entries()
    assert (found.reason if isinstance(found, Inspection) else "") == verdict


@pytest.mark.parametrize(
    ("size", "compressed", "verdict"),
    [(10_000_001, 7, "bomb"), (4_000_000_000, 7, "bomb"), (10_000_000, 7, ""), (7, 7, "")],
)
def test_an_entry_that_would_grow_beyond_measure_is_a_bomb(size, compressed, verdict):
    packed = b"x" * compressed
    assert reason(Member(method=DEFLATED, packed=packed, central={"size": size})) == verdict


@pytest.mark.parametrize("size", [6, 8, 0])
def test_a_stored_entry_of_two_sizes_is_rejected(size):
    assert reason(Member(central={"size": size})) == "size-mismatch"


def test_an_entry_packed_to_far_more_than_it_unpacks_to_is_rejected():
    member = Member(method=DEFLATED, packed=b"x" * 1_048_600, central={"size": 10})
    assert reason(member) == "size-mismatch"


# Where entries lie


@pytest.mark.parametrize("at", [1_000, 0xFFFFFFFE])
def test_an_entry_outside_the_archive_is_rejected(at):
    assert reason(Member(at=at)) == "header-mismatch"


def test_an_entry_that_runs_into_the_directory_is_rejected_and_its_neighbours_are_not():
    lying = Member(central={"compressed": 500, "size": 500})
    found = reasons(zip_bytes.archive([lying, Member(name=b"b.jpg"), Member(name=b"c.jpg")]))
    assert found == {"a.jpg": "overlap", "b.jpg": "", "c.jpg": ""}


def test_entries_that_share_one_header_are_rejected():
    members = [Member(), Member(name=b"b.jpg", at=0), Member(name=b"c.jpg")]
    assert reasons(zip_bytes.archive(members)) == {"a.jpg": "overlap", "b.jpg": "overlap", "c.jpg": ""}


def test_an_entry_within_anothers_bytes_is_rejected_with_it():
    inner = Member(name=b"i.jpg").local_bytes()
    outer = Member(name=b"o.jpg", content=b"-" * 20 + inner + b"-" * 20)
    before, after = Member(name=b"1.jpg"), Member(name=b"2.jpg")
    content = zip_bytes.archive([before, outer, after, Member(name=b"i.jpg", at=42 + 35 + 20)])
    assert reasons(content) == {"1.jpg": "", "o.jpg": "overlap", "2.jpg": "", "i.jpg": "overlap"}


def test_one_long_entry_that_covers_many_takes_all_of_them_and_no_other():
    covering = Member(name=b"0.jpg", central={"compressed": 7 + 42 + 10, "size": 7 + 42 + 10})
    members = [covering, *(Member(name=b"%d.jpg" % number) for number in range(1, 5))]
    assert reasons(zip_bytes.archive(members)) == {
        "0.jpg": "overlap", "1.jpg": "overlap", "2.jpg": "overlap", "3.jpg": "", "4.jpg": "",
    }  # fmt: skip


def test_a_bomb_of_entries_that_quote_each_other_is_rejected():
    """Each entry's stored bytes are the headers of all that follow, down to one kernel (Fifield's bomb)."""
    kernel = Member(name=b"z.jpg", content=b"0" * 1000, method=DEFLATED)
    body, members = kernel.local_bytes(), [kernel]
    for letter in b"yxw":
        quoting = Member(name=b"%c.jpg" % letter, content=body)
        body, members = quoting.local_bytes(), [quoting, *members]
    directory, at = b"", 0
    for member in members:
        directory += member.central_bytes(at)
        at += 35
    end = zip_bytes.end_record(count=4, count_here=4, length=len(directory), offset=len(body))
    assert set(reasons(body + directory + end).values()) == {"overlap"}


def test_entries_may_lie_in_another_order_than_the_directorys():
    """A packer that updates an archive appends; the directory may be sorted by name all the same."""
    first, second = Member(name=b"z.jpg", at=42), Member(name=b"a.jpg", at=0)
    body = second.local_bytes() + first.local_bytes()
    directory = first.central_bytes(0) + second.central_bytes(0)
    end = zip_bytes.end_record(count=2, count_here=2, length=len(directory), offset=len(body))
    assert [(entry.name, entry.offset) for entry in entries(body + directory + end)] == [
        ("z.jpg", 42),
        ("a.jpg", 0),
    ]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 120)), min_size=1, max_size=8))
def test_exactly_those_entries_are_rejected_that_share_a_byte_with_another(spans):
    """The law, by comparing all pairs."""
    taken = [(at, at + 30 + 1 + length) for at, length in spans]
    members = [
        Member(name=b"%d" % number, packed=b"", at=at, central={"compressed": length, "size": length})
        for number, (at, length) in enumerate(spans)
    ]
    directory = b"".join(member.central_bytes(0) for member in members)
    end = zip_bytes.end_record(count=len(spans), count_here=len(spans), length=len(directory), offset=600)
    found = reasons(b"\0" * 600 + directory + end)
    for one, (start, stop) in enumerate(taken):
        shares = any(start < b and a < stop for other, (a, b) in enumerate(taken) if other != one)
        assert found[str(one)] == ("overlap" if shares else "")


# The request that comes along


def test_settings_at_the_root_are_found_apart_from_the_pictures():
    members = [Member(), Member(name=b"truthmill.json", content=b"{}"), Member(name=b"b/truthmill.json")]
    directory = opened(zip_bytes.archive(members))
    assert directory.settings == Entry(
        name="truthmill.json", offset=42, compressed=2, size=2, crc=zlib.crc32(b"{}")
    )
    assert reasons(zip_bytes.archive(members))["truthmill.json"] == "ignored"


def test_no_settings_are_none():
    assert opened(zip_bytes.archive([Member(name=b"b/truthmill.json")])).settings is None


@pytest.mark.parametrize(
    "members",
    [
        [Member(name=b"truthmill.json", flags=ENCRYPTED)],
        [Member(name=b"truthmill.json", method=12)],
        [Member(name=b"truthmill.json"), Member(name=b"truthmill.json", content=b"{}")],
        [Member(name=b"truthmill.json"), Member(at=0)],
    ],
    ids=["encrypted", "bzip2", "twice", "shares bytes"],
)
def test_settings_that_cannot_be_trusted_are_refused_rather_than_passed_over(members):
    directory = opened(zip_bytes.archive(members))
    with pytest.raises(ArchiveError, match=r"truthmill\.json"):
        directory.settings  # noqa: B018 - reading it is the test


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
    target = _Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w") as packing:
        for name, content, method in files:
            info = zipfile.ZipInfo(name + ".jpg")
            info.compress_type = method
            with packing.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
        packing.comment = comment
    content = target.content if streamed else target.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as theirs:
        expected = [
            Entry(name=i.filename, offset=i.header_offset, compressed=i.compress_size, size=i.file_size,
                  method=i.compress_type, crc=i.CRC)
            for i in theirs.infolist()
        ]  # fmt: skip
    for keep in (0, 10_000):
        assert list(opened(content, chunk, keep).entries()) == expected


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
