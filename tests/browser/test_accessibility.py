"""WCAG 2.2 AA as far as axe-core can tell, on every page of the portal, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.conftest import PATIENCE_MS
from browser.portal_pages import PORTAL_PAGES, show, site_of
from browser.sandbox import ORIGIN

OUTLINE = """() => {
  const at = document.activeElement;
  if (at === document.body) return "page";
  return at.matches("iframe") ? "frame" : getComputedStyle(at).outlineWidth;
}"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def portal_page(chromium):
    contexts = []

    def open_(name, **options):
        context = chromium.new_context(**({"locale": "en-GB"} | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", site_of(PORTAL_PAGES[name]).serve)
        page = context.new_page()
        show(page, name, ORIGIN)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PORTAL_PAGES)
def test_axe_finds_no_violation(portal_page, name, scheme):
    page = portal_page(name, color_scheme=scheme, bypass_csp=True)
    found = [each for frame in page.frames for each in Axe().run(frame, options=RULES).response["violations"]]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []


def test_the_page_speaks_the_browsers_language(portal_page):
    page = portal_page("jobs", locale="de-AT")
    assert page.get_by_role("heading", level=1).inner_text() == "Ihre Aufträge"
    assert page.locator("html").get_attribute("lang") == "de"
    assert portal_page("jobs", locale="fr-FR").locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("name", ["sign-in", "jobs", "team"])
def test_whatever_has_the_focus_is_seen_to(portal_page, name):
    page = portal_page(name)
    outlines = set()
    for _ in range(6):
        page.keyboard.press("Tab")
        outlines.add(page.evaluate(OUTLINE))
    assert outlines <= {"3px", "page", "frame"}
    assert "3px" in outlines
