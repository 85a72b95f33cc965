"""Each page of the portal with contents as the API would give them, for what is looked at and not done:
accessibility and screenshots. What the API really answers is tested against the deployed stack.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import segno
from PIL import Image, ImageDraw

from browser.sandbox import PICTURES, Site

MOMENT, LATER = "2026-11-23T09:30:00.000Z", "2099-01-01T00:00:00.000Z"
RULES = [
    "at least 12 characters",
    "a lower case letter",
    "an upper case letter",
    "a digit",
    "no space at either end",
    "more than common words, years and rows of keys",
]
JOB = {
    "job": "pets-1",
    "title": "Cats and dogs in the park",
    "description": "Draw a box around each animal, also where only a part of it can be seen.",
    "keywords": ["pets"],
    "labels": ["cat", "dog", "bird"],
    "objects": 1200,
    "remaining": 431,
    "answeredByMe": 97,
    "secondsEach": 11.6,
    "workersPerObject": 1,
    "timeLimitSeconds": 600,
    "created": MOMENT,
}
TASK = {
    "job": "pets-1",
    "task": "000017",
    "leased": MOMENT,
    "expires": LATER,
    "labels": JOB["labels"],
    "objectName": "park.png",
    "picture": f"{PICTURES}/park.png",
    "page": "task",
}
TEMPLATE = """<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
   header="Draw a box around each animal" labels="{{ task.input.labels | to_json | escape }}"
   initial-value='[{"label": "cat", "left": 120, "top": 250, "width": 190, "height": 150},
     {"label": "dog", "left": 430, "top": 200, "width": 260, "height": 220}]'>
    <full-instructions header="Instructions"><p>Draw to the last visible pixel.</p></full-instructions>
    <short-instructions>
      <p>One box for each animal, as tight as you can.</p>
      <p>Include what sticks out: tails, ears and paws. Leave out shadows.</p>
    </short-instructions>
  </crowd-bounding-box>
</crowd-form>"""
TEAM_JOB = {
    **{name: JOB[name] for name in ("job", "title", "objects", "remaining", "labels", "created")},
    "status": "InProgress",
    "labeled": 766,
    "expired": 3,
    "answers": 769,
    "workersPerObject": 1,
}
MEMBERS = [
    {
        "member": "1",
        "email": "ann@example.com",
        "name": "Ann",
        "state": "active",
        "invited": MOMENT,
        "lead": True,
    },
    {
        "member": "2",
        "email": "ben@example.com",
        "name": "",
        "state": "invited",
        "invited": MOMENT,
        "lead": False,
    },
    {
        "member": "3",
        "email": "cem@example.com",
        "name": "",
        "state": "blocked",
        "invited": MOMENT,
        "lead": False,
    },
]
BOXES = [
    {"label": "cat", "left": 120, "top": 250, "width": 190, "height": 150},
    {"label": "dog", "left": 430, "top": 200, "width": 260, "height": 220},
]
MOVED = [{**box, "left": box["left"] + 9, "height": box["height"] - 8} for box in BOXES]


def park() -> bytes:
    """A drawn park of 800 x 560 pixels with a cat and a dog of sorts."""
    picture = Image.new("RGB", (800, 560), (150, 196, 226))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 260, 800, 560), fill=(112, 158, 92))
    for left, top, width, height in ((40, 60, 130, 230), (660, 30, 150, 250)):
        draw.rectangle(
            (left + width // 2 - 12, top + 90, left + width // 2 + 12, top + height), fill=(105, 77, 54)
        )
        draw.ellipse((left, top, left + width, top + 150), fill=(66, 118, 66))
    for box, fill in zip(BOXES, ((222, 160, 82), (126, 94, 72)), strict=True):
        left, top = box["left"], box["top"]
        width, height = box["width"], box["height"]
        draw.ellipse((left, top + height * 0.3, left + width * 0.8, top + height * 0.85), fill=fill)
        draw.ellipse((left + width * 0.6, top, left + width - 1, top + height * 0.5), fill=fill)
        for leg in (0.15, 0.3, 0.55, 0.68):
            x = left + width * leg
            draw.rectangle((x, top + height * 0.6, x + width * 0.06, top + height - 1), fill=fill)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class PortalPage:
    """address: below the portal's. shows: what is there once it is complete. steps: what is pressed first."""

    address: str
    shows: str
    answers: dict[str, Any]
    steps: Callable[[Any], None] = lambda _: None
    signed_in: bool = True


def _press(name: str, fill: dict[str, str]) -> Callable[[Any], None]:
    def press(page: Any) -> None:
        for field, value in fill.items():
            page.locator(f"#{field}").fill(value)
        page.locator(name).click()

    return press


