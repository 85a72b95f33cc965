"""The way of a worker through the portal's API, and the ways that are closed."""

import json
import re
import secrets
import time

import pytest
import urllib3

from adapters.addresses import for_browsers
from adapters.sessions import WINDOW_S
from integration.labeling.conftest import PASSWORD, TEMPLATE, TEMPORARY
from labeling_builders import answer_of
from truthmill_cli.simulation import PortalClient, PortalRefusedError, read_element


def refused(status, code):
    return pytest.raises(PortalRefusedError, check=lambda error: (error.status, error.code) == (status, code))


def code_of(ask):
    """Of the portal's refusal; empty where it doesn't refuse."""
    try:
        ask()
    except PortalRefusedError as error:
        return error.code
    return ""


def in_one_window(tries):
    """What `tries` finds for a name, with no end of a window of 15 minutes meanwhile: that counts anew."""
    while True:
        window = int(time.time()) // WINDOW_S
        found = tries(f"guessed-{secrets.token_hex(8)}")
        if int(time.time()) // WINDOW_S == window:
            return found


def first_task(worker, job):
    (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
    return task


def test_the_first_sign_in_asks_for_a_new_password(stack, team):
    credentials = team.invite("first@example.com")
    client = PortalClient(stack.portal)
    given = {"username": credentials.email, "password": TEMPORARY}
    challenge = client.post("api/sign-in", given)["challenge"]
    assert challenge["name"] == "NewPasswordRequired"
    assert challenge["passwordRules"][0] == "at least 12 characters"
    with refused(401, "SignedOut"):
        client.get("api/session")
    answer = {"username": challenge["username"], "session": challenge["session"]}
    with refused(422, "PasswordRefused"):
        client.post("api/new-password", answer | {"password": "short"})
    user = {"user": {"email": "first@example.com", "lead": False}}
    assert client.post("api/new-password", answer | {"password": PASSWORD}) == user
    assert client.get("api/session") == user
    with refused(401, "SignInRefused"):
        PortalClient(stack.portal).post("api/sign-in", given)


def test_a_refusal_tells_a_stranger_nothing_about_who_has_an_account(stack, team):
    team.invite("known@example.com")
    said = []
    for email in ("known@example.com", "unknown@example.com"):
        with refused(401, "SignInRefused") as caught:
            PortalClient(stack.portal).post("api/sign-in", {"username": email, "password": "Wrong passw0rd"})
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_too_many_tries_are_refused_for_a_while(stack):
    client = PortalClient(stack.portal)

    def tries(name):
        wrong = {"username": f"{name}@example.com", "password": "Wrong passw0rd"}
        return [code_of(lambda: client.post("api/sign-in", wrong)) for _ in range(11)]

    assert in_one_window(tries) == ["SignInRefused"] * 10 + ["TooManyTries"]


def test_signing_in_rightly_is_never_too_often(stack, team):
    credentials = team.invite("often@example.com")
    PortalClient(stack.portal).sign_in(credentials)
    for _ in range(12):
        PortalClient(stack.portal).post("api/sign-in", {"username": credentials.email, "password": PASSWORD})


def test_a_workers_day(stack, team):
    worker = team.worker()
    assert worker.get("api/jobs") == {"jobs": [], **worker.get("api/session")}
    job = team.running_job(2)
    (listed,) = worker.get("api/jobs")["jobs"]
    assert (listed["job"], listed["title"], listed["remaining"]) == (job, "Pets", 2)
    assert (listed["labels"], listed["timeLimitSeconds"], listed["answeredByMe"]) == (["cat", "dog"], 600, 0)
    assert listed["secondsEach"] is None

    task = first_task(worker, job)
    assert first_task(worker, job)["task"] == task["task"]
    element = read_element(worker.page(task["page"]))
    assert json.loads(element["labels"]) == ["cat", "dog"]
    assert worker.fetch(element["src"]) == stack.read(f"s3://{stack.bucket}/{job}/{task['objectName']}")

    path = f"api/jobs/{job}/tasks/{task['task']}"
    worker.post(f"{path}/extend", {})
    assert worker.post(f"{path}/answer", answer_of(("cat", 1, 2, 30, 40))) == {"accepted": True}
    assert worker.post(f"{path}/answer", answer_of(("cat", 1, 2, 30, 40))) == {"accepted": True}
    with refused(409, "AlreadyAnswered"):
        worker.post(f"{path}/answer", answer_of(("dog", 1, 2, 30, 40)))
    (listed,) = worker.get("api/jobs")["jobs"]
    assert (listed["remaining"], listed["answeredByMe"]) == (1, 1)
    assert 0 < listed["secondsEach"] < 60

    other = first_task(worker, job)
    assert other["task"] != task["task"]
    worker.post(f"api/jobs/{job}/tasks/{other['task']}/answer", answer_of())
    assert worker.post(f"api/jobs/{job}/tasks", {})["tasks"] == []
    team.wait_for(job, "Completed")
    assert worker.get("api/jobs")["jobs"] == []
    worker.post("api/sign-out", {})
    with refused(401, "SignedOut"):
        worker.get("api/jobs")


def test_the_next_task_can_be_taken_ahead(team):
    worker, job = team.worker(), team.running_job(3)
    first = first_task(worker, job)
    both = worker.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]
    assert both[0]["task"] == first["task"]
    worker.post(f"api/jobs/{job}/tasks/{first['task']}/answer", answer_of())
    assert first_task(worker, job)["task"] == both[1]["task"]
    with refused(422, "Invalid"):
        worker.post(f"api/jobs/{job}/tasks", {"count": 3})


