"""What is measured of a page that boxes are drawn on, the same for ours and for another tool's."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from hand import WINDOW, Hand, Point, Screen, frames_while
from playwright.sync_api import BrowserContext, Frame, Page
from wanted_boxes import LABELS, LARGE, MARK, SIZE, Box

PATIENCE_S = 60
PAUSE_MS = 1500  # at least that long a worker looks at a picture; the next one is loaded meanwhile
SETTLE_MS = 1000  # a new window keeps Chromium busy for 0.8 s of CPU, whatever is opened in it or not
MIDDLE = (WINDOW["width"] / 2, WINDOW["height"] / 2)  # of the window; either tool shows the picture there


class Tool(Protocol):
    """A tool's page, as a scripted worker uses it."""

    name: str

    def job(self, name: str, pictures: Sequence[bytes], boxes: Sequence[Box] = ()) -> str:
        """Work over these pictures, each with these boxes to begin with; what the others are given."""

    def context(self) -> BrowserContext:
        """A browser with nothing kept but who is signed in."""

    def address(self, job: str) -> str:
        """Where the job's first picture is shown."""

    def open(self, job: str) -> Page:
        """The job's first picture, in a browser of its own."""

    def await_picture(self, page: Page) -> None:
        """Until there is a picture that rests where it is."""

    def frame(self, page: Page) -> Frame:
        """Where the drawing is."""

    def place(self, page: Page, size: Point, point: Point) -> Point:
        """Where a point of a picture of that size is in the window."""

    def choose(self, hand: Hand, label: str, before: str) -> None:
        """The label of the next box; before: that of the last one."""

    def label_after_answer(self, label: str) -> str:
        """Which label is chosen in the next picture, where this one was."""

    def drawn(self, page: Page) -> int:
        """How many boxes the page has."""

    def send(self, hand: Hand) -> None:
        """Give the answer."""

    def finish(self, page: Page) -> None:
        """Until the last answer has arrived."""

    def submitted(self, job: str, pictures: int) -> list[list[Box]]:
        """The boxes that came of it, by picture."""

    def drawing_over(self, page: Page) -> AbstractContextManager[None]:
        """A drag draws, whatever is beneath."""

    def moving(self, page: Page, at: Point) -> AbstractContextManager[None]:
        """The pointer moves the box that it is on."""

    def zooming(self, page: Page) -> AbstractContextManager[None]:
        """The wheel zooms."""

    def panning(self, page: Page) -> AbstractContextManager[None]:
        """The pointer moves the picture."""


def drawing(
    tool: Tool, name: str, pictures: Sequence[bytes], wanted: Sequence[Sequence[Box]]
) -> dict[str, float]:
    """A given set of boxes by press, drag, release, and each picture's answer: actions and seconds a box.

    The seconds are what the page needs for the input, from the first key to the last box; a person is slower.
    off_px: how far the edge is from where it was wanted that is farthest off, in pixels of the picture.
    Raises ValueError where other boxes came of it than the wanted ones.
    """
    job = tool.job(name, pictures)
    page = tool.open(job)
    hand, seconds, before = Hand(page), 0.0, ""
    screen = Screen(page, tool.place(page, SIZE, MARK))
    number = screen.shown()
    for left in range(len(wanted) - 1, -1, -1):
        scene = wanted[number]
        corners = [_corners(tool, page, box) for box in scene]
        begun = time.perf_counter()
        for (label, *_), (start, end) in zip(scene, corners, strict=True):
            tool.choose(hand, label, before)
            before = label
            hand.drag(start, end)
        _until(page, lambda scene=scene: tool.drawn(page) == len(scene))
        seconds += time.perf_counter() - begun
        before = tool.label_after_answer(before)
        if left:
            _, number = screen.seconds_until_another(lambda: tool.send(hand), number)
            tool.await_picture(page)
    tool.send(hand)
    tool.finish(page)
    page.context.close()
    found = tool.submitted(job, len(pictures))
    off = max(_off(*pair) for pair in zip(found, wanted, strict=True))
    boxes = sum(map(len, wanted))
    return {"actions": hand.actions / boxes, "seconds": seconds / boxes, "off_px": off}


