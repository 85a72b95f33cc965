"""The portal's answers where there is TLS, and what the pool is told."""

import base64
import gzip
import hashlib
import json
import re

import pytest
from write_docs import template

from labeling import portal
from labeling.web import Reply, cookie

EVENT = {
    "rawPath": "/api/session",
    "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}, "requestId": "r"},
    "headers": {"cookie": "__Host-truthmill-session=abc.def"},
}


@pytest.fixture
def tls(monkeypatch):
    """As on AWS."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.usefixtures("tls")
def test_with_tls_the_cookie_is_held_to_its_host():
    name, *attributes = cookie("value", 60).split("; ")
    assert name == "__Host-truthmill-session=value"
    assert set(attributes) == {"Path=/", "Max-Age=60", "HttpOnly", "SameSite=Strict", "Secure"}


@pytest.mark.usefixtures("tls")
def test_with_tls_browsers_are_told_to_stay_with_it():
    headers = Reply(document={}).response()["headers"]
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("camera=()")


def test_a_failure_says_nothing_of_the_inside(monkeypatch):
    monkeypatch.delenv("TABLE_NAME", raising=False)
    portal.portal_account.table.cache_clear()
    answer = portal.handler(EVENT, None)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {
        "error": {"code": "Failed", "message": "Something went wrong here. Try again in a moment."}
    }


def test_accounts_are_made_by_invitation_with_passwords_of_12_characters():
    resources = template("labeling/template.yaml")["Resources"]
    pool, client = (resources[name]["Properties"] for name in ("UserPool", "UserPoolClient"))
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    policy = pool["Policies"]["PasswordPolicy"]
    assert (policy["MinimumLength"], policy["TemporaryPasswordValidityDays"]) == (12, 7)
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["ExplicitAuthFlows"] == ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]


def test_a_page_is_packed_for_those_who_take_it():
    plain, packed = (Reply(page="<p>Größe</p>").response(gzipped=gzipped) for gzipped in (False, True))
    assert (plain["body"], plain["isBase64Encoded"]) == ("<p>Größe</p>", False)
    assert (packed["headers"]["content-encoding"], packed["isBase64Encoded"]) == ("gzip", True)
    assert gzip.decompress(base64.b64decode(packed["body"])).decode() == plain["body"]
    assert plain["headers"]["vary"] == packed["headers"]["vary"] == "accept-encoding"


FRONT = EVENT | {"rawPath": "/"}


def test_the_front_page_names_each_of_its_parts_in_its_policy():
    answer = portal.handler(FRONT, None)
    policy, body = answer["headers"]["content-security-policy"], answer["body"]
    parts = re.findall(r"<(?:script|style)[^>]*>(.*?)</(?:script|style)>", body, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]
    early, styles, script = (f"'sha256-{digest}'" for digest in digests)
    assert f"script-src {early} {script}; style-src {styles};" in policy


def test_the_front_page_is_in_the_log_as_every_request_is(caplog):
    with caplog.at_level("INFO"):
        portal.handler(FRONT, None)
    (line,) = caplog.records
    assert (line.message, line.route, line.status) == ("Answered", "front", 200)
