"""The directory where the local stack keeps what it remembers, and nothing else does."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from truthmill_cli import checkout
from truthmill_cli.errors import FailedError


class Home:
    """A directory: the engine's data, the builds, the logs, and small JSON files with what is remembered."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @classmethod
    def default(cls) -> "Home":
        """TRUTHMILL_HOME, or .truthmill in the checkout."""
        given = os.environ.get("TRUTHMILL_HOME")
        return cls(Path(given) if given else checkout.find().root / ".truthmill")

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        """A remembered JSON object; empty where there is none, or where it is damaged."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
            value = json.loads((self / name).read_text(encoding="utf-8"))
            if isinstance(value, dict):
                return value
        return {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Remember a JSON object: whole or not at all, readable for this user only."""
        self.create()
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2, ensure_ascii=False)
        Path(temporary).replace(self / name)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One `up` or `down` at a time. Raises FailedError where another one is at it."""
        self.create()
        with (self / "up.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FailedError(
                    f"Another `truthmill up` or `down` is at work in {self.path}. Wait for its end."
                ) from None
            yield