def _key(key: str) -> Callable[[Any], None]:
    def press(page: Any) -> None:
        frame = page.frame_locator("iframe.task:not(.ahead)")
        frame.locator("img.picture:not([hidden])").wait_for()
        frame.get_by_test_id("stage").press(key)

    return press


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ADDRESS = f"otpauth://totp/Truthmill:ann@example.com?secret={SECRET}&issuer=Truthmill"
_QR = ["".join(map(str, row)) for row in segno.make(ADDRESS, error="m", micro=False).matrix]
_SET_UP = {
    "challenge": {"name": "SetUpSecondFactor", "handle": "h", "secret": SECRET, "address": ADDRESS, "qr": _QR}
}
_SIGN_IN = {"email": "ann@example.com", "password": "from the letter"}
_CHALLENGE = {
    "challenge": {"name": "NewPasswordRequired", "username": "x", "session": "y", "passwordRules": RULES}
}
USER = {"email": "ann@example.com", "lead": False}
HELD = {"tasks": [TASK], "jobStatus": "InProgress", "job": JOB, "user": USER}
_WORK = {"jobs": {"jobs": [JOB], "user": USER}, "jobs/pets-1/tasks": HELD}
_TEAM = {
    "lead/teams": {"teams": [{"team": "annotators", "description": "Who draws the boxes"}]},
    "lead/teams/annotators": {
        "team": "annotators",
        "description": "Who draws the boxes",
        "members": MEMBERS,
        "jobs": [TEAM_JOB],
    },
    "lead/jobs/pets-1": {
        "job": TEAM_JOB,
        "sampled": 766,
        "workers": [
            {
                "member": "1",
                "email": "ann@example.com",
                "answered": 540,
                "declined": 2,
                "holds": 2,
                "medianSeconds": 8.4,
                "agreement": 0.93,
            },
            {
                "member": "2",
                "email": "",
                "answered": 229,
                "declined": 0,
                "holds": 0,
                "medianSeconds": 11.0,
                "agreement": None,
            },
        ],
    },
    "lead/jobs/pets-1/objects": {
        "objects": [
            {"object": "000000", "objectName": "park.png", "state": "labeled", "answers": 2, "declined": []},
            {
                "object": "000001",
                "objectName": "street.png",
                "state": "open",
                "answers": 0,
                "declined": [{"member": "2", "email": "", "reason": "too dark"}],
            },
        ],
        "next": 2,
    },
    "lead/jobs/pets-1/objects/000000": {
        "object": "000000",
        "objectName": "park.png",
        "state": "labeled",
        "labels": JOB["labels"],
        "picture": f"{PICTURES}/park.png",
        "size": {"width": 800, "height": 560},
        "answers": [
            {"member": "1", "email": "ann@example.com", "submitted": MOMENT, "seconds": 8.1, "boxes": BOXES},
            {"member": "2", "email": "ben@example.com", "submitted": MOMENT, "seconds": 9.6, "boxes": MOVED},
        ],
        "merged": BOXES,
    },
}
DEAD_END = "iframe.task:not(.ahead)"
PORTAL_PAGES = {
    "sign-in": PortalPage("", "form", {}, signed_in=False),
    "new-password": PortalPage(
        "", "#rules", {"sign-in": _CHALLENGE}, _press("button.primary", _SIGN_IN), False
    ),
    "forgotten-password": PortalPage("", "#email", {}, _press("form .note button", {}), False),
    "reset-password": PortalPage(
        "",
        "#code",
        {"forgotten-password": {"sent": True, "passwordRules": RULES}},
        lambda page: (
            _press("form .note button", {})(page),
            _press("button.primary", {"email": "ann@example.com"})(page),
        ),
        False,
    ),
    "code": PortalPage(
        "",
        "#code",
        {"sign-in": {"challenge": {"name": "CodeRequired", "handle": "h"}}},
        _press("button.primary", _SIGN_IN),
        False,
    ),
    "second-factor-required": PortalPage(
        "", ".qr", {"sign-in": _SET_UP}, _press("button.primary", _SIGN_IN), False
    ),
    "account": PortalPage("#/account", "#password", {"second-factor": {"on": False, "required": False}}),
    "account-on": PortalPage("#/account", ".card h1", {"second-factor": {"on": True, "required": False}}),
    "jobs": PortalPage("", ".job", {"jobs": {"jobs": [JOB], "user": USER}}),
    "no-jobs": PortalPage("", ".empty", {"jobs": {"jobs": [], "user": USER}}),
    "task": PortalPage("#/work/pets-1", DEAD_END, _WORK, _key("n")),
    "keys": PortalPage("#/work/pets-1", DEAD_END, _WORK, _key("?")),
    "skip": PortalPage("#/work/pets-1", DEAD_END, _WORK, _key("s")),
    "done": PortalPage("#/work/pets-1", ".empty", _WORK | {"jobs/pets-1/tasks": {**HELD, "tasks": []}}),
    "team": PortalPage("#/lead", "table", _TEAM),
    "team-job": PortalPage("#/lead/job/pets-1", "table", _TEAM),
    "team-object": PortalPage("#/lead/job/pets-1/000000", ".object img", _TEAM),
}


def site_of(shown: PortalPage) -> Site:
    """What answers the requests of a page."""
    site = Site()
    site.pictures["/park.png"] = park()
    site.put_task(TEMPLATE, JOB["labels"], "/park.png")
    for path, document in shown.answers.items():
        site.put_json(f"/api/{path}", document)
    if shown.signed_in:
        site.put_json("/api/session", {"user": {"email": "ann@example.com", "lead": "lead" in shown.address}})
    else:
        for path in ("/api/session", "/api/jobs"):
            site.put_json(path, {"error": {"code": "SignedOut", "message": ""}}, 401)
    return site


def show(page: Any, name: str, origin: str) -> None:
    """Bring a page of the portal onto the screen. Its context has been given `site_of(…).serve`."""
    shown = PORTAL_PAGES[name]
    page.goto(f"{origin}/{shown.address}")
    if not shown.signed_in:
        page.locator("form").wait_for()
    shown.steps(page)
    page.locator(shown.shows).first.wait_for()
    if shown.shows == DEAD_END:
        page.frame_locator(shown.shows).locator("img.picture:not([hidden])").wait_for()
    page.wait_for_timeout(150)  # a frame or two, for what is painted after it is there
