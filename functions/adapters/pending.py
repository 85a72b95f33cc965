"""Sign-ins that wait for a code, and second factors that are being set up.

pk PENDING#<sha256 of the handle>  sk PENDING   what goes on with the right code; gone once it went on
pk CODE#<sha256>                   sk CODE      a code that was used, for as long as it would be good
"""

import hashlib
import secrets

import msgspec

from adapters.table import ConditionFailedError, Key, Table

WAIT_S = 180  # as long as the user pool's own challenge lasts, and less than its access token (template.yaml)
MOST_TRIES = 5
USED_S = 180  # a code is good for its half minute and, where clocks differ, those around it


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """Who gave the right password, and what the pool wants back: a challenge's session, or an access token.

    setup: the code ends the setting up of a factor, not a sign-in.
    """

    sub: str
    username: str
    email: str
    setup: bool
    token: str
    expires: int


class Pendings:
    """By a handle that only the browser keeps."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def begin(self, pending: Pending) -> str:
        """The handle to go on with."""
        handle = secrets.token_urlsafe(32)
        pk, sk = _key(handle)
        self.table.put({"pk": pk, "sk": sk, **msgspec.to_builtins(pending), "tries": 0})
        return handle

    def attempt(self, handle: str, now_s: int) -> Pending | None:
        """What is waiting, with one try more counted; None where nothing is, or there were too many."""
        try:
            self.table.write(
                [
                    self.table.updating(
                        _key(handle),
                        "ADD #tries :one",
                        {"one": 1, "most": MOST_TRIES, "now": now_s},
                        "attribute_exists(#pk) AND #tries < :most AND #expires > :now",
                    )
                ]
            )
        except ConditionFailedError:
            return None
        item = self.table.get(_key(handle))
        return msgspec.convert(item, Pending) if item else None

    def end(self, handle: str) -> None:
        self.table.delete(_key(handle))

    def use(self, sub: str, code: str, now_s: int) -> bool:
        """Mark somebody's code as used; False where it was used before."""
        digest = hashlib.sha256(f"{sub} {code}".encode()).hexdigest()
        item = {"pk": f"CODE#{digest}", "sk": "CODE", "expires": now_s + USED_S}
        try:
            self.table.put(item, "attribute_not_exists(#pk) OR #expires <= :now", {"now": now_s})
        except ConditionFailedError:
            return False
        return True


def _key(handle: str) -> Key:
    return f"PENDING#{hashlib.sha256(handle.encode()).hexdigest()}", "PENDING"
