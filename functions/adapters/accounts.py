"""Workers' accounts: a Cognito user pool. Passwords go there and nowhere else."""

import base64
import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from adapters import together
from truthmill.passwords import PasswordPolicy, pool_rule

LEADS = "truthmill-leads"  # the group of those who run teams; they see the teams they are in
CODE = "SOFTWARE_TOKEN_MFA"  # both a challenge's name and a factor's
NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 a challenge's name


class SignInRefusedError(Exception):
    """The pool refuses. What it said is kept from the browser: it tells who has an account."""


class PasswordRefusedError(Exception):
    """The pool takes the new password not; the text says why, in the pool's words. rule: why, in one word."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.response["Error"].get("Message", ""))
        self.rule = pool_rule(error.response["Error"].get("Code", ""), str(self))


class ChallengeOverError(Exception):
    """The challenge or the code was used already, too late, or is wrong."""


class TooManyCodesError(Exception):
    """The pool mails no more codes to this account for a while."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signed in: sub is the account's unchanging identity. token: the pool's, good for five minutes."""

    sub: str
    username: str
    email: str
    groups: frozenset[str]
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A password that must be changed first; session: to be handed back with the new one."""

    username: str
    session: str


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The password is right, and a code is wanted too; session: to be handed back with it."""

    username: str
    session: str


