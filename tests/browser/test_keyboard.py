"""Without a pointer and without eyes: the whole way by keys, the focus, what is said, what is named."""

import re

import pytest

from browser.conftest import PATIENCE_MS, draw
from browser.portal_pages import BOXES, JOB, PORTAL_PAGES, TASK, USER, site_of
from browser.portal_pages import show as show_page
from browser.sandbox import ORIGIN, area_of, wait_for

SAID = "crowd-bounding-box .for-ears[role=status]"


@pytest.fixture
def open_site(chromium):
    contexts, errors = [], []

    def open_(site, **options):
        context = chromium.new_context(**({"locale": "en-GB"} | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", site.serve)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def tab_to(page, name):
    """Press Tab until what has that name is focused."""
    focused = "() => { const at = document.activeElement;"
    focused += "return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent; }"
    for _ in range(30):
        if page.evaluate(focused) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} isn't reached: {page.evaluate(focused)}")


def test_from_signing_in_to_signing_out_by_keys_alone(open_site):
    site = site_of(PORTAL_PAGES["sign-in"])
    site.put_json("/api/sign-in", {"user": {"email": "ann@example.com", "lead": False}})
    site.put_json("/api/jobs/pets-1/tasks", {"tasks": [TASK], "jobStatus": "InProgress"})
    done = {"accepted": True, "tasks": [], "jobStatus": "Completed"}
    site.put_json("/api/jobs/pets-1/tasks/000017/answer", done)
    site.put_json("/api/sign-out", {})
    page = open_site(site)
    page.goto(ORIGIN)
    page.get_by_label("E-mail").wait_for()
    site.put_json("/api/jobs", {"jobs": [JOB], "user": USER})
    tab_to(page, "E-mail")
    page.keyboard.type("ann@example.com")
    tab_to(page, "Password")
    page.keyboard.type("their own password")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Your jobs")
    heading.wait_for()
    assert heading.evaluate("at => at === document.activeElement")
    tab_to(page, "Start working: Cats and dogs in the park")
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe.task:not(.ahead)")
    frame.get_by_role("button", name=re.compile("cat, left 120")).wait_for()
    page.wait_for_function("() => document.activeElement.matches('iframe')")
    for key in ["2", "b", "Enter", "Control+ArrowRight", "Shift+ArrowDown", "Enter", "Escape", "Escape"]:
        page.keyboard.press(key)
    given = "/api/jobs/pets-1/tasks/000017/answer"
    site.held[given] = []  # until the key is up: a frame that is gone by then never says that it was
    with page.expect_request("**/answer") as asked:
        page.keyboard.press("Enter")
    site.release(given)
    answer = asked.value.post_data_json["answer"]["boundingBox"]["boundingBoxes"]
    assert [box["label"] for box in answer] == ["cat", "dog", "dog"]
    page.get_by_role("heading", name="No tasks left for you in this job").wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Your jobs"
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.evaluate("() => document.activeElement.id") == "email"


def test_a_page_that_follows_another_begins_at_its_heading(open_site):
    page = open_site(site_of(PORTAL_PAGES["team"]))
    show_page(page, "team", ORIGIN)
    page.get_by_role("link", name="Cats and dogs").press("Enter")
    page.get_by_role("heading", name="Cats and dogs in the park").wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Cats and dogs in the park"


@pytest.mark.parametrize(
    ("pace", "says"),
    [
        (None, "up to 10 min a picture"),
        (11.6, "you take about 12 sec a picture, of up to 10 min"),
        (301.2, "you take about 5 min a picture, of up to 10 min"),
    ],
)
def test_the_list_of_jobs_says_how_long_a_picture_takes(open_site, pace, says):
    site = site_of(PORTAL_PAGES["jobs"])
    site.put_json("/api/jobs", {"jobs": [{**JOB, "secondsEach": pace}], "user": USER})
    page = open_site(site)
    show_page(page, "jobs", ORIGIN)
    assert says in page.locator(".facts").inner_text()


def test_the_list_of_jobs_renews_itself_and_leaves_the_focus_alone(open_site):
    page = open_site(site_of(PORTAL_PAGES["jobs"]))
    page.clock.install()
    show_page(page, "jobs", ORIGIN)
    tab_to(page, "Sign out")
    button = page.get_by_role("button", name="Sign out").element_handle()
    with page.expect_response("**/api/jobs"):
        page.clock.run_for(31_000)
    page.wait_for_function("was => !was.isConnected", arg=button)
    assert page.evaluate("() => document.activeElement.textContent") == "Sign out"


@pytest.mark.parametrize(
    ("key", "close"), [("?", "Escape"), ("s", "Escape"), ("s", "Cancel"), ("?", "Close")]
)
def test_after_a_dialog_the_picture_has_the_focus(open_task, key, close):
    task = open_task()
    task.frame.get_by_test_id("stage").press(key)
    shown = task.frame.get_by_role("dialog")
    if close == "Escape":
        task.press("Escape")
    else:
        shown.get_by_role("button", name=close).press("Enter")
    shown.wait_for(state="hidden")
    at = "() => document.querySelector('crowd-bounding-box').shadowRoot.activeElement?.className"
    wait_for(task.page, lambda: task.inside.evaluate(at) == "stage")


def test_the_labels_are_one_stop_and_arrows_choose_among_them(open_task):
    task = open_task(labels=[f"class {number}" for number in range(1, 15)])
    radios = task.frame.get_by_role("radio")
    stops = [radios.nth(at).get_attribute("tabindex") for at in range(14)]
    assert stops == ["0", *["-1"] * 13]
    before = area_of(task.frame.locator("img.picture"))
    radios.first.focus()
    task.press("ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowUp")
    wait_for(task.page, lambda: radios.nth(13).get_attribute("aria-checked") == "true")
    assert radios.nth(13).evaluate("at => at === at.getRootNode().activeElement")
    assert area_of(task.frame.locator("img.picture")) == before


def test_deleting_in_the_list_goes_on_to_the_next_box(open_task):
    kept = [{**box, "left": 10 * number} for number, box in enumerate([BOXES[0]] * 3)]
    small = [{**box, "top": 5, "width": 40, "height": 30} for box in kept]
    task = open_task(first={"boxes": small})
    delete = task.frame.get_by_role("button", name="Delete cat")
    task.frame.get_by_role("button", name=re.compile("^cat, left 20")).wait_for()
    delete.nth(1).focus()
    left = "() => { const at = document.querySelector('crowd-bounding-box').shadowRoot.activeElement;"
    left += "return [at.className, at.closest('li')?.querySelector('.box').ariaLabel.slice(0, 12)]; }"
    task.press("Enter")
    assert task.inside.evaluate(left) == ["icon", "cat, left 20"]
    task.press("Enter")
    assert task.inside.evaluate(left) == ["icon", "cat, left 0,"]
    task.press("Enter")
    assert task.inside.evaluate(left)[0] == "stage"
    assert task.boxes() == []


def test_what_becomes_of_the_boxes_is_said(open_task):
    task = open_task()
    said = task.frame.locator(SAID)
    assert said.text_content() == ""
    draw(task.page, task.frame, (100, 60, 80, 60))
    assert said.text_content() == "cat drawn, 80 by 60 pixels"
    task.press("ArrowRight")
    assert said.text_content() == "cat, left 101, top 60, 80 by 60 pixels"
    task.press("c", "p")
    assert said.text_content() == "cat selected, left 101, top 60, 80 by 60 pixels"
    task.press("Delete")
    assert said.text_content() == "cat deleted"
    task.press("n", "c")
    assert said.text_content() == "cat drawn, 80 by 60 pixels"
    task.press("c")
    assert said.text_content() == "cat drawn, 80 by 60 pixels\u00a0"  # or it would not be heard again


FOCUSABLE = {
    "button",
    "radio",
    "checkbox",
    "textbox",
    "searchbox",
    "slider",
    "link",
    "application",
    "Iframe",
    "dialog",
}


def accessible(page):
    """(role, name) of all that can have the focus, as Chromium tells a screen reader, frames included."""
    found = []
    for frame in page.frames:
        try:
            session = page.context.new_cdp_session(frame if frame.parent_frame else page)
        except Exception as error:  # noqa: BLE001 a frame of the page's own process is in the page's tree
            assert "part of the parent" in str(error), error  # noqa: PT017
            continue
        for node in session.send("Accessibility.getFullAXTree")["nodes"]:
            states = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
            if states.get("focusable") and not node["ignored"]:
                found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
    return found


@pytest.mark.parametrize("name", PORTAL_PAGES)
def test_whatever_can_be_reached_has_a_role_and_a_name(open_site, name):
    page = open_site(site_of(PORTAL_PAGES[name]))
    show_page(page, name, ORIGIN)
    found = [each for each in accessible(page) if each[0] != "RootWebArea"]
    assert [each for each in found if not each[1].strip()] == []
    assert {role for role, _ in found} - FOCUSABLE <= {"heading", "generic", "group"}
    if name == "task":
        assert ("radio", "cat") in found
        assert ("button", "cat, left 120, top 250, 190 by 150 pixels") in found
        assert {"Submit", "Nothing here", "Skip…"} <= {words for _, words in found}


COLOUR = "at => getComputedStyle(at).backgroundColor"


def test_label_colours_and_what_is_chosen_are_seen_with_forced_colours(open_task):
    task = open_task(forced_colors="active")
    swatches = task.frame.locator(".label .swatch")
    assert swatches.nth(0).evaluate(COLOUR) == "rgb(255, 176, 0)"
    assert swatches.nth(1).evaluate(COLOUR) == "rgb(77, 195, 255)"
    radios = task.frame.get_by_role("radio")
    assert radios.nth(0).evaluate(COLOUR) != radios.nth(1).evaluate(COLOUR)
    loupe, hide = (task.frame.get_by_role("button", name=name) for name in ("loupe", "hide boxes"))
    assert loupe.evaluate(COLOUR) != hide.evaluate(COLOUR)


@pytest.mark.parametrize("window", [(640, 400), (390, 760), (320, 640)])
def test_all_of_a_task_can_be_reached_in_a_small_window_and_at_200_percent(open_task, window):
    task = open_task(viewport={"width": window[0], "height": window[1]}, locale="de-DE")
    draw(task.page, task.frame, (100, 60, 80, 60))
    stage = task.frame.get_by_test_id("stage").bounding_box()
    assert stage["width"] >= 240
    assert stage["height"] >= 150
    assert task.inside.evaluate("() => document.scrollingElement.scrollWidth") <= window[0]
    for role, name in [("radio", "dog"), ("button", re.compile("^cat, links")), ("slider", "Kontrast")]:
        shown = task.frame.get_by_role(role, name=name)
        shown.scroll_into_view_if_needed()
        box = shown.bounding_box()
        assert box["height"] >= 16
        assert 0 <= box["x"] < box["x"] + box["width"] <= window[0]
        assert 0 <= box["y"] < box["y"] + box["height"] <= window[1]


@pytest.mark.parametrize("name", PORTAL_PAGES)
def test_nothing_of_a_page_is_beside_a_window_of_320_pixels(open_site, name):
    """WCAG 1.4.10, which leaves tables out; in German, whose words are longer."""
    page = open_site(site_of(PORTAL_PAGES[name]), locale="de-DE", viewport={"width": 320, "height": 640})
    show_page(page, name, ORIGIN)
    for frame in page.frames:
        beside = frame.evaluate(
            """() => [...document.querySelectorAll("button, input, h1, a")].filter((each) => {
              const { left, right, width } = each.getBoundingClientRect();
              return width > 1 && !each.closest("table") && (left < 0 || right > innerWidth);
            }).map((each) => each.textContent || each.id)"""
        )
        assert beside == []
        assert frame.evaluate("() => document.scrollingElement.scrollWidth") <= 320


def test_texts_grow_with_the_readers_own_size(screens):
    """As where the browser's text is set twice as large."""
    context = screens(1).new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    context.route("**/*", site_of(PORTAL_PAGES["jobs"]).serve)
    page = context.new_page()
    show_page(page, "jobs", ORIGIN)
    size = "() => parseFloat(getComputedStyle(document.querySelector('.facts')).fontSize)"
    before = page.evaluate(size)
    session = context.new_cdp_session(page)
    session.send("Page.enable")
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    assert page.evaluate(size) == pytest.approx(2 * before)
    context.close()
