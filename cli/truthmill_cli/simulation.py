"""Simulated workers: they sign in to the portal over HTTP, as people do, and draw a known truth's boxes."""

import io
import json
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import urllib3
from PIL import Image

from truthmill_cli.known_truth import Truth, TruthBox
from truthmill_cli.worker_kinds import Kind, draw_all

PAUSE_S = 0.5  # before looking again where there is nothing to do yet
_PREFIX = re.compile(r"^[0-9a-f]{8}-")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a worker signs in. temporary: the invitation's password, where `password` is still to be set."""

    email: str
    password: str
    temporary: str = ""


@dataclass(slots=True)
class WorkerSummary:
    """What one worker did. skipped: pictures that the truth doesn't know, declined."""

    email: str
    submitted: int = 0
    boxes: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What all workers did."""

    workers: tuple[WorkerSummary, ...]

    @property
    def submitted(self) -> int:
        return sum(worker.submitted for worker in self.workers)

    @property
    def skipped(self) -> int:
        return sum(worker.skipped for worker in self.workers)


class PortalRefusedError(Exception):
    """The portal refused. status: of HTTP; code: of the portal's API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.status = status
        self.code = code


class PortalClient:
    """A worker's browser, as far as the API goes: keeps the cookie, sends what the page would send."""

    def __init__(self, portal_url: str) -> None:
        """portal_url: as programs reach it; on the local engine http://127.0.0.1:PORT/_aws/lambda-url/ID/."""
        self.url = portal_url.rstrip("/") + "/"
        self.pool = urllib3.PoolManager(timeout=urllib3.Timeout(60), retries=urllib3.Retry(2))
        self.cookie = ""

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, document: dict[str, Any]) -> Any:
        return self._call("POST", path, document)

    def page(self, path: str) -> str:
        """A page of the portal, as text."""
        return self._send("GET", path, None).data.decode()

    def fetch(self, url: str) -> bytes:
        """A picture by its link, which carries its own permission. Raises PortalRefusedError."""
        answer = self.pool.request("GET", url)
        if answer.status != 200:
            raise PortalRefusedError(answer.status, "Picture", url.partition("?")[0])
        return answer.data

    def sign_in(self, credentials: Credentials) -> None:
        """Sign in, and choose the new password where the portal asks for it."""
        password = credentials.temporary or credentials.password
        answer = self.post("api/sign-in", {"username": credentials.email, "password": password})
        challenge = answer.get("challenge")
        if challenge:
            self.post(
                "api/new-password",
                {
                    "username": challenge["username"],
                    "session": challenge["session"],
                    "password": credentials.password,
                },
            )

    def _call(self, method: str, path: str, document: dict[str, Any] | None) -> Any:
        answer = self._send(method, path, document)
        return json.loads(answer.data) if answer.data else None

    def _send(self, method: str, path: str, document: dict[str, Any] | None) -> urllib3.BaseHTTPResponse:
        headers = {"cookie": self.cookie} if self.cookie else {}
        body = None
        if document is not None:
            headers |= {"content-type": "application/json", "x-truthmill": "1"}
            body = json.dumps(document).encode()
        answer = self.pool.request(
            method, urljoin(self.url, path), body=body, headers=headers, redirect=False
        )
        for value in answer.headers.getlist("set-cookie"):
            self.cookie = value.partition(";")[0]
        if answer.status >= 400:
            raise _refusal(answer)
        return answer


