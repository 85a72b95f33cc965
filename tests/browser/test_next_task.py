"""The next task is loaded behind the one in sight, without a deployed stack."""

import pytest

from browser.conftest import PATIENCE_MS
from browser.portal_pages import HELD, PORTAL_PAGES, TASK, park, site_of
from browser.sandbox import ORIGIN, wait_for

FRAMES = "iframe.task"


@pytest.fixture
def page_of(chromium):
    contexts = []

    def open_(site):
        context = chromium.new_context(locale="en-GB")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", site.serve)
        return context.new_page()

    yield open_
    for context in contexts:
        context.close()


def two_tasks():
    """A worker holds two tasks, the second with a picture of its own."""
    site = site_of(PORTAL_PAGES["task"])
    site.pictures["/second.png"] = park()
    site.put_task(
        '<crowd-form><crowd-bounding-box name="b" src="{{ task.input.taskObject | grant_read_access }}"'
        " labels=\"['cat']\"></crowd-bounding-box></crowd-form>",
        ("cat",),
        "/second.png",
        "/second",
    )
    second = {**TASK, "task": "000018", "page": "second"}
    site.put_json("/api/jobs/pets-1/tasks", {**HELD, "tasks": [TASK, second]})
    return site


def test_it_comes_after_the_picture_in_sight(page_of):
    site = two_tasks()
    site.held["/park.png"] = []
    page = page_of(site)
    page.goto(f"{ORIGIN}/#/work/pets-1")
    wait_for(page, lambda: site.held["/park.png"])
    assert page.locator(FRAMES).count() == 1
    site.release("/park.png")
    page.locator(FRAMES).nth(1).wait_for(state="attached")
    wait_for(page, lambda: any(each.endswith("/second.png") for each in site.of_frames))


def test_a_picture_that_does_not_come_holds_it_up_for_three_seconds_at_most(page_of):
    site = two_tasks()
    site.held["/park.png"] = []
    page = page_of(site)
    page.clock.install()
    page.goto(f"{ORIGIN}/#/work/pets-1")
    wait_for(page, lambda: site.held["/park.png"])
    assert page.locator(FRAMES).count() == 1
    page.clock.run_for(3000)
    page.locator(FRAMES).nth(1).wait_for(state="attached")
