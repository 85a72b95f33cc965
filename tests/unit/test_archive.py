"""The archive's pictures: batches, the reads they take, and what each entry unpacks to."""

import io
import itertools
import weakref
import zipfile
import zlib
from pathlib import Path
from struct import pack

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import zip_bytes
from truthmill.archive import batches, open_directory, spans, unpack, unpack_all
from truthmill.errors import ArchiveError, PictureError
from truthmill.records import Entry, Inspection
from zip_bytes import DEFLATED, ENCRYPTED, SIZES_FOLLOW, UTF8, Member

ZEROS = {"crc": 0, "compressed": 0, "size": 0}


def entries(content: bytes) -> list[Entry]:
    found = list(open_directory(zip_bytes.ranged(content), len(content), "pets.zip").entries())
    assert all(isinstance(entry, Entry) for entry in found), found
    return found


def unpacked(content: bytes, limit: int = 40_000_000) -> dict[str, bytes | str]:
    """Each name's bytes, or the reason why there are none."""
    found = unpack_all(entries(content), zip_bytes.streamed(content), limit)
    return {entry.name: got if isinstance(got, bytes) else got.reason for entry, got in found}


def outcome(member: Member, limit: int = 40_000_000) -> bytes | str:
    """What the member comes to, between neighbours that must come out whole."""
    before, after = Member(name=b"before.jpg", content=b"1"), Member(name=b"after.jpg", content=b"2")
    found = unpacked(zip_bytes.archive([before, member, after]), limit)
    assert (found.pop("before.jpg"), found.pop("after.jpg")) == (b"1", b"2")
    return found.popitem()[1]


def entry(name: str = "a.jpg", **values: int) -> Entry:
    return Entry(name=name, **values)


# Batches


