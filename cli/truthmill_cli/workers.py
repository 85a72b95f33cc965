"""`truthmill workers`: accounts of the people who label, invited by e-mail."""

import re
from typing import Any

from truthmill_cli import stack
from truthmill_cli.errors import UsageError
from truthmill_cli.stack import TEAM, Stack

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_STATES = {"FORCE_CHANGE_PASSWORD": "invited", "CONFIRMED": "active"}


def invite(where: Stack, email: str, temporary_password: str = "") -> str:
    """Give somebody an account in the team: "invited", or "member" where they have one already.

    temporary_password: to set one and send no mail; otherwise the pool chooses one and sends the invitation.
    Raises UsageError where it isn't an address.
    """
    if not _ADDRESS.fullmatch(email):
        raise UsageError(f"{email!r} isn't an e-mail address.")
    pool, service = _pool(where), stack.client("cognito-idp")
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    delivery: dict[str, Any] = {"DesiredDeliveryMediums": ["EMAIL"]}
    if temporary_password:
        delivery = {"TemporaryPassword": temporary_password, "MessageAction": "SUPPRESS"}
    state = "invited"
    try:
        service.admin_create_user(UserPoolId=pool, Username=email, UserAttributes=attributes, **delivery)
    except service.exceptions.UsernameExistsException:
        state = "member"
    service.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=TEAM)
    return state


def members(where: Stack) -> list[dict[str, Any]]:
    """The team: each with e-mail, state (invited, active, disabled) and the day of the invitation."""
    pages = stack.client("cognito-idp").get_paginator("list_users_in_group")
    return [
        _member(user)
        for page in pages.paginate(UserPoolId=_pool(where), GroupName=TEAM)
        for user in page["Users"]
    ]


def _member(user: dict[str, Any]) -> dict[str, Any]:
    attributes = {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", [])}
    state = _STATES.get(user.get("UserStatus", ""), str(user.get("UserStatus", "")).lower())
    return {
        "email": attributes.get("email", user["Username"]),
        "state": state if user.get("Enabled", True) else "disabled",
        "invited": f"{user['UserCreateDate']:%Y-%m-%d}",
    }


def _pool(where: Stack) -> str:
    if not where.user_pool:
        raise UsageError(
            f"Stack {where.name} has no labeling stack of its own, so its workers are Ground Truth's. "
            "Invite them in SageMaker's console, or name the labeling stack with --labeling-stack-name."
        )
    return where.user_pool
