"""Working through a job on the deployed stack: slow, lost and ended connections, reloads, leases."""

import re

from browser.conftest import (
    PASSWORD,
    a_job,
    a_picture,
    draw,
    number_of_task,
    output_of,
    start,
    task_of,
)

BOX = (100, 60, 80, 60)


# What happens to the portal's answer on its way back; the portal has had the request.
ON_THE_WAY_BACK = """(what) => {
  const real = window.fetch;
  window.given = [];
  window.fetch = async (address, request) => {
    const answer = await real(address, request);
    if (!address.endsWith("/answer")) return answer;
    window.given.push(answer.status);
    if (what === "late") await new Promise((resolve) => setTimeout(resolve, 700));
    if (what === "lost once" && window.given.length === 1) throw new TypeError("connection reset");
    return answer;
  };
}"""


def finished(page):
    page.get_by_role("heading", name="No tasks left").wait_for()


def test_an_answer_is_not_lost_while_the_one_before_is_still_on_its_way(team, worker, open_page):
    job = a_job(team, [a_picture(BOX)] * 4)
    page = open_page(state=worker)
    frame = start(page)
    page.evaluate(ON_THE_WAY_BACK, "late")
    for done in range(4):
        number = number_of_task(page)
        draw(page, frame, BOX)
        page.keyboard.press("Enter")
        if done < 3:
            frame = task_of(page, after=number)
    finished(page)
    assert output_of(team, job) == {number: [("cat", *BOX)] for number in range(4)}


def test_the_next_picture_is_loaded_and_painted_before_the_answer_is_sent(team, worker, open_page):
    """Beneath the task in sight, where neither a key nor a screen reader gets to it."""
    a_job(team, [a_picture(BOX)] * 3)
    page = open_page(state=worker)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if ".png?" in request.url else None)
    draw(page, start(page), BOX)
    ahead = page.locator("iframe.task.ahead")
    page.frame_locator("iframe.task.ahead").locator("img.picture:not([hidden])").wait_for()
    assert len(asked) == 2
    assert ahead.evaluate("frame => [frame.inert, getComputedStyle(frame).visibility]") == [True, "visible"]
    middle = ahead.bounding_box()
    topmost = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).className",
        [middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2],
    )
    assert topmost == "task"
    number = number_of_task(page)
    page.keyboard.press("Enter")
    task_of(page, after=number)
    names = [address.partition("?")[0] for address in asked]
    assert len(names) == len(set(names))


def test_an_answer_sent_twice_counts_once(team, worker, open_page):
    """The first answer of the portal is lost on its way; the page sends again."""
    job = a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    frame = start(page)
    page.evaluate(ON_THE_WAY_BACK, "lost once")
    draw(page, frame, BOX)
    page.keyboard.press("Enter")
    page.get_by_text("No connection").wait_for()
    finished(page)
    assert page.evaluate("() => window.given") == [200, 200]
    assert output_of(team, job) == {0: [("cat", *BOX)]}


def test_a_session_that_ends_is_begun_again_over_the_work(team, worker, open_page):
    job = a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    frame = start(page)
    draw(page, frame, BOX)
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Sign in")
    form.get_by_text("what you drew is still here").wait_for()
    assert form.get_by_label("E-mail").input_value().endswith("@example.com")
    form.get_by_label("Password", exact=True).fill(PASSWORD)
    form.get_by_role("button", name="Sign in").click()
    finished(page)
    assert output_of(team, job) == {0: [("cat", *BOX)]}


def test_a_page_that_does_not_come_is_loaded_again(team, worker, open_page):
    a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    failed = []

    def fail_once(route):
        failed.append(route.request.resource_type)
        if len(failed) == 1:
            return route.fulfill(status=502, body="bad gateway")
        return route.continue_()

    page.route(re.compile("/page$"), fail_once)
    draw(page, start(page), BOX)
    page.keyboard.press("Enter")
    finished(page)


def test_a_tab_that_crashes_loses_nothing(team, worker, open_page):
    job = a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    draw(page, start(page), BOX)
    page.wait_for_function("() => localStorage.length === 1")
    address, context = page.url, page.context
    page.close()  # without a chance to say anything
    again = context.new_page()
    again.set_default_timeout(20_000)
    again.goto(address)
    frame = task_of(again)
    frame.get_by_role("button", name="cat, left 100, top 60, 80 by 60 pixels").wait_for()
    frame.get_by_test_id("stage").press("Enter")
    finished(again)
    assert output_of(team, job) == {0: [("cat", *BOX)]}


def test_a_lease_about_to_run_out_warns_and_is_extended(team, worker, open_page):
    a_job(team, [a_picture(BOX)], **{"HumanTaskConfig.TaskTimeLimitInSeconds": 30})
    page = open_page(state=worker)
    start(page)
    warning = page.get_by_role("timer")
    warning.filter(has_text="left for this picture").wait_for()
    page.get_by_role("button", name="More time").click()
    warning.wait_for(state="hidden")


def test_skipping_returns_the_task_with_its_reason(team, worker, open_page):
    job = a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    frame = start(page)
    declined = []
    page.on("request", lambda request: "/decline" in request.url and declined.append(request.post_data_json))
    page.keyboard.press("s")
    asked = frame.get_by_role("dialog", name="Skip this task")
    asked.get_by_label("The instructions don't fit this picture").check()
    asked.get_by_role("textbox").fill("a drawing")
    asked.get_by_role("button", name="Skip", exact=True).click()
    finished(page)
    assert declined[0]["reason"] == "The instructions don't fit this picture: a drawing"
    described = team.wait_for(job, "Completed")
    assert described["LabelCounters"]["FailedNonRetryableError"] == 1


def test_a_picture_that_does_not_load_can_be_tried_again_or_declined(team, worker, open_page):
    a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    page.route(re.compile(r"\.png\?"), lambda route: route.abort())
    page.get_by_role("button", name="Start working").click()
    frame = page.frame_locator("iframe.task:not(.ahead)")
    frame.get_by_text("The picture can't be loaded").wait_for()
    assert frame.locator("img.picture").is_hidden()
    page.unroute(re.compile(r"\.png\?"))
    frame.get_by_role("button", name="Try again").click()
    draw(page, task_of(page), BOX)
    page.keyboard.press("Enter")
    finished(page)