def cut(sizes: list[int], max_bytes: int = 100, max_count: int = 4) -> list[list[int]]:
    given_entries = [entry(size=size, compressed=size // 2) for size in sizes]
    return [[e.size for e in batch.entries] for batch in batches(given_entries, max_bytes, max_count)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([60, 40, 1], [[60, 40], [1]]),
        ([60, 41], [[60], [41]]),
        ([1, 1, 1, 1, 1], [[1, 1, 1, 1], [1]]),
        ([500, 1], [[500], [1]]),
        ([1, 500, 1], [[1], [500], [1]]),
    ],
)
def test_batches_are_cut_by_bytes_and_by_count(sizes, expected):
    assert cut(sizes) == expected


def test_batches_count_packed_bytes_where_they_are_more():
    found = batches([entry(size=10, compressed=90), entry(size=10, compressed=90)], 100, 4)
    assert [len(batch.entries) for batch in found] == [1, 1]


def test_batches_are_numbered_from_zero():
    assert [batch.batch for batch in batches([entry(size=60)] * 3, 100, 4)] == [0, 1, 2]


def test_loose_objects_are_cut_like_entries():
    loose = [Entry(name=f"{n}.jpg", key=f"incoming/pets/{n}.jpg", size=60) for n in range(2)]
    assert [batch.entries for batch in batches(loose, 100, 4)] == [(loose[0],), (loose[1],)]


@given(
    st.lists(st.tuples(st.text(max_size=60), st.integers(0, 10**9)), max_size=60),
    st.integers(1, 9),
    st.integers(200, 700),
)
def test_a_batch_s_line_stays_under_its_limit_and_no_entry_is_lost(files, max_count, max_line_bytes):
    all_entries = [entry(name, size=1, offset=offset) for name, offset in files]
    cut_batches = list(batches(all_entries, 10**12, max_count, max_line_bytes))
    cut = [replace(e, until=0) for batch in cut_batches for e in batch.entries]
    assert cut == all_entries
    for batch in cut_batches:
        assert len(batch.entries) <= max_count
        until = len(',"until":') + len(str(batch.entries[-1].until))
        assert len(msgspec.json.encode(batch)) - until < max_line_bytes or len(batch.entries) == 1


def test_a_batch_s_line_is_filled_up_to_its_limit():
    same = [entry(size=1)] * 3
    [batch] = batches(same, 100, 10)
    line = len(msgspec.json.encode(batch)) + len("\n")
    assert [len(b.entries) for b in batches(same, 100, 10, line)] == [3]
    assert [len(b.entries) for b in batches(same, 100, 10, line - 1)] == [2, 1]


def test_a_batch_s_last_entry_is_told_where_the_next_batch_begins():
    first, second, third = (entry(size=1, offset=at) for at in (0, 100, 200))
    cut = [[e.until for e in batch.entries] for batch in batches([first, second, third], 10**12, 2)]
    assert cut == [[0, 200], [0]]
    backwards = [e.until for batch in batches([third, first], 10**12, 1) for e in batch.entries]
    assert backwards == [0, 0]


# Reads


def test_entries_side_by_side_are_one_read():
    content = zip_bytes.archive([Member(name=b"%03d.jpg" % n, content=b"x" * 1000) for n in range(100)])
    [(start, length)] = spans(entries(content))
    assert start == 0
    assert 100 * (30 + 7 + 1000) <= length <= 100 * (30 + 7 + 1000) + 400


def test_a_small_gap_is_read_over_and_a_large_one_is_not():
    near, far = 200_000, 10_000_000
    found = spans(
        [
            entry(offset=0, compressed=1000),
            entry(offset=near, compressed=1000),
            entry(offset=far, compressed=1000),
        ]
    )
    assert [start for start, _ in found] == [0, far]


def test_no_more_than_a_quarter_is_read_over():
    """10 entries of 1 MB, between them gaps of 300 kB: more than a quarter, more than 256 KiB."""
    found = spans([entry(offset=n * 1_300_000, compressed=1_000_000) for n in range(10)])
    needed = 10 * 1_000_000
    assert sum(length for _, length in found) <= 1.25 * needed + 10_000


def test_a_read_is_as_long_as_what_lies_side_by_side():
    found = spans([entry(offset=n * 5_000_000, compressed=4_999_000) for n in range(70)])
    assert [start for start, _ in found] == [0]


def test_of_a_stream_one_entry_and_a_chunk_are_held():
    """A hundred entries of 10 kB that come in chunks of 1 kB: nobody keeps a chunk of an earlier entry."""
    content = zip_bytes.archive([Member(name=b"%03d" % n, content=b"x" * 10_000) for n in range(100)])

    class Chunk(bytearray):
        """Bytes that can be watched."""

    chunks: list[weakref.ref[Chunk]] = []

    def stream(start: int, length: int):
        for at in range(start, min(start + length, len(content)), 1000):
            chunk = Chunk(content[at : min(at + 1000, start + length)])
            chunks.append(weakref.ref(chunk))
            yield chunk

    for _, got in unpack_all(entries(content), stream):
        assert len(got) == 10_000
        assert sum(chunk() is not None for chunk in chunks) <= 12


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
def test_entries_are_the_same_whatever_chunks_they_come_in(chunk):
    content = zip_bytes.archive([Member(name=b"%d.jpg" % n, content=b"%d" % n * n * 50) for n in range(20)])
    found = [got for _, got in unpack_all(entries(content), zip_bytes.streamed(content, chunk))]
    assert found == [b"%d" % n * n * 50 for n in range(20)]


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 600_000)), min_size=1, max_size=30))
def test_reads_cover_every_entry_in_order(layout):
    at, wanted = 0, []
    for gap, compressed in layout:
        at += gap * 100
        wanted.append(entry(offset=at, compressed=compressed))
        at += 35 + compressed
    found = spans(reversed(wanted))
    for one in wanted:
        end = one.offset + 35 + one.compressed
        assert any(start <= one.offset and end <= start + length for start, length in found)
    assert found == sorted(found)


def test_an_entry_whose_extra_field_is_longer_than_a_read_allows_for_is_read_again():
    long = Member(name=b"long.jpg", local_extra=zip_bytes.extra_field(0xD935, bytes(16_384)))
    content = zip_bytes.archive([long])
    reads = []

    def read(start: int, length: int) -> list[bytes]:
        reads.append((start, length))
        return [content[start : start + length]]

    assert [got for _, got in unpack_all(entries(content), read)] == [b"picture"]
    assert reads[1:] == [(0, 30 + 8 + 4 + 16_384 + 7)]


def test_a_read_covers_a_long_header_behind_which_a_short_entry_lies():
    """Of 30 bytes, twice the name and 256: the first up to byte 686, the second up to byte 518."""
    assert spans([entry("n" * 200, offset=0), entry("n", offset=230)]) == [(0, 686)]


def test_what_reading_raises_goes_through():
    content = zip_bytes.archive([Member()])

    def read(start: int, length: int) -> bytes:
        raise ConnectionResetError(start, length)

    with pytest.raises(ConnectionResetError):
        list(unpack_all(entries(content), read))


