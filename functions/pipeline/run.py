"""The run that a state works on: found by the small reference that travels through the state machine."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

from adapters.storage import ConflictError, Storage
from truthmill.layout import RunLayout
from truthmill.run import Run

ATTEMPTS = 20  # against others who write the same object; each comes through in turn


class RunReference(msgspec.Struct, frozen=True):
    """What travels: names only. execution: ARN."""

    bucket: str
    dataset: str
    run: str
    execution: str

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Self:
        return msgspec.convert(event["run"], cls)

    @property
    def layout(self) -> RunLayout:
        return RunLayout(self.dataset, self.run)


class Newest(msgspec.Struct, frozen=True, rename="camel"):
    """channels/latest.json, swept.json: a run that an older one never takes the place of.

    revision: of the ledger that its channels were built from. Of two runs the one that built later has all
    that the other has, whichever of them was started first. 0 where no channels are pointed at.
    """

    run: str
    started_at: str
    revision: int = 0

    @property
    def age(self) -> tuple[int, str]:
        """Ascending from older to newer."""
        return self.revision, self.started_at


def read_run(store: Storage, reference: RunReference) -> Run:
    return store.read_json(reference.layout.run_json, Run)[0]


def update_run(store: Storage, key: str, change: Callable[[Run], Run]) -> Run:
    """Read run.json, change it, write it where nobody else did in between; again otherwise."""
    for attempt in range(ATTEMPTS):
        found, etag = store.read_json(key, Run)
        changed = change(found)
        try:
            store.replace(key, changed, etag)
        except ConflictError:
            time.sleep(0.02 * attempt)
        else:
            return changed
    raise ConflictError(key)


def now() -> str:
    """UTC, as run.json has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
