"""A second factor through the page: set up and signed in with; its QR code; and what a German reads."""

import os
import subprocess
from pathlib import Path

import pytest

from browser.conftest import PASSWORD, PATIENCE_MS, sign_in
from browser.portal_pages import ADDRESS, PORTAL_PAGES, SECRET, show, site_of
from browser.sandbox import ORIGIN
from integration.labeling.test_second_factor import totp, wrong

READERS = Path(__file__).parents[2] / ".tools/readers/bin/python"
DECODE = "import cv2, sys; print(cv2.QRCodeDetector().detectAndDecode(cv2.imread(sys.argv[1]))[0])"


@pytest.fixture
def open_portal(chromium):
    contexts = []

    def open_(name, **options):
        context = chromium.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        site = site_of(PORTAL_PAGES[name])
        context.route("**/*", site.serve)
        page = context.new_page()
        show(page, name, ORIGIN)
        return page, site

    yield open_
    for context in contexts:
        context.close()


def secret_on(page):
    return page.locator("code").inner_text().replace(" ", "")


def give(page, code, button):
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name=button).click()


def test_it_is_set_up_on_the_account_page_and_asked_for_at_the_next_sign_in(worker, open_page):
    page = open_page(state=worker)
    page.get_by_role("heading", name="Nothing to label right now").wait_for()
    email = page.locator(".who").inner_text().removeprefix("Signed in as ")
    page.get_by_role("button", name="Your account").click()
    page.get_by_label("Password", exact=True).fill("Not their passw0rd")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("alert").filter(has_text="E-mail or password is wrong").wait_for()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("img", name="QR code for the app").wait_for()
    secret = secret_on(page)
    give(page, wrong(secret), "Turn on")
    page.get_by_role("alert").filter(has_text="The code is wrong, was used before").wait_for()
    give(page, totp(secret), "Turn on")
    page.get_by_role("heading", name="Nothing to label right now").wait_for()
    page.get_by_role("button", name="Your account").click()
    page.get_by_text("Turned on: a code of your app is asked for at every sign-in.").wait_for()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, email, PASSWORD)
    page.get_by_role("heading", name="Code from your app").wait_for()
    give(page, totp(secret, -9), "Sign in")
    page.get_by_role("alert").filter(has_text="The code is wrong, was used before").wait_for()
    give(page, totp(secret, 1), "Sign in")
    page.get_by_role("button", name="Sign out").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_qr_code_reads_as_the_apps_address(open_portal, tmp_path, scheme):
    if not READERS.exists():
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("The readers are missing: run `make readers`.")
    page, _ = open_portal("second-factor-required", color_scheme=scheme)
    page.locator(".qr").screenshot(path=tmp_path / "qr.png")
    read = subprocess.run(
        [READERS, "-c", DECODE, tmp_path / "qr.png"], check=True, capture_output=True, text=True
    )
    assert read.stdout.strip() == ADDRESS
    assert secret_on(page) == SECRET


def test_who_must_have_one_is_told_so_in_their_language(open_portal):
    page, site = open_portal("second-factor-required", locale="de-DE")
    page.get_by_role("heading", name="Zweiten Faktor einrichten").wait_for()
    page.get_by_text("Für dieses Konto ist ein zweiter Faktor Pflicht.").wait_for()
    site.put_json("/api/code", {"error": {"code": "FactorRefused", "message": "wrong"}}, 401)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Einschalten").click()
    page.get_by_role("alert").filter(
        has_text="Der Code ist falsch, schon benutzt oder abgelaufen."
    ).wait_for()
    assert page.evaluate("() => document.activeElement.id") == "code"


def test_a_sign_in_that_took_too_long_begins_again(open_portal):
    page, site = open_portal("code")
    page.get_by_text("Lost your device? The one who runs your team can reset the second factor.").wait_for()
    site.put_json("/api/code", {"error": {"code": "ChallengeOver", "message": "over"}}, 401)
    give(page, "123456", "Sign in")
    page.get_by_text("That took too long, or too many codes were wrong.").wait_for()
    assert page.get_by_label("E-mail").input_value() == "ann@example.com"


def test_a_lead_resets_it_after_a_second_look(open_portal):
    page, site = open_portal("team")
    site.put_json("/api/lead/teams/annotators/members/1/reset-factor", {"reset": True})
    row = page.get_by_role("row").filter(has_text="ann@example.com")
    row.get_by_role("button", name="Reset second factor: ann@example.com").click()
    row.get_by_role("button", name="Cancel").wait_for()
    row.get_by_role("button", name="Reset the second factor of ann@example.com now").click()
    page.get_by_role("status").filter(has_text="ann@example.com is asked for no code any more").wait_for()
