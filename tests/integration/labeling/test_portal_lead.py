"""The portal for those who run a team."""

import html
import json
import re
import time

import pytest
import urllib3

from adapters.sessions import WINDOW_S, Sessions
from adapters.table import Table
from integration.labeling.conftest import PASSWORD
from integration.labeling.test_portal import first_task, raw, refused
from integration.labeling.test_portal_password import mails
from labeling_builders import answer_of
from local_stack import wait_for
from truthmill_cli.simulation import Credentials, PortalClient

LEADS = "truthmill-leads"
TWO = {"HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2}


def make_lead(stack, email):
    pool = stack.outputs["UserPoolId"]
    pages = stack.cognito.get_paginator("list_groups").paginate(UserPoolId=pool)
    if LEADS not in {group["GroupName"] for page in pages for group in page["Groups"]}:
        stack.cognito.create_group(UserPoolId=pool, GroupName=LEADS)
    stack.cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=LEADS)


def email_of(client):
    return client.get("api/session")["user"]["email"]


@pytest.fixture
def lead(stack, team):
    """A lead of the team who is signed in."""
    client = team.worker()
    make_lead(stack, email_of(client))
    return client


def members(lead, team):
    return {each["email"]: each for each in lead.get(f"api/lead/teams/{team.name}")["members"]}


def test_a_lead_sees_who_is_invited_active_and_blocked(stack, team, lead):
    invited = team.invite(f"new-in-{team.name}@example.com").email
    active, blocked = email_of(team.worker()), email_of(team.worker())
    stack.cognito.admin_disable_user(UserPoolId=stack.outputs["UserPoolId"], Username=blocked)
    assert lead.get("api/session")["user"]["lead"]
    assert lead.get("api/lead/teams") == {
        "teams": [{"team": team.name, "description": "A team of the tests"}]
    }
    found = members(lead, team)
    assert {email: (each["state"], each["lead"]) for email, each in found.items()} == {
        email_of(lead): ("active", True),
        invited: ("invited", False),
        active: ("active", False),
        blocked: ("blocked", False),
    }


def test_a_lead_invites_somebody_by_mail_who_then_works_in_the_team(stack, team, lead):
    email, path = f"Invited-in-{team.name}@example.com", f"api/lead/teams/{team.name}/members"
    assert lead.post(path, {"email": email, "name": "<b>Ben</b>"}) == {"invited": True}
    (mail,) = mails(stack, email)
    assert "&lt;b&gt;Ben&lt;/b&gt;," in mail["BodyHtml"]
    assert "A team of the tests" in mail["BodyHtml"]
    one = members(lead, team)[email]
    assert (one["name"], one["state"], one["lead"]) == ("<b>Ben</b>", "invited", False)
    temporary = re.search(r"Temporary password: (.+?)</p>", mail["BodyHtml"])[1]
    invited = PortalClient(stack.portal)
    invited.sign_in(Credentials(email, PASSWORD, html.unescape(temporary)))
    job = team.running_job(1)
    assert [each["job"] for each in invited.get("api/jobs")["jobs"]] == [job]
    with refused(403, "NotLead"):
        invited.post(path, {"email": "another@example.com"})
    with refused(409, "AlreadyMember"):
        lead.post(path, {"email": email.lower()})
    assert len(mails(stack, email)) == 1


@pytest.mark.parametrize(
    "email",
    ["", "ben", "ben@example", "ben@@example.com", "a b@example.com", "<a@example.com>", 7, "a" * 260],
)
def test_what_is_no_address_is_not_invited(team, lead, email):
    with refused(422, "Invalid"):
        lead.post(f"api/lead/teams/{team.name}/members", {"email": email})
    assert list(members(lead, team)) == [email_of(lead)]


def test_who_has_an_account_in_another_team_is_in_this_one_too_and_not_mailed(stack, team, lead, other_team):
    email = email_of(other_team.worker())
    before = len(mails(stack, email))  # the other team's invitation
    assert lead.post(f"api/lead/teams/{team.name}/members", {"email": email}) == {"invited": False}
    assert members(lead, team)[email]["state"] == "active"
    assert len(mails(stack, email)) == before
    with refused(404, "NoSuchTeam"):
        lead.post(f"api/lead/teams/{other_team.name}/members", {"email": "mine@example.com"})


