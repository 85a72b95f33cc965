"""Connections, sessions, tabs, storage that misbehave; the portal's answers are played, its page is real."""

import json
import re
import time

import pytest

from browser.conftest import PATIENCE_MS, task_of
from browser.portal_pages import HELD, PORTAL_PAGES, TASK, park, show, site_of
from browser.sandbox import ORIGIN, wait_for

ANSWER = "/api/jobs/pets-1/tasks/000017/answer"
TASKS = "/api/jobs/pets-1/tasks"
DONE = {"accepted": True, "tasks": [], "jobStatus": "Completed"}
SIGNED_OUT = {"error": {"code": "SignedOut", "message": "Your session has ended."}}


class Played:
    """What the portal answers to a path, one after the other; the last one for good. asked: bodies posted."""

    def __init__(self, page, path, *answers):
        self.answers, self.asked = list(answers), []
        page.route(ORIGIN + path, self.play)

    def play(self, route):
        self.asked.append(route.request.post_data_json)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "lost":
            return route.abort("connectionreset")
        status, body = answer
        text = body if isinstance(body, str) else json.dumps(body)
        return route.fulfill(status=status, body=text, content_type="application/json")

    def wait_for(self, page, count):
        wait_for(page, lambda: len(self.asked) >= count, lambda: self.asked)


@pytest.fixture
def work(chromium):
    """Opens the portal on a task with two boxes; an error that a page logs fails the test."""
    contexts, errors = [], []

    def open_(context=None, name="task"):
        if context is None:
            context = chromium.new_context(locale="en-GB")
            context.set_default_timeout(PATIENCE_MS)
            context.route("**/*", site_of(PORTAL_PAGES[name]).serve)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        show(page, name, ORIGIN)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def submit(page):
    task_of(page).get_by_role("button", name="Submit", exact=True).click()


def finished(page):
    page.get_by_role("heading", name="No tasks left for you in this job").wait_for()


NO_ANSWERS = {
    "the connection is cut": "lost",
    "the answer is cut short": (200, '{"accepted": tr'),
    "something between answers": (200, "<html>Sign in to the hotel's network</html>"),
    "too many at once": (429, {"Message": "Rate exceeded"}),
    "the function fails": (502, {"message": "Internal server error"}),
    "the portal fails": (500, {"error": {"code": "Failed", "message": "Something went wrong here."}}),
}


@pytest.mark.parametrize("how", NO_ANSWERS)
def test_an_answer_that_got_no_answer_is_sent_again_as_it_was(work, how):
    page = work()
    page.clock.install()
    played = Played(page, ANSWER, NO_ANSWERS[how], (200, DONE))
    submit(page)
    page.get_by_role("alert").filter(has_text="No connection. What you drew is kept here").wait_for()
    page.clock.run_for(3_000)
    finished(page)
    assert len(played.asked) == 2
    assert played.asked[0] == played.asked[1]
    page.get_by_role("alert").filter(has_text="No connection").wait_for(state="hidden")


def test_a_portal_that_never_answers_is_asked_again(work):
    page = work()
    page.clock.install()
    page.route(ORIGIN + ANSWER, lambda _: None)  # held for good
    page.evaluate("""() => { const real = AbortSignal.timeout;
      AbortSignal.timeout = (ms) => { window.patience = ms; return real.call(AbortSignal, ms / 100); }; }""")
    submit(page)
    page.get_by_role("alert").filter(has_text="No connection").wait_for()
    assert page.evaluate("() => window.patience") == 35_000
    page.evaluate("() => { AbortSignal.timeout = () => new AbortController().signal; }")
    page.unroute(ORIGIN + ANSWER)
    played = Played(page, ANSWER, (200, DONE))
    page.clock.run_for(3_000)
    finished(page)
    assert len(played.asked) == 1


def test_offline_and_back_online_sends_at_once(work):
    page = work()
    played = Played(page, ANSWER, (200, DONE))
    page.context.set_offline(True)
    page.evaluate(
        "() => { window.real = fetch; window.fetch = () => Promise.reject(new TypeError('offline')); }"
    )
    submit(page)
    page.get_by_role("alert").filter(has_text="No connection").wait_for()
    page.evaluate("() => { window.fetch = window.real; }")
    page.context.set_offline(False)  # the browser says so
    finished(page)
    assert len(played.asked) == 1


def test_submitting_twice_in_a_row_is_one_answer(work):
    page = work()
    played = Played(page, ANSWER, (200, DONE))
    task_of(page).get_by_role("button", name="Submit", exact=True).evaluate(
        "button => { button.click(); button.click(); }"
    )
    finished(page)
    assert len(played.asked) == 1


