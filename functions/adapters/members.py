"""The members of teams: groups of the user pool, and who in them was invited, works, or is blocked."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from adapters.accounts import LEADS

INVITED = "FORCE_CHANGE_PASSWORD"  # the pool's name for who hasn't signed in yet
_STATES = {INVITED: "invited", "CONFIRMED": "active", "RESET_REQUIRED": "reset"}


class NotInvitedError(Exception):
    """The pool takes the address not at all, or can't mail to it now; the text says what it said."""


class Member(msgspec.Struct, frozen=True):
    """Somebody in a team.

    member: the account's identity. username: the pool's name for the account. state: invited, active, reset
    or blocked. invited: milliseconds since 1970. lead: whether they run the teams they are in. name: as who
    invited them wrote it; may be empty.
    """

    member: str
    username: str
    email: str
    state: str
    invited: int
    lead: bool
    name: str = ""


class Members:
    """The groups of one user pool."""

    def __init__(self, client: Any, pool: str) -> None:
        self.client = client
        self.pool = pool

    def of(self, groups: Iterable[str]) -> list[Member]:
        """Everybody who is in one of the groups, in the order of their addresses."""
        leads = {user["Username"] for user in self._users(LEADS)}
        found = {
            user["Username"]: _member(user, lead=user["Username"] in leads)
            for group in groups
            for user in self._users(group)
        }
        return sorted(found.values(), key=lambda member: member.email)

    def invite(
        self, email: str, group: str, about: str, *, name: str = "", temporary_password: str = ""
    ) -> bool:
        """Put somebody into a group; True where they are mailed an invitation, False for who has an account.

        about: what the mail says of the work. temporary_password: to set one and send no mail; otherwise the
        pool chooses one. Can be done again where it ended in the middle. Raises NotInvitedError.
        """
        attributes = {"email": email, "email_verified": "true"} | ({"name": name} if name else {})
        delivery: dict[str, Any] = {"DesiredDeliveryMediums": ["EMAIL"]}
        if temporary_password:
            delivery = {"TemporaryPassword": temporary_password, "MessageAction": "SUPPRESS"}
        errors = self.client.exceptions
        invited = True
        try:
            self.client.admin_create_user(
                UserPoolId=self.pool,
                Username=email,
                UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
                ClientMetadata={"about": about, "name": name},
                **delivery,
            )
        except errors.UsernameExistsException:
            invited = False
        except (
            errors.InvalidParameterException,
            errors.CodeDeliveryFailureException,
            errors.LimitExceededException,
        ) as error:
            raise NotInvitedError(error.response["Error"].get("Message", "")) from error
        self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=email, GroupName=group)
        return invited

    def make_lead(self, email: str) -> None:
        """Have somebody run the teams they are in."""
        with contextlib.suppress(self.client.exceptions.GroupExistsException):
            self.client.create_group(UserPoolId=self.pool, GroupName=LEADS)
        self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=email, GroupName=LEADS)

    def resend(self, member: Member, about: str) -> None:
        """The invitation once more, with a temporary password that is good from now on."""
        self.client.admin_create_user(
            UserPoolId=self.pool,
            Username=member.email,
            MessageAction="RESEND",
            DesiredDeliveryMediums=["EMAIL"],
            ClientMetadata={"about": about, "name": member.name},
        )

    def remove(self, member: Member, groups: Iterable[str]) -> None:
        """Take somebody out of the groups; their account stays."""
        for group in groups:
            self.client.admin_remove_user_from_group(
                UserPoolId=self.pool, Username=member.username, GroupName=group
            )

    def reset_factor(self, member: Member) -> None:
        """Ask somebody for no code any more, until they have set up a second factor anew."""
        self.client.admin_set_user_mfa_preference(
            UserPoolId=self.pool, Username=member.username, SoftwareTokenMfaSettings={"Enabled": False}
        )

    def _users(self, group: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_users_in_group")
        try:
            for page in pages.paginate(UserPoolId=self.pool, GroupName=group):
                yield from page["Users"]
        except self.client.exceptions.ResourceNotFoundException:  # nobody leads yet, or the group is gone
            return


def _member(user: dict[str, Any], *, lead: bool) -> Member:
    attributes = {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", [])}
    state = _STATES.get(user.get("UserStatus", ""), str(user.get("UserStatus", "")).lower())
    return Member(
        attributes.get("sub", user["Username"]),
        user["Username"],
        attributes.get("email", user["Username"]),
        state if user.get("Enabled", True) else "blocked",
        int(user["UserCreateDate"].timestamp() * 1000),
        lead,
        attributes.get("name", ""),
    )
