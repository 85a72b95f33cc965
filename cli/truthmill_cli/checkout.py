"""Where the templates, the functions and the tools are."""

from dataclasses import dataclass
from pathlib import Path

from truthmill_cli.errors import FailedError, UsageError


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of Truthmill: what the local stack is made of."""

    root: Path

    @property
    def functions(self) -> Path:
        return self.root / "functions"

    @property
    def builds(self) -> Path:
        """Built templates, for every home."""
        return self.root / ".aws-sam" / "local"

    @property
    def engine_python(self) -> Path:
        return self._tool("engine") / "python"

    @property
    def sam(self) -> Path:
        return self._tool("sam") / "sam"

    @property
    def demo_script(self) -> Path:
        return self.root / "examples" / "draw.py"

    def _tool(self, name: str) -> Path:
        directory = self.root / ".tools" / name
        if not (directory / ".installed").exists():
            raise FailedError(
                f"{directory} isn't there or isn't complete. Run `make install` in {self.root}."
            )
        return directory / "bin"


def find(start: Path | None = None) -> Checkout:
    """The checkout that a file lies in, by default this one. Raises UsageError."""
    start = start or Path(__file__).resolve()
    for directory in start.parents:
        if (directory / "template.yaml").is_file() and (directory / "functions" / "truthmill").is_dir():
            return Checkout(directory)
    raise UsageError(
        f"{start} isn't in a checkout of Truthmill, which the local stack is made from. "
        "Clone the repository and run `make install` there, or name a stack in AWS with --stack-name."
    )
