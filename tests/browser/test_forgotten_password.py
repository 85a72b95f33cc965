"""A forgotten password through the page, on the deployed stack."""

import time

import pytest

from adapters.sessions import WINDOW_S, Sessions
from adapters.table import Table
from browser.conftest import PASSWORD, sign_in
from integration.labeling.test_portal_password import code_for, mails

NEW = "Another passw0rd of theirs"


@pytest.fixture
def email(team):
    """Somebody who has chosen a password once."""
    address = team.invite(f"forgot-in-{team.name}@example.com").email
    team.stack.cognito.admin_set_user_password(
        UserPoolId=team.stack.outputs["UserPoolId"], Username=address, Password=PASSWORD, Permanent=True
    )
    return address


def ask_for_code(page, email):
    page.get_by_role("button", name="Forgotten your password?").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.get_by_text(f"If {email} has an account, a code is on its way there.").wait_for()


def choose(page, code):
    page.get_by_label("Code from the e-mail").fill(code)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save and sign in").click()


def says(page, words):
    page.get_by_role("alert").filter(has_text=words).wait_for()


def test_from_a_forgotten_password_to_being_signed_in_with_a_new_one(team, email, open_page):
    stranger, page, late = open_page(), open_page(), open_page()
    ask_for_code(stranger, f"no-account-of-{team.name}@example.com")
    choose(stranger, "654321")
    says(stranger, "The code is wrong or has run out.")

    ask_for_code(page, email)
    ask_for_code(late, email)
    code = code_for(team.stack, email)
    choose(page, "000000")
    says(page, "The code is wrong or has run out.")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Save and sign in").click()
    says(page, "The password needs at least 12 characters")
    choose(page, code)
    page.get_by_role("heading", name="Nothing to label right now").wait_for()

    choose(late, code)  # it was good once
    says(late, "The code is wrong or has run out.")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, email, PASSWORD)
    says(page, "E-mail or password is wrong")
    sign_in(page, email, NEW)
    page.get_by_role("heading", name="Nothing to label right now").wait_for()

    use_up_tries(team.stack, email)
    choose(late, code)
    says(late, "Too many tries. Wait 15 minutes, then try again.")
    late.get_by_role("button", name="Back to signing in").click()
    sign_in(late, email, NEW)
    says(late, "Too many tries.")
    assert len(mails(team.stack, email)) == 3  # the invitation and two codes


def use_up_tries(stack, email):
    """As if the name had been tried 50 times in this quarter of an hour, and in the next."""
    sessions, now = Sessions(Table(stack.client("dynamodb"), stack.outputs["TableName"])), int(time.time())
    for moment in (now, now + WINDOW_S):
        while sessions.try_once(f"name {email}", 50, moment):
            pass
