"""The worker portal: the page, and the HTTP API that docs/portal-api.md describes."""

import re
from collections.abc import Callable
from typing import Any

from labeling import (
    front,
    portal_account,
    portal_factor,
    portal_lead,
    portal_password,
    portal_sign_in,
    portal_work,
)
from labeling.observed import logger, observed
from labeling.portal_account import Portal
from labeling.web import Reply, Web
from truthmill.errors import PortalError

JOB = r"/api/jobs/(?P<job>[A-Za-z0-9-]{1,63})"
TASK = JOB + r"/tasks/(?P<task>[0-9]{1,6})"

LEAD_TEAM = r"/api/lead/teams/(?P<team>[A-Za-z0-9-]{1,63})"
MEMBER = LEAD_TEAM + r"/members/(?P<member>[0-9a-fA-F-]{36})"
LEAD_JOB = r"/api/lead/jobs/(?P<job>[A-Za-z0-9-]{1,63})"

Route = tuple[str, re.Pattern[str], Callable[..., Reply]]
ROUTES: list[Route] = [
    (method, re.compile(path), function)
    for method, path, function in [
        ("GET", "/api/session", portal_account.session),
        ("POST", "/api/sign-in", portal_sign_in.sign_in),
        ("POST", "/api/new-password", portal_sign_in.new_password),
        ("POST", "/api/forgotten-password", portal_password.forgotten),
        ("POST", "/api/reset-password", portal_password.reset),
        ("POST", "/api/code", portal_factor.answer_code),
        ("GET", "/api/second-factor", portal_factor.state),
        ("POST", "/api/second-factor", portal_factor.set_up),
        ("POST", "/api/sign-out", portal_account.sign_out),
        ("GET", "/api/jobs", portal_work.jobs),
        ("POST", JOB + "/tasks", portal_work.take),
        ("GET", TASK, portal_work.task),
        ("GET", TASK + "/page", portal_work.page),
        ("POST", TASK + "/answer", portal_work.answer),
        ("POST", TASK + "/decline", portal_work.decline),
        ("POST", TASK + "/release", portal_work.release),
        ("POST", TASK + "/extend", portal_work.extend),
        ("GET", "/api/lead/teams", portal_lead.teams),
        ("GET", LEAD_TEAM, portal_lead.team),
        ("POST", LEAD_TEAM + "/members", portal_lead.invite),
        ("POST", MEMBER + "/resend", portal_lead.resend),
        ("POST", MEMBER + "/remove", portal_lead.remove),
        ("POST", MEMBER + "/reset-factor", portal_lead.reset_factor),
        ("GET", LEAD_JOB, portal_lead.job),
        ("GET", LEAD_JOB + "/objects", portal_lead.objects),
        ("GET", LEAD_JOB + r"/objects/(?P<task>[0-9]{1,6})", portal_lead.one_object),
    ]
]


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    try:
        web = Web.of(event)
        return (page(web) or serve(web, Portal.of_stack())).response(gzipped=web.takes_gzip)
    except Exception:  # noqa: BLE001 a browser is told in the API's form, whatever it is
        logger.exception("Failed")
        sorry = {"code": "Failed", "message": "Something went wrong here. Try again in a moment."}
        return Reply(500, {"error": sorry}).response()


def page(web: Web) -> Reply | None:
    """The front page, which anybody may read; None for what isn't it."""
    if (web.method, web.path) != ("GET", "/"):
        return None
    reply = front.front(web)
    # Like every request; besides, the local engine waits 50 ms for the log of a function that writes none.
    logger.info("Answered", extra={"route": "front", "status": reply.status})
    return reply


def serve(web: Web, portal: Portal) -> Reply:
    """The answer to a request; a refusal is an answer too."""
    try:
        function, named = _route(web)
        if web.method == "POST":
            web.check_origin()
        reply = function(web, portal, **named)
        logger.info("Answered", extra={"route": function.__name__, "status": reply.status, **named})
        return reply  # noqa: TRY300 an answer that fails to be made is no answer
    except PortalError as error:
        logger.info("Refused", extra={"status": error.status, "code": error.code, "path": web.path})
        told = {"code": error.code, "message": str(error), "details": error.details}
        return Reply(error.status, {"error": told})


def _route(web: Web) -> tuple[Callable[..., Reply], dict[str, str]]:
    methods = set()
    for method, path, function in ROUTES:
        found = path.fullmatch(web.path)
        if found and method == web.method:
            return function, found.groupdict()
        if found:
            methods.add(method)
    if methods:
        raise PortalError(405, "MethodNotAllowed", f"{web.path} takes {', '.join(sorted(methods))}.")
    raise PortalError(404, "NotFound", f"There is no {web.path}.")
