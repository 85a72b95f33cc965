"""`truthmill estimate`: what a source would cost, without a run."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from adapters.storage import Storage
from truthmill import pricing
from truthmill.archive_directory import open_directory
from truthmill.channels.reading import is_picture
from truthmill.errors import ArchiveError
from truthmill.records import Entry
from truthmill.request import Request
from truthmill_cli.errors import UsageError
from truthmill_cli.folder import packed


@dataclass(frozen=True, slots=True)
class Contents:
    """What a look at the names, sizes and checksums tells. copies: of the pictures, equal to another."""

    pictures: int
    copies: int
    others: int

    @property
    def objects(self) -> int:
        """Pictures that would be sent to labeling, at most: no look at their pixels was taken."""
        return self.pictures - self.copies


def local_contents(source: Path) -> Contents:
    """Of a zip or a folder on this machine. Raises UsageError."""
    folder = source.is_dir()
    with packed(source) if folder else contextlib.nullcontext(source) as archive:
        try:
            with archive.open("rb") as file:

                def read(start: int, length: int) -> bytes:
                    file.seek(start)
                    return file.read(length)

                return _archive_contents(read, archive.stat().st_size, source.name)
        except OSError as error:
            raise UsageError(f"{source} can't be read: {error.strerror}.") from error


def stored_contents(storage: Storage, key: str) -> Contents:
    """Of a zip or a prefix in S3; of a zip only its directory is read. Raises UsageError."""
    if not key.lower().endswith(".zip"):
        return _counted((found.key, (found.etag, found.size)) for found in storage.list(key))
    try:
        size = storage.head(key).size
    except FileNotFoundError:
        raise UsageError(f"{storage.uri(key)} isn't there.") from None
    return _archive_contents(lambda start, length: storage.read_range(key, start, length), size, key)


def _archive_contents(read: Any, size: int, name: str) -> Contents:
    try:
        entries = open_directory(read, size, name).entries()
        return _counted(
            (entry.name, (entry.crc, entry.size)) for entry in entries if isinstance(entry, Entry)
        )
    except ArchiveError as error:
        raise UsageError(str(error)) from error


def _counted(files: Iterator[tuple[str, Any]]) -> Contents:
    pictures = others = 0
    seen = set()
    for name, content in files:
        if is_picture(name):
            pictures += 1
            seen.add(content)
        else:
            others += 1
    return Contents(pictures, pictures - len(seen), others)


def estimate(found: Contents, asked: Request) -> dict[str, Any]:
    """The document that `--json` prints: the contents, and the cost with either labeling service."""
    costs = {}
    for service, book in pricing.BOOKS.items():
        cost = pricing.of_request(asked, found.objects, service)
        costs[service] = pricing.described(cost, found.objects) | {"source": book.source, "note": book.note}
    return {
        "pictures": found.pictures,
        "copies": found.copies,
        "otherFiles": found.others,
        "toLabel": found.objects,
        "toReview": pricing.reviewed_objects(asked, found.objects),
        "workersPerObject": asked.workforce.workers_per_object,
        "pricePerTask": str(asked.workforce.price_per_task),
        "cost": costs,
    }


def table(report: dict[str, Any]) -> Table:
    """The cost, for people."""
    shown = Table("USD", *report["cost"], box=None, pad_edge=False)
    rows = {
        "labeling service": "serviceUsd",
        "workers": "workersUsd",
        "Lambda, Step Functions, S3": "infrastructureUsd",
    }
    for title, key in rows.items():
        shown.add_row(title, *(f"{cost[key]:,.2f}" for cost in report["cost"].values()))
    totals = (cost["estimatedUsd"] + cost["infrastructureUsd"] for cost in report["cost"].values())
    shown.add_row("together, at most", *(f"{total:,.2f}" for total in totals))
    shown.add_row("prices of", *(str(cost["book"]).rpartition(" ")[2] for cost in report["cost"].values()))
    return shown
