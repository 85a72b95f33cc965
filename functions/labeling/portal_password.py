"""A forgotten password: a code by mail, and a new password for it. Neither tells who has an account."""

from adapters.accounts import (
    Challenge,
    ChallengeOverError,
    PasswordRefusedError,
    SignInRefusedError,
    TooManyCodesError,
)
from labeling.observed import logger
from labeling.portal_account import (
    Portal,
    check_password,
    count_try,
    pool_refuses,
    take_as_long,
)
from labeling.portal_sign_in import begin_or_ask
from labeling.web import Reply, Web
from truthmill import passwords
from truthmill.errors import PortalError

CODE_REFUSED = "The code is wrong or has run out. Check it, or ask for a new one."


def forgotten(web: Web, portal: Portal) -> Reply:
    """Mail a code, if there is such an account. The same answer, after the same time, if there is none."""
    username, begun = web.text("username", 256), portal.now()
    count_try(web, portal, username)
    try:
        portal.accounts.send_code(username)
    except TooManyCodesError as error:
        logger.info("No code sent", extra={"reason": str(error)})
    take_as_long(portal, begun)
    rules = [words for words, _ in passwords.rules(portal.accounts.policy())]
    return Reply(document={"sent": True, "passwordRules": rules})


def reset(web: Web, portal: Portal) -> Reply:
    """Set the new password, end every session that there was, and begin a new one."""
    username, password = web.text("username", 256), web.text("password", 256)
    code, begun = web.text("code", 64).strip(), portal.now()
    check_password(portal, password, username)
    forgive = count_try(web, portal, username)
    try:
        portal.accounts.reset_password(username, code, password)
        account = portal.accounts.sign_in(username, password)
    except PasswordRefusedError as error:
        raise pool_refuses(error) from error
    except (ChallengeOverError, SignInRefusedError) as error:
        logger.info("Code refused", extra={"reason": str(error)})
        take_as_long(portal, begun)
        raise PortalError(401, "CodeRefused", CODE_REFUSED) from error
    if isinstance(account, Challenge):
        raise PortalError(401, "CodeRefused", CODE_REFUSED)
    forgive()
    portal.sessions.end_all(portal.accounts.sub(account.username))
    return begin_or_ask(web, portal, account)
