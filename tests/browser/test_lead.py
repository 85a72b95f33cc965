"""The page of the one who runs a team, on the deployed stack."""

import contextlib

from adapters.accounts import LEADS
from browser.conftest import a_job, a_picture, draw, start

BOX = (100, 60, 80, 60)


def test_a_lead_sees_the_team_the_job_and_the_boxes_on_the_picture(team, worker, open_page):
    a_job(team, [a_picture(BOX)] * 2)
    page = open_page(state=worker)
    email = page.locator(".who").inner_text().removeprefix("Signed in as ")
    draw(page, start(page), BOX)
    page.keyboard.press("Enter")
    page.get_by_text("1 left").wait_for()

    pool = team.stack.outputs["UserPoolId"]
    with contextlib.suppress(team.stack.cognito.exceptions.GroupExistsException):
        team.stack.cognito.create_group(UserPoolId=pool, GroupName=LEADS)
    team.stack.cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=LEADS)
    page.goto(page.url.partition("#")[0])
    page.reload()
    page.get_by_role("button", name="Team", exact=True).click()
    page.get_by_role("cell", name=email).first.wait_for()
    page.get_by_role("link", name="Pets").click()
    page.get_by_role("cell", name=email).first.wait_for()
    page.locator("tr", has_text="labeled").get_by_role("link").click()
    loaded = "image => image.complete && image.naturalWidth"
    shown = page.locator(".object img")
    shown.wait_for()
    page.wait_for_function("() => document.querySelector('.object img').naturalWidth === 320")
    assert shown.evaluate(loaded) == 320
    assert page.get_by_text("cat, left 100, top 60, 80 by 60 pixels").count() == 2
