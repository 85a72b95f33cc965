"""Who is signed in to the portal, and what signing in takes. Passwords only pass through, to the pool."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from adapters.accounts import (
    LEADS,
    Account,
    Accounts,
    Challenge,
    CodeNeeded,
    PasswordRefusedError,
    SignInRefusedError,
    accounts,
)
from adapters.jobs import Jobs, Teams
from adapters.pending import Pendings
from adapters.sessions import LIFETIME_S, Session, Sessions
from adapters.table import table
from adapters.tasks import Tasks
from labeling.observed import logger, now_ms
from labeling.web import Reply, Web, cookie
from truthmill import passwords
from truthmill.errors import PortalError

TRIES_A_NAME_AND_ADDRESS = 10  # in a window of 15 minutes
TRIES_AN_ADDRESS = 100
TRIES_A_NAME = 50
LEAST_MS = 500  # that an answer takes which must not tell, by its time either, who has an account
REFUSED = (
    "User name or password is wrong, or the invitation has run out. "
    "Try again, or ask the one who invited you for a new invitation."
)


@dataclass(frozen=True, slots=True)
class Portal:
    """What the portal works with. now: milliseconds since 1970. pause: waits so many seconds."""

    jobs: Jobs
    teams: Teams
    tasks: Tasks
    sessions: Sessions
    pendings: Pendings
    accounts: Accounts
    now: Callable[[], int]
    pause: Callable[[float], None]

    @classmethod
    def of_stack(cls) -> "Portal":
        shared = table()
        return cls(
            Jobs(shared),
            Teams(shared),
            Tasks(shared),
            Sessions(shared),
            Pendings(shared),
            accounts(),
            now_ms,
            time.sleep,
        )


def session(web: Web, portal: Portal) -> Reply:
    """Who is signed in, and whether they lead teams."""
    found = signed_in(web, portal)
    return Reply(document={"user": user_document(found.email, portal.accounts.groups(found.username))})


def by_password(web: Web, portal: Portal, username: str) -> Account | Challenge | CodeNeeded:
    """What the pool says to the posted password; a counted try. Raises PortalError (401, 429)."""
    password, begun = web.text("password", 256), portal.now()
    forgive = count_try(web, portal, username)
    try:
        answer = portal.accounts.sign_in(username, password)
    except SignInRefusedError as error:
        logger.info("Sign-in refused", extra={"reason": str(error)})
        take_as_long(portal, begun)
        raise PortalError(401, "SignInRefused", REFUSED) from error
    forgive()
    return answer


def sign_out(web: Web, portal: Portal) -> Reply:
    """End all sessions of the worker, here and on other devices; also where there is none."""
    found = portal.sessions.find(web.session_cookie, portal.now() // 1000)
    if found is not None:
        portal.sessions.end_all(found.sub)
    return Reply(204, cookies=[cookie("", 0)])


def signed_in(web: Web, portal: Portal) -> Session:
    """The request's session. Raises PortalError (401)."""
    return portal.sessions.find(web.session_cookie, portal.now() // 1000, idle=web.is_idle) or signed_out()


def signed_out() -> NoReturn:
    raise PortalError(401, "SignedOut", "You aren't signed in, or your session has ended. Sign in again.")


def is_required(groups: frozenset[str]) -> bool:
    """Whether who is in these groups must have a second factor (SECOND_FACTOR)."""
    wanted = os.environ["SECOND_FACTOR"]
    return wanted == "all" or (wanted == "leads" and LEADS in groups)


def begin(web: Web, portal: Portal, account: Account) -> Reply:
    """A session under a new secret; the one that the browser had before ends."""
    if web.session_cookie:
        portal.sessions.end(web.session_cookie)
    begun, value = portal.sessions.begin(account.sub, account.username, account.email, portal.now() // 1000)
    user = user_document(begun.email, account.groups)
    return Reply(document={"user": user}, cookies=[cookie(value, LIFETIME_S)])


def check_password(portal: Portal, password: str, username: str) -> None:
    """Hold a new password to the pool's policy, whatever the pool itself does, and to what guessers try.

    Raises PortalError (422).
    """
    lacks = passwords.missing(password, portal.accounts.policy(), [username])
    if lacks:
        words = f"The password needs {', '.join(lacks)}."
        raise PortalError(422, "PasswordRefused", words, {"rules": lacks})


def pool_refuses(error: PasswordRefusedError) -> PortalError:
    """The user pool has a rule of its own that the password breaks."""
    words = f"Choose another password: {error}"
    return PortalError(422, "PasswordRefused", words, {"rule": error.rule, "cause": str(error)})


def take_as_long(portal: Portal, begun: int) -> None:
    """Wait until LEAST_MS have passed: finding an account takes another time than finding none."""
    portal.pause(max(0, begun + LEAST_MS - portal.now()) / 1000)


def user_document(email: str, groups: frozenset[str]) -> dict[str, Any]:
    """Who is signed in, and whether the lead's part of the API answers to them."""
    return {"email": email, "lead": LEADS in groups}


def count_try(web: Web, portal: Portal, username: str) -> Callable[[], None]:
    """Count a try to sign in; what is answered takes it back, for a try that was right.

    Counted before the pool is asked, so that many at once don't get past. Raises PortalError (429) the same
    for names that exist and names that don't.
    """
    name, now = username.strip().lower(), portal.now() // 1000
    limits = {
        f"address {web.address}": TRIES_AN_ADDRESS,
        f"both {name} {web.address}": TRIES_A_NAME_AND_ADDRESS,
        f"name {name}": TRIES_A_NAME,
    }
    if not all(portal.sessions.try_once(what, most, now) for what, most in limits.items()):
        raise PortalError(429, "TooManyTries", "Too many tries. Wait 15 minutes, then try again.")

    def forgive() -> None:
        for what in limits:
            portal.sessions.forgive(what, now)

    return forgive