def simulate(
    portal_url: str,
    workers: Sequence[Credentials],
    truth: Path,
    kinds: Sequence[Kind],
    seed: int,
    on_progress: Callable[[WorkerSummary], None] = lambda _: None,
    *,
    images_dir: Path | None = None,
    until: Callable[[], bool] = lambda: True,
) -> Summary:
    """Have every worker label what waits for them, side by side, until no job has anything for any of them.

    truth: a COCO file. kinds: how they err, worker by worker, from the first again where they are fewer;
    decided by seed, worker and picture. images_dir: the truth's pictures, to know them by content too.
    until: while it says False, jobs may still come, and workers who find nothing look again.
    Raises PortalRefusedError.
    """
    known = Truth.read(truth, images_dir)
    stop = threading.Event()

    def work(credentials: Credentials, kind: Kind) -> WorkerSummary:
        worker = _Worker(
            PortalClient(portal_url), WorkerSummary(credentials.email), known, kind, seed, on_progress
        )
        try:
            return worker.work(credentials, until, stop)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(max(1, len(workers))) as pool:
        return Summary(tuple(pool.map(work, workers, cycle(kinds))))


@dataclass(slots=True)
class _Worker:
    client: PortalClient
    summary: WorkerSummary
    truth: Truth
    kind: Kind
    seed: int
    on_progress: Callable[[WorkerSummary], None]
    last: bool = field(default=False)

    def work(
        self, credentials: Credentials, until: Callable[[], bool], stop: threading.Event
    ) -> WorkerSummary:
        self.client.sign_in(credentials)
        while not stop.is_set():
            over = until()  # asked before looking, so that what came meanwhile is still found
            if not self._work_through() and over:
                break
            time.sleep(0 if over else PAUSE_S)
        self.client.post("api/sign-out", {})
        return self.summary

    def _work_through(self) -> bool:
        """Do all there is in every job; False where there was nothing."""
        did = False
        for job in self.client.get("api/jobs")["jobs"]:
            while tasks := self.client.post(f"api/jobs/{job['job']}/tasks", {"count": 1})["tasks"]:
                self._do(tasks[0])
                did = True
        return did

    def _do(self, task: dict[str, Any]) -> None:
        path = f"api/jobs/{task['job']}/tasks/{task['task']}"
        element = read_element(self.client.page(task["page"]))
        picture = self.client.fetch(element["src"])
        name = _PREFIX.sub("", task["objectName"])
        boxes = self.truth.boxes(name, task["objectName"], picture)
        try:
            if boxes is None:
                self.client.post(f"{path}/decline", {"reason": "The truth doesn't know this picture."})
                self.summary.skipped += 1
            else:
                drawn = self._draw(boxes, task["labels"], picture, name)
                self.client.post(f"{path}/answer", {"answer": {element["name"]: drawn}})
                self.summary.submitted += 1
                self.summary.boxes += len(drawn["boundingBoxes"])
        except PortalRefusedError as error:
            if error.status != 409:  # somebody else was faster, or the job has ended
                raise
        self.on_progress(self.summary)

    def _draw(
        self, boxes: Sequence[TruthBox], labels: Sequence[str], picture: bytes, name: str
    ) -> dict[str, Any]:
        with Image.open(io.BytesIO(picture)) as opened:
            width, height = opened.size
        hand = random.Random(f"{self.seed} {self.summary.email} {name}")  # noqa: S311 a simulation repeats
        return {
            "boundingBoxes": [
                asdict(box) for box in draw_all(self.kind, boxes, labels, (width, height), hand)
            ],
            "inputImageProperties": {"width": width, "height": height},
        }


def read_element(page: str) -> dict[str, str]:
    """Attributes of the page's crowd-bounding-box. Raises ValueError where it has none."""
    reader = _ElementReader()
    reader.feed(page)
    if reader.found is None:
        raise ValueError("The task's page has no crowd-bounding-box.")
    return reader.found


class _ElementReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "crowd-bounding-box" and self.found is None:
            self.found = {name: value or "" for name, value in attrs}


def _refusal(answer: urllib3.BaseHTTPResponse) -> PortalRefusedError:
    try:
        error = json.loads(answer.data)["error"]
        return PortalRefusedError(answer.status, error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        return PortalRefusedError(answer.status, "Unknown", answer.data[:200].decode(errors="replace"))
