"""What a benchmark answers: tables, targets beside what was measured, and figures for docs/scale.md.

A report is kept as bench/results/<name>.json, from which `python bench` writes docs/benchmarks.md; so the
other tables stay when one benchmark is run again.
"""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are Markdown. caption: what the rows are, in a sentence."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join([self.caption, "", *(f"| {' | '.join(line)} |" for line in lines)])


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the summary. against: what the user would use instead. reached: at its worst row."""

    what: str
    against: str
    wanted: str
    measured: str
    reached: bool


def machine() -> str:
    """Processor and Python; how busy it is says the spread."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Report:
    """title: of its section. about: how it was measured. figures: plain numbers, their unit in the name."""

    name: str
    title: str
    about: str
    rounds: int
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    figures: dict[str, float] = field(default_factory=dict)
    date: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d"))
    machine: str = field(default_factory=machine)

    def show(self) -> None:
        """Print it, as the pages show it."""
        print(f"{self.title}\n\n{self.about}")
        for table in self.tables:
            print(f"\n{table.markdown()}")
        for target in self.targets:
            reached = "reached" if target.reached else "missed"
            print(f"\n{target.what}: {target.measured}; wanted {target.wanted}: {reached}")

    def keep(self) -> None:
        """As the newest of its name."""
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (RESULTS / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")


def kept(name: str) -> Report | None:
    """The newest report of that name."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    found["tables"] = [Table(**table) for table in found["tables"]]
    found["targets"] = [Target(**target) for target in found["targets"]]
    return Report(**found)


def spread(numbers: Iterable[float], digits: int = 2) -> str:
    """Median, and in brackets the least and the greatest."""
    found = sorted(numbers)
    return f"{median(found):.{digits}f} ({found[0]:.{digits}f} to {found[-1]:.{digits}f})"
