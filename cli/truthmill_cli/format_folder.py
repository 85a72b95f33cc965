"""A folder that `truthmill pull --format` makes: what is there, what belongs there, what was left behind.

`.truthmill/` in it says which run it holds and which files were put there, so that somebody's own files are
never touched.
"""

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from truthmill_cli.errors import UsageError

STATE = ".truthmill"


class Holds(msgspec.Struct, frozen=True):
    """What a folder holds. complete: everything is in its place."""

    dataset: str
    run: str
    format: str
    complete: bool = False


class FormatFolder:
    """The target. made: where files are written before they go to their places, with `move_made`."""

    def __init__(self, target: Path, wanted: Holds) -> None:
        """Raises UsageError where somebody else's files are in it, or another dataset or format."""
        self.target, self.wanted = target, wanted
        self.before = self._before()
        self.made = target / STATE / "made"
        self._listed = target / STATE / "files"
        self._expected: set[int] = set()

    def _before(self) -> Holds | None:
        try:
            before = msgspec.json.decode((self.target / STATE / "pulled.json").read_bytes(), type=Holds)
        except FileNotFoundError:
            if self.target.exists() and any(self.target.iterdir()):
                raise UsageError(
                    f"{self.target} is there already, and `truthmill pull --format` didn't make it. "
                    "Name a new folder."
                ) from None
            return None
        if (before.dataset, before.format) != (self.wanted.dataset, self.wanted.format):
            raise UsageError(
                f"{self.target} holds dataset {before.dataset!r} as {before.format}. Name a new folder."
            )
        return before

    @property
    def is_complete(self) -> bool:
        """Whether the last pull was of the same run and came to its end, and all of its files are there."""
        if not self.before or not self.before.complete or self.before.run != self.wanted.run:
            return False
        with self._listed.open(encoding="utf-8") as names:
            return all((self.target / name[:-1]).is_file() for name in names)

    @property
    def files(self) -> int:
        """How many files the last pull put there."""
        with self._listed.open(encoding="utf-8") as names:
            return sum(1 for _ in names)

    def __enter__(self) -> Self:
        shutil.rmtree(self.made, ignore_errors=True)
        self.made.mkdir(parents=True)
        self._say(complete=False)
        self._names = self._listed.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, failed: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._names.close()
        if failed is None:
            self._forget_the_rest()
            for name in ("made", "pictures"):
                shutil.rmtree(self.target / STATE / name, ignore_errors=True)
            self._say(complete=True)

    def _say(self, *, complete: bool) -> None:
        said = msgspec.structs.replace(self.wanted, complete=complete)
        (self.target / STATE / "pulled.json").write_bytes(msgspec.json.encode(said) + b"\n")

    def expect(self, name: str) -> None:
        """A file that belongs there. About 60 bytes of each are held."""
        self._expected.add(hash(name))
        self._names.write(f"{name}\n")

    def move_made(self) -> None:
        """The files in `made`, to their places."""
        for root, _, names in os.walk(self.made):
            below = Path(root).relative_to(self.made)
            (self.target / below).mkdir(parents=True, exist_ok=True)
            for name in names:
                self.expect((below / name).as_posix())
                os.replace(f"{root}/{name}", self.target / below / name)  # noqa: PTH105 - once for each picture

    def _forget_the_rest(self) -> None:
        """Remove what earlier pulls put there and this one didn't."""
        renewed, kept = self._listed.with_suffix(".new"), set[int]()
        with self._listed.open(encoding="utf-8") as names, renewed.open("w", encoding="utf-8") as written:
            for line in names:
                mark = hash(line[:-1])
                if mark not in self._expected:
                    (self.target / line[:-1]).unlink(missing_ok=True)
                elif mark not in kept:
                    kept.add(mark)
                    written.write(line)
        renewed.replace(self._listed)
