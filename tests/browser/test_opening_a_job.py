"""The address of a job opens its first task: what is asked for, and what comes where there is none."""

import json

import pytest

from adapters.task_page import digest
from browser.conftest import PATIENCE_MS, task_of
from browser.portal_pages import HELD, JOB, PORTAL_PAGES, site_of
from browser.sandbox import ORIGIN, wait_for

ADDRESS = f"{ORIGIN}/#/work/pets-1"
TASKS = "/api/jobs/pets-1/tasks"
SESSION = "/api/session"


@pytest.fixture
def portal(chromium):
    """A page of a site, and what was asked of its API; an error that it logs fails the test."""
    contexts, errors = [], []

    def open_(site):
        context = chromium.new_context(locale="en-GB")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", site.serve)
        page, asked = context.new_page(), []
        page.on("request", lambda request: note(asked, request))
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page, asked

    def note(asked, request):
        path = request.url.removeprefix(ORIGIN)
        if path.startswith("/api/"):
            asked.append(f"{request.method} {path}")

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def refusal(code):
    return {"error": {"code": code, "message": code}}


def test_its_tasks_are_asked_for_beside_the_session_and_nothing_before_them(portal):
    site = site_of(PORTAL_PAGES["task"])
    site.held[SESSION] = []
    page, asked = portal(site)
    page.goto(ADDRESS)
    wait_for(page, lambda: site.held[SESSION] and f"POST {TASKS}" in asked, lambda: asked)
    assert page.locator("iframe").count() == 0
    site.release(SESSION)
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    assert sorted(asked) == [f"GET {SESSION}", f"POST {TASKS}"]


def test_both_are_asked_for_before_the_portals_script_has_come_and_once(portal):
    site = site_of(PORTAL_PAGES["task"])
    script = f"/page/{digest()}/portal/bundle.js"
    site.held[script] = []
    page, asked = portal(site)
    posted = []
    page.on("request", lambda request: request.method == "POST" and posted.append(request.post_data_json))
    page.goto(ADDRESS, wait_until="commit")
    wait_for(page, lambda: len(asked) == 2, lambda: asked)
    site.release(script)
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    assert sorted(asked) == [f"GET {SESSION}", f"POST {TASKS}"]
    assert posted == [{"count": 2, "job": True}]


def test_what_was_asked_for_early_goes_back_where_the_address_changed_before_the_script_came(portal):
    """And whoever comes back to the job asks anew."""
    site = site_of(PORTAL_PAGES["task"])
    script = f"/page/{digest()}/portal/bundle.js"
    site.held[script] = []
    page, asked = portal(site)
    page.goto(ADDRESS, wait_until="commit")
    wait_for(page, lambda: len(asked) == 2, lambda: asked)
    page.evaluate("() => { location.hash = '#/'; }")
    site.release(script)
    wait_for(page, lambda: f"POST {TASKS}/000017/release" in asked, lambda: asked)
    page.get_by_role("button", name=f"Start working: {JOB['title']}").click()
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    assert asked.count(f"POST {TASKS}") == 2


def test_who_is_not_signed_in_signs_in_and_is_there(portal):
    site = site_of(PORTAL_PAGES["task"])
    for path in (SESSION, TASKS):
        site.put_json(path, refusal("SignedOut"), 401)
    page, _ = portal(site)
    page.goto(ADDRESS)
    page.get_by_label("E-mail").fill("ann@example.com")
    page.get_by_label("Password", exact=True).fill("from the letter")
    site.put_json("/api/sign-in", {"user": {"email": "ann@example.com", "lead": False}})
    site.put_json(TASKS, HELD)
    page.get_by_role("button", name="Sign in").click()
    task_of(page).locator("img.picture:not([hidden])").wait_for()


@pytest.mark.parametrize(
    ("status", "document"),
    [(404, refusal("NoSuchJob")), (200, {**HELD, "tasks": [], "jobStatus": "Completed"})],
    ids=["of others", "over"],
)
def test_a_job_that_is_not_to_be_worked_at_leads_to_the_jobs(portal, status, document):
    site = site_of(PORTAL_PAGES["task"])
    site.put_json("/api/jobs", {"jobs": []})
    site.put_json(TASKS, document, status)
    page, _ = portal(site)
    page.goto(ADDRESS)
    page.get_by_role("heading", name="Your jobs").wait_for()
    assert page.url.endswith("#/")


def test_a_portal_that_does_not_answer_is_asked_again(portal):
    site = site_of(PORTAL_PAGES["task"])
    site.put_json(TASKS, {"message": "Internal server error"}, 502)
    page, _ = portal(site)
    page.clock.install()
    page.goto(ADDRESS)
    page.get_by_role("alert").wait_for()
    site.put_json(TASKS, HELD)
    page.clock.run_for(3_000)
    task_of(page).locator("img.picture:not([hidden])").wait_for()


def test_tasks_that_come_after_the_worker_has_gone_on_go_back_at_once(portal):
    """All but those that something is drawn on already."""
    site = site_of(PORTAL_PAGES["task"])
    kept, fresh = HELD["tasks"][0], {**HELD["tasks"][0], "task": "000018"}
    site.put_json(TASKS, {**HELD, "tasks": [kept, fresh]})
    site.held[TASKS] = []
    page, asked = portal(site)
    page.goto(ORIGIN)
    page.get_by_role("heading", name="Your jobs").wait_for()
    key = "truthmill.kept.ann@example.com.pets-1.000017"
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, json.dumps({"boxes": []})])
    page.goto("about:blank")
    page.goto(ADDRESS)
    wait_for(page, lambda: site.held[TASKS], lambda: asked)
    wait_for(page, lambda: asked.count(f"GET {SESSION}") == 2, lambda: asked)
    page.evaluate("() => { location.hash = '#/'; }")
    page.get_by_role("heading", name="Your jobs").wait_for()
    site.release(TASKS)
    wait_for(page, lambda: f"POST {TASKS}/000018/release" in asked, lambda: asked)
    assert f"POST {TASKS}/000017/release" not in asked
    assert page.locator("iframe").count() == 0


def test_a_job_that_was_left_and_opened_again_meanwhile_is_opened_once(portal):
    site = site_of(PORTAL_PAGES["task"])
    site.put_json("/api/jobs", {"jobs": [JOB]})
    site.held[TASKS] = []
    page, asked = portal(site)
    page.goto(ADDRESS)
    wait_for(page, lambda: site.held[TASKS], lambda: asked)
    page.evaluate("() => { location.hash = '#/'; }")
    page.get_by_role("button", name=f"Start working: {JOB['title']}").click()
    wait_for(page, lambda: len(site.held[TASKS]) == 2, lambda: asked)
    site.release(TASKS)
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    assert page.locator("iframe.task").count() == 1
    assert not any(each.endswith("/release") for each in asked)
