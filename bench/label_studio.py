"""Label Studio as a scripted worker uses it: its own server with SQLite, in an environment of its own."""

import functools
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

from hand import KEYS, WINDOW, Hand, Point, place_in
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from wanted_boxes import LABELS, LARGE, Box

ROOT = Path(__file__).parent.parent
TOOL = ROOT / ".tools/label-studio"
HOST = "127.0.0.1"
USER, PASSWORD, TOKEN = "bench@example.com", "Of_the_bench1", "0123456789" * 4
QUIET = {
    "LATEST_VERSION_CHECK": "false",
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LOG_LEVEL": "ERROR",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
}
CONFIG = (
    '<View><Image name="image" value="$image" zoom="true"/><RectangleLabels name="label" toName="image">'
    + "".join(f'<Label value="{label}"/>' for label in LABELS)
    + "</RectangleLabels></View>"
)
GIVEN = "given"  # name of the model whose boxes a task begins with
PATIENCE_S = 120


@contextmanager
def label_studio(browser: Browser) -> Iterator["LabelStudioPage"]:
    """Installed where it isn't, started with an empty database, and ended again."""
    subprocess.run(["make", "-s", ".tools/label-studio/.installed"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder, pictures_at(Path(folder, "pictures")) as pictures:
        port = free_port()
        command = [TOOL / "bin/label-studio", "start", "--no-browser", "--data-dir", f"{folder}/data"]
        command += ["--port", str(port), "--internal-host", HOST, "--username", USER]
        command += ["--password", PASSWORD, "--user-token", TOKEN]
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen(command, env=os.environ | QUIET, stdout=log, stderr=log)
        try:
            address = f"http://{HOST}:{port}"
            await_answer(f"{address}/version", server)
            yield LabelStudioPage(browser, address, pictures, Path(folder, "pictures"))
        finally:
            server.terminate()
            server.wait()


@contextmanager
def pictures_at(folder: Path) -> Iterator[str]:
    """The address of a server of a folder's files, which a page of another origin may read."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    folder.mkdir()
    server = ThreadingHTTPServer((HOST, 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def await_answer(address: str, server: subprocess.Popen[bytes]) -> None:
    """Raises TimeoutError, and RuntimeError where the server has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"Label Studio ended with {server.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 our own server
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError(f"{address} doesn't answer")


def version() -> str:
    """Of the Label Studio that is installed for the benchmark."""
    (packages,) = TOOL.glob("lib/python*/site-packages")
    (found,) = metadata.distributions(name="label-studio", path=[str(packages)])
    return found.version


class LabelStudioPage:
    """A worker in Label Studio's label stream.

    keeps_label: whether its setting "keep label selected after creating a region" is on.
    """

    name = "Label Studio"
    keeps_label = False

    def __init__(self, browser: Browser, server: str, pictures: str, folder: Path) -> None:
        """pictures: where the folder's files are served."""
        self.browser = browser
        self.server = server
        self.pictures = pictures
        self.folder = folder
        self.state: Any = None

    def job(self, name: str, pictures: Sequence[bytes], boxes: Sequence[Box] = ()) -> str:
        tasks = []
        for number, picture in enumerate(pictures):
            file = f"{name}-{number}.jpg"
            (self.folder / file).write_bytes(picture)
            given = [{"model_version": GIVEN, "result": [_region(box) for box in boxes]}] if boxes else []
            tasks.append({"data": {"image": f"{self.pictures}/{file}"}, "predictions": given})
        wanted = {
            "title": name,
            "label_config": CONFIG,
            "show_collab_predictions": True,
            "model_version": GIVEN,
        }
        project = self.call("POST", "/api/projects/", wanted)["id"]
        self.call("POST", f"/api/projects/{project}/import", tasks)
        return str(project)

    def context(self) -> BrowserContext:
        context = self.browser.new_context(viewport=WINDOW, locale="en-GB", storage_state=self.state)  # type: ignore[arg-type]
        context.add_init_script(KEYS)
        if self.state is None:
            page = context.new_page()
            page.goto(f"{self.server}/user/login/")
            page.locator("[name=email]").fill(USER)
            page.locator("[name=password]").fill(PASSWORD)
            page.locator("button[type=submit]").click()
            page.wait_for_url(lambda address: "login" not in address)
            self.state = context.storage_state()
            page.close()
        return context

    def address(self, job: str) -> str:
        return f"{self.server}/projects/{job}/data?labeling=1"

    def open(self, job: str) -> Page:
        page = self.context().new_page()
        page.goto(self.address(job))
        self.await_picture(page)
        return page

    def await_picture(self, page: Page) -> None:
        ready = "() => window.Htx?.annotationStore?.selected?.names?.get('image')?.imageIsLoaded"
        page.wait_for_function(ready, timeout=60_000)
        page.wait_for_timeout(500)
        if self.keeps_label:
            page.evaluate("() => window.Htx.settings.setProperty?.('continuousLabeling', true)")

    def frame(self, page: Page) -> Frame:
        return page.main_frame

    def place(self, page: Page, size: Point, point: Point) -> Point:
        return place_in(page.locator("img[alt=image]"), size, point)

    def choose(self, hand: Hand, label: str, before: str) -> None:
        if not self.keeps_label or label != before:
            hand.key(str(LABELS.index(label) + 1))

    def label_after_answer(self, label: str) -> str:
        del label  # the next picture begins with none
        return ""

    def drawn(self, page: Page) -> int:
        return int(page.evaluate("() => window.Htx.annotationStore.selected.regions.length"))

    def send(self, hand: Hand) -> None:
        hand.key("Control+Enter")

    def finish(self, page: Page) -> None:
        page.wait_for_load_state("networkidle")

    @contextmanager
    def drawing_over(self, page: Page) -> Iterator[None]:
        page.keyboard.press("1")
        yield

    @contextmanager
    def moving(self, page: Page, at: Point) -> Iterator[None]:
        page.keyboard.press("Escape")
        page.mouse.click(*at)
        page.mouse.move(*at)
        page.mouse.down()
        yield
        page.mouse.up()

    @contextmanager
    def zooming(self, page: Page) -> Iterator[None]:
        page.keyboard.down("Control")
        yield
        page.keyboard.up("Control")

    @contextmanager
    def panning(self, page: Page) -> Iterator[None]:
        page.keyboard.press("h")  # the hand
        page.mouse.down()
        yield
        page.mouse.up()

    def submitted(self, job: str, pictures: int) -> list[list[Box]]:
        found: list[list[Box]] = [[] for _ in range(pictures)]
        for task in self.call("GET", f"/api/projects/{job}/export?exportType=JSON"):
            number = int(task["data"]["image"].rpartition("-")[2].removesuffix(".jpg"))
            (annotation,) = task["annotations"]
            found[number] = [_box(region) for region in annotation["result"]]
        return found

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Its own API."""
        request = urllib.request.Request(  # noqa: S310 our own server
            self.server + path,
            None if document is None else json.dumps(document).encode(),
            {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 our own server
            return json.load(answer)


def _region(box: Box) -> dict[str, Any]:
    """As Label Studio has it: in per cent of the picture."""
    label, left, top, width, height = box
    value = {
        "x": 100 * left / LARGE[0],
        "y": 100 * top / LARGE[1],
        "width": 100 * width / LARGE[0],
        "height": 100 * height / LARGE[1],
        "rotation": 0,
        "rectanglelabels": [label],
    }
    return {"from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": value}


def _box(region: dict[str, Any]) -> Box:
    """In whole pixels of the picture."""
    value = region["value"]
    across, down = region["original_width"] / 100, region["original_height"] / 100
    left, top = round(value["x"] * across), round(value["y"] * down)
    return (
        value["rectanglelabels"][0],
        left,
        top,
        round(value["width"] * across),
        round(value["height"] * down),
    )