# Unpacking


@pytest.mark.parametrize("method", [zip_bytes.STORED, DEFLATED])
@pytest.mark.parametrize("content", [b"", b"x", b"picture" * 10_000])
def test_an_entry_comes_out_as_it_went_in(method, content):
    assert outcome(Member(method=method, content=content)) == content


def test_an_entry_with_its_sizes_behind_it_comes_out():
    descriptor = b"PK\x07\x08" + pack("<LLL", zlib.crc32(b"picture"), 7, 7)
    member = Member(flags=SIZES_FOLLOW, local=ZEROS, descriptor=descriptor, method=DEFLATED)
    assert outcome(member) == b"picture"


def test_an_entry_with_its_sizes_in_a_zip64_extra_field_comes_out():
    member = Member(
        local={"size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF}, local_extra=zip_bytes.zip64_extra(7, 7)
    )
    assert outcome(member) == b"picture"


def test_an_entry_of_java_with_zip64_sizes_behind_it_comes_out():
    descriptor = b"PK\x07\x08" + pack("<LQQ", zlib.crc32(b"picture"), 9, 7)
    member = Member(
        flags=SIZES_FOLLOW | UTF8, method=DEFLATED, descriptor=descriptor,
        local={"crc": 0, "size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF},
        local_extra=zip_bytes.zip64_extra(0, 0),
    )  # fmt: skip
    assert outcome(member) == b"picture"


@pytest.mark.parametrize("name", [b"K\x84tzchen.jpg", "Kätzchen.jpg".encode()])
def test_a_name_in_any_encoding_agrees_with_itself(name):
    assert outcome(Member(name=name)) == b"picture"


def test_a_name_by_its_unicode_path_agrees_with_itself():
    path = zip_bytes.unicode_path(b"?.jpg", "猫.jpg")
    assert outcome(Member(name=b"?.jpg", central_extra=path, local_extra=path)) == b"picture"


@pytest.mark.parametrize("where", ["central_extra", "local_extra"])
def test_a_unicode_path_in_one_header_only_is_no_disagreement(where):
    path = zip_bytes.unicode_path(b"?.jpg", "猫.jpg")
    assert outcome(Member(name=b"?.jpg", **{where: path})) == b"picture"


def test_a_unicode_path_hides_no_other_name():
    path = zip_bytes.unicode_path(b"?.jpg", "猫.jpg")
    member = Member(name=b"?.jpg", central_extra=path, local={"name": b"b.jpg"})
    assert outcome(member) == "header-mismatch"


@pytest.mark.parametrize(
    "local",
    [
        {"name": b"b.jpg"},
        {"method": DEFLATED},
        {"crc": 1},
        {"size": 8},
        {"compressed": 6},
        {"size": 0},
        {"flags": ENCRYPTED},
        {"flags": SIZES_FOLLOW, "size": 8},
    ],
    ids=str,
)
def test_a_local_header_that_disagrees_with_the_directory_is_rejected(local):
    assert outcome(Member(local=local)) == "header-mismatch"


def test_a_method_is_not_among_what_follows_the_data():
    member = Member(method=DEFLATED, flags=SIZES_FOLLOW, local={"method": zip_bytes.STORED})
    assert outcome(member) == "header-mismatch"


def test_a_directory_that_points_to_no_local_header_is_rejected():
    content = zip_bytes.archive([Member(), Member(name=b"b.jpg")])
    assert unpacked(b"XX" + content[2:]) == {"a.jpg": "header-mismatch", "b.jpg": b"picture"}


def test_bytes_that_are_not_those_of_the_checksum_are_rejected():
    assert outcome(Member(packed=b"pictuRe")) == "damaged-entry"


@pytest.mark.parametrize(
    "packed",
    [b"\xff" * 30, zip_bytes.deflate(b"picture" * 9)[:-3], b""],
    ids=["not deflate", "cut off", "nothing"],
)
def test_data_that_cannot_be_inflated_are_rejected(packed):
    assert outcome(Member(content=b"picture" * 9, packed=packed, method=DEFLATED)) == "damaged-entry"


@pytest.mark.parametrize("packed", [b"", b"\x03\x00"], ids=["nothing", "two bytes"])
def test_an_empty_file_may_be_deflated_to_nothing(packed):
    assert outcome(Member(content=b"", packed=packed, method=DEFLATED)) == b""


@pytest.mark.parametrize("size", [6, 8, 0])
def test_an_entry_that_inflates_to_another_size_is_rejected(size):
    lie = {"size": size}
    assert outcome(Member(method=DEFLATED, local=lie, central=lie)) == "size-mismatch"


def test_data_that_end_before_their_packed_size_are_rejected():
    packed = zip_bytes.deflate(b"picture") + b"hidden"
    assert outcome(Member(method=DEFLATED, packed=packed)) == "size-mismatch"


def test_an_entry_that_inflates_beyond_the_limit_is_a_bomb_and_its_bytes_are_never_held():
    """50 MB from 50 kB; the directory says 1,000 bytes."""
    import tracemalloc

    lie = {"size": 1000}
    bomb = Member(content=b"\0" * 50_000_000, packed=zip_bytes.deflate(b"\0" * 50_000_000), method=DEFLATED,
                  local=lie, central=lie)  # fmt: skip
    content = zip_bytes.archive([bomb])
    tracemalloc.start()
    try:
        assert unpacked(content) == {"a.jpg": "bomb"}
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_entry_over_the_limit_is_rejected_unread():
    assert outcome(Member(content=b"x" * 101), limit=100) == "too-large"


def test_an_entry_whose_bytes_are_not_all_there_is_rejected():
    content = zip_bytes.archive([Member()])
    with pytest.raises(PictureError, match="damaged-entry: 40 of its 42 bytes are there"):
        unpack(entries(content)[0], content[:40])


@pytest.mark.parametrize("length", [0, 3, 29])
def test_a_header_that_is_not_all_there_is_rejected(length):
    content = zip_bytes.archive([Member()])
    with pytest.raises(PictureError, match="header-mismatch"):
        unpack(entries(content)[0], content[:length])


def test_an_extra_field_that_moves_an_entry_onto_the_next_is_rejected():
    """Two entries share 6 bytes. The directory can't tell: it doesn't know the local extra field's length."""
    inner = Member(name=b"b.jpg", content=b"second")
    quoting = b"filler" + inner.local_bytes()[:35]
    outer = Member(name=b"a.jpg", content=b"second", local_extra=quoting)
    body = outer.local_bytes()
    directory = outer.central_bytes(0) + inner.central_bytes(35 + 6)
    end = zip_bytes.end_record(count=2, count_here=2, length=len(directory), offset=len(body))
    assert unpacked(body + directory + end) == {"a.jpg": "overlap", "b.jpg": b"second"}


def test_a_reason_names_what_was_found():
    content = zip_bytes.archive([Member(local={"name": b"b.jpg"})])
    [(_, error)] = unpack_all(entries(content), zip_bytes.streamed(content))
    assert isinstance(error, PictureError)
    assert error.detail == "name: 'b.jpg' in its own header, 'a.jpg' in the directory"


REX, CAT = b"first picture first picture first picture", b"second"
PETS = {"pets/": "ignored", "pets/rex.jpg": REX, "pets/Kätzchen 猫.png": CAT}
TWINS = ("pets/rex.jpg", "pets/link.jpg")


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        ("info-zip_3.0_extra_fields", PETS | {"pets/link.jpg": REX}),
        ("info-zip_3.0_commented", PETS | {"pets/link.jpg": REX}),
        ("info-zip_3.0_prepended", PETS | {"pets/link.jpg": REX}),
        ("info-zip_3.0_prepended_adjusted", PETS | {"pets/link.jpg": REX}),
        ("info-zip_3.0_streamed_symlink", PETS | {"pets/link.jpg": "link"}),
        ("info-zip_3.0_zip64_streamed", PETS | {"pets/link.jpg": REX}),
        (
            "info-zip_3.0_encrypted",
            dict.fromkeys([*PETS, "pets/link.jpg"], "encrypted") | {"pets/": "ignored"},
        ),
        ("info-zip_3.0_bzip2", {"b/x.jpg": "unsupported-compression"}),
        ("openjdk-jar_17_streamed", PETS | {"pets/link.jpg": REX}),
        ("git-archive_2.39", PETS | {"pets/link.jpg": "link"}),
        ("7-zip_26.02_deflate", PETS | {"pets/link.jpg": REX}),
        ("7-zip_26.02_utf8", PETS | {"pets/link.jpg": REX}),
        ("7-zip_26.02_symlink", PETS | {"pets/link.jpg": "link"}),
        # What can't be made smaller is stored, whatever method was asked for.
        ("7-zip_26.02_deflate64", PETS | dict.fromkeys(TWINS, "unsupported-compression")),
        ("7-zip_26.02_lzma", PETS | dict.fromkeys(TWINS, "unsupported-compression")),
        ("7-zip_26.02_ppmd", PETS | dict.fromkeys(TWINS, "unsupported-compression")),
        ("7-zip_26.02_aes256", dict.fromkeys([*PETS, *TWINS], "encrypted") | {"pets/": "ignored"}),
        ("7-zip_26.02_zipcrypto", dict.fromkeys([*PETS, *TWINS], "encrypted") | {"pets/": "ignored"}),
        ("bsdtar_3.6.2", PETS | {"pets/link.jpg": "link"}),
        ("bsdtar_3.6.2_stored", PETS | {"pets/link.jpg": "link"}),
        ("bsdtar_3.6.2_streamed", PETS | {"pets/link.jpg": "link"}),
        ("bsdtar_3.6.2_zip64", PETS | {"pets/link.jpg": "link"}),
    ],
)
def test_archives_of_real_packers(fixture, expected):
    """Each fixture is named after what wrote it; link.jpg is a symbolic link, which some packers follow."""
    content = (Path(__file__).parents[1] / "fixtures" / "archives" / f"{fixture}.zip").read_bytes()
    read = zip_bytes.ranged(content)
    found = list(open_directory(read, len(content), fixture).entries())
    ends: dict[str, bytes | str] = {i.entry.name: i.reason for i in found if isinstance(i, Inspection)}
    stream = zip_bytes.streamed(content)
    for e, got in unpack_all([item for item in found if isinstance(item, Entry)], stream):
        ends[e.name] = got if isinstance(got, bytes) else got.reason
    assert ends == expected


