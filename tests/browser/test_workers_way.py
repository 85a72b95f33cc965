"""The whole way of a worker in a browser, from the invitation to signing out."""

import json
import re
import urllib.request

import pytest

from browser.conftest import (
    PASSWORD,
    a_job,
    a_picture,
    draw,
    number_of_task,
    output_of,
    place,
    sign_in,
    start,
    task_of,
)


def invite(team, email):
    """The temporary password as the invitation's mail has it."""
    pool = team.stack.outputs["UserPoolId"]
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    team.stack.cognito.admin_create_user(UserPoolId=pool, Username=email, UserAttributes=attributes)
    team.stack.cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=team.name)
    with urllib.request.urlopen(team.stack.endpoint + "/_ministack/ses/messages") as answer:  # noqa: S310 our engine
        accounts = json.load(answer)["messages"]
    (mail,) = [mail for mails in accounts.values() for mail in mails if mail["To"] == [email]]
    return re.search(r"Temporary password: (.+?)</p>", mail["BodyHtml"])[1]


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("window", [(1280, 800), (1000, 700), (700, 560)])
def test_from_the_invitation_to_signing_out(team, open_page, window, ratio):
    """The pictures of 800 x 600 are shown smaller than they are in each window, each box to the pixel."""
    size, truth = (800, 600), [[(40, 30, 100, 80), (701, 457, 61, 47)], [], [(0, 20, 31, 580)]]
    email = f"invited-to-{team.name}@example.com"
    temporary = invite(team, email)
    viewport = {"width": window[0], "height": window[1]}
    page = open_page(viewport=viewport, device_scale_factor=ratio)

    sign_in(page, email, temporary)
    page.get_by_role("heading", name="Choose your password").wait_for()
    unmet = page.locator(".rules li:not(.met, .later)")
    page.get_by_label("New password").fill("short")
    assert "at least 12 characters" in unmet.all_inner_texts()[0]
    page.get_by_label("New password").fill(PASSWORD)
    assert unmet.count() == 0
    page.get_by_role("button", name="Save and sign in").click()

    page.get_by_role("heading", name="Nothing to label right now").wait_for()
    job = a_job(team, [a_picture(*boxes, size=size) for boxes in truth])
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("heading", name="Pets").wait_for()
    assert "3 of 3 pictures left" in page.locator(".facts").inner_text()

    frame = start(page)
    assert frame.locator("body").evaluate("() => devicePixelRatio") == ratio
    for last in range(3):
        number = number_of_task(page)
        drawn = truth[int(re.search(r"/(\d+)\.png", frame.locator("img.picture").get_attribute("src"))[1])]
        for label, box in zip("12", drawn, strict=False):
            page.keyboard.press(label)
            draw(page, frame, box, size)
        page.keyboard.press("Enter")
        if not drawn:
            asked = frame.get_by_role("dialog", name="You have drawn no box.")
            asked.get_by_role("button", name="Nothing here").click()
        if last < 2:
            frame = task_of(page, after=number)
    page.get_by_role("heading", name="No tasks left for you in this job").wait_for()

    page.get_by_role("button", name="Your jobs").last.click()
    page.get_by_role("heading", name="Nothing to label right now").wait_for()
    assert output_of(team, job) == {
        0: [("cat", 40, 30, 100, 80), ("dog", 701, 457, 61, 47)],
        1: [],
        2: [("cat", 0, 20, 31, 580)],
    }
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.reload()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.context.cookies() == []


def test_boxes_are_moved_resized_undone_and_changed(team, worker, open_page):
    job = a_job(team, [a_picture((100, 60, 80, 60))])
    page = open_page(state=worker)
    frame = start(page)
    draw(page, frame, (100, 60, 80, 60))
    page.mouse.move(*place(frame, 180, 90))  # its right edge
    page.mouse.down()
    page.mouse.move(*place(frame, 150, 20))
    page.mouse.move(*place(frame, 200, 20))
    page.mouse.up()
    page.mouse.move(*place(frame, 150, 80))
    page.mouse.down()
    page.mouse.move(*place(frame, 140, 70))
    page.mouse.move(*place(frame, 130, 85))
    page.mouse.up()
    for key in ("ArrowRight", "Shift+ArrowDown", "Alt+ArrowLeft", "Alt+2"):
        page.keyboard.press(key)
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.keyboard.press("c")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+z")
    frame.get_by_role("button", name="Submit").click()
    page.get_by_role("heading", name="No tasks left").wait_for()
    # Drawn 100 60 80 60, its right edge to 200, then moved by -20 +5, +1, +10, and a pixel off its width.
    assert output_of(team, job) == {0: [("dog", 81, 75, 99, 60)]}


def test_work_in_progress_comes_back_after_a_reload(team, worker, open_page):
    job = a_job(team, [a_picture((100, 60, 80, 60))])
    page = open_page(state=worker)
    draw(page, start(page), (100, 60, 80, 60))
    page.wait_for_function("() => localStorage.length === 1")
    page.reload()
    frame = task_of(page)
    frame.get_by_role("button", name="cat, left 100, top 60, 80 by 60 pixels").wait_for()
    frame.get_by_test_id("stage").press("Enter")
    page.get_by_role("heading", name="No tasks left").wait_for()
    assert page.evaluate("() => Object.keys(localStorage)") == []
    assert output_of(team, job) == {0: [("cat", 100, 60, 80, 60)]}


@pytest.mark.parametrize(
    ("code", "says"), [("TooManyTries", "Wait 15 minutes"), ("SignInRefused", "is wrong")]
)
def test_a_refused_sign_in_is_a_sentence_that_helps(open_page, code, says):
    page = open_page()
    status = {"TooManyTries": 429, "SignInRefused": 401}[code]
    page.route(
        "**/api/sign-in",
        lambda route: route.fulfill(status=status, json={"error": {"code": code, "message": "-"}}),
    )
    sign_in(page, "somebody@example.com", "Wrong passw0rd")
    page.get_by_role("alert").filter(has_text=says).wait_for()