def test_tasks_bring_the_job_and_the_worker_along_where_that_is_asked_for(team):
    worker, job = team.worker(), team.running_job(3)
    path = f"api/jobs/{job}/tasks"
    assert worker.post(path, {"count": 2}).keys() == {"tasks", "jobStatus"}
    (listed,) = worker.get("api/jobs")["jobs"]
    held = worker.post(path, {"count": 2, "job": True})
    assert held["job"] == listed
    assert held["user"] == worker.get("api/session")["user"]
    assert [task["task"] for task in held["tasks"]] == [
        task["task"] for task in worker.post(path, {"count": 2})["tasks"]
    ]


def test_an_answer_brings_the_next_tasks_along(team):
    worker, job = team.worker(), team.running_job(3)
    held = worker.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]
    path = f"api/jobs/{job}/tasks"
    answer = answer_of() | {"next": 2}
    answered = worker.post(f"{path}/{held[0]['task']}/answer", answer)
    assert answered["accepted"]
    assert answered["tasks"][0]["task"] == held[1]["task"]
    assert len({held[0]["task"], *(task["task"] for task in answered["tasks"])}) == 3
    again = worker.post(f"{path}/{held[0]['task']}/answer", answer)
    assert [task["task"] for task in again["tasks"]] == [task["task"] for task in answered["tasks"]]
    declined = worker.post(f"{path}/{held[1]['task']}/decline", {"reason": "dark", "next": 1})
    assert [task["task"] for task in declined["tasks"]] == [answered["tasks"][1]["task"]]
    with refused(422, "Invalid"):
        worker.post(f"{path}/{declined['tasks'][0]['task']}/answer", answer_of() | {"next": 3})
    last = worker.post(f"{path}/{declined['tasks'][0]['task']}/answer", answer)
    assert last == {"accepted": True, "tasks": [], "jobStatus": "InProgress"}


def test_a_declined_task_goes_to_somebody_else(team):
    ann, ben, job = team.worker(), team.worker(), team.running_job(1, **{
        "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2
    })  # fmt: skip
    task = first_task(ann, job)
    ann.post(f"api/jobs/{job}/tasks/{task['task']}/decline", {"reason": "too dark"})
    assert ann.post(f"api/jobs/{job}/tasks", {})["tasks"] == []
    assert first_task(ben, job)["task"] == task["task"]
    ben.post(f"api/jobs/{job}/tasks/{task['task']}/decline", {"reason": "too dark"})
    described = team.wait_for(job, "Completed")
    assert described["LabelCounters"]["FailedNonRetryableError"] == 1


def test_a_released_task_goes_back(team):
    ann, ben, job = team.worker(), team.worker(), team.running_job(1)
    task = first_task(ann, job)
    assert ben.post(f"api/jobs/{job}/tasks", {})["tasks"] == []
    ann.post(f"api/jobs/{job}/tasks/{task['task']}/release", {})
    assert first_task(ben, job)["task"] == task["task"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (answer_of(("cow", 1, 2, 3, 4)), "labels are 'cat', 'dog'"),
        (answer_of(("cat", 199, 2, 3, 4)), "inside the picture"),
        (answer_of(("cat", 1, 2, 300, 4), width=400), "the picture has 200 x 100"),
        ({"answer": {"boundingBox": 1}}, "bounding-box element"),
        ({}, "not an object"),
    ],
)
def test_an_answer_that_is_wrong_is_refused_and_the_task_stays(team, given, says):
    worker, job = team.worker(), team.running_job(1)
    path = f"api/jobs/{job}/tasks/{first_task(worker, job)['task']}"
    with pytest.raises(PortalRefusedError, match=says) as caught:
        worker.post(f"{path}/answer", given)
    assert (caught.value.status, caught.value.code) == (422, "AnswerInvalid")
    assert worker.post(f"{path}/answer", answer_of()) == {"accepted": True}


