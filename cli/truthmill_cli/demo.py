"""`truthmill demo`: the whole way, on a stack of its own that is gone afterwards."""

import subprocess
import sys
import time
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from adapters.storage import Storage
from truthmill_cli import follow, pull, simulated_workers, stack
from truthmill_cli.checkout import Checkout
from truthmill_cli.compare import Comparison, compare
from truthmill_cli.console import say, step
from truthmill_cli.down import down
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home
from truthmill_cli.runs import Document
from truthmill_cli.simulated_workers import LabelingOver, Manner
from truthmill_cli.stack import Stack
from truthmill_cli.up import up

DROPPED = "incoming/pets.zip"
EVENT_DEADLINE_S = 60.0


def demo(checkout: Checkout, target: Path, seed: int) -> Comparison:
    """Draw, drop, label, pull, compare. Raises FailedError where the run fails; its data then stays."""
    home = Home(Home.default().path / "demo")
    down(home, clean=True)  # what an earlier demo may have left
    done = False
    try:
        with ThreadPoolExecutor(1) as pool:  # drawing takes as long as deploying
            drawing = pool.submit(draw, checkout, home / "drawn", seed)
            where = up(home, checkout, {})
            with step("Drawing pictures"):
                drawn = drawing.result()
        storage = stack.storage(where)
        storage.write(DROPPED, drawn.archive.read_bytes(), "application/zip")
        say(f"Dropped {drawn.archive.name} at {storage.uri(DROPPED)}")
        document = label(where, storage, home, drawn, seed)
        if document["state"] != "SUCCEEDED":
            raise FailedError(f"Run {document['run']} failed; nothing to compare.")
        pull.pull(storage, document["dataset"], document["run"], target)
        say(f"Pulled to {target}")
        with step("Comparing with the truth"):
            comparison = compare(target, drawn.truth, drawn.archive)
        done = True
        return comparison
    finally:
        down(home, clean=done)
        if not done:
            say(f"What the stack said is in {home / 'engine.log'}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The demo's files. pictures: the folder with what is in the archive."""

    archive: Path
    truth: Path
    pictures: Path


def draw(checkout: Checkout, folder: Path, seed: int) -> Drawn:
    """The demo's archive and the truth about it, made by examples/draw.py."""
    command: list[str | Path] = [sys.executable, checkout.demo_script, folder, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"{checkout.demo_script} failed: {done.stderr.strip()}")
    drawn = Drawn(next(folder.glob("*.zip")), folder / "truth.json", folder / "pictures")
    with zipfile.ZipFile(drawn.archive) as archive:
        archive.extractall(drawn.pictures)
    return drawn


def label(where: Stack, storage: Storage, home: Home, drawn: Drawn, seed: int) -> Document:
    """Follow the run that the drop started while simulated workers label it; its run.json."""
    with ThreadPoolExecutor(1) as pool:
        execution = started_by_event(where)
        manner = Manner(seed=seed)
        staff = simulated_workers.credentials(where, home, manner.workers)
        over = LabelingOver(where, storage)
        working = pool.submit(
            simulated_workers.work, where, staff, drawn.truth, drawn.pictures, manner, over, lambda _: None
        )
        return follow.follow(where, storage, execution, lambda: _raise_failure(working))


def _raise_failure(working: Future[Any]) -> None:
    if working.done():
        working.result()


def started_by_event(where: Stack) -> str:
    """ARN of the execution that the drop started. Raises FailedError where the event doesn't come."""
    deadline = time.monotonic() + EVENT_DEADLINE_S
    service = stack.client("stepfunctions")
    while time.monotonic() < deadline:
        found = service.list_executions(stateMachineArn=where.state_machine)["executions"]
        if found:
            return str(found[0]["executionArn"])
        time.sleep(0.2)
    raise FailedError(f"Nothing happened within {EVENT_DEADLINE_S:.0f} s of dropping {DROPPED}.")


def table(comparison: Comparison) -> Table:
    """The comparison for people."""
    shown = Table("check", "found", "wanted", "", box=None, pad_edge=False)
    for check in comparison.checks:
        shown.add_row(check.name, check.found, check.wanted, "holds" if check.ok else "DOES NOT HOLD")
        for example in check.examples:
            shown.add_row(f"  {example}", style="dim")
    return shown


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison for programs."""
    checks = [
        {
            "name": check.name,
            "found": check.found,
            "wanted": check.wanted,
            "ok": check.ok,
            "examples": list(check.examples),
        }
        for check in comparison.checks
    ]
    return {"holds": comparison.holds, "checks": checks}
