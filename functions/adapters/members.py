"""The members of teams: groups of the user pool, and who in them was invited, works, or is blocked."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from adapters.accounts import LEADS

INVITED = "FORCE_CHANGE_PASSWORD"  # the pool's name for who hasn't signed in yet
_STATES = {INVITED: "invited", "CONFIRMED": "active", "RESET_REQUIRED": "reset"}


class Member(msgspec.Struct, frozen=True):
    """Somebody in a team.

    member: the account's identity. username: the pool's name for the account. state: invited, active, reset
    or blocked. invited: milliseconds since 1970. lead: whether they run the teams they are in.
    """

    member: str
    username: str
    email: str
    state: str
    invited: int
    lead: bool


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

    def resend(self, member: Member, about: str) -> None:
        """The invitation once more, with a temporary password that is good from now on."""
        self.client.admin_create_user(
            UserPoolId=self.pool,
            Username=member.email,
            MessageAction="RESEND",
            DesiredDeliveryMediums=["EMAIL"],
            ClientMetadata={"about": about},
        )

    def remove(self, member: Member, groups: Iterable[str]) -> None:
        """Take somebody out of the groups; their account stays."""
        for group in groups:
            self.client.admin_remove_user_from_group(
                UserPoolId=self.pool, Username=member.username, GroupName=group
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
    )
