"""The page of the one who runs a team, on the deployed stack."""

import io

import pytest
from PIL import Image

from browser.conftest import PATIENCE_MS, a_job, a_picture, draw, start
from browser.portal_pages import PORTAL_PAGES, show, site_of
from browser.sandbox import ORIGIN
from integration.labeling.test_portal_lead import make_lead
from integration.labeling.test_portal_password import mails

BOX = (100, 60, 80, 60)


def test_a_lead_sees_the_team_the_job_and_the_boxes_on_the_picture(team, worker, open_page):
    a_job(team, [a_picture(BOX)] * 2)
    page = open_page(state=worker)
    email = page.locator(".who").inner_text().removeprefix("Signed in as ")
    draw(page, start(page), BOX)
    page.keyboard.press("Enter")
    page.get_by_text("1 left").wait_for()

    make_lead(team.stack, email)
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


def test_a_lead_invites_somebody_from_the_page(team, worker, open_page):
    page = open_page(state=worker)
    lead = page.locator(".who").inner_text().removeprefix("Signed in as ")
    make_lead(team.stack, lead)
    page.goto(page.url.partition("#")[0] + "#/lead")
    page.reload()
    email = f"from-the-page-of-{team.name}@example.com"
    address = page.get_by_label("E-mail")
    for given, says in [("a@b", "a@b isn't an e-mail address."), (lead, "is in the team already")]:
        address.fill(given)
        page.get_by_role("button", name="Send the invitation", exact=True).click()
        page.get_by_role("alert").filter(has_text=says).wait_for()
    address.fill(email)
    page.get_by_label("Name").fill("Ben")
    page.get_by_role("button", name="Send the invitation", exact=True).click()
    page.get_by_role("status").filter(has_text=f"on its way to {email}.").wait_for()
    row = page.get_by_role("row").filter(has_text=f"Ben, {email}")
    assert "invited" in row.inner_text()
    row.get_by_role("button", name="Send the invitation again").click()
    page.get_by_role("status").filter(has_text="again, with a new temporary password").wait_for()
    assert len(mails(team.stack, email)) == 2


def test_answers_lie_on_the_picture_as_it_is_stored_whatever_an_orientation_tag_says(chromium):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (800, 560)).save(out, "JPEG", exif=exif)
    site = site_of(PORTAL_PAGES["team-object"])
    site.pictures["/park.png"] = out.getvalue()
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    context.route("**/*", site.serve)
    page = context.new_page()
    show(page, "team-object", ORIGIN)
    page.wait_for_function("() => document.querySelector('.object img').complete")
    shown = page.locator(".object img").bounding_box()
    assert shown["width"] / shown["height"] == pytest.approx(800 / 560, rel=0.01)
    context.close()


def test_removing_somebody_is_asked_once_and_told(chromium):
    site = site_of(PORTAL_PAGES["team"])
    site.put_json("/api/lead/teams/annotators/members/1/remove", {"removed": True, "returned": 2})
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    context.route("**/*", site.serve)
    page, posted = context.new_page(), []
    page.on("request", lambda request: request.method == "POST" and posted.append(request.url))
    show(page, "team", ORIGIN)
    row = page.get_by_role("row").filter(has_text="ann@example.com")
    row.get_by_role("button", name="Remove: ann@example.com").click()
    row.get_by_role("button", name="Cancel").click()
    assert posted == []
    row.get_by_role("button", name="Remove: ann@example.com").click()
    row.get_by_role("button", name="ann@example.com").click()
    page.get_by_role("status").filter(has_text="ann@example.com").filter(has_text="2").wait_for()
    assert [address.rpartition("/members/")[2] for address in posted] == ["1/remove"]
    context.close()
