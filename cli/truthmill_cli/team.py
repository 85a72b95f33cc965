"""The work team that labeling jobs go to unless a request says otherwise."""

import contextlib

from truthmill_cli import stack
from truthmill_cli.stack import TEAM

# What SageMaker answers for a team that isn't there, and what it answers elsewhere.
_MISSING = ("ResourceNotFound", "ValidationException")


def ensure(labeling_endpoint: str, user_pool: str, user_pool_client: str) -> str:
    """The team's ARN; it is created where it doesn't exist."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- slow to import

    from adapters import sagemaker  # noqa: PLC0415

    _ensure_group(user_pool)
    service = sagemaker.client(labeling_endpoint)
    try:
        return str(service.describe_workteam(WorkteamName=TEAM)["Workteam"]["WorkteamArn"])
    except ClientError as error:
        if error.response["Error"].get("Code") not in _MISSING:
            raise
    member = {"UserPool": user_pool, "UserGroup": TEAM, "ClientId": user_pool_client}
    created = service.create_workteam(
        WorkteamName=TEAM,
        Description="Workers who were invited with `truthmill workers invite`",
        MemberDefinitions=[{"CognitoMemberDefinition": member}],
    )
    return str(created["WorkteamArn"])


def _ensure_group(user_pool: str) -> None:
    """The group that a team's members are in; it has the team's name."""
    accounts = stack.client("cognito-idp")
    with contextlib.suppress(accounts.exceptions.GroupExistsException):
        accounts.create_group(UserPoolId=user_pool, GroupName=TEAM)