def test_signing_out_waits_for_the_answer_on_its_way_and_asks_nobody_to_sign_in_again(work):
    page = work()
    answers, order = [], []
    page.route(ORIGIN + ANSWER, lambda route: answers.append(route))  # noqa: PLW0108 Playwright marks it
    page.route(
        ORIGIN + "/api/sign-out", lambda route: (order.append("sign-out"), route.fulfill(status=204))[1]
    )
    submit(page)
    wait_for(page, lambda: answers)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_timeout(300)
    assert order == []
    answers[0].fulfill(json=DONE)
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("() => localStorage.length") == 0


def test_an_answer_that_comes_without_a_session_after_signing_out_is_kept_and_asks_nothing(work):
    page = work()
    page.clock.install()
    answers = []
    page.route(ORIGIN + ANSWER, lambda route: answers.append(route))  # noqa: PLW0108 Playwright marks it
    page.route(ORIGIN + "/api/sign-out", lambda route: route.fulfill(status=204))
    frame = task_of(page)
    frame.get_by_role("button", name=re.compile("^cat, left 120")).click()
    page.keyboard.press("ArrowRight")
    submit(page)
    wait_for(page, lambda: answers)
    page.get_by_role("button", name="Sign out").click()
    page.clock.run_for(6_000)
    page.get_by_role("heading", name="Sign in").wait_for()
    answers[0].fulfill(status=401, json=SIGNED_OUT)
    page.wait_for_timeout(200)
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("() => localStorage.length") == 1


def test_a_task_that_another_tab_gave_back_comes_again_with_its_boxes(work):
    page = work()
    refused = {"error": {"code": "NotHandedOut", "message": "released"}}
    played = Played(page, ANSWER, (409, refused), (200, DONE))
    frame = task_of(page)
    frame.get_by_role("button", name=re.compile("^cat, left 120")).click()
    page.keyboard.press("ArrowRight")
    submit(page)
    page.get_by_role("alert").filter(has_text="had gone back to the others").wait_for()
    again = task_of(page)
    again.get_by_role("button", name=re.compile("^cat, left 121")).wait_for()
    again.get_by_role("button", name="Submit", exact=True).click()
    finished(page)
    first, second = (asked["answer"]["boundingBox"]["boundingBoxes"] for asked in played.asked)
    assert first == second


def test_two_tabs_with_one_task_answer_it_once(work):
    one = work()
    other = work(one.context)
    Played(one, ANSWER, (200, DONE))
    answered = {"error": {"code": "AlreadyAnswered", "message": "answered"}}
    Played(other, ANSWER, (409, answered))
    Played(other, TASKS, (200, {"tasks": [], "jobStatus": "InProgress"}))
    submit(one)
    finished(one)
    submit(other)
    other.get_by_role("alert").filter(has_text="has been answered already").wait_for()
    finished(other)


FULL = """() => {
  for (let number = 0; number < 5; number += 1) {
    const key = `truthmill.kept.ann@example.com.other.00000${number}`;
    localStorage.setItem(key, JSON.stringify({ boxes: [], at: number + 1, more: "x".repeat(1_000_000) }));
  }
  const filled = () => localStorage.getItem("filler") ?? "";
  try { for (;;) localStorage.setItem("filler", filled() + "x".repeat(1000)); } catch { /* full */ }
  try { for (;;) localStorage.setItem("filler", filled() + "x"); } catch { /* to the last */ }
}"""


def test_where_the_browser_is_full_the_oldest_work_goes_first_and_only_that(work):
    page = work()
    page.evaluate(FULL)
    frame = task_of(page)
    frame.get_by_role("button", name=re.compile("^cat, left 120")).click()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => localStorage.getItem('truthmill.kept.ann@example.com.pets-1.000017')")
    kept = page.evaluate("() => Object.keys(localStorage).filter((key) => key.includes('.other.')).sort()")
    assert kept == [f"truthmill.kept.ann@example.com.other.00000{number}" for number in (1, 2, 3, 4)]


def test_where_the_browser_keeps_nothing_the_worker_is_told(work):
    page = work()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
    frame = task_of(page)
    frame.get_by_role("button", name=re.compile("^cat, left 120")).click()
    page.keyboard.press("ArrowRight")
    page.get_by_role("alert").filter(has_text="This browser can't keep what you draw").wait_for()


def test_kept_work_that_cannot_be_read_does_not_keep_one_from_working(work):
    page = work()
    page.evaluate("() => localStorage.setItem('truthmill.kept.ann@example.com.pets-1.000017', '{\"boxes')")
    page.reload()
    task_of(page).get_by_role("button", name=re.compile("^cat, left 120")).wait_for()


