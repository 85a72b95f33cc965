"""What the portal refuses, in the worker's language: every code that the API can answer has its text."""

import re
from pathlib import Path

import pytest

from browser.conftest import PATIENCE_MS, task_of
from browser.portal_pages import PORTAL_PAGES, show, site_of
from browser.sandbox import ORIGIN, Site

ROOT = Path(__file__).parents[2]
UNREACHABLE = {"Failed"}  # a portal that fails is asked again; its words aren't shown
DETAILS = {
    "PasswordRefused": [
        {"rules": ["at least 12 characters", "a digit"]},
        *({"rule": rule, "cause": "in the pool's own words"} for rule in ("pool", "used", "known")),
    ],
    "TemplateBroken": [
        {"rule": rule, "line": 3, "column": 7, "cause": "in Liquid's own words"}
        for rule in ("filter", "files", "limit", "value", "syntax")
    ],
    "AnswerInvalid": [
        {"rule": "form"},
        {"rule": "size"},
        {"rule": "count", "count": 6000, "most": 5000},
        *(
            {
                "rule": rule,
                "box": 2,
                "label": "cat",
                "left": "9",
                "top": "8",
                "width": "7",
                "height": "6",
                "size": "4 x 3",
            }
            for rule in ("label", "whole", "small", "outside")
        ),
    ],
    **{code: [{"email": "ben@example.com"}] for code in ("AlreadyMember", "NotSent", "NotInvited")},
}


def codes():
    """Of the API's own documentation, which names every code that the functions have in them."""
    table = (ROOT / "docs/portal-api.md").read_text().partition("## Refusals")[2].partition("\n## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    return sorted({code for row in rows for code in re.findall(r"`(\w+)`", row)} - UNREACHABLE)


def test_every_code_of_the_functions_is_documented():
    own = [*ROOT.glob("functions/labeling/*.py"), *ROOT.glob("functions/adapters/*.py")]
    text = "".join(path.read_text() for path in [*own, ROOT / "functions/truthmill/leases.py"])
    found = re.findall(r'PortalError\(\s*\d+,\s*"(\w+)"', text) + re.findall(
        r'LeaseRefusedError\("(\w+)"', text
    )
    assert set(found) == set(codes())


@pytest.fixture(scope="module")
def words(chromium):
    """What the page says to each refusal, by language."""
    asked = [(code, details) for code in codes() for details in DETAILS.get(code, [{}])]
    found = {}
    for language in ("en-GB", "de-DE"):
        context = chromium.new_context(locale=language)
        site = Site()
        site.answers["/"] = ("<!doctype html><title>Refusals</title>", "text/html", {})
        context.route("**/*", site.serve)
        page = context.new_page()
        page.goto(ORIGIN)
        said = page.evaluate(
            """async ([address, asked]) => {
              const { refusal } = await import(address);
              const message = "the portal's own words";
              return asked.map(([code, details]) => refusal({ code, message, details }));
            }""",
            ["/page/portal/refusals.js", asked],
        )
        found[language] = {
            f"{code} {details}": each for (code, details), each in zip(asked, said, strict=True)
        }
        context.close()
    return found


def test_every_refusal_is_said_in_both_languages(words):
    english, german = words["en-GB"], words["de-DE"]
    assert [what for what in english if english[what] == german[what]] == []
    for said in (english, german):
        assert [what for what, text in said.items() if text == "the portal's own words"] == []
        assert [text for text in said.values() if re.search(r"[{}]|  |\(\)|undefined", text)] == []


def test_what_a_refusal_names_is_named(words):
    german = words["de-DE"]
    password, *_ = (german[f"PasswordRefused {details}"] for details in DETAILS["PasswordRefused"])
    assert password == "Dem Kennwort fehlt noch: mindestens 12 Zeichen, eine Ziffer."
    for details in DETAILS["TemplateBroken"]:
        assert "Zeile 3, Spalte 7" in german[f"TemplateBroken {details}"]
    assert [text for text in german.values() if "own words" in text] == []
    outside = german[f"AnswerInvalid {DETAILS['AnswerInvalid'][-1]}"]
    assert outside == "Rahmen 2 (cat, links 9, oben 8, 7 x 6): Er muss im Bild von 4 x 3 Pixeln liegen."


def test_a_german_worker_reads_in_german_why_an_answer_comes_back(chromium):
    context = chromium.new_context(locale="de-DE")
    context.set_default_timeout(PATIENCE_MS)
    site = site_of(PORTAL_PAGES["task"])
    named = {"box": 1, "label": "cat", "left": "1000", "top": "250", "width": "190", "height": "150"}
    error = {
        "code": "AnswerInvalid",
        "message": "Box 1",
        "details": {"rule": "outside", **named, "size": "800 x 560"},
    }
    site.put_json("/api/jobs/pets-1/tasks/000017/answer", {"error": error}, 422)
    context.route("**/*", site.serve)
    page = context.new_page()
    show(page, "task", ORIGIN)
    task_of(page).get_by_role("button", name="Absenden", exact=True).click()
    says = "Rahmen 1 (cat, links 1000, oben 250, 190 x 150): Er muss im Bild von 800 x 560 Pixeln liegen."
    task_of(page).get_by_role("alert").filter(has_text=says).wait_for()
    assert page.evaluate("() => document.documentElement.lang") == "de"
    context.close()
