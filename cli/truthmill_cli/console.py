"""What the command shows: results on stdout, everything else on stderr."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console

progress = Console(stderr=True, highlight=False, soft_wrap=True)
result = Console(highlight=False, soft_wrap=True)
if not result.is_terminal:
    result.width = 240  # into a pipe nothing is cut off


def emit_json(value: Any) -> None:
    """The one JSON document of a `--json` run."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    progress.print(text, markup=False)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Show that something is under way, and afterwards how long it took."""
    started = time.monotonic()
    with progress.status(text):
        yield
    progress.print(f"{text}  [dim]{time.monotonic() - started:.1f} s[/dim]")
