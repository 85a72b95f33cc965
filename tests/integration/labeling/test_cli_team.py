"""`truthmill workers` and `truthmill team` on the deployed stack."""

import json
from xml.etree import ElementTree as ET

import pytest

from integration.labeling.test_portal import first_task, refused
from integration.labeling.test_portal_lead import email_of
from integration.labeling.test_portal_password import mails
from labeling_builders import answer_of


@pytest.fixture
def command(local_stack, team):
    """Runs the command on the test's own team; its JSON."""

    def run(*words, of_team=True):
        return json.loads(
            local_stack.truthmill(*words, *(["--team", team.name] if of_team else []), "--json")
        )

    return run


def test_somebody_is_invited_made_lead_and_removed(stack, team, local_stack, command):
    email = f"by-command-{team.name}@example.com"
    assert command("workers", "invite", email, "--lead")["workers"] == {email: "invited"}
    (mail,) = mails(stack, email)
    assert mail["Subject"] == "You are invited to label pictures"
    assert f'<a href="{local_stack.deployed.portal}">' in mail["BodyHtml"]
    assert f"User name: {email}<br>" in mail["BodyHtml"]
    assert "<p>A team of the tests</p>" in mail["BodyHtml"]
    (member,) = command("workers", "list")["workers"]
    assert (member["email"], member["state"], member["lead"]) == (email, "invited", True)
    local_stack.truthmill("workers", "resend", email, "--team", team.name)
    assert len(mails(stack, email)) == 2
    assert command("workers", "remove", email) == {"removed": email, "team": team.name, "returned": 0}
    assert command("workers", "list")["workers"] == []
    local_stack.truthmill("workers", "remove", email, "--team", team.name, exit_code=2)
    local_stack.truthmill("workers", "invite", email, "--team", "no-such-team", exit_code=2)


def test_a_team_is_made_and_its_invitations_say_what_it_does(stack, local_stack, team):
    name = f"made-{team.name}"
    made = json.loads(local_stack.truthmill("team", "create", name, "--about", "Cats & <dogs>", "--json"))
    assert made == {"team": name, "arn": team.arn.replace(team.name, name)}
    email = f"in-{name}@example.com"
    local_stack.truthmill("workers", "invite", email, "--team", name)
    assert "<p>Cats &amp; &lt;dogs&gt;</p>" in mails(stack, email)[0]["BodyHtml"]
    local_stack.truthmill("team", "create", name, exit_code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["team", "create", "two words"], "can't be named 'two words'"),
        (["team", "create", "-"], "can't be named '-'"),
        (["team", "create", "x" * 64], "at most 63"),
        (["team", "create", "Truthmill-leads"], "those who run teams"),
        (["team", "create", "fine", "--about", " "], "--about has 0 characters"),
        (["team", "create", "fine", "--about", "x" * 201], "--about has 201 characters"),
        (["team", "progress", "no-such-job"], "There is no labeling job 'no-such-job'"),
        (["team", "object", "no-such-job", "0"], "There is no labeling job 'no-such-job'"),
        (["team", "object", "no-such-job", "-1"], ""),
        (["team", "object", "no-such-job", "first"], "Invalid value"),
        (["workers", "invite", "no address"], "isn't an e-mail address"),
        (["workers", "invite", "a@example.com\nBcc: b@example.com"], "isn't an e-mail address"),
        (["workers", "list", "--team", "nobodys"], "There is no work team 'nobodys'"),
        (["workers", "resend", "nobody@example.com"], "isn't in team annotators"),
        (["workers", "remove", "nobody@example.com"], "isn't in team annotators"),
        (["workers", "reset-factor", "nobody@example.com"], "isn't in team annotators"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence_and_makes_nothing(stack, local_stack, words, says):
    pool = stack.outputs["UserPoolId"]
    before = stack.cognito.list_groups(UserPoolId=pool)["Groups"]
    assert says in local_stack.refused(*words)
    assert stack.cognito.list_groups(UserPoolId=pool)["Groups"] == before


def test_removing_a_worker_returns_their_tasks(team, command):
    worker, other, job = team.worker(), team.worker(), team.running_job(1)
    first_task(worker, job)
    assert command("workers", "remove", email_of(worker))["returned"] == 1
    first_task(other, job)
    with refused(401, "SignedOut"):
        worker.get("api/jobs")


def test_progress_and_an_answered_object_are_shown(team, local_stack, command, tmp_path):
    worker, job = team.worker(), team.running_job(1)
    task = first_task(worker, job)["task"]
    worker.post(f"api/jobs/{job}/tasks/{task}/answer", answer_of(("cat", 1, 2, 30, 40)))
    team.wait_for(job, "Completed")
    (own,) = [each for each in command("team", "list", of_team=False)["teams"] if each["team"] == team.name]
    assert (own["members"], [each["job"] for each in own["jobs"]]) == ({"active": 1}, [job])
    report = command("team", "progress", job, of_team=False)
    assert [(each["email"], each["answered"]) for each in report["workers"]] == [(email_of(worker), 1)]
    drawn = tmp_path / "object.svg"
    shown = command("team", "object", job, "0", "--to", drawn, of_team=False)
    assert shown["merged"] == [
        {"label": "cat", "left": 1, "top": 2, "width": 30, "height": 40, "confidence": 0.0}
    ]
    svg = ET.fromstring(drawn.read_text())  # noqa: S314 we wrote it
    assert svg.get("viewBox") == "0 0 200 100"
    rects = svg.findall(".//{http://www.w3.org/2000/svg}rect")
    assert [(rect.get("x"), rect.get("width")) for rect in rects] == [("1", "30"), ("1", "30")]
    local_stack.truthmill("team", "object", job, "1", exit_code=2)
    assert email_of(worker) in local_stack.truthmill("team", "progress", job)
