"""`truthmill workers simulate`: accounts for simulated workers, and their work until nothing waits."""

import html
import json
import re
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.storage import Storage
from truthmill.invitation import PASSWORD_LINE
from truthmill_cli import runs, simulation, stack, workers
from truthmill_cli.console import progress
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.home import Home
from truthmill_cli.simulation import Credentials
from truthmill_cli.stack import Stack
from truthmill_cli.stack import storage as storage_of
from truthmill_cli.worker_kinds import KINDS, Kind

REMEMBERED = "workers.json"
GRACE_S = 30.0  # that a run may take to appear, where the workers were sent for before it
LOOK_S = 1.0  # between two looks at how runs stand


@dataclass(frozen=True, slots=True)
class Manner:
    """How the workers work. noise: pixels that an edge may be off. kinds: of `worker_kinds`, in turn."""

    workers: int = 2
    noise: float = 1.5
    seed: int = 7
    kinds: tuple[str, ...] = ("exact",)

    def each(self) -> list[Kind]:
        """Raises UsageError for a kind that there isn't."""
        if not self.kinds:
            raise UsageError(f"--kinds names nobody; there are {', '.join(KINDS)}.")
        unknown = [name for name in self.kinds if name not in KINDS]
        if unknown:
            raise UsageError(
                f"--kinds: there are no workers called {', '.join(unknown)}; there are {', '.join(KINDS)}."
            )
        return [replace(KINDS[name], noise_px=self.noise) for name in self.kinds]


def simulate(where: Stack, home: Home, truth: Path, images: Path | None, manner: Manner) -> dict[str, Any]:
    """Have simulated workers label until no run under way waits for labels; what `--json` prints."""
    staff = credentials(where, home, manner.workers)
    tally: dict[str, int] = {}
    with progress.status("Simulated workers look for tasks") as line:

        def show(worker: simulation.WorkerSummary) -> None:
            tally[worker.email] = worker.submitted
            line.update("Labeled: " + ", ".join(f"{email} {count}" for email, count in sorted(tally.items())))

        summary = work(where, staff, truth, images, manner, LabelingOver(where, storage_of(where)), show)
    workers = [
        {
            "email": worker.email,
            "submitted": worker.submitted,
            "boxes": worker.boxes,
            "skipped": worker.skipped,
        }
        for worker in summary.workers
    ]
    return {"submitted": summary.submitted, "skipped": summary.skipped, "workers": workers}


def work(
    where: Stack,
    staff: Sequence[Credentials],
    truth: Path,
    images: Path | None,
    manner: Manner,
    until: Callable[[], bool],
    show: Callable[[simulation.WorkerSummary], None],
) -> simulation.Summary:
    """`simulation.simulate` on a stack's portal. Raises FailedError where the portal refuses."""
    try:
        return simulation.simulate(
            where.portal_api, staff, truth, manner.each(), manner.seed, show, images_dir=images, until=until
        )
    except simulation.PortalRefusedError as error:
        raise FailedError(f"The portal refused: {error}") from error


class LabelingOver:
    """Whether no run under way waits for labels any more, asked by several threads.

    Where nothing is under way at all yet, GRACE_S pass before that is believed.
    """

    def __init__(self, where: Stack, storage: Storage, grace_s: float = GRACE_S) -> None:
        self.where = where
        self.storage = storage
        self._patience = time.monotonic() + grace_s
        self._next_look = 0.0
        self._over = False
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now >= self._next_look:
                self._over = self._look(now)
                self._next_look = time.monotonic() + LOOK_S
            return self._over

    def _look(self, now: float) -> bool:
        executions = list(runs.under_way(self.where.state_machine))
        if executions:
            self._patience = now
        waiting = (runs.needs_labels(self.storage, found["name"]) for found in executions)
        return now >= self._patience and not any(waiting)


def credentials(where: Stack, home: Home, count: int) -> list[Credentials]:
    """As many simulated workers, invited where they don't exist yet. Their passwords are remembered."""
    return [_credentials(where, home, f"simulated-{number}@example.com") for number in range(1, count + 1)]


def _credentials(where: Stack, home: Home, email: str) -> Credentials:
    remembered = home.read(REMEMBERED)
    known = remembered.get(where.user_pool, {})
    state = _state(where, email)
    if email in known and state == "CONFIRMED":
        return Credentials(email, known[email])
    password = known.get(email) or new_password()
    home.write(REMEMBERED, remembered | {where.user_pool: known | {email: password}})
    return Credentials(email, password, _invite(where, email, state))


def _state(where: Stack, email: str) -> str:
    service = stack.client("cognito-idp")
    try:
        return str(service.admin_get_user(UserPoolId=where.user_pool, Username=email)["UserStatus"])
    except service.exceptions.UserNotFoundException:
        return ""


def _invite(where: Stack, email: str, state: str) -> str:
    """The temporary password of an invitation. Nobody reads example.com's mail, so in AWS one is set."""
    if state:  # invited before, by a simulation that was cut short
        temporary = new_password()
        stack.client("cognito-idp").admin_set_user_password(
            UserPoolId=where.user_pool, Username=email, Password=temporary, Permanent=False
        )
        return temporary
    if not where.is_local:
        temporary = new_password()
        workers.invite(where, email, temporary)
        return temporary
    workers.invite(where, email)
    return read_invitation(_newest_mail(where, email), PASSWORD_LINE, email)


def _newest_mail(where: Stack, email: str) -> str:
    """The last mail to an address, from the local engine's mailbox."""
    with urllib.request.urlopen(f"{where.endpoint}/_ministack/ses/messages", timeout=10) as answer:  # noqa: S310
        accounts: dict[str, Any] = json.load(answer)["messages"]
    mails = [mail for sent in accounts.values() for mail in sent if email in mail["To"]]
    if not mails:
        raise FailedError(f"No invitation to {email} was sent.")
    newest = max(mails, key=lambda mail: str(mail["Timestamp"]))
    return str(newest["BodyText"] or newest["BodyHtml"])


def read_invitation(mail: str, line: str, email: str) -> str:
    """The temporary password in an invitation, where `line` has {####}. Raises FailedError."""
    before, after = line.split("{####}", 1)
    match = re.search(re.escape(before) + r"(\S+?)" + re.escape(after), mail)
    if match is None:
        raise FailedError(f"The invitation to {email} has no line {line!r}.")
    return html.unescape(match[1])


def new_password() -> str:
    """A password that any pool's policy takes: long, of all four kinds of characters."""
    return f"{secrets.token_urlsafe(18)}aA1-"
