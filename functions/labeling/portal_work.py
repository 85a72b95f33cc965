"""The work itself: jobs, tasks, answers. Every route asks who is in the job's team, and so whose it is."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from adapters import together
from adapters.desks import Desk, Held, desk_key
from adapters.gold_tasks import GoldAnswer
from adapters.jobs import job_key, stored_job
from adapters.links import link, picture_sources, stored_size
from adapters.remembered import Remembered
from adapters.sessions import Session, Sessions
from adapters.stored_tasks import StoredTask, task_key
from adapters.table import Item, Key
from adapters.task_page import task_page
from adapters.tasks import Found, JobEndedError
from labeling.observed import logger
from labeling.portal_account import Portal, signed_in, signed_out, user_document
from labeling.web import Reply, Web
from truthmill.errors import PortalError
from truthmill.job_answers import read_job_answer, template_input
from truthmill.labeling_jobs import Counters, Job, outcome
from truthmill.labeling_output import Submitted, iso_milli
from truthmill.leases import LeaseRefusedError
from truthmill.task_names import name_of, number_of
from truthmill.worker_answers import MAX_BYTES, Answer, AnswerError

# Who is in a group, and which groups make up a team, is heeded after that many seconds at the latest. Where a
# lead or the command removes somebody, their sessions end besides, so that is heeded at once.
BELIEVED_S = 10
GROUPS: Remembered[frozenset[str]] = Remembered(BELIEVED_S)
TEAMS: Remembered[dict[str, Any] | None] = Remembered(BELIEVED_S)
TEMPLATES: Remembered[str] = Remembered(600, most=8)  # a job's never changes
LATELY: Remembered[Job | None] = Remembered(600)  # where a job's tasks lie, which doesn't change
AHEAD = ThreadPoolExecutor(2)  # what is read of a picture while the next task is looked for
MOST_HELD = 2  # the task under work and the next, so that its picture can be loaded ahead
# The template's own scripts may run, in an origin of their own: they reach no cookie and no other page, and
# load no picture but those that their own template was given. By trusted types all that they write into it
# goes through elements/early.js, which lets no frame be written.
PAGE_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'unsafe-inline' 'self'; "
    "style-src 'unsafe-inline' 'self'; img-src {pictures} data: blob:; font-src 'self'; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types default"
)


def jobs(web: Web, portal: Portal) -> Reply:
    """The jobs under way of the worker's teams, the oldest first; and who the worker is."""
    session = signed_in(web, portal)
    groups = GROUPS.renew(session.username, lambda: portal.accounts.groups(session.username))
    open_jobs = [job for job in portal.jobs.active() if job.status == "InProgress"]
    mine = sorted((job for job in open_jobs if _in_team(job, portal, session)), key=lambda job: job.created)
    desks = portal.tasks.desks_at(session.sub, [job.name for job in mine])
    counted = together.each(portal.jobs.counters, mine)
    documents = list(map(_job_document, mine, counted, desks))
    return Reply(document={"jobs": documents, "user": user_document(session.email, groups)})


def take(web: Web, portal: Portal, job: str) -> Reply:
    """The tasks that the worker holds, topped up to `count`; asking again takes no more.

    With `job`, also what `jobs` says of it and of the worker.
    """
    found, session = _job_of_mine(web, portal, job)
    count = _count(web, "count", 1)
    if not web.document().get("job"):
        return Reply(document=_held_after(portal, found, session, count))
    held, counters = together.both(
        lambda: _held_after(portal, found, session, count), lambda: portal.jobs.counters(found)
    )
    (desk,) = portal.tasks.desks_at(session.sub, [found.name])
    user = user_document(session.email, _groups(portal, session))
    return Reply(document={**held, "job": _job_document(found, counters, desk), "user": user})


