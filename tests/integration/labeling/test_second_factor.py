"""Codes of an app besides the password: set up, asked for, refused, lost, required."""

import base64
import hashlib
import hmac
import json
import struct
import time

import pytest

from adapters.accounts import Accounts
from adapters.jobs import Jobs, Teams
from adapters.pending import MOST_TRIES, WAIT_S, Pending, Pendings
from adapters.sessions import Sessions
from adapters.table import Table
from adapters.tasks import Tasks
from integration.labeling.conftest import PASSWORD
from integration.labeling.test_portal import refused
from integration.labeling.test_portal_lead import email_of, make_lead, members
from integration.labeling.test_portal_password import code_for
from labeling import portal
from labeling.portal_account import Portal
from labeling.web import Web
from truthmill_cli.simulation import PortalClient

STEP_S = 30


def totp(secret, steps=0):
    """The code that an app shows, so many half minutes from now (RFC 6238 with RFC 4226's truncation)."""
    counter = struct.pack(">Q", int(time.time()) // STEP_S + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def wrong(secret):
    """A code that no half minute around this one has."""
    right = {totp(secret, steps) for steps in range(-3, 4)}
    return next(code for code in map("{:06d}".format, range(9)) if code not in right)


def given(client):
    return {"username": email_of(client), "password": PASSWORD}


def sign_in(stack, who):
    client = PortalClient(stack.portal)
    return client, client.post("api/sign-in", who).get("challenge")


@pytest.fixture
def worker(team):
    """Somebody who is signed in, and how they sign in."""
    client = team.worker()
    return client, given(client)


@pytest.fixture
def with_factor(worker):
    """Somebody with a second factor: the client, how they sign in, the secret, the code they used."""
    client, who = worker
    challenge = client.post("api/second-factor", {"password": PASSWORD})["challenge"]
    code = totp(challenge["secret"])
    client.post("api/code", {"handle": challenge["handle"], "code": code})
    return client, who, challenge["secret"], code


def test_setting_one_up_takes_the_password_and_a_code_of_the_new_secret(stack, worker):
    client, who = worker
    other, _ = sign_in(stack, who)
    assert other.get("api/second-factor") == {"on": False, "required": False}
    with refused(401, "SignInRefused"):
        client.post("api/second-factor", {"password": "Not their passw0rd"})
    challenge = client.post("api/second-factor", {"password": PASSWORD})["challenge"]
    secret, handle = challenge["secret"], challenge["handle"]
    label = f"Truthmill:{who['username']}"
    assert challenge["address"] == f"otpauth://totp/{label}?secret={secret}&issuer=Truthmill"
    assert {len(row) for row in challenge["qr"]} == {len(challenge["qr"])}
    assert challenge["qr"][0].startswith("11111110")  # a finder pattern, and the space around it
    for code in (wrong(secret), "12345", " "):
        with refused(401, "FactorRefused"):
            client.post("api/code", {"handle": handle, "code": code})
    assert sign_in(stack, who)[1] is None  # nothing has changed yet
    session = client.cookie
    assert (
        client.post("api/code", {"handle": handle, "code": totp(secret)})["user"]["email"] == who["username"]
    )
    assert client.cookie != session
    with refused(401, "SignedOut"):
        other.get("api/session")
    assert client.get("api/second-factor") == {"on": True, "required": False}
    with refused(409, "FactorThere"):
        client.post("api/second-factor", {"password": PASSWORD})


def test_a_wrong_a_late_and_a_used_code_are_refused_and_a_new_one_signs_in_once(stack, with_factor):
    _, who, secret, used = with_factor
    client, challenge = sign_in(stack, who)
    assert challenge["name"] == "CodeRequired"
    assert not client.cookie
    handle = challenge["handle"]
    for code in (wrong(secret), totp(secret, -5), used):
        with refused(401, "FactorRefused"):
            client.post("api/code", {"handle": handle, "code": code})
    code = totp(secret, 1)
    assert client.post("api/code", {"handle": handle, "code": code})["user"]["email"] == who["username"]
    assert client.get("api/session")["user"]["email"] == who["username"]
    with refused(401, "ChallengeOver"):
        PortalClient(stack.portal).post("api/code", {"handle": handle, "code": totp(secret)})
    again, challenge = sign_in(stack, who)
    with refused(401, "FactorRefused"):
        again.post("api/code", {"handle": challenge["handle"], "code": code})


def test_five_wrong_codes_end_the_sign_in(stack, with_factor):
    _, who, secret, _ = with_factor
    client, challenge = sign_in(stack, who)
    answer = {"handle": challenge["handle"], "code": wrong(secret)}
    for _ in range(MOST_TRIES):
        with refused(401, "FactorRefused"):
            client.post("api/code", answer)
    with refused(401, "ChallengeOver"):
        client.post("api/code", answer | {"code": totp(secret, 1)})
    with refused(401, "ChallengeOver"):
        client.post("api/code", {"handle": "made up", "code": totp(secret, 1)})


def test_a_sign_in_waits_three_minutes_for_its_code(stack):
    pendings = Pendings(Table(stack.client("dynamodb"), stack.outputs["TableName"]))
    waiting = Pending(sub="s", username="u", email="e", setup=False, token="t", expires=1_000 + WAIT_S)
    handle = pendings.begin(waiting)
    assert pendings.attempt(handle, 1_000 + WAIT_S - 1) == waiting
    assert pendings.attempt(handle, 1_000 + WAIT_S) is None


def test_a_forgotten_password_does_not_get_past_the_second_factor(stack, with_factor):
    before, who, secret, _ = with_factor
    client = PortalClient(stack.portal)
    client.post("api/forgotten-password", {"username": who["username"]})
    new = {"code": code_for(stack, who["username"]), "password": "Another passw0rd of theirs"}
    challenge = client.post("api/reset-password", {"username": who["username"], **new})["challenge"]
    assert challenge["name"] == "CodeRequired"
    for each in (client, before):
        with refused(401, "SignedOut"):
            each.get("api/session")
    code = totp(secret, 1)
    assert client.post("api/code", {"handle": challenge["handle"], "code": code})["user"]


def test_a_lead_resets_the_factor_of_who_lost_their_device(stack, team, with_factor):
    worker, who, _, _ = with_factor
    lead = team.worker()
    make_lead(stack, email_of(lead))
    path = f"api/lead/teams/{team.name}/members/{members(lead, team)[who['username']]['member']}/reset-factor"
    with refused(403, "NotLead"):
        team.worker().post(path, {})
    assert lead.post(path, {}) == {"reset": True}
    with refused(401, "SignedOut"):
        worker.get("api/session")
    client, challenge = sign_in(stack, who)
    assert challenge is None
    assert client.get("api/second-factor")["on"] is False


def test_the_command_resets_a_factor(stack, team, local_stack, with_factor):
    _, who, _, _ = with_factor
    local_stack.truthmill("workers", "reset-factor", who["username"], "--team", team.name)
    assert sign_in(stack, who)[1] is None
    local_stack.truthmill("workers", "reset-factor", "nobody@example.com", "--team", team.name, exit_code=2)


@pytest.fixture
def post(stack, monkeypatch):
    """Posts to a portal in this process, on the stack's table and accounts; required: of whom a factor is."""
    table = Table(stack.client("dynamodb"), stack.outputs["TableName"])
    pool = stack.outputs["UserPoolId"]
    clients = stack.cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"]
    accounts = Accounts(stack.cognito, pool, clients[0]["ClientId"])
    own = Portal(
        Jobs(table),
        Teams(table),
        Tasks(table),
        Sessions(table),
        Pendings(table),
        accounts,
        lambda: int(time.time() * 1000),
        time.sleep,
    )

    def post_(path, document, required):
        monkeypatch.setenv("SECOND_FACTOR", required)
        headers = {"content-type": "application/json", "x-truthmill": "1"}
        context = {"http": {"method": "POST", "sourceIp": "192.0.2.7"}}
        event = {"requestContext": context, "rawPath": path, "headers": headers, "body": json.dumps(document)}
        return portal.serve(Web.of(event), own)

    return post_


def test_leads_or_all_must_have_one_where_the_stack_says_so(stack, team, post):
    worker, lead = (given(each) for each in (team.worker(), team.worker()))
    make_lead(stack, lead["username"])
    for who, required in ((worker, "optional"), (worker, "leads")):
        assert post("/api/sign-in", who, required).cookies
    for who, required in ((lead, "leads"), (worker, "all")):
        asked = post("/api/sign-in", who, required)
        challenge = asked.document["challenge"]
        assert (challenge["name"], asked.cookies) == ("SetUpSecondFactor", [])
        answer = {"handle": challenge["handle"], "code": totp(challenge["secret"])}
        begun = post("/api/code", answer, required)
        assert begun.document["user"]["email"] == who["username"]
        assert begun.cookies
        assert post("/api/sign-in", who, required).document["challenge"]["name"] == "CodeRequired"
