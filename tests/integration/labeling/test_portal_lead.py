"""The portal for those who run a team."""

import pytest
import urllib3

from integration.labeling.conftest import PASSWORD
from integration.labeling.test_portal import first_task, refused
from integration.labeling.test_portal_password import mails
from labeling_builders import answer_of
from truthmill_cli.simulation import PortalClient

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
    task = first_task(ann, job)["task"]
    ann.post(f"api/jobs/{job}/tasks/{task}/answer", answer_of(("cat", 10, 10, 20, 20)))
    held = ben.post(f"api/jobs/{job}/tasks", {"count": 2})["tasks"]
    assert task in {each["task"] for each in held}
    ben.post(f"api/jobs/{job}/tasks/{task}/answer", answer_of(("cat", 12, 10, 20, 20)))
    (other,) = {each["task"] for each in held} - {task}
    ben.post(f"api/jobs/{job}/tasks/{other}/decline", {"reason": "<b>too dark</b>"})

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
        {"label": "cat", "left": 11, "top": 10, "width": 20, "height": 20, "confidence": 0.9979}
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