def test_a_lease_that_is_over_when_more_time_is_asked_for_says_so(work):
    page = work()
    soon = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 60))
    Played(page, TASKS, (200, {**HELD, "tasks": [{**TASK, "expires": soon}]}))
    gone = {"error": {"code": "NotYours", "message": "not yours"}}
    page.reload()
    page.get_by_role("timer").filter(has_text="left for this picture").wait_for()
    Played(page, f"{TASKS}/000017/extend", (404, gone))
    page.unroute(ORIGIN + TASKS)
    Played(page, TASKS, (200, {"tasks": [], "jobStatus": "InProgress"}))
    page.get_by_role("button", name="More time").click()
    page.get_by_role("alert").filter(has_text="somebody else has it now").wait_for()
    finished(page)


def idle_of(page, path):
    """Whether what the page asked for said that nobody is there; filled as it asks."""
    told = []
    page.on(
        "request",
        lambda request: request.url.endswith(path) and told.append("x-truthmill-idle" in request.headers),
    )
    return told


def run_for(page, path, ms):
    with page.expect_response(f"**{path}"):
        page.clock.run_for(ms)


def test_a_list_that_renews_itself_says_so_once_nobody_has_done_anything_for_a_while(work):
    page = work(name="jobs")
    page.clock.install()
    page.reload()
    page.get_by_role("heading", name="Your jobs").wait_for()
    told = idle_of(page, "/api/jobs")
    run_for(page, "/api/jobs", 31_000)
    assert told == [False]
    page.clock.run_for(210_000)
    for _ in range(3):  # the next is asked for once the one before has been answered
        run_for(page, "/api/jobs", 31_000)
    assert told[-1] is True
    asked = len(told)
    page.get_by_role("button", name="Look again").click()
    wait_for(page, lambda: len(told) > asked)
    assert told[-1] is False


def test_drawing_is_a_sign_of_life_to_the_portal(work):
    page = work()
    page.clock.install()
    page.reload()
    frame = task_of(page)
    told = idle_of(page, "/api/session")
    page.clock.run_for(200_000)
    frame.get_by_role("button", name=re.compile("^cat, left 120")).click()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => localStorage.length === 1")
    run_for(page, "/api/session", 60_000)
    page.clock.run_for(600_000)
    assert told == [False]


def test_a_session_that_ended_while_nobody_was_there_is_told(work):
    page = work(name="jobs")
    Played(page, "/api/jobs", (401, SIGNED_OUT))
    page.get_by_role("button", name="Look again").click()
    page.get_by_text("Your session has ended. Sign in to go on").wait_for()


SECOND = {**TASK, "task": "000018", "page": "second"}
SECOND_PAGE = """<crowd-form><crowd-bounding-box name="b" labels="['cat', 'dog', 'bird']"
 src="{{ task.input.taskObject | grant_read_access }}"></crowd-bounding-box></crowd-form>"""


@pytest.fixture
def two(chromium):
    """The portal on the first of two tasks. picture: of the second."""
    contexts = []

    def open_(picture):
        site = site_of(PORTAL_PAGES["task"])
        site.pictures["/second.png"] = picture
        site.put_task(SECOND_PAGE, ("cat",), "/second.png", "/second")
        site.put_json(TASKS, {**HELD, "tasks": [TASK, SECOND]})
        site.put_json(ANSWER, {"accepted": True, "tasks": [SECOND], "jobStatus": "InProgress"})
        context = chromium.new_context(locale="en-GB")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", site.serve)
        page = context.new_page()
        show(page, "task", ORIGIN)
        return page

    yield open_
    for context in contexts:
        context.close()


def test_boxes_of_the_picture_before_are_there_to_take_over(two):
    page = two(park())
    submit(page)
    frame = task_of(page, after=17)
    frame.get_by_test_id("stage").press("v")
    frame.get_by_role("button", name=re.compile("^cat, left 120, top 250, 190 by 150")).wait_for()
    frame.get_by_role("button", name=re.compile("^dog, left 430, top 200, 260 by 220")).wait_for()


def test_the_last_picture_is_never_seen_under_the_next_tasks_name(two):
    """The next one can't be loaded: it says so, and nothing of the one before is on the screen."""
    page = two(b"broken")
    submit(page)
    page.locator("iframe.task:not(.ahead)[title$='000018']").wait_for()
    frame = page.frame_locator("iframe.task:not(.ahead)")
    frame.get_by_text("The picture can't be loaded.").wait_for()
    frame.locator("img.picture").wait_for(state="hidden")
    assert page.locator("iframe.task").count() == 1
    frame.get_by_role("button", name="Try again").wait_for()
