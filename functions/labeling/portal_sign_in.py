"""Signing in: by password, by the first password of one's own, and what is asked for besides."""

from adapters.accounts import Account, Challenge, ChallengeOverError, CodeNeeded, PasswordRefusedError
from labeling.portal_account import (
    Portal,
    begin,
    by_password,
    check_password,
    count_try,
    is_required,
    pool_refuses,
)
from labeling.portal_factor import code_challenge, setup_challenge
from labeling.web import Reply, Web
from truthmill import passwords
from truthmill.errors import PortalError


def sign_in(web: Web, portal: Portal) -> Reply:
    """A session, or the challenge to choose a new password. A refusal is the same whatever its reason."""
    answer = by_password(web, portal, web.text("username", 256))
    if isinstance(answer, Challenge):
        challenge = {
            "name": "NewPasswordRequired",
            "username": answer.username,
            "session": answer.session,
            "passwordRules": [words for words, _ in passwords.rules(portal.accounts.policy())],
        }
        return Reply(document={"challenge": challenge})
    return begin_or_ask(web, portal, answer)


def new_password(web: Web, portal: Portal) -> Reply:
    """Answer the challenge of the first sign-in."""
    username, secret = web.text("username", 256), web.text("session", 4_096)
    password = web.text("password", 256)
    check_password(portal, password, username)
    forgive = count_try(web, portal, username)
    try:
        account = portal.accounts.set_password(Challenge(username, secret), password)
    except PasswordRefusedError as error:
        raise pool_refuses(error) from error
    except ChallengeOverError as error:
        raise PortalError(
            401, "ChallengeOver", "That took too long. Sign in again with the password you were sent."
        ) from error
    forgive()
    return begin_or_ask(web, portal, account)


def begin_or_ask(web: Web, portal: Portal, answer: Account | CodeNeeded) -> Reply:
    """A session, or what is still wanted besides the password: a code, or a second factor to be set up."""
    if isinstance(answer, CodeNeeded):
        return Reply(document={"challenge": code_challenge(portal, answer)})
    if is_required(answer.groups):  # the pool asked for no code, so there is no second factor yet
        return Reply(document={"challenge": setup_challenge(portal, answer)})
    return begin(web, portal, answer)