def test_who_is_not_in_the_team_finds_nothing(stack, team):
    job, member = team.running_job(2), team.worker()
    task = first_task(member, job)
    stranger = team.worker()
    pool = stack.outputs["UserPoolId"]
    email = stranger.get("api/session")["user"]["email"]
    stack.cognito.admin_remove_user_from_group(UserPoolId=pool, Username=email, GroupName=team.name)
    assert stranger.get("api/jobs")["jobs"] == []
    path = f"api/jobs/{job}/tasks"
    for method, route, document in [
        ("post", path, {}),
        ("get", f"{path}/{task['task']}", None),
        ("page", f"{path}/{task['task']}/page", None),
        ("post", f"{path}/{task['task']}/answer", answer_of()),
        ("post", f"{path}/{task['task']}/decline", {"reason": "x"}),
        ("post", f"{path}/{task['task']}/release", {}),
        ("post", f"{path}/{task['task']}/extend", {}),
        ("post", "api/jobs/nobody-made-this/tasks", {}),
    ]:
        with refused(404, "NoSuchJob"):
            getattr(stranger, method)(route, *([document] if document is not None else []))


def test_a_disabled_worker_finds_nothing(stack, team):
    job, worker = team.running_job(1), team.worker()
    email = worker.get("api/session")["user"]["email"]
    stack.cognito.admin_disable_user(UserPoolId=stack.outputs["UserPoolId"], Username=email)
    with refused(404, "NoSuchJob"):
        worker.post(f"api/jobs/{job}/tasks", {})


def test_a_task_that_another_holds_is_not_shown(team):
    ann, ben, job = team.worker(), team.worker(), team.running_job(1)
    task = first_task(ann, job)
    for route in (f"api/jobs/{job}/tasks/{task['task']}", task["page"]):
        with refused(404, "NotYours"):
            ben.page(route)
    with refused(404, "NotYours"):
        ben.post(f"api/jobs/{job}/tasks/{task['task']}/extend", {})
    with refused(409, "TaskTaken"):
        ben.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of())


def test_signing_out_ends_every_session(stack, team):
    credentials = team.invite("everywhere@example.com")
    here, there = PortalClient(stack.portal), PortalClient(stack.portal)
    here.sign_in(credentials)
    there.post("api/sign-in", {"username": credentials.email, "password": PASSWORD})
    assert here.cookie != there.cookie
    here.post("api/sign-out", {})
    with refused(401, "SignedOut"):
        there.get("api/session")


def test_signing_in_again_changes_the_session(stack, team):
    credentials = team.invite("rotates@example.com")
    client = PortalClient(stack.portal)
    client.sign_in(credentials)
    before = client.cookie
    client.post("api/sign-in", {"username": credentials.email, "password": PASSWORD})
    assert client.cookie != before
    old = PortalClient(stack.portal)
    old.cookie = before
    with refused(401, "SignedOut"):
        old.get("api/session")


def raw(stack, path, method="POST", body=b"{}", **headers):
    given = {"content-type": "application/json", "x-truthmill": "1"} | {
        name.replace("_", "-"): value for name, value in headers.items() if value is not None
    }
    given = {name: value for name, value in given.items() if value}
    return urllib3.request(
        method, stack.portal + path, body=body if method == "POST" else None, headers=given
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"x_truthmill": ""}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://abc.lambda-url.us-east-1.on.aws"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "same-origin"}, 401),
    ],
)
def test_what_another_sites_page_could_send_is_refused(stack, headers, status):
    assert raw(stack, "api/jobs/x/tasks", **headers).status == status


def test_the_portals_own_origin_is_taken(stack):
    own = stack.endpoint
    assert raw(stack, "api/jobs/x/tasks", origin=own).status == 401
    assert raw(stack, "api/jobs/x/tasks", origin=stack.outputs["PortalUrl"].rstrip("/")).status == 401


def test_the_cookie_is_for_this_site_and_not_for_scripts(stack, team):
    credentials = team.invite("cookie@example.com")
    PortalClient(stack.portal).sign_in(credentials)
    body = json.dumps({"username": credentials.email, "password": PASSWORD}).encode()
    set_cookie = raw(stack, "api/sign-in", body=body).headers["set-cookie"]
    assert set(set_cookie.split("; ")[1:]) == {"Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"}