def task(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """One task that the worker holds."""
    found, lease, stored = _held(web, portal, job, task)
    return Reply(document={"task": _task_document(found, lease, stored)})


def page(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """The job's template, rendered for a task that the worker holds; in an origin of its own."""
    found, _, stored = _held(web, portal, job, task)
    from truthmill import worker_template

    template = TEMPLATES.get(found.name, lambda: portal.jobs.template(found.name))
    try:
        given = template_input(found.kinds, stored.line, stored.uri, found.labels, stored.input)
        shown = task_page(template, given, link)
    except worker_template.TemplateError as error:
        raise PortalError(
            500,
            "TemplateBroken",
            f"The job's template can't be shown. Tell the one who made the job: {error}",
            error.details,
        ) from error
    policy = PAGE_POLICY.format(pictures=picture_sources(shown.links))
    return Reply(page=shown.html, headers={"content-security-policy": policy})


def answer(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """Take an answer; the same one again is taken as done. With `next`, answer with the tasks held then."""
    found, session, number, (stored, desk) = _task_of_mine(web, portal, job, task)
    count = _count(web, "next", 0)
    content = web.document().get("answer")
    encoded = msgspec.json.encode(content, order="sorted")
    if len(encoded) > MAX_BYTES:
        raise PortalError(413, "TooLarge", f"An answer has at most {MAX_BYTES} bytes.")
    if stored is None:
        raise PortalError(404, "NoSuchTask", f"The job has no object {task}.")
    now, read = portal.now(), _reading(found, content, stored.uri)
    draft = Submitted(
        worker=_worker_id(session.sub),
        sub=session.sub,
        issuer=portal.accounts.issuer,
        accepted=_accepted(desk, number, now),
        submitted=now,
        content=content,  # type: ignore[arg-type] # read_answer will see that it is an object
        answer=Answer((), (0, 0)),
    )
    digest = hashlib.sha256(encoded).hexdigest()
    if count and not found.is_gold(number) and _goes_on(portal, found):
        given = (found, number, draft, read, digest, now, (stored, desk), count)
        held = _held_document(found, _change(lambda: portal.tasks.answer_and_hold(*given)))
        _finish_if_last(portal, found, held)
        return Reply(document={"accepted": True, **held})
    submitted = msgspec.structs.replace(draft, answer=read())
    told: dict[str, Any] = {}
    if found.is_gold(number):
        told = _feedback(
            found,
            _change(lambda: portal.tasks.answer_gold(found, session.sub, number, submitted, digest, now)),
        )
    else:
        both = (stored, desk)
        _change(lambda: portal.tasks.answer(found, session.sub, number, submitted, digest, now, both))
    return Reply(document={"accepted": True, **told, **_and_next(portal, found, session, count)})


def _reading(job: Job, content: Any, uri: str) -> Callable[[], Answer]:
    """What an answer says, once it is asked for; the picture's size is on its way from now on.

    What is answered raises PortalError (422).
    """
    size = AHEAD.submit(stored_size, uri) if job.kinds.draws_boxes else None

    def read() -> Answer:
        try:
            return read_job_answer(job.kinds, content, job.labels, lambda: size.result() if size else None)
        except AnswerError as error:
            raise PortalError(422, "AnswerInvalid", str(error), error.details) from error

    return read


def _feedback(job: Job, given: GoldAnswer) -> dict[str, Any]:
    """What a worker is told of a gold task, where the job says so: the right boxes, how theirs compare."""
    if not job.rules.gold_feedback:
        return {}
    expected = [
        {
            "label": job.labels[box.class_id],
            "left": box.left,
            "top": box.top,
            "width": box.width,
            "height": box.height,
        }
        for box in given.known
    ]
    result = given.result
    told = {
        "expected": expected,
        "found": result.hits,
        "drawn": result.drawn,
        "score": round(result.score, 4),
    }
    return {"feedback": told}


def decline(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """Return a task for good, with a reason: the worker isn't asked again."""
    found, session = _job_of_mine(web, portal, job)
    reason, count, number = web.text("reason", 500), _count(web, "next", 0), number_of(found.secret, task)
    _change(lambda: portal.tasks.decline(found, session.sub, number, reason, portal.now()))
    return Reply(document={"declined": True, **_and_next(portal, found, session, count)})


def release(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """Return a task to the others; the worker may get it again."""
    found, session = _job_of_mine(web, portal, job)
    number = number_of(found.secret, task)
    _change(lambda: portal.tasks.release(found, session.sub, number, portal.now()))
    return Reply(document={"released": True})


def extend(web: Web, portal: Portal, job: str, task: str) -> Reply:
    """The whole time again, from now on."""
    found, session = _job_of_mine(web, portal, job)
    number = number_of(found.secret, task)
    if number not in {each.number for each in portal.tasks.desk(session.sub, found.name).held}:
        raise PortalError(404, "NotYours", "You don't hold this task.")
    lease = _change(lambda: portal.tasks.extend(found, session.sub, number, portal.now()))
    return Reply(document={"expires": iso_milli(lease.until)})


def _count(web: Web, name: str, default: int) -> int:
    """How many tasks the worker wants to hold. Raises PortalError (422)."""
    count = web.document().get(name, default)
    if not isinstance(count, int) or isinstance(count, bool) or not min(1, default) <= count <= MOST_HELD:
        raise PortalError(422, "Invalid", f'"{name}" is a whole number up to {MOST_HELD}.')
    return count


def _and_next(portal: Portal, job: Job, session: Session, count: int) -> dict[str, Any]:
    """What answers with a task are told beside it, where they asked.

    Who gets another of the job's objects shows that it isn't over; else its counters are looked at.
    """
    held = _held_after(portal, job, session, count) if count else {}
    _finish_if_last(portal, job, held)
    return held


def _finish_if_last(portal: Portal, job: Job, held: dict[str, Any]) -> None:
    if all(job.is_gold(number_of(job.secret, each["task"])) for each in held.get("tasks", [])):
        _finish_if_enough(portal, job)


def _held_after(portal: Portal, job: Job, session: Session, count: int) -> dict[str, Any]:
    """The tasks that the worker holds, topped up; none where the job takes no more answers."""
    if not _goes_on(portal, job):
        _finish_if_enough(portal, job)
        return {"tasks": [], "jobStatus": job.status}
    return _held_document(job, portal.tasks.hold(job, session.sub, count, portal.now()))


def _goes_on(portal: Portal, job: Job) -> bool:
    return job.status == "InProgress" and portal.now() < job.deadline


def _held_document(job: Job, held: list[tuple[Held, StoredTask]]) -> dict[str, Any]:
    tasks = [_task_document(job, lease, stored) for lease, stored in held[:MOST_HELD]]
    return {"tasks": tasks, "jobStatus": job.status}


def _change(change: Any) -> Any:
    """Do it, and say in HTTP why it can't be done."""
    try:
        return change()
    except LeaseRefusedError as error:
        raise PortalError(409, error.code, str(error)) from error
    except JobEndedError as error:
        raise PortalError(409, "JobEnded", "The job has ended; your answer isn't needed any more.") from error


def _finish_if_enough(portal: Portal, job: Job) -> None:
    """Have the job ended where this was the last answer it needs; the sweep does it where this fails."""
    from adapters.functions import invoke_finish

    try:
        if outcome(job, portal.jobs.counters(job), portal.now()):
            invoke_finish(job.name)
    except Exception:  # noqa: BLE001 whatever it is, what was asked for is kept
        logger.exception("The job's end could not be asked for; the sweep will")


def _job_of_mine(web: Web, portal: Portal, name: str) -> tuple[Job, Session]:
    """A job of one of the worker's teams. A job of others is as little there as one that doesn't exist."""
    job, session, _ = _read_mine(web, portal, name)
    return job, session


def _task_of_mine(web: Web, portal: Portal, name: str, task: str) -> tuple[Job, Session, int, Found]:
    """A task's number, what it is and the worker's desk. Where these lie the cookie and the job tell."""

    def keys(guess: Job) -> list[Key]:
        desk = desk_key(Sessions.worker(web.session_cookie), guess.name)
        return [task_key(guess, number_of(guess.secret, task)), desk]

    job, session, read = _read_mine(web, portal, name, keys)
    number = number_of(job.secret, task)
    return job, session, number, portal.tasks.with_desk(job, number, session.sub, read)


def _read_mine(
    web: Web, portal: Portal, name: str, keys: Callable[[Job], list[Key]] | None = None
) -> tuple[Job, Session, dict[Key, Item | None]]:
    """The job and the session, and by the same request what lies under more keys if the job is as lately."""
    own = portal.sessions.key(web.session_cookie) or signed_out()
    guess = LATELY.get(name.lower(), lambda: portal.jobs.get(name)) if keys else None
    wanted = [own, job_key(name), *(keys(guess) if keys and guess else [])]
    read = dict(zip(wanted, portal.jobs.table.get_all(*wanted), strict=True))
    session = portal.sessions.found(read[own], portal.now() // 1000, idle=web.is_idle) or signed_out()
    job = stored_job(read[job_key(name)])
    if job is None or not _in_team(job, portal, session):
        raise PortalError(404, "NoSuchJob", f"None of your teams has a job {name!r}.")
    return job, session, read


def _groups(portal: Portal, session: Session) -> frozenset[str]:
    return GROUPS.get(session.username, lambda: portal.accounts.groups(session.username))


def _team(portal: Portal, job: Job) -> dict[str, Any] | None:
    name = job.team_arn.rsplit("/", 1)[-1]
    return TEAMS.get(name, lambda: portal.teams.get(name))


def _in_team(job: Job, portal: Portal, session: Session) -> bool:
    groups, team = together.both(lambda: _groups(portal, session), lambda: _team(portal, job))
    return team is not None and any(
        definition["CognitoMemberDefinition"]["UserGroup"] in groups
        for definition in team["MemberDefinitions"]
    )


def _held(web: Web, portal: Portal, job: str, task: str) -> tuple[Job, Held, StoredTask]:
    """A task that the worker holds. Raises PortalError (404)."""
    found, _, number, (stored, desk) = _task_of_mine(web, portal, job, task)
    lease = next((each for each in desk.held if each.number == number and each.until > portal.now()), None)
    if lease is None or stored is None:
        raise PortalError(404, "NotYours", "You don't hold this task, or its time has run out.")
    return found, lease, stored


def _accepted(desk: Desk, number: int, now: int) -> int:
    """When work on the task began: at its lease, or at the last answer where it was leased ahead."""
    since = next((each.since for each in desk.held if each.number == number), now)
    return max(since, desk.last)


def _worker_id(sub: str) -> str:
    """In the form of Ground Truth's: says nothing about the account."""
    return f"private.{os.environ['AWS_REGION']}.{hashlib.sha256(sub.encode()).hexdigest()[:16]}"


def _job_document(job: Job, counters: Counters, desk: Desk) -> dict[str, Any]:
    return {
        "job": job.name,
        "title": job.task["TaskTitle"],
        "description": job.task["TaskDescription"],
        "keywords": job.task.get("TaskKeywords", []),
        "labels": list(job.labels),
        "objects": job.objects,
        "remaining": job.objects - counters.done,
        "answeredByMe": desk.answered + desk.gold_result.tasks,
        "secondsEach": round(desk.spent / desk.answered / 1000, 1) if desk.spent and desk.answered else None,
        "workersPerObject": job.workers_per_object,
        "timeLimitSeconds": job.time_limit_ms // 1000,
        "created": iso_milli(job.created),
    }


def _task_document(job: Job, lease: Held, stored: StoredTask) -> dict[str, Any]:
    name = name_of(job.secret, lease.number)
    return {
        "job": job.name,
        "task": name,
        "leased": iso_milli(lease.since),
        "expires": iso_milli(lease.until),
        "labels": list(job.labels),
        "objectName": stored.uri.rsplit("/", 1)[-1],
        "picture": link(stored.uri) if stored.uri else "",
        "page": f"api/jobs/{job.name}/tasks/{name}/page",
    }
