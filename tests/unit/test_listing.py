"""Listings whose pages have keys that obstore takes for no path."""

import http.server
import threading
import urllib.parse
from collections.abc import Iterator
from typing import ClassVar
from xml.sax.saxutils import escape

import pytest
from obstore.store import S3Store

from adapters import listing


class Pages(http.server.BaseHTTPRequestHandler):
    """An S3 that lists its keys, so many at once (ListObjectsV2)."""

    keys: ClassVar[list[str]] = []
    size = 3

    def do_GET(self) -> None:
        asked = {name: found[0] for name, found in urllib.parse.parse_qs(self.path.partition("?")[2]).items()}
        after = asked.get("continuation-token", asked.get("start-after", ""))
        behind = [key for key in sorted(self.keys) if key > after and key.startswith(asked["prefix"])]
        page = behind[: self.size]
        encoded = asked.get("encoding-type") == "url"
        contents = "".join(
            f"<Contents><Key>{urllib.parse.quote(key, '/') if encoded else escape(key)}</Key><Size>1</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents>"
            for key in page
        )
        more = len(behind) > len(page)
        following = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        kind = "<EncodingType>url</EncodingType>" if encoded else ""
        body = (
            f'<?xml version="1.0"?><ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{kind}'
            f"{contents}{following}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    listing._client.cache_clear()
    yield S3Store("bucket", region="us-east-1", client_options={"allow_http": True})
    listing._client.cache_clear()
    server.shutdown()
    server.server_close()


def listed(store: S3Store, *keys: str) -> list[str]:
    Pages.keys[:] = keys
    return [found.key for found in listing.objects(store, "bucket", "in/")]


ODD = ("in//a.jpg", "in/../b.jpg", "in/b//c.jpg", "in/m/./d.jpg", "in/z\x7f.jpg")
GOOD = tuple(f"in/{name}" for name in ("a.jpg", "a%20b.jpg", "b b.jpg", "c.jpg", "k.jpg", "l.jpg", "ü.jpg"))


@pytest.mark.parametrize("odd", [(), ODD[:1], ODD[2:3], ODD[-1:], ODD])
@pytest.mark.parametrize("more", [0, 8, 200])
def test_all_keys_come_once_and_in_their_order(bucket, odd, more):
    keys = (*odd, *GOOD, *(f"in/n{number:03d}.jpg" for number in range(more)))
    assert listed(bucket, *keys, "out.jpg") == sorted(keys)


def test_nothing_but_odd_keys(bucket):
    assert listed(bucket, *ODD) == sorted(ODD)


def test_what_lies_behind_a_key_that_lost_its_slash_comes_once(bucket):
    """Between a key and the same with a slash others may lie, and the page ends there."""
    keys = (
        "in/a.jpg",
        "in/c.jpg",
        "in/c.jpg (2).jpg",
        "in/d.jpg-1",
        "in/d.jpg/",
        "in/d.jpg0",
        "in/e//f",
        "in/g",
    )
    assert listed(bucket, *keys) == [key.removesuffix("/") for key in sorted(keys)]


def test_what_a_listing_says_of_an_object_is_the_same_either_way(bucket):
    Pages.keys[:] = ["in/a.jpg"]
    [plain] = listing.objects(bucket, "bucket", "in/")
    Pages.keys[:] = ["in/a.jpg", "in/b//c.jpg"]
    first, odd = listing.objects(bucket, "bucket", "in/")
    assert first == plain
    assert (odd.size, odd.etag) == (plain.size, plain.etag)
    assert odd.modified == plain.modified


@pytest.mark.parametrize("key", ODD)
def test_a_key_that_obstore_takes_for_no_path_is_not_readable(key):
    assert not listing.is_readable(key)


@pytest.mark.parametrize("key", GOOD)
def test_any_other_key_is(key):
    assert listing.is_readable(key)