SHORT = {"username": "nobody@example.com", "password": "A passw0rd of theirs"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "api/nothing", b"", 404),
        ("GET", "api/sign-in", b"", 405),
        ("POST", "api/jobs", b"{}", 405),
        ("POST", "api/sign-in", b"not json", 400),
        ("POST", "api/sign-in", b"[]", 400),
        ("POST", "api/sign-in", b'{"username": 7}', 422),
        ("POST", "api/sign-in", b" " * 1_000_001, 413),
        ("GET", "api/jobs/..%2Fx/tasks/1", b"", 404),
        # Too short for the user pool to be asked.
        ("POST", "api/new-password", SHORT | {"session": "x"}, 401),
        ("POST", "api/reset-password", SHORT | {"code": "   "}, 401),
    ],
)
def test_odd_requests_get_an_answer(stack, method, path, body, status):
    answer = raw(stack, path, method, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert answer.status == status
    assert answer.json()["error"]["message"]


def test_signing_in_with_an_odd_cookie_from_before_is_signing_in(stack, team):
    worker = team.invite("odd-cookie@example.com")
    PortalClient(stack.portal).sign_in(worker)
    body = json.dumps({"username": worker.email, "password": PASSWORD}).encode()
    for before in ("a" * 3_000 + ".b", "a." + "b" * 3_000, ".", "x"):
        assert raw(stack, "api/sign-in", body=body, cookie=f"truthmill-session={before}").status == 200


def test_every_answer_has_the_headers_that_protect_it(stack, team):
    for path in ("", "api/session"):
        headers = raw(stack, path, "GET").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
    worker, job = team.worker(), team.running_job(1)
    page = raw(stack, first_task(worker, job)["page"], "GET", cookie=worker.cookie)
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in page.headers["content-security-policy"]


def test_a_template_is_tried_as_a_worker_will_see_it(stack, team):
    worker, job = team.worker(), team.running_job(1)
    task = first_task(worker, job)
    seen = worker.page(task["page"])
    picture = f"s3://{stack.bucket}/{job}/{task['objectName']}"
    task_input = json.dumps({"taskObject": picture, "labels": ["cat", "dog"]})
    tried = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": TEMPLATE},
        Task={"Input": task_input},
        RoleArn="arn:aws:iam::111122223333:role/x",
    )
    assert tried["Errors"] == []
    address = stack_portal(stack).rstrip("/")

    def without_signature(page):
        return re.sub(r"\?[^\"]*X-Amz-[^\"]*", "", page)

    assert without_signature(tried["RenderedContent"]).replace(address, "") == without_signature(seen)
    assert worker.fetch(read_element(tried["RenderedContent"])["src"]) == stack.read(picture)


def stack_portal(stack):
    """The portal's address as a browser has it."""
    return for_browsers(stack.outputs["PortalUrl"], stack.endpoint)


def test_a_template_that_is_broken_comes_back_with_line_and_cause(stack):
    tried = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": "one\n{{ task.input.x | nope }}"},
        Task={"Input": "{}"},
        RoleArn="arn:aws:iam::111122223333:role/x",
    )
    assert tried["Errors"] == [
        {"Code": "InvalidTemplate", "Message": "Line 2, column 19: unknown filter 'nope'."}
    ]
    wrong = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": "x"}, Task={"Input": "[1]"}, RoleArn="arn:aws:iam::111122223333:role/x"
    )
    assert [error["Code"] for error in wrong["Errors"]] == ["InvalidTaskInput"]


def test_what_a_workers_page_would_lack_comes_back_beside_the_page(stack):
    tried = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": "<crowd-form>\n<crowd-polygon name='p'></crowd-polygon></crowd-form>"},
        Task={"Input": "{}"},
        RoleArn="arn:aws:iam::111122223333:role/x",
    )
    (error,) = tried["Errors"]
    assert error["Code"] == "UnusableTemplate"
    assert error["Message"].startswith("Line 2, column 1: <crowd-polygon> isn't known here")
    assert "<crowd-polygon name='p'>" in tried["RenderedContent"]


def test_a_tasks_page_loads_its_own_picture_and_nothing_else(stack, team):
    worker, job = team.worker(), team.running_job(1)
    task = first_task(worker, job)
    page = raw(stack, task["page"], "GET", cookie=worker.cookie)
    sources = re.search(r"img-src ([^;]+);", page.headers["content-security-policy"])[1].split()
    assert sources == [task["picture"].partition("?")[0], "data:", "blob:"]
