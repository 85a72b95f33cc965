"""The address of a job opens its first task: what is asked for, and what comes where there is none."""

import json

import pytest

from browser.conftest import PATIENCE_MS, task_of
from browser.portal_pages import HELD, JOB, PORTAL_PAGES, USER, site_of
from browser.sandbox import ORIGIN, wait_for

ADDRESS = f"{ORIGIN}/#/work/pets-1"
TASKS = "/api/jobs/pets-1/tasks"


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


def test_its_tasks_are_all_that_is_asked_for_and_once(portal):
    """What they are answered with says who is signed in, too."""
    site = site_of(PORTAL_PAGES["task"])
    page, asked = portal(site)
    posted = []
    page.on("request", lambda request: request.method == "POST" and posted.append(request.post_data_json))
    page.goto(ADDRESS)
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    assert asked == [f"POST {TASKS}"]
    assert posted == [{"count": 2, "job": True}]
    assert page.get_by_text("ann@example.com").is_visible()


def test_the_list_of_jobs_is_all_that_is_asked_for_and_once(portal):
    page, asked = portal(site_of(PORTAL_PAGES["jobs"]))
    page.goto(ORIGIN)
    page.get_by_role("button", name=f"Start working: {JOB['title']}").wait_for()
    assert asked == ["GET /api/jobs"]
    assert page.get_by_text("ann@example.com").is_visible()


@pytest.mark.parametrize(("name", "path"), [("task", TASKS), ("jobs", "/api/jobs")])
def test_a_portal_that_takes_its_time_says_that_it_is_loading(portal, name, path):
    """As a function that has to be started does; before, the page was blank."""
    site = site_of(PORTAL_PAGES[name])
    site.held[path] = []
    page, _ = portal(site)
    page.goto(f"{ORIGIN}/{PORTAL_PAGES[name].address}")
    page.get_by_role("status").get_by_text("One moment").wait_for()
    site.release(path)
    page.get_by_text("ann@example.com").wait_for()
    assert page.locator("#portal > [role=status]").count() == 0


@pytest.mark.parametrize(("name", "asks"), [("task", f"POST {TASKS}"), ("jobs", "GET /api/jobs")])
def test_what_is_asked_for_first_is_so_before_the_portals_own_script_runs(portal, name, asks):
    """Who has no modules gets no further, and has asked."""
    page, asked = portal(site_of(PORTAL_PAGES[name]))
    page.add_init_script(
        """new MutationObserver((changes) => {
          for (const { addedNodes } of changes)
            for (const node of addedNodes) if (node.type === "module") node.remove();
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{ORIGIN}/{PORTAL_PAGES[name].address}")
    wait_for(page, lambda: asked == [asks], lambda: asked)
    assert page.locator("#portal").inner_html() == ""


def test_a_list_of_jobs_that_comes_after_work_has_begun_does_not_take_its_place(portal):
    site = site_of(PORTAL_PAGES["jobs"])
    site.put_json(TASKS, HELD)
    page, asked = portal(site)
    page.goto(ORIGIN)
    start = page.get_by_role("button", name=f"Start working: {JOB['title']}")
    start.wait_for()
    site.held["/api/jobs"] = []
    page.get_by_role("button", name="Look again").click()
    wait_for(page, lambda: site.held["/api/jobs"], lambda: asked)
    start.click()
    task_of(page).locator("img.picture:not([hidden])").wait_for()
    with page.expect_response("**/api/jobs"):
        site.release("/api/jobs")
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    assert task_of(page).locator("img.picture:not([hidden])").is_visible()


def test_a_list_of_jobs_that_comes_after_signing_out_is_not_shown(portal):
    site = site_of(PORTAL_PAGES["jobs"])
    site.put_json("/api/sign-out", {})
    page, asked = portal(site)
    page.goto(ORIGIN)
    page.get_by_role("button", name=f"Start working: {JOB['title']}").wait_for()
    site.held["/api/jobs"] = []
    page.get_by_role("button", name="Look again").click()
    wait_for(page, lambda: site.held["/api/jobs"], lambda: asked)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").wait_for()
    with page.expect_response("**/api/jobs"):
        site.release("/api/jobs")
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    assert page.get_by_label("E-mail").is_visible()


def test_who_is_not_signed_in_signs_in_and_is_there(portal):
    site = site_of(PORTAL_PAGES["task"])
    site.put_json(TASKS, refusal("SignedOut"), 401)
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
    site.put_json("/api/jobs", {"jobs": [], "user": USER})
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
    page.evaluate("() => { location.hash = '#/'; }")
    page.get_by_role("heading", name="Your jobs").wait_for()
    site.release(TASKS)
    wait_for(page, lambda: f"POST {TASKS}/000018/release" in asked, lambda: asked)
    assert f"POST {TASKS}/000017/release" not in asked
    assert page.locator("iframe").count() == 0


def test_a_job_that_was_left_and_opened_again_meanwhile_is_opened_once(portal):
    site = site_of(PORTAL_PAGES["task"])
    site.put_json("/api/jobs", {"jobs": [JOB], "user": USER})
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
