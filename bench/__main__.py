"""Runs the benchmarks and writes what they found into docs/benchmarks.md.

python bench [name …]      one or several, else all; --write-only: the pages from the results that are kept
"""

import sys
from importlib import import_module
from pathlib import Path

import scale
from report import Report, kept

NAMES = (
    "place_images",
    "archive_directory",
    "inspect_images",
    "picture_memory",
    "pipeline_memory",
    "requests_per_picture",
    "imports",
    "growth",
    "similarity",
    "split",
    "channels",
    "recordio",
    "report_page",
    "quality",
    "portal_throughput",
    "label_studio_page",
    "portal_page",
    "labeling_load",
)
DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- begin: {} -->", "<!-- end: {} -->"


def section(report: Report) -> str:
    """One benchmark: how, on what, when, and its tables."""
    rounds = f"{report.rounds} rounds" if report.rounds > 1 else "one run"
    made = f"`make bench ONLY={report.name}`, {report.date}, {rounds}, {report.machine}."
    tables = "\n\n".join(table.markdown() for table in report.tables)
    return f"## {report.title}\n\n{report.about}\n\n{made}\n\n{tables}"


def summary(reports: list[Report]) -> str:
    """Targets beside what was measured."""
    lines = ["| what | against | wanted | measured | | made by |", "| --- | --- | --- | --- | --- | --- |"]
    for report in reports:
        for target in report.targets:
            reached = "reached" if target.reached else "**missed**"
            cells = [target.what, target.against, target.wanted, target.measured, reached]
            lines.append(f"| {' | '.join(cells)} | `make bench ONLY={report.name}` |")
    return "\n".join(lines)


def between(page: str, name: str, content: str) -> str:
    """The page with this content between the markers of that name. Raises ValueError without markers."""
    begin, end = BEGIN.format(name), END.format(name)
    head, tail = page.index(begin) + len(begin), page.index(end)
    return f"{page[:head]}\n{content}\n{page[tail:]}"


def write_pages(docs: Path = DOCS) -> None:
    """docs/benchmarks.md, docs/scale.md and docs/quality.md, from the newest results."""
    reports = [report for report in map(kept, NAMES) if report]
    page = docs / "benchmarks.md"
    text = between(page.read_text(encoding="utf-8"), "summary", summary(reports))
    text = between(text, "sections", "\n\n".join(map(section, reports)))
    page.write_text(text, encoding="utf-8")
    page = docs / "scale.md"
    page.write_text(
        between(page.read_text(encoding="utf-8"), "tables", scale.tables(scale.measured())), encoding="utf-8"
    )
    page = docs / "quality.md"
    measured = "\n\n".join(section(report) for report in reports if report.name == "quality")
    page.write_text(between(page.read_text(encoding="utf-8"), "tables", measured), encoding="utf-8")


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise SystemExit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}.")
    for name in names:
        report: Report = import_module(name).run()
        report.show()
        report.keep()
        write_pages()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write-only"]:
        write_pages()
    else:
        main(sys.argv[1:] or list(NAMES))