def test_an_invitation_that_another_site_could_send_is_refused(stack, team, lead):
    body = b'{"email": "forged@example.com"}'
    for header in ({"origin": "https://evil.example"}, {"x-truthmill": ""}, {"content-type": "text/plain"}):
        path = f"api/lead/teams/{team.name}/members"
        assert raw(stack, path, body=body, cookie=lead.cookie, **header).status in (403, 415)
    assert mails(stack, "forged@example.com") == []


def test_a_lead_sends_so_many_invitations_at_a_time_and_who_did_it_is_in_the_log(stack, team, lead):
    path = f"api/lead/teams/{team.name}/members"
    lead.post(path, {"email": f"logged-in-{team.name}@example.com"})
    member = members(lead, team)[f"logged-in-{team.name}@example.com"]["member"]
    leads = members(lead, team)[email_of(lead)]["member"]
    entries = log_entries(stack, "Invited", member)
    assert [(each["by"], each["team"]) for each in entries] == [(leads, team.name)]
    sessions = Sessions(Table(stack.client("dynamodb"), stack.outputs["TableName"]))
    now = int(time.time())
    for moment in (now, now + WINDOW_S):  # the next window may begin meanwhile
        while sessions.try_once(f"invitations {leads}", 50, moment):
            pass
    with refused(429, "TooManyTries"):
        lead.post(path, {"email": "one-too-many@example.com"})
    with refused(429, "TooManyTries"):
        lead.post(f"{path}/{member}/resend", {})


def log_entries(stack, message, member):
    """The portal's log lines of that message about a member, once there are any."""
    logs = stack.client("logs").get_paginator("filter_log_events")

    def look():
        pages = logs.paginate(logGroupName="/aws/lambda/truthmill-labeling-Portal")
        lines = (event["message"] for page in pages for event in page["events"])
        found = [json.loads(line) for line in lines if member in line and line.startswith("{")]
        return [each for each in found if each["message"] == message]

    return wait_for(look, f"{message!r} in the portal's log")


def test_an_invitation_is_sent_again(stack, team, lead):
    email = f"again-in-{team.name}@example.com"
    team.invite(email)
    path = f"api/lead/teams/{team.name}/members"
    before = len(mails(stack, email))
    assert lead.post(f"{path}/{members(lead, team)[email]['member']}/resend", {}) == {"sent": True}
    assert len(mails(stack, email)) == before + 1
    with refused(409, "NotInvited"):
        lead.post(f"{path}/{members(lead, team)[email_of(lead)]['member']}/resend", {})
    with refused(404, "NoSuchMember"):
        lead.post(f"{path}/{'0' * 36}/resend", {})


def test_who_is_removed_is_signed_out_and_their_tasks_go_back_at_once(team, lead):
    worker, other, job = team.worker(), team.worker(), team.running_job(2)
    assert len(worker.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]) == 2
    assert other.post(f"api/jobs/{job}/tasks", {})["tasks"] == []
    member = members(lead, team)[email_of(worker)]["member"]
    path = f"api/lead/teams/{team.name}/members/{member}/remove"
    assert lead.post(path, {}) == {"removed": True, "returned": 2}
    with refused(401, "SignedOut"):
        worker.get("api/jobs")
    assert len(other.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]) == 2
    with refused(404, "NoSuchMember"):
        lead.post(path, {})