def _off(found: Sequence[Box], wanted: Sequence[Box]) -> int:
    """Greatest distance of an edge, in pixels; both in the order drawn."""
    if [box[0] for box in found] != [box[0] for box in wanted]:
        raise ValueError(f"{found} came of {wanted}")
    pairs = zip(found, wanted, strict=True)
    return max(abs(a - b) for one, other in pairs for a, b in zip(_edges(one), _edges(other), strict=True))


def _edges(box: Box) -> tuple[int, int, int, int]:
    _, left, top, width, height = box
    return left, top, left + width, top + height


def next_pictures(tool: Tool, name: str, pictures: Sequence[bytes]) -> list[float]:
    """Seconds from the key that sends an answer until the next picture is on the screen, for each."""
    page = tool.open(tool.job(name, pictures))
    hand, found = Hand(page), []
    screen = Screen(page, tool.place(page, SIZE, MARK))
    number = screen.shown()
    for _ in pictures[1:]:
        page.wait_for_timeout(PAUSE_MS)
        tool.choose(hand, LABELS[0], "")
        hand.drag(*_corners(tool, page, (LABELS[0], 400, 400, 800, 600)))
        _until(page, lambda: tool.drawn(page) == 1)
        taken, number = screen.seconds_until_another(lambda: tool.send(hand), number)
        tool.await_picture(page)
        found.append(taken)
    page.context.close()
    return found


def first_pictures(tool: Tool, job: str, rounds: int) -> list[float]:
    """Seconds from opening the job's address, signed in and with nothing kept, to its first picture.

    In a window that has been there for a moment, as a worker's has.
    """
    found = []
    for _ in range(rounds):
        page = tool.context().new_page()
        screen = Screen(page, MIDDLE)
        page.wait_for_timeout(SETTLE_MS)
        taken, _ = screen.seconds_until_another(lambda page=page: page.goto(tool.address(job)), None)
        found.append(taken)
        page.context.close()
    return found


def fluid(tool: Tool, job: str, seconds: float) -> dict[str, dict[str, float]]:
    """Frames a second while boxes of a large picture are looked at, moved and drawn."""
    page = tool.open(job)
    page.wait_for_timeout(2000)
    x, y = tool.place(page, LARGE, (LARGE[0] / 2, LARGE[1] / 2))

    def circle(share: float) -> None:
        page.mouse.move(x + 120 * math.cos(40 * share), y + 120 * math.sin(40 * share))
        page.wait_for_timeout(4)

    def wheel(share: float) -> None:
        page.mouse.wheel(0, -20 if share < 0.5 else 20)
        page.wait_for_timeout(4)

    found = {}
    page.mouse.move(x, y)
    with tool.drawing_over(page):
        page.mouse.down()
        found["drawing a box"] = frames_while(tool.frame(page), circle, seconds)
        page.mouse.up()
    page.wait_for_timeout(300)
    with tool.moving(page, (x - 40, y + 45)):  # inside the box that was drawn
        found["moving a box"] = frames_while(tool.frame(page), circle, seconds)
    with tool.zooming(page):
        page.mouse.move(x, y)
        found["zooming"] = frames_while(tool.frame(page), wheel, seconds)
    with tool.zooming(page):
        for _ in range(10):
            page.mouse.wheel(0, -60)
    page.wait_for_timeout(1500)
    with tool.panning(page):
        found["panning"] = frames_while(tool.frame(page), circle, seconds)
    page.context.close()
    return found


def _corners(tool: Tool, page: Page, box: Box) -> tuple[Point, Point]:
    _, left, top, width, height = box
    return tool.place(page, SIZE, (left, top)), tool.place(page, SIZE, (left + width, top + height))


def _until(page: Page, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the boxes didn't come")
        page.wait_for_timeout(2)
