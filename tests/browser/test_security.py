"""What the page is sent with, and what a task's own scripts can't reach."""

import json
import re
from urllib.parse import urlsplit

import urllib3

from browser.conftest import a_job, a_picture, start

SPY = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
 header="Draw" labels="['cat', 'dog']"></crowd-bounding-box></crowd-form>
<p id="told"></p>
<script>
const loaded = (src) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = resolve;
  image.onerror = reject;
  image.src = src;
});
document.addEventListener("all-crowd-elements-ready", async () => {
  const tries = {
    cookie: () => document.cookie,
    storage: () => { if (!localStorage.length) throw 0; },
    portal: () => parent.document.body.innerHTML,
    session: () => fetch("/api/session", {credentials: "include"}),
    away: () => fetch("https://example.com/"),
    picture: () => loaded(document.querySelector("crowd-bounding-box").getAttribute("src")),
  };
  const told = [];
  for (const name in tries) {
    try { await tries[name](); told.push(name + " open"); } catch { told.push(name + " closed"); }
  }
  document.querySelector("#told").textContent = told.join(", ");
});
</script>"""


def fetched(stack, path, **headers):
    answer = urllib3.request("GET", stack.portal + path, headers=headers)
    assert answer.status == 200
    return answer


def test_the_front_page_is_sent_with_a_strict_policy(stack):
    headers = fetched(stack, "").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    # Of what is written into it, and nothing else.
    assert re.search("script-src 'sha256-[^ ]+' 'sha256-[^ ]+'; style-src 'sha256-[^ ]+';", policy)
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


def test_the_front_page_is_all_that_is_served_without_a_session(stack):
    plain, packed = (fetched(stack, "", **{"Accept-Encoding": kind}) for kind in ("identity", "gzip"))
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.data == plain.data
    assert not re.search(r"""\b(src|href)=["'](?!data:)""", plain.data.decode().partition("<body>")[0])
    for path in ("index.html", "portal/main.js", "page/theme.css", "web.py", "../web.py"):
        assert urllib3.request("GET", stack.portal + path).status in (401, 404)


def test_the_session_is_a_cookie_that_no_script_reads(worker, local_stack):
    (cookie,) = worker["cookies"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["domain"] == urlsplit(local_stack.deployed.portal).hostname


def test_a_templates_scripts_reach_neither_session_nor_portal(team, worker, open_page):
    template = team.stack.put("browser/spy.html", SPY)
    a_job(team, [a_picture()], **{"HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": template}})
    page = open_page(state=worker)
    page.evaluate("localStorage.setItem('truthmill.kept', 'a secret')")
    frame = start(page)
    frame.locator("#told", has_text="picture").wait_for(state="attached")
    assert frame.locator("#told").text_content() == (
        "cookie closed, storage closed, portal closed, session closed, away closed, picture open"
    )
    assert page.locator("iframe.task").get_attribute("sandbox") == "allow-scripts"
    assert frame.get_by_role("radio").all_inner_texts() == ["cat\n1", "dog\n2"]


def test_titles_and_labels_are_shown_as_text(team, worker, open_page):
    hostile = "<img src=x onerror=document.title=1>"
    labels = team.stack.put("browser/hostile.json", json.dumps({"labels": [{"label": hostile}]}))
    changes = {"HumanTaskConfig.TaskTitle": hostile, "HumanTaskConfig.TaskDescription": hostile}
    a_job(team, [a_picture()], LabelCategoryConfigS3Uri=labels, **changes)
    page = open_page(state=worker)
    page.get_by_role("heading", name=hostile).wait_for()
    assert page.locator("img[src=x]").count() == 0
    frame = start(page)
    assert hostile in frame.get_by_role("radio").first.inner_text()
    assert frame.locator("img[src=x]").count() == 0
    assert page.title() != "1"