def test_progress_by_worker_and_an_object_with_its_answers(team, lead):
    ann, ben, job = team.worker(), team.worker(), team.running_job(2, **TWO)
    task = first_task(ann, job)
    ann.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of(("cat", 10, 10, 20, 20)))
    held = ben.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]
    assert task["task"] in {each["task"] for each in held}
    ben.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of(("cat", 12, 10, 20, 20)))
    (other,) = (each for each in held if each["task"] != task["task"])
    ben.post(f"api/jobs/{job}/tasks/{other['task']}/decline", {"reason": "<b>too dark</b>"})
    task, other = (f"{int(each['objectName'].removesuffix('.png')):06d}" for each in (task, other))

    found = lead.get(f"api/lead/jobs/{job}")
    stands = [found["job"][name] for name in ("status", "objects", "labeled", "remaining", "answers")]
    assert stands == ["InProgress", 2, 1, 1, 2]
    by_email = {each["email"]: each for each in found["workers"]}
    anns, bens = by_email[email_of(ann)], by_email[email_of(ben)]
    assert (anns["answered"], anns["declined"], anns["agreement"], anns["holds"]) == (1, 0, 1.0, 0)
    assert (bens["answered"], bens["declined"], bens["agreement"]) == (1, 1, 1.0)
    assert anns["medianSeconds"] >= 0
    assert by_email[email_of(lead)]["medianSeconds"] is None

    listed = lead.get(f"api/lead/jobs/{job}/objects?count=1")
    assert (len(listed["objects"]), listed["next"]) == (1, 0)
    rest = lead.get(f"api/lead/jobs/{job}/objects?after=0")
    assert rest["next"] is None
    both = {each["object"]: each for each in listed["objects"] + rest["objects"]}
    assert (both[task]["state"], both[task]["answers"]) == ("labeled", 2)
    assert both[other]["declined"][0]["reason"] == "<b>too dark</b>"
    shown = lead.get(f"api/lead/jobs/{job}/objects/{task}")
    assert shown["merged"] == [
        {"label": "cat", "left": 11, "top": 10, "width": 20, "height": 20, "confidence": 0.997}
    ]
    assert {each["email"] for each in shown["answers"]} == {email_of(ann), email_of(ben)}
    assert urllib3.request("GET", shown["picture"]).status == 200
    with refused(404, "NoSuchObject"):
        lead.get(f"api/lead/jobs/{job}/objects/000002")
    with refused(422, "Invalid"):
        lead.get(f"api/lead/jobs/{job}/objects?count=many")
    listed = lead.get(f"api/lead/teams/{team.name}")["jobs"]
    assert [each["job"] for each in listed] == [job]


@pytest.fixture
def other_team(stack, team):
    """A team that the lead isn't in."""
    name = f"other-{team.name}"
    pool, client = stack.outputs["UserPoolId"], stack.outputs["UserPoolClientId"]
    stack.cognito.create_group(UserPoolId=pool, GroupName=name)
    member = {"UserPool": pool, "UserGroup": name, "ClientId": client}
    stack.sagemaker.create_workteam(
        WorkteamName=name, Description="Others", MemberDefinitions=[{"CognitoMemberDefinition": member}]
    )
    return type(team)(stack, name)


def test_a_lead_sees_nothing_of_other_teams(lead, other_team):
    job, stranger = other_team.running_job(1), other_team.worker()
    assert other_team.name not in {each["team"] for each in lead.get("api/lead/teams")["teams"]}
    team_path = f"api/lead/teams/{other_team.name}"
    nobody = f"{team_path}/members/{'0' * 36}"
    for method, path, code in [
        ("get", team_path, "NoSuchTeam"),
        ("post", f"{nobody}/remove", "NoSuchTeam"),
        ("post", f"{nobody}/resend", "NoSuchTeam"),
        ("post", f"{team_path}/members", "NoSuchTeam"),
        ("get", f"api/lead/jobs/{job}", "NoSuchJob"),
        ("get", f"api/lead/jobs/{job}/objects", "NoSuchJob"),
        ("get", f"api/lead/jobs/{job}/objects/000000", "NoSuchJob"),
    ]:
        with refused(404, code):
            getattr(lead, method)(path, *([{}] if method == "post" else []))
    for path in ("api/lead/teams", team_path, f"api/lead/jobs/{job}", f"api/lead/jobs/{job}/objects"):
        with refused(403, "NotLead"):
            stranger.get(path)


def test_who_is_not_signed_in_leads_nothing(stack):
    with refused(401, "SignedOut"):
        PortalClient(stack.portal).get("api/lead/teams")


def test_a_lead_is_told_so_when_signing_in(stack, team):
    credentials = team.invite(f"lead-in-{team.name}@example.com")
    make_lead(stack, credentials.email)
    client = PortalClient(stack.portal)
    client.sign_in(credentials)
    answer = client.post("api/sign-in", {"username": credentials.email, "password": PASSWORD})
    assert answer == {"user": {"email": credentials.email, "lead": True}}
