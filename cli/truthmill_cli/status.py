"""`truthmill status`: where the stack is, and how its runs stand."""

from typing import Any

from rich.table import Table

from adapters.storage import Storage
from truthmill_cli import runs
from truthmill_cli.runs import Document
from truthmill_cli.stack import Stack

_COUNTS = ("inputs", "train", "validation", "duplicates", "rejected")


def status(where: Stack, storage: Storage) -> dict[str, Any]:
    """The document that `--json` prints."""
    documents = runs.every(storage)
    working = {found["executionArn"]: found for found in runs.under_way(where.state_machine)}
    rows = [_row(where, document, working) for document in documents]
    known = {document["execution"] for document in documents}
    rows += [_starting(found) for arn, found in working.items() if arn not in known]
    return where.describe() | {"runs": rows}


def _row(where: Stack, document: Document, working: dict[str, Any]) -> dict[str, Any]:
    row = {
        name: document.get(name)
        for name in ("run", "dataset", "state", "trigger", "startedAt", "endedAt", "counts", "cost", "error")
    }
    row["execution"] = runs.execution_name(document)
    row |= dict.fromkeys(("labeled", "objects", "left", "endsAt"))
    row["stalled"] = False
    if document["state"] != "RUNNING":
        return row
    if document.get("jobs"):
        progress = runs.labeling_progress(where, document)
        row |= {"labeled": progress.labeled, "objects": progress.objects}
        row |= {"left": progress.objects - progress.labeled, **runs.pace(document)}
        if progress.waiting:
            row["state"] = runs.WAITING
    if document["execution"] not in working:
        row["state"] = runs.INTERRUPTED
    return row


def _starting(execution: dict[str, Any]) -> dict[str, Any]:
    """An execution that hasn't claimed a run yet."""
    return {
        "run": None,
        "dataset": None,
        "state": "RUNNING",
        "execution": execution["name"],
        "startedAt": execution["startDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def table(report: dict[str, Any]) -> Table:
    """The runs, for people."""
    shown = Table("dataset", "run", "state", "started", "pictures", "note", box=None, pad_edge=False)
    for row in report["runs"]:
        counts = row.get("counts") or {}
        pictures = f"{counts.get('train', 0)} + {counts.get('validation', 0)}" if counts else ""
        shown.add_row(row["dataset"], row["run"], row["state"], row["startedAt"], pictures, _note(row))
    return shown


def _note(row: dict[str, Any]) -> str:
    cost = row.get("cost") or {}
    if row.get("error"):
        return f"{row['error']['name']}: {row['error']['message']}"
    if row["state"] == "SUCCEEDED" and cost.get("actualUsd"):
        return f"labeling cost {cost['actualUsd']:,.2f} USD, {cost['estimatedUsd']:,.2f} were estimated"
    if row["state"] == runs.WAITING:
        until = f", at this pace until {row['endsAt']}" if row["endsAt"] else ""
        still = "; no new answer lately" if row["stalled"] else ""
        return f"{row['labeled']} of {row['objects']} labeled, {row['left']} left{until}{still}"
    if row["state"] == runs.INTERRUPTED:
        return "its execution ended; start it again with the same request"
    return ""
