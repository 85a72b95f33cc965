"""HTTP as a function URL gives and takes it: requests, answers, the session's cookie, and who may post."""

import base64
import gzip
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from adapters.addresses import local_endpoint
from truthmill.errors import PortalError
from truthmill.shallow_json import decode_object

MAX_BODY = 1_000_000  # bytes
MARK = "x-truthmill"  # a header that no form and no other origin can send without asking first
SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
TLS_HEADERS = {"strict-transport-security": "max-age=31536000"}


def is_local() -> bool:
    """Whether this runs on the local engine, which has no TLS."""
    return bool(local_endpoint())


@dataclass(frozen=True, slots=True)
class Web:
    """A request. path: decoded, begins with a slash. address: of the caller."""

    method: str
    path: str
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes
    domain: str
    address: str
    query: str

    @classmethod
    def of(cls, event: dict[str, Any]) -> "Web":
        """The request of a function URL's event (payload format 2.0)."""
        context = event["requestContext"]
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        # AWS takes cookies out of the headers, the local engine leaves them there.
        pairs = event.get("cookies") or headers.get("cookie", "").split(";")
        cookies = dict(pair.strip().split("=", 1) for pair in pairs if "=" in pair)
        body = event.get("body") or ""
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        return cls(
            context["http"]["method"],
            event["rawPath"],
            headers,
            cookies,
            raw,
            context.get("domainName", ""),
            context["http"].get("sourceIp", ""),
            event.get("rawQueryString", ""),
        )

    @property
    def session_cookie(self) -> str:
        return self.cookies.get(cookie_name(), "")

    @property
    def is_idle(self) -> bool:
        """Whether a page asks by itself, with nobody having done anything for a while."""
        return bool(self.headers.get("x-truthmill-idle"))

    @property
    def takes_gzip(self) -> bool:
        return "gzip" in self.headers.get("accept-encoding", "")

    def number(self, name: str, default: int) -> int:
        """A whole number of the query, of at most six digits. Raises PortalError."""
        given = parse_qs(self.query).get(name)
        if given is None:
            return default
        if not (given[-1].isascii() and given[-1].isdecimal() and len(given[-1]) <= 6):
            raise PortalError(422, "Invalid", f'"{name}" is a whole number of at most six digits.')
        return int(given[-1])

    def document(self) -> dict[str, Any]:
        """The JSON object posted. Raises PortalError."""
        if len(self.body) > MAX_BODY:
            raise PortalError(413, "TooLarge", f"A request has at most {MAX_BODY} bytes.")
        try:
            return decode_object(self.body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PortalError(400, "NotJson", f"The body isn't a JSON object: {error}.") from error

    def text(self, name: str, most: int = 1_000) -> str:
        """A member of the object posted that must be a text. Raises PortalError."""
        value = self.document().get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise PortalError(
                422, "Invalid", f'"{name}" is missing, or not a text of at most {most} characters.'
            )
        return value

    def check_origin(self) -> None:
        """Refuse what another site's page could have sent: JSON only, our header, our origin.

        Raises PortalError.
        """
        if self.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise PortalError(415, "NotJson", "Send JSON, with Content-Type: application/json.")
        if not self.headers.get(MARK):
            raise PortalError(403, "Forbidden", "The header X-Truthmill is missing.")
        origin = self.headers.get("origin")
        if origin is not None and not self._own(origin):
            raise PortalError(403, "Forbidden", "The request comes from another site.")
        if self.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise PortalError(403, "Forbidden", "The request comes from another site.")

    def _own(self, origin: str) -> bool:
        if origin == f"https://{self.domain}":
            return True
        if not is_local():
            return False
        engine = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        given = urlsplit(origin)
        own_host = (given.hostname or "").endswith(".localhost") and (given.hostname or "").startswith(
            self.domain.partition(".")[0] + ".lambda-url."
        )
        return (
            given.scheme == "http"
            and given.port == engine.port
            and (own_host or given.hostname in (engine.hostname, "127.0.0.1", "localhost"))
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. content: bytes whose type the headers name; page: HTML; else document, as JSON."""

    status: int = 200
    document: Any = None
    page: str | None = None
    content: bytes | None = None
    cookies: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, *, gzipped: bool = False) -> dict[str, Any]:
        """In the form that a function URL takes. gzipped: a page may be, since its reader takes that."""
        headers = {**SECURITY_HEADERS, **({} if is_local() else TLS_HEADERS)}
        content = self.content
        if self.page is not None:
            headers |= {"content-type": "text/html; charset=utf-8", "vary": "accept-encoding"}
            if gzipped:
                headers["content-encoding"] = "gzip"
                content = gzip.compress(self.page.encode(), compresslevel=6, mtime=0)
        elif content is None:
            headers["content-type"] = "application/json"
        answer: dict[str, Any] = {
            "statusCode": self.status,
            "headers": {**headers, **self.headers},
            "body": self._text() if content is None else base64.b64encode(content).decode(),
            "isBase64Encoded": content is not None,
        }
        if self.cookies:
            answer["cookies"] = self.cookies
        return answer

    def _text(self) -> str:
        if self.page is not None:
            return self.page
        return "" if self.status == 204 else msgspec.json.encode(self.document).decode()


def cookie_name() -> str:
    """With TLS a prefix by which browsers hold it to this host, Secure and Path=/ (RFC 6265bis, 4.1.3)."""
    return "truthmill-session" if is_local() else "__Host-truthmill-session"


def cookie(value: str, max_age_s: int) -> str:
    """The Set-Cookie of a session; an empty value with 0 seconds ends it."""
    secure = "" if is_local() else "; Secure"
    return f"{cookie_name()}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"