class Accounts:
    """One user pool and its client."""

    def __init__(self, client: Any, pool: str, client_id: str) -> None:
        self.client = client
        self.pool = pool
        self.client_id = client_id

    @property
    def issuer(self) -> str:
        """The pool's URL, as tokens and Ground Truth's worker answers name it."""
        return f"https://cognito-idp.{self.pool.partition('_')[0]}.amazonaws.com/{self.pool}"

    def sign_in(self, username: str, password: str) -> Account | Challenge | CodeNeeded:
        """Raises SignInRefusedError, whatever the reason."""
        errors = self.client.exceptions
        try:
            answer = self.client.admin_initiate_auth(
                UserPoolId=self.pool,
                ClientId=self.client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except (
            errors.NotAuthorizedException,
            errors.UserNotFoundException,
            errors.UserNotConfirmedException,
            errors.PasswordResetRequiredException,
            errors.InvalidParameterException,
        ) as error:
            raise SignInRefusedError(str(error)) from error
        if answer.get("ChallengeName") in (NEW_PASSWORD, CODE):
            wanted = Challenge if answer["ChallengeName"] == NEW_PASSWORD else CodeNeeded
            parameters = answer.get("ChallengeParameters", {})
            return wanted(parameters.get("USER_ID_FOR_SRP", username), answer["Session"])
        return _account(answer)

    def set_password(self, challenge: Challenge, password: str) -> Account:
        """Answer the challenge. Raises PasswordRefusedError, ChallengeOverError."""
        errors = self.client.exceptions
        try:
            return self._respond(NEW_PASSWORD, challenge.username, challenge.session, NEW_PASSWORD=password)
        except (errors.InvalidPasswordException, errors.PasswordHistoryPolicyViolationException) as error:
            raise PasswordRefusedError(error) from error

    def answer_code(self, username: str, session: str, code: str) -> Account:
        """The account of who has a second factor, for a code of it. Raises ChallengeOverError."""
        return self._respond(CODE, username, session, SOFTWARE_TOKEN_MFA_CODE=code)

    def _respond(self, challenge: str, username: str, session: str, **given: str) -> Account:
        """The account of who answered a challenge. Raises ChallengeOverError, and what the pool says else."""
        errors = self.client.exceptions
        try:
            answer = self.client.admin_respond_to_auth_challenge(
                UserPoolId=self.pool,
                ClientId=self.client_id,
                ChallengeName=challenge,
                ChallengeResponses={"USERNAME": username, **given},
                Session=session,
            )
        except (
            errors.NotAuthorizedException,
            errors.CodeMismatchException,
            errors.ExpiredCodeException,
            errors.UserNotFoundException,
            errors.SoftwareTokenMFANotFoundException,
            errors.InvalidParameterException,
            ParamValidationError,  # too short for the pool to be asked
        ) as error:
            raise ChallengeOverError(str(error)) from error
        return _account(answer)

    def new_secret(self, token: str) -> str:
        """A secret for an app, which counts once a code of it has confirmed it. token: an account's."""
        return str(self.client.associate_software_token(AccessToken=token)["SecretCode"])

    def confirm_secret(self, token: str, code: str) -> None:
        """From now on a code of the app is asked for at every sign-in. Raises ChallengeOverError."""
        errors = self.client.exceptions
        try:
            self.client.verify_software_token(AccessToken=token, UserCode=code)
        except (
            errors.NotAuthorizedException,
            errors.CodeMismatchException,
            errors.EnableSoftwareTokenMFAException,
            errors.SoftwareTokenMFANotFoundException,
            errors.InvalidParameterException,
            ParamValidationError,
        ) as error:
            raise ChallengeOverError(str(error)) from error
        wanted = {"Enabled": True, "PreferredMfa": True}
        self.client.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=wanted)

    def has_factor(self, username: str) -> bool:
        user = self.client.admin_get_user(UserPoolId=self.pool, Username=username)
        return CODE in user.get("UserMFASettingList", [])

    def send_code(self, username: str) -> None:
        """Mail a code for a forgotten password, where there is an account that may have one.

        Says nothing about whether there is. Raises TooManyCodesError.
        """
        errors = self.client.exceptions
        try:
            self.client.forgot_password(ClientId=self.client_id, Username=username)
        except errors.LimitExceededException as error:
            raise TooManyCodesError(str(error)) from error
        except (
            errors.NotAuthorizedException,  # invited and never signed in, or disabled
            errors.UserNotFoundException,
            errors.InvalidParameterException,
            errors.CodeDeliveryFailureException,
        ):
            return

    def reset_password(self, username: str, code: str, password: str) -> None:
        """Set a password by the code that was mailed. Raises PasswordRefusedError, ChallengeOverError."""
        errors = self.client.exceptions
        try:
            self.client.confirm_forgot_password(
                ClientId=self.client_id, Username=username, ConfirmationCode=code, Password=password
            )
        except (errors.InvalidPasswordException, errors.PasswordHistoryPolicyViolationException) as error:
            raise PasswordRefusedError(error) from error
        except (
            errors.CodeMismatchException,
            errors.ExpiredCodeException,
            errors.LimitExceededException,
            errors.TooManyFailedAttemptsException,
            errors.NotAuthorizedException,
            errors.UserNotFoundException,
            errors.UserNotConfirmedException,
            errors.InvalidParameterException,
            ParamValidationError,
        ) as error:
            raise ChallengeOverError(str(error)) from error

    def policy(self) -> PasswordPolicy:
        """What the pool asks of a password."""
        pool = self.client.describe_user_pool(UserPoolId=self.pool)["UserPool"]
        return msgspec.convert(pool["Policies"]["PasswordPolicy"], PasswordPolicy)

    def groups(self, username: str) -> frozenset[str]:
        """The groups a worker is in now; none for an account that is gone or disabled."""
        try:
            enabled, found = together.both(lambda: self._enabled(username), lambda: self._groups(username))
        except self.client.exceptions.UserNotFoundException:
            return frozenset()
        return found if enabled else frozenset()

    def _enabled(self, username: str) -> bool:
        return bool(self.client.admin_get_user(UserPoolId=self.pool, Username=username)["Enabled"])

    def _groups(self, username: str) -> frozenset[str]:
        pages = self.client.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self.pool, Username=username
        )
        return frozenset(group["GroupName"] for page in pages for group in page["Groups"])

    def sub(self, username: str) -> str:
        """An account's unchanging identity."""
        user = self.client.admin_get_user(UserPoolId=self.pool, Username=username)
        return str(next(each["Value"] for each in user["UserAttributes"] if each["Name"] == "sub"))

    def has_group(self, name: str) -> bool:
        try:
            self.client.get_group(UserPoolId=self.pool, GroupName=name)
        except self.client.exceptions.ResourceNotFoundException:
            return False
        return True


@lru_cache(maxsize=1)
def accounts() -> Accounts:
    """The stack's pool (USER_POOL_ID, USER_POOL_CLIENT_ID)."""
    config = Config(retries={"mode": "standard", "max_attempts": 4})
    client = boto3.client("cognito-idp", config=config)
    return Accounts(client, os.environ["USER_POOL_ID"], os.environ["USER_POOL_CLIENT_ID"])


def _account(answer: dict[str, Any]) -> Account:
    """The account in the ID token, which comes from the pool itself, so its signature needs no check."""
    result = answer["AuthenticationResult"]
    payload = result["IdToken"].split(".")[1]
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Account(
        claims["sub"],
        claims["cognito:username"],
        claims.get("email", ""),
        frozenset(claims.get("cognito:groups", ())),
        result.get("AccessToken", ""),
    )
