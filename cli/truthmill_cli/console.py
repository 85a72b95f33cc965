"""What the command shows: results on stdout, everything else on stderr."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

# What a terminal would obey instead of showing: controls but for line ends and tabs, and marks that turn the
# reading direction. Names of files, classes and people come from elsewhere.
_OBEYED = (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = dict.fromkeys(_OBEYED, "\N{REPLACEMENT CHARACTER}")
_ESCAPED = {code: f"\\u{code:04x}" for code in _OBEYED if code > 0x1F}  # JSON escapes the others itself


class _Terminal(Console):
    """A console that no text from elsewhere can steer."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(text.translate(_SHOWN), **options)


progress = _Terminal(stderr=True, highlight=False, soft_wrap=True)
result = _Terminal(highlight=False, soft_wrap=True, markup=False)
if not result.is_terminal:
    result.width = 240  # into a pipe nothing is cut off


def emit_json(value: Any) -> None:
    """The one JSON document of a `--json` run."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False).translate(_ESCAPED) + "\n")
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
