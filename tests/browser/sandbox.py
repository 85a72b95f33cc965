"""A task's page in its real sandbox without a deployed stack.

The portal's own files, template renderer and policy are handed to the browser request by request. What
nothing answers is refused, so nothing leaves the machine.
"""

import json
import mimetypes
import time
from urllib.parse import unquote, urlsplit

from adapters.page_files import files
from adapters.task_page import task_page
from labeling import front, portal
from labeling.portal_work import PAGE_POLICY, picture_sources
from labeling.web import Web
from truthmill import worker_template

ORIGIN = "https://portal.example"
PICTURES = "https://pictures.example"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
   header="Draw a box around each animal" labels="{{ task.input.labels | to_json | escape }}">
    <full-instructions header="Full instructions"><p>Draw tightly.</p></full-instructions>
    <short-instructions><p>One box for each animal, as tight as you can.</p></short-instructions>
  </crowd-bounding-box>
</crowd-form>"""
PARENT = """<!doctype html><meta charset="utf-8"><title>Portal</title>
<link rel="stylesheet" href="/page/theme.css">
<link rel="stylesheet" href="/page/portal.css">
<script type="module" src="/parent.js"></script>
<div id="portal"><div class="work"><div class="tasks"></div></div></div>"""
PARENT_SCRIPT = """
import {{ TaskFrame }} from "/page/portal/task_frame.js";
window.messages = [];
window.frame = new TaskFrame({{ task: "000000", page: "task" }}, {{
  onMessage: (message) => window.messages.push(message),
  onFailed: () => window.messages.push({{ type: "failed" }}),
  onSilent: () => window.messages.push({{ type: "silent" }}),
  first: () => ({first}),
}});
document.querySelector(".tasks").append(window.frame.root);
window.frame.show();
"""
DEADLINE_S = 60
HTML = "text/html; charset=utf-8"


def wait_for(page, holds, what=""):
    """What holds() returns, once it is true; the page goes on meanwhile. what: said where it never is."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        page.wait_for_timeout(20)
    return found


def area_of(shown):
    """Where it is on the screen, once what was done to it has been painted."""
    shown.element_handle().wait_for_element_state("stable")
    return shown.bounding_box()


def front_reply():
    return portal.page(Web.of({"requestContext": {"http": {"method": "GET"}}, "rawPath": "/", "headers": {}}))


class Site:
    """What requests are answered with.

    answers: by path of ORIGIN, (body, content type, headers). held: paths that wait until `release`.
    of_frames: what frames asked for, their own pages left out.
    """

    def __init__(self):
        self.answers = {}
        self.pictures = {}
        self.statuses = {}
        self.refused = []
        self.of_frames = []
        self.held = {}

    def serve(self, route):
        address = urlsplit(route.request.url)
        path = unquote(address.path)
        if not route.request.is_navigation_request() and route.request.frame.parent_frame:
            self.of_frames.append(route.request.url)
        if path in self.held:
            self.held[path].append(route)
            return None
        origin = f"{address.scheme}://{address.netloc}"
        if origin == PICTURES and path in self.pictures:
            headers = {"access-control-allow-origin": "*", "content-type": "image/png"}
            return route.fulfill(body=self.pictures[path], headers=headers)
        if origin == ORIGIN and path in self.answers:
            body, kind, headers = self.answers[path]
            status = self.statuses.get(path, 200)
            return route.fulfill(body=body, status=status, headers={"content-type": kind, **headers})
        if origin == ORIGIN and path.removeprefix("/page/") in files():  # what the portal's pages are made of
            kind = mimetypes.guess_type(path)[0]
            return route.fulfill(body=files()[path.removeprefix("/page/")], headers={"content-type": kind})
        if (origin, path) != (ORIGIN, "/"):
            self.refused.append(route.request.url)
            return route.abort()
        made = front_reply().response()
        # The portal's pages show pictures from S3, these from here.
        policy = made["headers"]["content-security-policy"].replace(front.S3, PICTURES)
        headers = made["headers"] | {"content-security-policy": policy}
        return route.fulfill(body=made["body"], status=made["statusCode"], headers=headers)

    def release(self, path):
        """Answer what is held of a path, and hold it no more."""
        for route in self.held.pop(path):
            self.serve(route)

    def put_task(self, template, labels, picture="/picture.png", path="/task", more=()):
        """more: members of `task.input` beside the picture and its labels, or instead of them."""
        given = worker_template.input_of(f"s3://bucket{picture}", tuple(labels)) | dict(more)
        shown = task_page(template, given, lambda uri: PICTURES + uri.removeprefix("s3://bucket"))
        policy = PAGE_POLICY.format(pictures=picture_sources(shown.links))
        self.answers[path] = (shown.html, HTML, {"content-security-policy": policy})

    def put_json(self, path, document, status=200):
        self.answers[path] = (json.dumps(document), "application/json", {})
        self.statuses[path] = status

    def put_parent(self, first):
        headers = front_reply().headers
        policy = headers["content-security-policy"]
        for kind in ("script", "style"):  # its own are files here
            policy = policy.replace(f"{kind}-src", f"{kind}-src 'self'")
        self.answers["/"] = (PARENT, HTML, headers | {"content-security-policy": policy})
        script = PARENT_SCRIPT.format(first=json.dumps(first))
        self.answers["/parent.js"] = (script, "text/javascript", {})


class Task:
    """A task on the screen. frame: its page."""

    def __init__(self, page, site, size):
        self.page, self.site, self.size = page, site, size
        self.frame = page.frame_locator("iframe.task")

    @property
    def inside(self):
        """The frame, for `evaluate`."""
        return next(frame for frame in self.page.frames if frame.parent_frame)

    def messages(self, kind):
        return [each for each in self.page.evaluate("() => window.messages") if each["type"] == kind]

    def await_message(self, kind):
        """The first message of a kind from the task's page."""

        def said():
            return f"no {kind}: {self.page.evaluate('() => window.messages')}"

        return wait_for(self.page, lambda: self.messages(kind), said)[0]

    def submit(self):
        """Press Submit; the whole answer."""
        self.frame.get_by_role("button", name="Submit", exact=True).click()
        return self.await_message("answer")["answer"]

    def submitted_boxes(self):
        """Press Enter; (label, left, top, width, height) of each box."""
        self.page.keyboard.press("Enter")
        (answer,) = (
            value for value in self.await_message("answer")["answer"].values() if "boundingBoxes" in value
        )
        return [tuples(box) for box in answer["boundingBoxes"]]

    def boxes(self):
        """What is drawn now."""
        drawn = "box => box.drawing.plain()"
        return [tuples(box) for box in self.frame.locator("crowd-bounding-box").evaluate(drawn)]

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)


def tuples(box):
    return (box["label"], box["left"], box["top"], box["width"], box["height"])
