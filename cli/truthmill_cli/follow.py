"""Follows a run to its end: the states as they pass, labeled so far, time left."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.storage import Storage
from truthmill_cli import runs, stack
from truthmill_cli.console import progress, say
from truthmill_cli.errors import FailedError
from truthmill_cli.runs import Document
from truthmill_cli.stack import Stack

LOCAL_INTERVAL_S, AWS_INTERVAL_S = 0.7, 5.0
PACE_WINDOW_S = 600.0

_SHOWN = ("TaskState", "MapState")  # Choice, Succeed and Fail take no time


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. execution: the one that is followed by now; document: run.json, once there is one."""

    execution: str
    document: Document | None


class History:
    """The states that executions have passed, read from Step Functions a little at a time."""

    def __init__(self) -> None:
        self.current = ""
        self._last: dict[str, int] = {}
        self._entered: dict[str, Any] = {}

    def passed(self, execution: str) -> list[tuple[str, float]]:
        """States that were left since the last call, each with its seconds, in their order."""
        left = []
        for event in self._new(execution):
            kind = event["type"]
            if kind.endswith("StateEntered") and kind.startswith(_SHOWN):
                self.current = event["stateEnteredEventDetails"]["name"]
                self._entered.setdefault(self.current, event["timestamp"])
            elif kind.endswith("StateExited") and kind.startswith(_SHOWN):
                name = event["stateExitedEventDetails"]["name"]
                if entered := self._entered.pop(name, None):
                    left.append((name, (event["timestamp"] - entered).total_seconds()))
        return left

    def _new(self, execution: str) -> list[dict[str, Any]]:
        """Events since the last call, the oldest first; the history is read backwards, as far as is new."""
        last, fresh = self._last.get(execution, 0), []
        pages = stack.client("stepfunctions").get_paginator("get_execution_history")
        for page in pages.paginate(executionArn=execution, reverseOrder=True, includeExecutionData=False):
            new = [event for event in page["events"] if event["id"] > last]
            fresh += new
            if len(new) < len(page["events"]):
                break
        if fresh:
            self._last[execution] = fresh[0]["id"]
        return fresh[::-1]


class Pace:
    """How fast pictures are labeled lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def time_left(self, now: float, labeled: int, objects: int) -> float | None:
        """Seconds until all are labeled at the pace of the last ten minutes; None as long as there is none.

        now: seconds of any clock that only goes forward.
        """
        self._seen.append((now, labeled))
        while now - self._seen[0][0] > PACE_WINDOW_S:
            self._seen.popleft()
        since, before = self._seen[0]
        if labeled <= before or now <= since:
            return None
        return (objects - labeled) * (now - since) / (labeled - before)


@dataclass(slots=True)
class Display:
    """What is shown of a run while it is followed."""

    where: Stack
    storage: Storage
    document: Document = field(default_factory=dict)
    line: str = "Starting"
    history: History = field(default_factory=History)
    pace: Pace = field(default_factory=Pace)

    def show(self, seen: Seen) -> None:
        for name, seconds in self.history.passed(seen.execution):
            progress.print(f"{name:<16} [dim]{seconds:6.1f} s[/dim]")
        self.document = seen.document or self.document
        self.line = self.history.current or "Starting"
        if self.line in {"LabelImages", "CreateLabelingJob", "AwaitLabels"}:
            self.line = f"LabelImages  {self._labeling()}"

    def _labeling(self) -> str:
        found = runs.labeling_progress(self.where, self.document) if self.document else None
        if not found or not found.objects:
            return ""
        left = self.pace.time_left(time.monotonic(), found.labeled, found.objects)
        return f"{found.labeled} of {found.objects} labeled" + (f", {duration(left)} left" if left else "")

    def finish(self) -> None:
        if self.document.get("state") == "FAILED":
            error = self.document.get("error") or {}
            say(f"FAILED  {error.get('name', '')}: {error.get('message', '')}")
            return
        counts = self.document.get("counts", {})
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        say(f"SUCCEEDED  {told}")


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 3 min, 2 h 5 min, 3 days."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def follow(
    where: Stack, storage: Storage, execution: str, check: Callable[[], None] = lambda: None
) -> Document:
    """Show an execution's run until it has ended; its run.json.

    execution: ARN. Where another execution works on the same run already, that one is followed.
    check: called at every look; what it raises ends the following.
    Raises FailedError where the execution ended without a word in run.json.
    """
    display = Display(where, storage)
    with progress.status("Starting") as line:
        for document in _ending(where, storage, execution):
            display.show(document)
            line.update(display.line)
            check()
    display.finish()
    return display.document


def execution_of(where: Stack, storage: Storage, name: str) -> str:
    """ARN of the execution that a run, a dataset or an execution's name means. Raises UsageError."""
    arn = f"{where.state_machine.replace(':stateMachine:', ':execution:')}:{name}"
    if runs.execution(arn)["status"]:
        return arn
    return str(runs.find(storage, name)["execution"])


def _ending(where: Stack, storage: Storage, execution: str) -> Iterator[Seen]:
    """One look after another, until the run has ended."""
    interval = LOCAL_INTERVAL_S if where.is_local else AWS_INTERVAL_S
    while True:
        found = runs.execution(
            execution
        )  # before run.json, so that an ended execution has its last word there
        document = runs.of_execution(storage, execution.rpartition(":")[2])
        yield Seen(execution, document)
        if found["status"] != "RUNNING":
            if document is None or (document["state"] == "RUNNING" and document["execution"] == execution):
                raise FailedError(_silent_end(execution, found))
            if document["state"] in runs.ENDED:
                return
            execution = document["execution"]
        time.sleep(interval)


def _silent_end(execution: str, found: Document) -> str:
    name = execution.rpartition(":")[2]
    said = ": ".join(str(found[key]) for key in ("error", "cause") if found.get(key))
    return (
        f"Execution {name} ended {found['status'] or 'long ago'} without recording why. "
        f"{said or 'It says nothing'}. The same request, sent again, goes on where it ended."
    )


@contextlib.contextmanager
def leaves_it_going(where: Stack, name: str) -> Iterator[None]:
    """Ctrl-C ends the following, not the run."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"\nThe run goes on. Follow it again with: truthmill status {name} --wait{where.option}")
        raise
