"""The entries of zips: names, what is rejected and why, bytes shared, the request that comes along."""

import zlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zip_bytes
from truthmill import archive_entry
from truthmill.archive import open_directory
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from zip_bytes import DEFLATED, ENCRYPTED, FAT, UNIX, UTF8, Member
from zip_verdicts import entries, names, opened, reason, reasons

DIRECTORY, SYMLINK, DEVICE, FIFO = 0x4000 << 16, 0xA1FF << 16, 0x2000 << 16, 0x1000 << 16


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
    [b"Icon\r", b"pets/Icon\r", b"pets\\Icon\r", b"__MACOSX/._a.jpg", b"__MACOSX/a.jpg",
     b"a/.DS_Store", b".DS_Store", b"Thumbs.db",
     b"a\\thumbs.db", b"a/b/desktop.ini", b"a/._cat.jpg", b"truthmill.json"],
    ids=repr,
)  # fmt: skip
def test_what_systems_leave_is_ignored(name):
    assert reason(Member(name=name)) == "ignored"


@pytest.mark.parametrize("name", [b"folder/", b"folder\\"])
def test_a_folder_is_ignored_and_one_with_bytes_rejected(name):
    assert reason(Member(name=name, content=b"")) == "ignored"
    assert reason(Member(name=name)) == "unsafe-name"


def test_a_folder_by_its_dos_attribute_is_ignored():
    assert reason(Member(name=b"holiday.jpg", content=b"", attributes=0x10)) == "ignored"
    assert reason(Member(name=b"holiday.jpg", attributes=0x10)) == ""


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


def test_settings_by_a_unicode_path_are_the_settings():
    """Otherwise they would be passed over as what is read elsewhere, and read by nobody."""
    path = zip_bytes.unicode_path(b"settings.txt", "truthmill.json")
    member = Member(name=b"settings.txt", central_extra=path, local_extra=path, content=b"{}")
    found = opened(zip_bytes.archive([member, Member()]))
    assert found.settings is not None
    assert (found.settings.name, found.settings.stated) == ("truthmill.json", "settings.txt")
    assert [getattr(entry, "reason", "") for entry in found.entries()] == ["ignored", ""]


def test_settings_of_a_packer_that_begins_names_with_a_dot_are_the_settings():
    """bsdtar and 7-Zip do, given "." as what to pack."""
    content = zip_bytes.archive([Member(name=b"./", content=b""), Member(name=b"./truthmill.json"), Member()])
    found = opened(content)
    assert found.settings is not None
    assert found.settings.name == "./truthmill.json"
    assert reasons(content) == {"./": "ignored", "./truthmill.json": "ignored", "a.jpg": ""}


def test_a_unicode_path_that_is_no_utf8_says_nothing():
    path = zip_bytes.extra_field(0x7075, pack("<BL", 1, zlib.crc32(b"a.jpg")) + b"\xff\xfe.jpg")
    assert names(zip_bytes.archive([Member(central_extra=path, local_extra=path)])) == ["a.jpg"]


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
    with pytest.raises(ArchiveError, match=r"truthmill\.json.*\.$"):
        directory.settings  # noqa: B018 - reading it is the test
