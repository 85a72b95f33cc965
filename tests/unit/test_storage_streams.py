"""Streams that are written while others are read, as SplitDataset does with a million pictures."""

import http.server
import itertools
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
from obstore.store import S3Store

from adapters.storage import PART, ConflictError, Storage, memory


def test_what_is_written_in_parts_may_come_from_an_object_that_is_read_meanwhile():
    store = memory()
    line = b"x" * 1023
    store.write("source", b"".join(line + b"\n" for _ in range(3 * PART // 1024)))
    store.write("copy", (bytes(chunk) for chunk in store.stream("source")))
    assert store.read("copy") == store.read("source")


def test_nothing_is_written_where_a_later_part_fails():
    store = memory()

    def failing():
        yield b"x" * (PART + 1)
        raise ValueError("the source is gone")

    try:
        store.write("copy", failing())
    except ValueError:
        assert not store.exists("copy")
    else:
        raise AssertionError("the error was lost")


class Breaking(http.server.BaseHTTPRequestHandler):
    """An S3 that answers ranged GETs of one object, and breaks off every body behind so many bytes."""

    content = bytes(range(256)) * 40_000
    etags: ClassVar[list[str]] = []  # of the object, one for each request; the last one stays
    after = 3_000_000
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        etag = self.etags.pop(0) if len(self.etags) > 1 else self.etags[0]
        if self.headers["If-Match"] not in (None, etag):
            self.send_response(412)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = (int(number) for number in self.headers["Range"].removeprefix("bytes=").split("-"))
        self.asked.append(self.headers["Range"])
        body = self.content[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(self.content)}")
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body[: self.after])

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def breaking() -> Iterator[Storage]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Breaking.asked.clear()
    client = S3Store(
        "bucket",
        endpoint=f"http://127.0.0.1:{server.server_address[1]}",
        access_key_id="test",
        secret_access_key="test",
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    yield Storage(client, "bucket")
    server.shutdown()
    server.server_close()


def test_a_stream_that_breaks_off_is_gone_on_with_where_it_broke(breaking):
    Breaking.etags[:] = ['"one"']
    found = b"".join(breaking.stream_range("archive.zip", 100, 10_000_000))
    assert found == Breaking.content[100:10_000_100]
    starts = [int(asked.removeprefix("bytes=").split("-")[0]) for asked in Breaking.asked]
    # A chunk that wasn't whole is asked for again.
    assert starts[0] == 100
    assert all(2_000_000 < after - before <= 3_000_000 for before, after in itertools.pairwise(starts))


def test_a_stream_ends_where_its_object_does(breaking):
    Breaking.etags[:] = ['"one"']
    assert len(b"".join(breaking.stream_range("archive.zip", 10_000_000, 10_000_000))) == 240_000


def test_a_stream_of_an_object_that_is_replaced_meanwhile_is_not_gone_on_with(breaking):
    Breaking.etags[:] = ['"one"', '"two"']
    with pytest.raises(ConflictError):
        list(breaking.stream_range("archive.zip", 0, 10_000_000))
