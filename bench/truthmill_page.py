"""The portal's page as a scripted worker uses it, on the deployed local stack."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from hand import KEYS, WINDOW, Hand, Point, place_in
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from portal_stack import PASSWORD, running_job, signed_in, until
from wanted_boxes import LABELS, Box, pixel_box

from adapters import sagemaker
from truthmill_cli import stack
from truthmill_cli.stack import Stack

SHOWN = "iframe.task:not(.ahead)"
WITH_BOXES = """<crowd-form><crowd-bounding-box name="boundingBox"
 src="{{ task.input.taskObject | grant_read_access }}" header="Draw a box around each thing"
 labels="{{ task.input.labels | to_json | escape }}" initial-value='BOXES'>
<short-instructions>Tight boxes.</short-instructions></crowd-bounding-box></crowd-form>"""


class TruthmillPage:
    """A worker of their own in a browser of their own."""

    name = "Truthmill"

    def __init__(self, browser: Browser, where: Stack) -> None:
        self.browser = browser
        self.where = where
        signed_in(where, 1)
        self.state: Any = None

    def job(self, name: str, pictures: Sequence[bytes], boxes: Sequence[Box] = ()) -> str:
        """What `open` takes: a job over these pictures, each with these boxes to begin with."""
        initial = json.dumps([{"label": label, **pixel_box(box)} for label, *box in boxes])
        extra = {"template": WITH_BOXES.replace("BOXES", initial)} if boxes else {}
        running_job(self.where, name, pictures, LABELS, **extra)
        return name

    def context(self) -> BrowserContext:
        """A browser with nothing kept but who is signed in."""
        context = self.browser.new_context(viewport=WINDOW, locale="en-GB", storage_state=self.state)  # type: ignore[arg-type]
        context.add_init_script(KEYS)
        if self.state is None:
            page = context.new_page()
            page.goto(self.where.portal)
            page.get_by_label("E-mail").fill("bench-0@example.com")
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Sign out").wait_for()
            self.state = context.storage_state()
            page.close()
        return context

    def address(self, job: str) -> str:
        return f"{self.where.portal}#/work/{job}"

    def open(self, job: str) -> Page:
        page = self.context().new_page()
        page.goto(self.address(job))
        self.await_picture(page)
        return page

    def await_picture(self, page: Page) -> None:
        shown = page.frame_locator(SHOWN).locator("img.picture:not([hidden])")
        shown.wait_for(timeout=60_000)
        page.wait_for_timeout(300)  # it is fitted into its place a moment after it is there

    def frame(self, page: Page) -> Frame:
        """Where the drawing is."""
        inner = page.locator(SHOWN).element_handle().content_frame()
        if inner is None:
            raise ValueError("the task has no page")
        return inner

    def place(self, page: Page, size: Point, point: Point) -> Point:
        """Where a point of the picture is in the window."""
        return place_in(page.frame_locator(SHOWN).locator("img.picture"), size, point)

    def choose(self, hand: Hand, label: str, before: str) -> None:
        """The label of the next box; before: that of the last one."""
        if label != before:
            hand.key(str(LABELS.index(label) + 1))

    def label_after_answer(self, label: str) -> str:
        return label  # stays chosen

    def drawn(self, page: Page) -> int:
        return page.frame_locator(SHOWN).locator(".boxes li").count()

    def send(self, hand: Hand) -> None:
        hand.key("Enter")

    def finish(self, page: Page) -> None:
        page.get_by_role("heading", name="No tasks left").wait_for()

    @contextmanager
    def drawing_over(self, page: Page) -> Iterator[None]:
        page.keyboard.down("Shift")
        yield
        page.keyboard.up("Shift")

    @contextmanager
    def moving(self, page: Page, at: Point) -> Iterator[None]:
        page.mouse.move(*at)
        page.mouse.down()
        yield
        page.mouse.up()

    def zooming(self, page: Page) -> AbstractContextManager[None]:
        del page  # the wheel zooms anyway
        return nullcontext()

    @contextmanager
    def panning(self, page: Page) -> Iterator[None]:
        page.keyboard.down(" ")
        page.mouse.down()
        yield
        page.mouse.up()
        page.keyboard.up(" ")

    def submitted(self, job: str, pictures: int) -> list[list[Box]]:
        """The boxes of the job's output, by picture."""
        described = until(sagemaker.client(self.where.labeling_endpoint), job, "Completed")
        key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix(f"s3://{self.where.bucket}/")
        found: list[list[Box]] = [[] for _ in range(pictures)]
        for line in map(json.loads, stack.storage(self.where).read(key).splitlines()):
            names = line["boxes-metadata"]["class-map"]
            number = int(line["source-ref"].rpartition("/")[2].partition(".")[0])
            found[number] = [
                (names[str(box["class_id"])], box["left"], box["top"], box["width"], box["height"])
                for box in line["boxes"]["annotations"]
            ]
        return found
