"""A scripted worker in Chromium: what they press is counted, and what comes onto the screen is timed.

An action is a key pressed (with its modifiers), a button pressed, a button released after a drag, or a click.
"""

import base64
import io
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Error, Frame, Locator, Page, sync_playwright
from wanted_boxes import number_of

WINDOW = {"width": 1280, "height": 800}
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--site-per-process",
]
PATIENCE_S = 60
LOOK_MS = 20  # between two looks at the frames that came, which tell themselves when they were shown
Point = tuple[float, float]

# Tells when the browser got a key, in seconds since 1970.
KEYS = """addEventListener("keydown", (event) => {
  console.debug("bench key", (performance.timeOrigin + event.timeStamp) / 1000);
}, true)"""
# requestAnimationFrame's own times, in milliseconds, from now on.
FRAMES = """() => {
  const times = [];
  window.benchFrames = times;
  const tick = (time) => {
    if (window.benchFrames !== times) return;
    times.push(time);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
FRAMES_SEEN = """() => {
  const times = window.benchFrames;
  window.benchFrames = null;
  return times;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window and painting in software. Raises SystemExit without one."""
    # The whole browser first, as people have it.
    names = ("chromium", "chromium-browser", "chromium-headless-shell")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("Chromium is missing: run `make chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def place_in(picture: Locator, size: Point, point: Point) -> Point:
    """Where a point of a picture of that size is in the window. Raises ValueError where it isn't shown."""
    shown = picture.bounding_box()
    if shown is None:
        raise ValueError("the picture isn't shown")
    across, down = shown["width"] / size[0], shown["height"] / size[1]
    return shown["x"] + point[0] * across, shown["y"] + point[1] * down


class Hand:
    """Presses keys and moves the pointer, as fast as the page takes it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def key(self, key: str) -> None:
        self.actions += 1
        self.page.keyboard.press(key)

    def click(self, at: Point) -> None:
        self.actions += 1
        self.page.mouse.click(*at)

    def drag(self, start: Point, end: Point) -> None:
        self.actions += 2
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        mouse.move(*end)
        mouse.up()


class Screen:
    """What the browser has painted: Chromium hands over each frame with the time at which it was shown.

    at: a point of the window that tells by its colour which picture is shown (wanted_boxes.number_of).
    """

    def __init__(self, page: Page, at: Point) -> None:
        self.page = page
        self.at = at
        self._frames: list[tuple[float, bytes]] = []
        self._keys: list[float] = []
        page.on("console", self._hear)
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._keep)
        self._session.send("Page.startScreencast", {"format": "png", "maxWidth": 320, "maxHeight": 200})

    def close(self) -> None:
        self._session.send("Page.stopScreencast")
        self._session.detach()

    def shown(self) -> int:
        """The number of the picture that is shown now. Raises ValueError where it is none of ours."""
        found = self._number(self.page.screenshot())
        if found is None:
            raise ValueError("none of the pictures is shown")
        return found

    def seconds_until_another(self, act: Callable[[], None], before: int | None) -> tuple[float, int]:
        """Seconds from an action until another picture is shown, and its number. Raises TimeoutError.

        They count from when the browser has the action's key, where it presses one and the page has KEYS.
        """
        self._frames.clear()
        self._keys.clear()
        begun = time.time()
        act()
        while time.time() < begun + PATIENCE_S:
            self.page.wait_for_timeout(LOOK_MS)
            while self._frames:
                time_, picture = self._frames.pop(0)
                number = self._number(picture)
                if time_ >= begun and number not in (None, before):
                    return time_ - (self._keys[0] if self._keys else begun), int(number or 0)
        raise TimeoutError(f"no picture but {before} was shown")

    def _number(self, picture: bytes) -> int | None:
        with Image.open(io.BytesIO(picture)) as image:
            scale = image.width / WINDOW["width"]  # a screencast is smaller than the window
            x, y, reach = round(self.at[0] * scale), round(self.at[1] * scale), round(16 * scale)
            patch = image.convert("RGB").crop((x - reach, y - reach, x + reach + 1, y + reach + 1))
            return number_of(patch.resize((1, 1), Image.Resampling.BOX).tobytes())

    def _hear(self, message: ConsoleMessage) -> None:
        if message.text.startswith("bench key"):
            self._keys.append(float(message.text.split()[-1]))

    def _keep(self, event: dict[str, Any]) -> None:
        self._frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        with suppress(Error):  # the page is gone meanwhile
            self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})


def frames_while(frame: Frame, act: Callable[[float], None], seconds: float) -> dict[str, float]:
    """Frames a second of a page, and its longest wait for one, while something is done to it again and again.

    act: is given the share of the time that is over.
    """
    frame.evaluate(FRAMES)
    begun = time.perf_counter()
    while (past := time.perf_counter() - begun) < seconds:
        act(past / seconds)
    times = frame.evaluate(FRAMES_SEEN)
    waits = [after - before for before, after in pairwise(times)]
    return {"fps": 1000 * len(waits) / sum(waits), "longest_ms": max(waits)}
