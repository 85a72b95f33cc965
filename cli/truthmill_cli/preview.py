"""`truthmill preview`: a template in the browser, as a worker would see it; no stack is needed."""

import json
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from adapters.task_page import task_page
from truthmill.picture_size import MoreNeededError, picture_size
from truthmill.worker_answers import MAX_BYTES, AnswerError, read_answer
from truthmill.worker_template import TemplateError, input_of, lacks
from truthmill_cli.errors import UsageError

HOST = "127.0.0.1"
SCRIPT = Path(__file__).with_suffix(".js")
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'self'; style-src 'unsafe-inline' 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; report-uri /blocked"
)


@dataclass(frozen=True, slots=True)
class Preview:
    """A template file with a picture and labels.

    on_answer: what is done with an answer, and with why the portal would refuse it; empty where it wouldn't.
    It answers whether the server ends then.
    on_trouble: what is done with a sentence about what would not work for a worker.
    """

    template: Path
    image: Path
    labels: tuple[str, ...]
    on_answer: Callable[[dict[str, Any], str], bool]
    on_trouble: Callable[[str], None]

    def check(self) -> None:
        """Say what a worker would miss.

        Raises UsageError where there is nothing to show: no picture, or a template that doesn't render.
        """
        if self._size() is None:
            raise UsageError(f"{self.image} isn't a JPEG or PNG picture.")
        try:
            self.page()
        except TemplateError as error:
            raise UsageError(f"{self.template}: {error}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.template} isn't UTF-8 text: {error}. Save it as UTF-8.") from error
        for lack in lacks(self._text()):
            self.on_trouble(f"{self.template}: {lack}")

    def page(self) -> str:
        """The page, from the file as it is now. Raises TemplateError."""
        given = input_of(f"s3://preview/{self.image.name}", self.labels)
        shown = task_page(self._text(), given, lambda _: "/picture")
        return shown.html + '\n<script type="module" src="/preview.js"></script>\n'

    def take(self, content: dict[str, Any]) -> tuple[str, bool]:
        """Look at an answer as the portal would; what the page says to it, and whether the server ends."""
        try:
            read_answer(content, self.labels, self._size())
        except AnswerError as error:
            return str(error), self.on_answer(content, str(error))
        return "The answer is fine. The command has printed it.", self.on_answer(content, "")

    def blocked(self, report: bytes) -> None:
        """Say what the browser didn't load, as it wouldn't for a worker (CSP Level 3, 5.3)."""
        found = json.loads(report)["csp-report"]
        address, kind = str(found["blocked-uri"])[:200], found.get("effective-directive", "")
        self.on_trouble(f"Not loaded, nor would the portal: {address} ({kind}).")

    def _text(self) -> str:
        return self.template.read_bytes().decode()

    def _size(self) -> tuple[int, int] | None:
        try:
            return picture_size(self.image.read_bytes())
        except MoreNeededError:
            return None


def serve(preview: Preview) -> ThreadingHTTPServer:
    """A server for the preview at a free port of 127.0.0.1; the caller runs and closes it."""

    class Handler(_Handler):
        shown = preview

    return ThreadingHTTPServer((HOST, 0), Handler)


class _Handler(BaseHTTPRequestHandler):
    shown: Preview
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        if not self._from_here():
            return
        if self.path == "/":
            self._page()
        elif self.path == "/preview.js":
            self._send(200, "text/javascript; charset=utf-8", SCRIPT.read_bytes())
        elif self.path == "/picture":
            guessed = mimetypes.guess_type(self.shown.image.name)[0] or "image/png"
            self._send(200, guessed, self.shown.image.read_bytes())
        else:
            self._send(404, "text/plain", b"There is nothing here.")

    def do_POST(self) -> None:
        given = self.headers.get("Content-Length") or "0"
        length = int(given) if given.isdecimal() else 0
        if not self._from_here():
            return
        expected = {"/answer": "application/json", "/blocked": "application/csp-report"}.get(self.path)
        if self.headers.get("Content-Type") != expected or not 0 < length <= MAX_BYTES:
            self._send(400, "application/json", b'{"message": "Not an answer."}')
            return
        body = self.rfile.read(length)
        try:
            self._blocked(body) if self.path == "/blocked" else self._answer(json.loads(body))
        except (ValueError, LookupError, TypeError, RecursionError):
            self._send(400, "application/json", b'{"message": "Not JSON."}')

    def _blocked(self, body: bytes) -> None:
        self.shown.blocked(body)
        self._send(200, "application/json", b"{}")

    def _answer(self, content: Any) -> None:
        said, is_last = self.shown.take(content)
        self._send(200, "application/json", json.dumps({"message": said}).encode())
        if is_last:  # now, and not before the page has heard of it
            Thread(target=self.server.shutdown).start()

    def log_message(self, *_: object) -> None:
        """Say nothing: stdout is for answers."""

    def _page(self) -> None:
        try:
            self._send(200, "text/html; charset=utf-8", self.shown.page().encode())
        except (TemplateError, UnicodeDecodeError, OSError) as error:  # it may have changed since
            self._send(500, "text/plain; charset=utf-8", f"{self.shown.template}: {error}".encode())

    def _from_here(self) -> bool:
        """Refuse what a foreign page sends under a name of its own that it lets point to this machine."""
        here = self.headers.get("Host") == f"{HOST}:{self.server.server_port}"
        if not here:
            self._send(403, "text/plain", b"Ask for 127.0.0.1.")
        return here

    def _send(self, status: int, media: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
