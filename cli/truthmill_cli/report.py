"""`truthmill report`: a run's report on this machine, in the browser."""

import webbrowser
from pathlib import Path

from adapters.storage import Storage
from truthmill.layout import RunLayout
from truthmill_cli import pull, runs
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.home import Home


def fetch(storage: Storage, home: Home, dataset: str, run: str) -> Path:
    """Where the report lies now. run: empty for the newest complete one.

    Raises UsageError where there is no such run, FailedError where it has no report.
    """
    at = RunLayout(dataset, run or pull.newest(storage, dataset))
    if runs.read(storage, at.run_json) is None:
        raise UsageError(f"Dataset {dataset!r} has no run {at.run!r}. `truthmill status` lists them.")
    try:
        page = storage.read(at.report)
    except FileNotFoundError:
        raise FailedError(
            f"Run {at.run} of {dataset!r} has no report: it is written when the channels are built. "
            f"`truthmill status {at.run}` says how far the run is."
        ) from None
    path = home.path / "reports" / f"{dataset}-{at.run}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)
    return path


def show(path: Path) -> bool:
    """Open it in the browser; False where there is none."""
    return webbrowser.open(path.resolve().as_uri())