@pytest.mark.parametrize("volume", ["first", "last"])
def test_a_volume_of_seven_zip_is_refused_as_a_whole(volume):
    folder = Path(__file__).parents[1] / "fixtures" / "archives"
    content = (folder / f"7-zip_26.02_{volume}_volume.zip").read_bytes()
    with pytest.raises(ArchiveError, match="volume"):
        open_directory(zip_bytes.ranged(content), len(content), "volume.zip")


@given(
    st.lists(
        st.tuples(st.text(st.characters(categories=["L", "N"]), min_size=1), st.binary(max_size=300)),
        max_size=8,
    ),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_zipfile_packs_unpacks_to_the_same_bytes(files, method, zip64):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as packing:
        for name, content in files:
            with packing.open(zipfile.ZipInfo(name), "w", force_zip64=zip64) as member:
                member.write(content)
    content = target.getvalue()
    found = unpack_all(entries(content), zip_bytes.streamed(content))
    assert [(e.name, got) for e, got in found] == files


@given(st.data())
def test_no_change_of_a_byte_brings_out_other_bytes(data):
    """Wherever an archive is damaged: each entry comes out as it went in, or is rejected with a reason."""
    members = [Member(name=b"a.jpg", content=b"first" * 20, method=DEFLATED), Member(name=b"b.jpg")]
    content = bytearray(zip_bytes.archive(members))
    end_of_data = content.index(b"PK\x01\x02")
    at = data.draw(st.integers(0, end_of_data - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    found = unpacked(bytes(content))
    for name, whole in (("a.jpg", b"first" * 20), ("b.jpg", b"picture")):
        assert found[name] == whole or isinstance(found[name], str)


def test_reasons_that_are_kept_hold_no_read():
    import tracemalloc

    members = [Member(name=b"%d.jpg" % n, content=b"x" * 5_000_000, local={"crc": 1}) for n in range(9)]
    content = memoryview(zip_bytes.archive(members))
    found = entries(bytes(content))
    tracemalloc.start()
    try:
        kept = list(unpack_all(found, lambda start, length: [bytes(content[start : start + length])]))
        assert [got.reason for _, got in kept] == ["header-mismatch"] * 9
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_batch_of_finder_s_twins_is_one_read():
    """Between two pictures lies what macOS adds; it is rather read over than asked around."""
    members = itertools.chain.from_iterable(
        (
            Member(name=b"%d.jpg" % n, content=b"x" * 500),
            Member(name=b"__MACOSX/._%d.jpg" % n, content=b"y" * 400),
        )
        for n in range(50)
    )
    content = zip_bytes.archive(list(members))
    directory = open_directory(zip_bytes.ranged(content), len(content), "pets.zip")
    assert len(spans(found for found in directory.entries() if isinstance(found, Entry))) == 1
