"""Sessions of the portal, and how often somebody tried to sign in.

pk WORKER#<sub>  sk SESSION#<sha256 of the secret>   a session; gone at sign-out, and by the table's TTL
pk TRIES#<what>  sk <window>                         tries in a window of time
"""

import hashlib
import secrets

import msgspec

from adapters.table import ConditionFailedError, Item, Key, Table

LIFETIME_S = 12 * 3600
IDLE_S = 1_800  # without anything that somebody did
NOTED_S = 300  # what was done within that time isn't noted again: no write for each request
WINDOW_S = 900


class Session(msgspec.Struct, frozen=True):
    """Who is signed in. sub: the account's identity; expires: seconds since 1970."""

    sub: str
    username: str
    email: str
    expires: int


class Sessions:
    """Sessions by the value of their cookie, of which only a digest is kept."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def begin(self, sub: str, username: str, email: str, now_s: int) -> tuple[Session, str]:
        """A new session and its cookie's value."""
        secret = secrets.token_urlsafe(32)
        session = Session(sub, username, email, now_s + LIFETIME_S)
        self.table.put(
            {"pk": f"WORKER#{sub}", "sk": _name(secret), **msgspec.to_builtins(session), "seen": now_s}
        )
        return session, f"{sub}.{secret}"

    def find(self, cookie: str, now_s: int, *, idle: bool = False) -> Session | None:
        """The session of a cookie, unless it has ended. idle: a page asks by itself, nobody is there."""
        key = self.key(cookie)
        return self.found(self.table.get(key), now_s, idle=idle) if key else None

    def key(self, cookie: str) -> Key | None:
        """Where the session of a cookie lies; None for what is no session's cookie."""
        sub, _, secret = cookie.partition(".")
        return (f"WORKER#{sub}", _name(secret)) if secret and len(cookie) <= 200 else None

    @staticmethod
    def worker(cookie: str) -> str:
        """Whose session a cookie claims to be, which only the session itself proves."""
        return cookie.partition(".")[0]

    def found(self, item: Item | None, now_s: int, *, idle: bool = False) -> Session | None:
        """As `find`, for who has read what lies there."""
        if item is None or item["expires"] <= now_s:
            return None
        seen = item.get("seen", item["expires"] - LIFETIME_S)
        if seen + IDLE_S <= now_s or not (idle or self._note((item["pk"], item["sk"]), seen, now_s)):
            return None
        return msgspec.convert(item, Session)

    def _note(self, key: Key, seen: int, now_s: int) -> bool:
        """That somebody is there; False where the session has ended meanwhile."""
        if now_s - seen < NOTED_S:
            return True
        update = self.table.updating(key, "SET #seen = :seen", {"seen": now_s}, "attribute_exists(#pk)")
        try:
            self.table.write([update])
        except ConditionFailedError:
            return False
        return True

    def end(self, cookie: str) -> None:
        """End one session; also where there is none."""
        if key := self.key(cookie):
            self.table.delete(key)

    def end_all(self, sub: str) -> None:
        """End every session of a worker."""
        for item in list(self.table.query(f"WORKER#{sub}", "SESSION#")):
            self.table.delete((item["pk"], item["sk"]))

    def try_once(self, what: str, most: int, now_s: int) -> bool:
        """Count a try; False where there were too many in this window of 15 minutes."""
        update = self.table.updating(
            _window(what, now_s),
            "SET #expires = :expires ADD #tries :one",
            {"expires": now_s + 2 * WINDOW_S, "one": 1, "most": most},
            "attribute_not_exists(#tries) OR #tries < :most",
        )
        try:
            self.table.write([update])
        except ConditionFailedError:
            return False
        return True

    def forgive(self, what: str, now_s: int) -> None:
        """Don't count a try that was right."""
        self.table.write([self.table.updating(_window(what, now_s), "ADD #tries :less", {"less": -1})])


def _window(what: str, now_s: int) -> tuple[str, str]:
    return f"TRIES#{hashlib.sha256(what.encode()).hexdigest()}", str(now_s // WINDOW_S)


def _name(secret: str) -> str:
    return "SESSION#" + hashlib.sha256(secret.encode()).hexdigest()
