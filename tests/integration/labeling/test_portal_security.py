"""What keeps the portal's sessions, links and logs: docs/security.md says which item each is."""

import hashlib
import time

import pytest
import urllib3

from adapters.sessions import IDLE_S, LIFETIME_S, Sessions
from adapters.table import Table
from integration.labeling.conftest import PASSWORD, TEMPORARY
from integration.labeling.test_portal import first_task, raw
from local_stack import wait_for
from truthmill_cli.simulation import PortalClient

LOGS = "/aws/lambda/truthmill-labeling-Portal"


@pytest.fixture
def sessions(stack):
    return Sessions(Table(stack.client("dynamodb"), stack.outputs["TableName"]))


def test_a_session_ends_after_twelve_hours(sessions):
    begun, cookie = sessions.begin("somebody", "somebody", "a@example.com", 1_000)
    for now in range(1_000, 1_000 + LIFETIME_S, IDLE_S - 1):
        assert sessions.find(cookie, now) == begun
    assert sessions.find(cookie, 1_000 + LIFETIME_S - 1) == begun
    assert sessions.find(cookie, 1_000 + LIFETIME_S) is None
    assert LIFETIME_S == 12 * 3600


def test_a_session_ends_after_half_an_hour_in_which_nobody_did_anything(sessions):
    """What a page asks for by itself is no sign of anybody; nor is what is done noted more than needed."""
    begun, cookie = sessions.begin("idle", "idle", "a@example.com", 1_000)
    assert sessions.find(cookie, 1_000 + 299) == begun
    (item,) = sessions.table.query("WORKER#idle", "SESSION#")
    assert item["seen"] == 1_000
    assert sessions.find(cookie, 2_000) == begun
    assert sessions.find(cookie, 2_000 + IDLE_S - 1, idle=True) == begun
    assert sessions.find(cookie, 2_000 + IDLE_S) is None
    assert IDLE_S == 30 * 60


def test_what_a_page_asks_by_itself_does_not_keep_a_session(stack, sessions, team):
    worker = team.worker()
    (item,) = sessions.table.query(f"WORKER#{worker.cookie.partition('=')[2].partition('.')[0]}", "SESSION#")
    long_ago = int(time.time()) - IDLE_S + 60
    sessions.table.put(item | {"seen": long_ago})
    asked = raw(stack, "api/jobs", "GET", cookie=worker.cookie, **{"x-truthmill-idle": "1"})
    assert asked.status == 200
    assert sessions.table.get((item["pk"], item["sk"]))["seen"] == long_ago
    assert raw(stack, "api/jobs", "GET", cookie=worker.cookie).status == 200
    assert sessions.table.get((item["pk"], item["sk"]))["seen"] > long_ago
    sessions.table.put(item | {"seen": int(time.time()) - IDLE_S})
    assert raw(stack, "api/jobs", "GET", cookie=worker.cookie).status == 401


def test_the_table_keeps_a_digest_of_a_session_only(sessions):
    _, cookie = sessions.begin("nobody", "nobody", "a@example.com", int(time.time()))
    secret = cookie.partition(".")[2]
    assert len(secret) == 43  # 256 bits in base64
    (item,) = sessions.table.query("WORKER#nobody", "SESSION#")
    assert item["sk"] == "SESSION#" + hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(item)


def test_a_session_in_the_address_is_no_session(stack, team):
    name, _, value = team.worker().cookie.partition("=")
    assert raw(stack, f"api/session?{name}={value}", "GET").status == 401
    assert raw(stack, "api/session", "GET", cookie=f"{name}={value}").status == 200


def test_a_link_reads_one_picture_for_fifteen_minutes(team):
    worker, job = team.worker(), team.running_job(2)
    link = first_task(worker, job)["picture"]
    assert urllib3.request("GET", link).status == 200
    assert "X-Amz-Expires=900&" in link
    names = ("0.png", "1.png") if "/0.png?" in link else ("1.png", "0.png")
    assert urllib3.request("GET", link.replace(*names)).status == 403
    assert urllib3.request("GET", link.replace("X-Amz-Expires=900", "X-Amz-Expires=9000")).status == 403
    assert urllib3.request("GET", link.partition("?")[0]).status == 403


def test_no_other_origin_may_read_an_answer(stack, team):
    worker = team.worker()
    for method in ("GET", "OPTIONS"):
        answer = urllib3.request(
            method,
            stack.portal + "api/session",
            headers={
                "cookie": worker.cookie,
                "origin": "https://evil.example",
                "access-control-request-method": "GET",
            },
        )
        assert "https://evil.example" not in str(answer.headers.get("access-control-allow-origin"))
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers.get("cross-origin-resource-policy", "same-origin") == "same-origin"


def test_no_secret_is_logged(stack, team):
    credentials = team.invite("logged@example.com")
    client = PortalClient(stack.portal)
    client.sign_in(credentials)
    wrong = "A wrong passw0rd that is unlike others"
    raw(stack, "api/sign-in", body=b'{"username": "logged@example.com", "password": "%s"}' % wrong.encode())
    secret = client.cookie.partition("=")[2].partition(".")[2]
    logs = stack.client("logs").get_paginator("filter_log_events")

    def look():
        pages = logs.paginate(logGroupName=LOGS)
        text = "".join(event["message"] for page in pages for event in page["events"])
        return text if "Sign-in refused" in text and '"sign_in"' in text.replace("'", '"') else ""

    text = wait_for(look, "both sign-ins in the portal's log")
    for private in (wrong, PASSWORD, TEMPORARY, secret):
        assert private not in text
