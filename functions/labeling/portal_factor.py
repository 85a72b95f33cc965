"""A second factor: codes of an app (TOTP, RFC 6238), which the user pool makes the secret of and checks.

A code is taken once, and within three minutes and five tries of the right password.
"""

from typing import Any
from urllib.parse import quote

from adapters.accounts import Account, ChallengeOverError, CodeNeeded
from adapters.pending import WAIT_S, Pending
from labeling.observed import logger
from labeling.portal_account import (
    REFUSED,
    Portal,
    begin,
    by_password,
    count_try,
    is_required,
    signed_in,
    take_as_long,
)
from labeling.web import Reply, Web
from truthmill.errors import PortalError

CODE_REFUSED = (
    "The code is wrong, was used before, or has run out. Wait for the next one that your app shows."
)
OVER = "That took too long, or too many codes were wrong. Sign in again with your password."
ISSUER = "Truthmill"


def state(web: Web, portal: Portal) -> Reply:
    """Whether who is signed in has a second factor, and whether they must."""
    session = signed_in(web, portal)
    groups = portal.accounts.groups(session.username)
    return Reply(
        document={"on": portal.accounts.has_factor(session.username), "required": is_required(groups)}
    )


def set_up(web: Web, portal: Portal) -> Reply:
    """Begin with the password once more: whoever finds a browser signed in sets up nothing."""
    session = signed_in(web, portal)
    answer = by_password(web, portal, session.email)
    if isinstance(answer, CodeNeeded):
        raise PortalError(409, "FactorThere", "There is a second factor already. Have it reset first.")
    if not isinstance(answer, Account) or answer.sub != session.sub:
        raise PortalError(401, "SignInRefused", REFUSED)
    return Reply(document={"challenge": setup_challenge(portal, answer)})


def setup_challenge(portal: Portal, account: Account) -> dict[str, Any]:
    """A new secret, as text, as the address that apps read, and as the rows of that one's QR code."""
    import segno

    secret = portal.accounts.new_secret(account.token)
    label = quote(f"{ISSUER}:{account.email}", safe=":@")
    address = f"otpauth://totp/{label}?secret={secret}&issuer={ISSUER}"
    rows = ["".join(map(str, row)) for row in segno.make(address, error="m", micro=False).matrix]
    handle = portal.pendings.begin(
        Pending(
            sub=account.sub,
            username=account.username,
            email=account.email,
            setup=True,
            token=account.token,
            expires=portal.now() // 1000 + WAIT_S,
        )
    )
    return {"name": "SetUpSecondFactor", "handle": handle, "secret": secret, "address": address, "qr": rows}


def code_challenge(portal: Portal, needed: CodeNeeded) -> dict[str, Any]:
    """What answers the right password of who has a second factor."""
    pending = Pending(
        sub=portal.accounts.sub(needed.username),
        username=needed.username,
        email="",
        setup=False,
        token=needed.session,
        expires=portal.now() // 1000 + WAIT_S,
    )
    return {"name": "CodeRequired", "handle": portal.pendings.begin(pending)}


def answer_code(web: Web, portal: Portal) -> Reply:
    """A session for the right code; where that ends setting up a factor, every other session has ended."""
    handle, code = web.text("handle", 200), web.text("code", 16).replace(" ", "")
    now_s, begun = portal.now() // 1000, portal.now()
    pending = portal.pendings.attempt(handle, now_s)
    if pending is None:
        raise PortalError(401, "ChallengeOver", OVER)
    forgive = count_try(web, portal, pending.username)
    try:
        account = _checked(portal, pending, code, now_s)
    except ChallengeOverError as error:
        logger.info("Code refused", extra={"reason": str(error)})
        take_as_long(portal, begun)
        raise PortalError(401, "FactorRefused", CODE_REFUSED) from error
    forgive()
    portal.pendings.end(handle)
    if pending.setup:
        portal.sessions.end_all(account.sub)
        logger.info("Second factor set up", extra={"by": account.sub})
    return begin(web, portal, account)


def _checked(portal: Portal, pending: Pending, code: str, now_s: int) -> Account:
    """The account whose code that is; it is used up before the pool is asked. Raises ChallengeOverError."""
    if not portal.pendings.use(pending.sub, code, now_s):
        raise ChallengeOverError("used before")
    if pending.setup:
        portal.accounts.confirm_secret(pending.token, code)
        groups = portal.accounts.groups(pending.username)
        return Account(pending.sub, pending.username, pending.email, groups)
    return portal.accounts.answer_code(pending.username, pending.token, code)
