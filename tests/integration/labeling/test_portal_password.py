"""A forgotten password, and what neither it nor a refused sign-in tells a stranger."""

import contextlib
import json
import re
import time
import urllib.request

import pytest

from integration.labeling.conftest import PASSWORD
from integration.labeling.test_portal import code_of, in_one_window, refused
from truthmill_cli.simulation import PortalClient, PortalRefusedError

NEW = "Another passw0rd of theirs"


def mails(stack, email):
    """The mails to an address, the oldest first."""
    with urllib.request.urlopen(stack.endpoint + "/_ministack/ses/messages") as answer:  # noqa: S310 our engine
        accounts = json.load(answer)["messages"]
    found = [mail for sent in accounts.values() for mail in sent if mail["To"] == [email]]
    return sorted(found, key=lambda mail: mail["Timestamp"])


def code_for(stack, email):
    """The code in the newest mail."""
    mail = mails(stack, email)[-1]
    return re.search(r"Code: (\S+?)<", mail["BodyHtml"])[1]


@pytest.fixture
def worker(stack, team, request):
    """Somebody who has signed in before: credentials and a session."""
    credentials = team.invite(f"{request.node.name[5:45].replace('_', '-')}@example.com")
    client = PortalClient(stack.portal)
    client.sign_in(credentials)
    return credentials, client


def test_a_forgotten_password_is_replaced_by_the_mailed_code(stack, worker):
    credentials, before = worker
    client = PortalClient(stack.portal)
    sent = client.post("api/forgotten-password", {"username": credentials.email})
    assert sent["sent"]
    assert sent["passwordRules"][0] == "at least 12 characters"
    given = {"username": credentials.email, "code": code_for(stack, credentials.email), "password": NEW}
    assert client.post("api/reset-password", given)["user"]["email"] == credentials.email
    assert client.get("api/session")["user"]["email"] == credentials.email
    with refused(401, "SignedOut"):
        before.get("api/session")
    with refused(401, "SignInRefused"):
        client.post("api/sign-in", {"username": credentials.email, "password": PASSWORD})
    with refused(401, "CodeRefused"):
        client.post("api/reset-password", given)


def test_a_wrong_code_a_weak_password_and_an_unknown_name_are_refused(stack, worker):
    credentials, _ = worker
    client = PortalClient(stack.portal)
    client.post("api/forgotten-password", {"username": credentials.email})
    wrong = {"username": credentials.email, "code": "000000", "password": NEW}
    said = []
    for given in (wrong, wrong | {"username": "no-such-name@example.com"}):
        with refused(401, "CodeRefused") as caught:
            client.post("api/reset-password", given)
        said.append(str(caught.value))
    assert said[0] == said[1]
    with refused(422, "PasswordRefused"):
        client.post("api/reset-password", wrong | {"password": "too short"})


def test_a_common_password_is_refused(stack):
    given = {"username": "ann.miller@example.com", "code": "000000"}
    for common in ("Welcome2026!!", "Ann.Miller.2026"):
        with refused(422, "PasswordRefused"):
            PortalClient(stack.portal).post("api/reset-password", given | {"password": common})


def test_asking_for_a_code_tells_nothing_and_mails_only_who_has_an_account(stack, worker):
    credentials, _ = worker
    client = PortalClient(stack.portal)
    before = len(mails(stack, credentials.email))
    known = client.post("api/forgotten-password", {"username": credentials.email})
    assert known == client.post("api/forgotten-password", {"username": "nobody-at-all@example.com"})
    assert len(mails(stack, credentials.email)) == before + 1
    assert mails(stack, "nobody-at-all@example.com") == []


def test_codes_are_asked_for_and_tried_a_few_times_only(stack):
    client = PortalClient(stack.portal)

    def tries(name):
        given = {"username": f"{name}@example.com", "code": "1", "password": NEW}
        for path in ("api/forgotten-password", "api/reset-password") * 5:
            code_of(lambda path=path: client.post(path, given))
        paths = ("api/forgotten-password", "api/reset-password", "api/sign-in")
        return [code_of(lambda path=path: client.post(path, given)) for path in paths]

    assert in_one_window(tries) == ["TooManyTries"] * 3


def test_a_refusal_takes_the_same_time_whoever_is_asked_for(stack, team):
    team.invite("timed@example.com")
    taken = {}
    for email in ("timed@example.com", "untimed@example.com"):
        for path in ("api/sign-in", "api/forgotten-password", "api/reset-password"):
            given = {"username": email, "password": "Wrong passw0rd", "code": "1"}
            begun = time.monotonic()
            with contextlib.suppress(PortalRefusedError):
                PortalClient(stack.portal).post(path, given)
            taken[email, path] = time.monotonic() - begun
    assert min(taken.values()) >= 0.5
