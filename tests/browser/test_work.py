"""Working through a job on the deployed stack: slow, lost and ended connections, reloads, leases."""

import re
import time

import pytest

from adapters.jobs import Jobs
from adapters.table import Table
from adapters.tasks import Tasks
from browser.conftest import (
    PASSWORD,
    PATIENCE_MS,
    a_job,
    a_picture,
    draw,
    number_of_task,
    output_of,
    start,
    task_of,
)
from integration.labeling.test_misbehaving import gold_manifest, wait_for_gold

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
    again.set_default_timeout(PATIENCE_MS)
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
    frame.locator("img.picture").wait_for(state="hidden")
    page.unroute(re.compile(r"\.png\?"))
    # Pressed once we have been answered: the frame is replaced, and an answer out of it might never come.
    press = "button => void setTimeout(() => button.click(), 100)"
    frame.get_by_role("button", name="Try again").evaluate(press)
    draw(page, task_of(page), BOX)
    page.keyboard.press("Enter")
    finished(page)


TOO_FAR_ONCE = """<crowd-form><crowd-bounding-box name="boundingBox" header="Draw" labels="['cat', 'dog']"
 src="{{ task.input.taskObject | grant_read_access }}"></crowd-bounding-box></crowd-form><script>
document.addEventListener("all-crowd-elements-ready", () => {
  const box = document.querySelector("crowd-bounding-box");
  const real = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value");
  Object.defineProperty(box, "value", { configurable: true, get() {
    delete box.value;
    const value = real.get.call(box);
    value.boundingBoxes[0].left = 1000;
    return value;
  } });
});</script>"""


def test_an_answer_that_the_portal_refuses_comes_back_with_the_boxes(team, worker, open_page):
    """The template's script puts the first answer's box outside of the picture."""
    template = team.stack.put("browser/too-far.html", TOO_FAR_ONCE)
    job = a_job(team, [a_picture(BOX)] * 2, **{"HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": template}})
    page = open_page(state=worker)
    frame = start(page)
    number = number_of_task(page)
    draw(page, frame, BOX)
    page.keyboard.press("Enter")
    frame = page.frame_locator(f"iframe.task:not(.ahead)[title$='{number:06}']")
    frame.get_by_role("alert").filter(has_text="it must lie inside the picture of 320 x 240").wait_for()
    frame.get_by_role("button", name="cat, left 100, top 60, 80 by 60 pixels").wait_for()
    assert page.evaluate("() => localStorage.length") == 1
    frame.get_by_role("button", name="Submit").click()
    page.locator(f"iframe.task:not(.ahead):not([title$='{number:06}'])").wait_for()
    page.get_by_text("1 left").wait_for()
    assert (
        team.stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelCounters"]["TotalLabeled"] == 1
    )


@pytest.fixture
def take_away(team):
    """Gives what the only worker of a job holds to somebody else, who gives it back when asked."""

    def take(job):
        table = Table(team.stack.client("dynamodb"), team.stack.outputs["TableName"])
        tasks, found, other = Tasks(table), Jobs(table).get(job), team.worker()
        now = time.time_ns() // 1_000_000
        (holder,) = tasks.get(found, 0).task.leases
        tasks.release(found, holder, 0, now)
        (task,) = other.post(f"api/jobs/{job}/tasks", {})["tasks"]
        return lambda: other.post(f"api/jobs/{job}/tasks/{task['task']}/release", {})

    return take


def test_what_somebody_else_has_taken_is_told_and_comes_back_with_its_boxes(
    team, worker, open_page, take_away
):
    job = a_job(team, [a_picture(BOX)])
    page = open_page(state=worker)
    draw(page, start(page), BOX)
    give_back = take_away(job)
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="somebody else has it now. Your boxes are kept").wait_for()
    page.get_by_role("heading", name="No tasks left for you").wait_for()
    give_back()
    page.get_by_role("button", name="Your jobs").last.click()
    frame = start(page)
    frame.get_by_role("button", name="cat, left 100, top 60, 80 by 60 pixels").wait_for()
    frame.get_by_test_id("stage").press("Enter")
    finished(page)
    assert output_of(team, job) == {0: [("cat", *BOX)]}


def test_a_job_that_is_stopped_meanwhile_says_what_became_of_the_boxes(team, worker, open_page):
    job = a_job(team, [a_picture(BOX)] * 3)
    page = open_page(state=worker)
    draw(page, start(page), BOX)
    page.wait_for_function("() => localStorage.length === 1")
    team.stack.sagemaker.stop_labeling_job(LabelingJobName=job)
    team.wait_for(job, "Stopped")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="This job has ended").wait_for()
    page.get_by_role("alert").filter(has_text="your boxes for it were not taken").wait_for()
    assert page.evaluate("() => localStorage.length") == 1


def test_a_gold_task_tells_how_it_went(team, worker, open_page):
    """All that is drawn is right, and one box too many; the last picture's words stay at the end."""
    job = a_job(team, [a_picture(size=(200, 100))] * 3)
    arn = team.stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobArn"]
    manifest = gold_manifest(team.stack, job, 4)
    tags = {"gold-manifest": manifest, "gold-share": "0.9", "gold-feedback": "true"}
    team.stack.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": f"truthmill:{key}", "Value": value} for key, value in tags.items()]
    )
    wait_for_gold(team.stack, job)
    page = open_page(state=worker)
    frame = start(page)
    for _ in range(7):
        number = number_of_task(page)
        page.keyboard.press("2")
        draw(page, frame, (20, 20, 60, 60), (200, 100))
        page.keyboard.press("1")
        draw(page, frame, (120, 20, 60, 60), (200, 100))
        with page.expect_response("**/answer") as answered:
            page.keyboard.press("Enter")
        if "feedback" in answered.value.json():
            break
        frame = task_of(page, after=number)
    page.get_by_role("alert").filter(has_text="was a check: 1 of 1 boxes found, 1 that should not").wait_for()
