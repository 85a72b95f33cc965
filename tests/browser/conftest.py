"""A real browser on the portal of the deployed stack. The browser is the machine's Chromium."""

import io
import json
import os
import time
from itertools import count
from pathlib import Path

import pytest
import system_chromium
from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from browser.sandbox import ORIGIN, TEMPLATE, Site, Task, area_of
from integration.labeling.conftest import CREDENTIALS, STACK, Stack, Team

PATIENCE_MS = 60_000  # the page itself gives a request 35 s, and asks again 3 s later
PASSWORD = "Their own passw0rd"
SIZE = (320, 240)

_numbers = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # With the deployed stack: in its group (tests/conftest.py), which deploys it once. Others by
            # their file, so that browsers are started some times and not for each test.
            if "local_stack" not in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def screens():
    """The browser on a screen with so many pixels for one of CSS; a context says the same once more.

    A task's frame is a process of its own and hears nothing of what a context makes believe.
    """
    if system_chromium.PATH is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("Chromium is missing: run `make chromium`, or install your system's package.")
    browsers = {}
    with sync_playwright() as playwright:

        def of(ratio):
            if ratio not in browsers:
                arguments = [*system_chromium.ARGUMENTS, f"--force-device-scale-factor={ratio}"]
                browsers[ratio] = playwright.chromium.launch(
                    executable_path=system_chromium.PATH, args=arguments
                )
            return browsers[ratio]

        yield of
        for browser in browsers.values():
            browser.close()


@pytest.fixture(scope="session")
def chromium(screens):
    """The browser, which all tests share; each has a context of its own."""
    return screens(1)


@pytest.fixture(scope="session")
def stack(local_stack):
    """The labeling stack, as an administrator sees it."""
    endpoint = local_stack.deployed.endpoint
    formation = Stack(endpoint, local_stack.deployed.bucket, {}).client("cloudformation")
    (described,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    return Stack(endpoint, local_stack.deployed.bucket, outputs)


@pytest.fixture
def team(stack, monkeypatch):
    """A team of this test's own."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": stack.endpoint}.items():
        monkeypatch.setenv(name, value)
    name = f"browser-team-{next(_numbers)}"
    pool, client = stack.outputs["UserPoolId"], stack.outputs["UserPoolClientId"]
    stack.cognito.create_group(UserPoolId=pool, GroupName=name)
    member = {"UserPool": pool, "UserGroup": name, "ClientId": client}
    stack.sagemaker.create_workteam(
        WorkteamName=name,
        Description="A team of the browser's tests",
        MemberDefinitions=[{"CognitoMemberDefinition": member}],
    )
    return Team(stack, name)


@pytest.fixture
def open_page(screens, local_stack):
    """Opens the portal in a browser of its own; whatever a page logs as an error fails the test."""
    contexts, errors = [], []

    def open_(*, state=None, **options):
        browser = screens(options.get("device_scale_factor", 1))
        context = browser.new_context(storage_state=state, **({"locale": "en-GB"} | options))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(local_stack.deployed.portal)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def open_task(screens):
    """Opens a task's page in its sandbox, without a deployed stack; an error that it logs fails the test."""
    contexts, errors = [], []

    def open_(
        template=TEMPLATE,
        *,
        size=SIZE,
        picture=None,
        labels=("cat", "dog"),
        more=(),
        first=None,
        wait=True,
        **options,
    ):
        context = screens(options.get("device_scale_factor", 1)).new_context(
            **({"locale": "en-GB"} | options)
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        site = Site()
        site.pictures["/picture.png"] = a_picture(size=size) if picture is None else picture
        site.put_task(template, labels, more=more)
        site.put_parent({"labels": list(labels), "label": "", **(first or {})})
        context.route("**/*", site.serve)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(ORIGIN)
        if wait:
            task_of(page)
        return Task(page, site, size)

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def worker(team, open_page):
    """The session of a worker of the team who is signed in, for `open_page(state=…)`."""
    credentials = team.invite(f"browser-{next(_numbers)}@example.com")
    team.stack.cognito.admin_set_user_password(
        UserPoolId=team.stack.outputs["UserPoolId"],
        Username=credentials.email,
        Password=PASSWORD,
        Permanent=True,
    )
    page = open_page()
    sign_in(page, credentials.email, PASSWORD)
    page.get_by_role("heading", name="Your jobs").wait_for()
    return page.context.storage_state()


def sign_in(page, email, password):
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def a_picture(*boxes, size=SIZE):
    """PNG with a filled rectangle for each box: left, top, width, height."""
    picture = Image.new("RGB", size, (70, 90, 80))
    draw = ImageDraw.Draw(picture)
    for left, top, width, height in boxes:
        draw.rectangle((left, top, left + width - 1, top + height - 1), fill=(230, 200, 60))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def a_job(team, pictures, **changes):
    """Name of a job under way over these pictures, in this order."""
    name = f"browser-job-{next(_numbers)}"
    uris = [team.stack.put(f"{name}/{number}.png", picture) for number, picture in enumerate(pictures)]
    manifest = "".join(json.dumps({"source-ref": uri, "split": "train"}) + "\n" for uri in uris)
    job = team.create_job(manifest=manifest, LabelingJobName=name, **changes)
    team.wait_for(job, "InProgress")
    return job


def number_of_task(page):
    return int(page.locator("iframe.task:not(.ahead)").get_attribute("title").rpartition(" ")[2])


def task_of(page, after=None):
    """The frame of the task that is in sight, once its picture is there. after: number of the one before."""
    if after is not None:
        page.locator(f"iframe.task:not(.ahead):not([title$='{after:06}'])").wait_for()
    frame = page.frame_locator("iframe.task:not(.ahead)")
    shown = frame.locator("img.picture:not([hidden])")
    shown.wait_for()
    _wait_until_at_rest(shown)
    return frame


def _wait_until_at_rest(shown):
    """The picture is fitted into its place a moment after it is there; points count from where it rests."""
    places = []
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(places) < 5 or len({str(place) for place in places[-5:]}) > 1:
        assert time.monotonic() < deadline, f"the picture moves: {places[-5:]}"
        places.append(shown.bounding_box())
        shown.page.wait_for_timeout(40)


def start(page):
    page.get_by_role("button", name="Start working").click()
    return task_of(page)


def place(frame, x, y, size=SIZE):
    """Where a point of the picture is on the screen, once what a key did to it has been painted."""
    area = area_of(frame.locator("img.picture"))
    return area["x"] + x * area["width"] / size[0], area["y"] + y * area["height"] / size[1]


def draw(page, frame, box, size=SIZE):
    """Press, drag, release; box: left, top, width, height."""
    left, top, width, height = box
    page.mouse.move(*place(frame, left, top, size))
    page.mouse.down()
    page.mouse.move(*place(frame, left + width / 2, top + height / 2, size))
    page.mouse.move(*place(frame, left + width, top + height, size))
    page.mouse.up()


def output_of(team, job):
    """The boxes in the output manifest, by the number of their object: (label, left, top, width, height)."""
    described = team.wait_for(job, "Completed")
    lines = team.stack.read(described["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode().splitlines()
    found = {}
    for line in map(json.loads, lines):
        classes = line["bounding-box-metadata"]["class-map"]
        number = int(line["source-ref"].rpartition("/")[2].removesuffix(".png"))
        found[number] = [
            (classes[str(box["class_id"])], box["left"], box["top"], box["width"], box["height"])
            for box in line["bounding-box"]["annotations"]
        ]
    return found
