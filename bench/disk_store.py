"""An S3 server over a folder: as much of the protocol as the pipeline speaks, in a process of its own.

Objects lie on the disk, and are read by ranges, so an archive may be larger than memory. Requests are counted
by method and by what the key is (`kind_of`). Signatures aren't checked.

    with DiskStore(folder) as store: … store.endpoint … store.counted()
"""

import contextlib
import hashlib
import http.client
import http.server
import json
import re
import subprocess
import sys
import threading
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

PIECE = 1 << 20
PAGE = 1000  # keys of one answer to a listing, as of S3
_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")


def kind_of(key: str) -> str:
    """What an object is to the pipeline."""
    if "/images/" in key:
        return "picture"
    return "source" if key.startswith("incoming/") else "record"


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    folder: Path
    counts: Counter[str] = Counter()
    parts: dict[str, dict[int, Path]] = {}
    lock = threading.Lock()

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Answered at once: a client that asks waits for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def parsed(self) -> tuple[str, dict[str, str]]:
        """Key (without the bucket) and query; counts the request."""
        path, _, query = self.path.partition("?")
        key = urllib.parse.unquote(path.lstrip("/").partition("/")[2])
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        name = "LIST" if self.command == "GET" and not key else self.command
        with self.lock:
            self.counts[f"{name} {kind_of(key or asked.get('prefix', ''))}"] += 1
        return key, asked

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        fields = {"Content-Length": str(len(body)), "x-amz-request-id": "1"} | dict(headers or {})
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def error(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def described(self, path: Path) -> dict[str, str]:
        found = path.stat()
        return {"ETag": _etag(path), "Last-Modified": formatdate(found.st_mtime, usegmt=True)}

    def do_GET(self) -> None:
        if self.path == "/_counted":
            return self.answer(200, json.dumps(self.counts).encode())
        key, asked = self.parsed()
        if not key:
            return self.listing(asked)
        return self.send_object(self.folder / key)

    def do_HEAD(self) -> None:
        key, _ = self.parsed()
        self.send_object(self.folder / key)

    def send_object(self, path: Path) -> None:
        if not path.is_file():
            return self.error(404, "NoSuchKey")
        size = path.stat().st_size
        found = _RANGE.match(self.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        last = min(int(found[2]) if found and found[2] else size, size - 1)
        headers = self.described(path) | {"Content-Length": str(last - first + 1)}
        if found and first >= size:
            return self.error(416, "InvalidRange")
        if found:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        self.answer(206 if found else 200, headers=headers)
        if self.command == "GET":
            self.send_bytes(path, first, last - first + 1)
        return None

    def send_bytes(self, path: Path, start: int, left: int) -> None:
        with path.open("rb") as source:
            source.seek(start)
            while left > 0 and (piece := source.read(min(PIECE, left))):
                self.wfile.write(piece)
                left -= len(piece)
        self.wfile.flush()

    def received(self, path: Path) -> str:
        """The request's body, written to a file; its ETag."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{threading.get_ident()}.partial")
        digest, left = hashlib.md5(usedforsecurity=False), int(self.headers.get("Content-Length", 0))
        with partial.open("wb") as target:
            while left > 0 and (piece := self.rfile.read(min(PIECE, left))):
                digest.update(piece)
                target.write(piece)
                left -= len(piece)
        partial.rename(path)
        return f'"{digest.hexdigest()}"'

    def do_PUT(self) -> None:
        key, asked = self.parsed()
        path = self.folder / key
        if "uploadId" in asked:
            number = int(asked["partNumber"])
            part = self.folder.parent / "parts" / f"{asked['uploadId']}-{number}"
            etag = self.received(part)
            self.parts[asked["uploadId"]][number] = part
            return self.answer(200, headers={"ETag": etag})
        if not self.may_write(path):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return self.error(412, "PreconditionFailed")
        return self.answer(200, headers={"ETag": self.received(path)})

    def may_write(self, path: Path) -> bool:
        if self.headers.get("If-None-Match") == "*" and path.exists():
            return False
        wanted = self.headers.get("If-Match")
        return not wanted or (path.is_file() and _etag(path) == wanted)

    def do_POST(self) -> None:
        key, asked = self.parsed()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "uploads" in asked:
            upload = hashlib.sha256(key.encode()).hexdigest()[:16]
            self.parts[upload] = {}
            return self.answer(200, f"<R><UploadId>{upload}</UploadId></R>".encode())
        del body  # the parts' ETags, which nobody here doubts
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            for _, part in sorted(self.parts.pop(asked["uploadId"]).items()):
                target.write(part.read_bytes())
                part.unlink()
        return self.answer(200, f"<R><ETag>{escape(_etag(path))}</ETag></R>".encode())

    def do_DELETE(self) -> None:
        key, _ = self.parsed()
        (self.folder / key).unlink(missing_ok=True)
        self.answer(204)

    def listing(self, asked: dict[str, str]) -> None:
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        below = self.folder / prefix.rpartition("/")[0]
        names = (path.relative_to(self.folder).as_posix() for path in below.rglob("*") if path.is_file())
        keys = sorted(name for name in names if name.startswith(prefix) and name > after)
        page, more = keys[:PAGE], len(keys) > PAGE
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{(self.folder / key).stat().st_size}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(_etag(self.folder / key))}</ETag></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        head = f"<Name>b</Name><Prefix/><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        self.answer(200, f"<ListBucketResult>{head}{truncated}{token}{found}</ListBucketResult>".encode())

    def log_message(self, *_: Any) -> None:
        """Nothing: a line for each request would be part of the measure."""


def _etag(path: Path) -> str:
    """Changes with every write."""
    found = path.stat()
    return f'"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"'


class Server(http.server.ThreadingHTTPServer):
    """Takes as many connections at once as a function opens."""

    request_queue_size = 128
    daemon_threads = True


class DiskStore:
    """The server as a process, from `with` to its end. folder: of its one bucket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for, one line above
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What points the functions at it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "BUCKET": "bench",
        }

    def counted(self) -> Counter[str]:
        """Requests so far: "<method> <kind of key>"."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/_counted")
        counts: Counter[str] = Counter(json.loads(connection.getresponse().read()))
        connection.close()
        return counts


def main(folder: str) -> None:
    Handler.folder = Path(folder)
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
