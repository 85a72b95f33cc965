"""The data plane against a real S3 server: conditional writes, streams, odd keys."""

import hashlib

import pytest

from adapters.storage import PART, ConflictError, Storage, read_source
from truthmill.errors import SourceError

ODD = [
    "a b/c+d",
    "100%/%41%2F",
    "um\N{LATIN SMALL LETTER U WITH DIAERESIS}laut \N{CAT FACE}",
    "'one' \"two\" (three) [four] {five}",
    "a#b?c=d&e;f:g@h,i$j!k~l*m",
    "back\\slash^`|<>",
]


def test_create_writes_only_where_nothing_is(store: Storage):
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    assert store.read("a") == b"first"


def test_replace_takes_only_the_version_that_was_read(store: Storage):
    store.write_json("a", {"n": 1})
    _, etag = store.read_json("a", dict)
    store.replace("a", {"n": 2}, etag)
    with pytest.raises(ConflictError):
        store.replace("a", {"n": 3}, etag)
    assert store.read_json("a", dict)[0] == {"n": 2}


def test_replace_without_an_etag_takes_only_what_is_not_there(store: Storage):
    assert store.replaced("a", {"n": 1}, "")
    assert not store.replaced("a", {"n": 2}, "")
    assert store.read_json("a", dict)[0] == {"n": 1}


@pytest.mark.parametrize("chunk", [1_000_003, PART, 3 * PART])
def test_a_stream_of_several_parts_is_one_object(store: Storage, chunk: int):
    whole = b"".join(hashlib.sha512(b"%d" % n).digest() for n in range(2 * PART // 64 + 5))
    store.write("large", (whole[start : start + chunk] for start in range(0, len(whole), chunk)))
    assert store.head("large").size == len(whole)
    assert b"".join(store.stream("large")) == whole


@pytest.mark.parametrize("before", [0, 10, PART, 2 * PART + 1])
def test_a_stream_that_raises_midway_writes_nothing(store: Storage, before: int):
    def chunks():
        for start in range(0, before, 1_000_000):
            yield b"x" * min(1_000_000, before - start)
        raise ZeroDivisionError

    store.write("there", b"as it was")
    for key in ("there", "new"):
        with pytest.raises(ZeroDivisionError):
            store.write(key, chunks())
    assert store.read("there") == b"as it was"
    assert not store.exists("new")


@pytest.mark.parametrize("lines", [0, 3, 25])
def test_a_sink_that_raises_midway_writes_nothing(store: Storage, lines: int):
    def push():
        with store.sink("new") as sink:
            for _ in range(lines):
                sink.add(b"x" * 1_000_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        push()
    assert not store.exists("new")


def test_a_sink_writes_its_lines_and_knows_their_digest(store: Storage):
    with store.sink("lines") as sink:
        sink.add({"a": 1})
        sink.add(b"as it is\n")
        digest = sink.digest
    assert store.read("lines") == b'{"a":1}\nas it is\n'
    assert digest == hashlib.sha256(b'{"a":1}\nas it is\n').hexdigest()


def test_a_sink_of_several_parts_is_one_object(store: Storage):
    with store.sink("lines") as sink:
        for number in range(18):
            sink.add(b"%02d" % number + b"x" * 999_997 + b"\n")
    assert [line[:2] for line in store.read("lines").splitlines()] == [b"%02d" % n for n in range(18)]


def test_a_sink_of_nothing_is_an_empty_object(store: Storage):
    with store.sink("lines"):
        pass
    assert store.read("lines") == b""
    assert list(store.read_lines("lines", dict)) == []


@pytest.mark.parametrize("key", ODD)
def test_keys_of_any_characters_are_the_same_to_every_operation(cloud, store: Storage, key: str):
    store.write(key, b"0123456789")
    assert cloud.keys() == [key]
    assert [found.key for found in store.list("")] == [key]
    assert store.exists(key)
    assert store.head(key).size == 10
    assert store.read(key) == b"0123456789"
    assert store.read_range(key, 3, 4) == b"3456"
    assert b"".join(store.stream(key)) == b"0123456789"
    assert not store.create(key, b"other")
    store.delete(key)
    assert cloud.keys() == []


def test_a_listing_has_every_object_below_its_prefix_in_the_keys_order(store: Storage):
    keys = [f"below/{number:04d}" for number in range(1005)]
    for key in [*reversed(keys), "below.json", "belowother/1"]:
        store.write(key, b"x")
    assert [found.key for found in store.list("below/")] == keys


def test_what_is_not_there_is_said_so(store: Storage):
    for operation in (
        store.read,
        store.head,
        lambda key: list(store.stream(key)),
        lambda key: store.read_range(key, 0, 1),
        lambda key: store.read_json(key, dict),
    ):
        with pytest.raises(FileNotFoundError):
            operation("missing")
    assert not store.exists("missing")
    store.delete("missing")
    assert list(store.list("missing/")) == []


def test_a_source_that_is_not_there_is_named(store: Storage):
    with pytest.raises(SourceError, match=r"s3://truthmill-test/incoming/Pets\.zip isn't there"):
        read_source(store, "incoming/Pets.zip")
