"""Where a run's pictures come from: an archive, or loose objects below a prefix."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Protocol

import msgspec

from adapters.listing import Stored, is_readable
from adapters.storage import ColdStorageError, ConflictError, OversizeError, Storage, read_source
from truthmill.archive import unpack_all
from truthmill.archive_directory import Directory, open_directory
from truthmill.archive_entry import control_character, judge_name
from truthmill.errors import PictureError, RequestError, SourceError
from truthmill.images import Limits
from truthmill.layout import RunLayout
from truthmill.records import Entry, Inspection, Seen
from truthmill.request import Request
from truthmill.s3_uri import s3_location

SETTINGS = "truthmill.json"
MAX_SETTINGS = 1_000_000  # bytes
MAX_LOOSE = Limits().max_bytes


class Source(Protocol):
    """An archive or a prefix."""

    @property
    def digest(self) -> str:
        """Of the content: equal for equal inputs, wherever they lie."""

    def settings(self) -> dict[str, Any]:
        """truthmill.json's content, empty where there is none. Raises RequestError."""

    def entries(self, at: RunLayout) -> Iterator[Entry | Inspection]:
        """Every input once: the entry, or what became of it already. at: of the run that asks."""

    def described(self) -> dict[str, Any]:
        """For run.json."""


def open_source(uri: str, store_of: Callable[[str], Storage]) -> Source:
    """uri: s3:// of an archive or a prefix. Raises SourceError where there is nothing to read."""
    bucket, key = s3_location(uri)
    store = store_of(bucket)
    return Archive(store, key) if is_archive(key) else Prefix(store, key)


def limits_of(asked: Request) -> Limits:
    """The limits that a picture is inspected and placed with: the same, or its boxes would lie elsewhere."""
    return Limits(smallest_side=asked.pictures.smallest_side, largest_side=asked.pictures.largest_side)


def is_archive(key: str) -> bool:
    return key.lower().endswith(".zip")


def in_cold_storage(uri: str) -> SourceError:
    return SourceError(
        f"{uri} is in a storage class that has to be restored before it can be read (S3 Glacier). Restore "
        "it, and start a run for it."
    )


class Archive:
    """A zip in S3, read by ranges."""

    def __init__(self, store: Storage, key: str) -> None:
        self.store, self.key = store, key
        self.found = read_source(store, key)

    def read(self, start: int, length: int) -> bytes:
        """Raises SourceError where it was replaced since it was found."""
        try:
            return self.store.read_range(self.key, start, length, self.found.etag)
        except (ConflictError, FileNotFoundError) as error:
            raise SourceError(
                f"{self.store.uri(self.key)} was replaced or removed while it was read. Start a run for what "
                "is there now; an archive that is dropped starts its own."
            ) from error
        except ColdStorageError as error:
            raise in_cold_storage(self.store.uri(self.key)) from error

    def stream(self, start: int, length: int) -> Iterator[memoryview]:
        """Raises ConflictError likewise."""
        return self.store.stream_range(self.key, start, length, self.found.etag)

    @cached_property
    def directory(self) -> Directory:
        return open_directory(self.read, self.found.size, self.key.rpartition("/")[2])

    @property
    def digest(self) -> str:
        return self.directory.digest

    def settings(self) -> dict[str, Any]:
        entry = self.directory.settings
        if entry is None:
            return {}
        ((_, content),) = unpack_all([entry], self.stream, MAX_SETTINGS)
        if isinstance(content, PictureError):
            raise RequestError(f"{SETTINGS} in {self.key} can't be read: {content}. Pack the archive again.")
        return parse_settings(content, self.key)

    def entries(self, _at: RunLayout) -> Iterator[Entry | Inspection]:
        return self.directory.entries()

    def described(self) -> dict[str, Any]:
        return {
            "uri": self.store.uri(self.key),
            "size": self.found.size,
            "etag": self.found.etag,
            "digest": self.digest,
        }


class Prefix:
    """Loose objects below a prefix; those that an earlier sweep has been through are left out."""

    def __init__(
        self, store: Storage, key: str, swept: Callable[[], Iterator[Seen]] = lambda: iter(())
    ) -> None:
        """swept: what is left out, in the order of keys; asked for anew at each pass."""
        self.store = store
        self.swept = swept
        self.key = key if key.endswith("/") else key + "/"
        if next(self.objects(), None) is None:
            raise SourceError(
                f"{store.uri(self.key)} has no objects. Name a zip, or a prefix below which pictures lie."
            )

    def objects(self) -> Iterator[Stored]:
        """What lies below, but for the empty objects that the console's "Create folder" leaves.

        Their keys come without the last slash, and would be out of order.
        """
        return (found for found in self.store.list(self.key) if found.size or _has_extension(found.key))

    def since(self, swept: Callable[[], Iterator[Seen]]) -> "Prefix":
        """The same objects without those of an earlier listing."""
        return Prefix(self.store, self.key, swept)

    def listed(self) -> Iterator[Seen]:
        return (Seen(key=found.key, etag=found.etag, size=found.size) for found in self.objects())

    @cached_property
    def digest(self) -> str:
        seen = hashlib.sha256()
        for found in unseen(self.listed(), self.swept()):
            seen.update(f"{found.key}\n{found.etag}\n{found.size}\n".encode())
        return seen.hexdigest()

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing but what was there before."""
        return next(unseen(self.listed(), self.swept()), None) is None

    def settings(self) -> dict[str, Any]:
        try:
            return parse_settings(self.store.read(self.key + SETTINGS, MAX_SETTINGS), self.key)
        except FileNotFoundError:
            return {}
        except OversizeError as error:
            raise RequestError(f"{SETTINGS} in {self.key} has {error}. Correct it.") from error

    def entries(self, at: RunLayout) -> Iterator[Entry | Inspection]:
        """What is there is written down first, and gone through as written: objects may come meanwhile."""
        self.store.write_lines(at.listing, self.listed())
        for found in unseen(self.store.read_lines(at.listing, Seen), self.swept()):
            entry = Entry(name=found.key.removeprefix(self.key), key=found.key, size=found.size)
            reason, detail = judge_loose(entry)
            yield Inspection(entry=entry, reason=reason, detail=detail) if reason else entry

    def described(self) -> dict[str, Any]:
        return {"uri": self.store.uri(self.key)}


def unseen(listed: Iterator[Seen], swept: Iterator[Seen]) -> Iterator[Seen]:
    """What is listed and wasn't swept, as it is now; both in the order of keys, of which one each is held.

    A key that lost its last slash may come twice, or behind others that are greater; of those all are held.
    """
    highest, last, before = "", None, next(swept, None)
    behind: set[Seen] = set()
    for found in listed:
        highest = max(highest, found.key)
        while before is not None and before.key <= highest:
            if last is None or last.key < before.key:
                last = before
            else:
                behind.add(before)
            before = next(swept, None)
        if found != last and found not in behind:
            yield found


def _has_extension(key: str) -> bool:
    """Whether a key looks like a file's: "2026.05.01" is a folder's."""
    _, dot, extension = key.rpartition("/")[2].rpartition(".")
    return bool(dot) and not extension.isdecimal()


def unreadable(key: str) -> str:
    """What is wrong with an object's key; empty where nothing is."""
    if control := control_character(key):
        return control
    return "" if is_readable(key) else "its key has an empty part between slashes, or the part . or .."


def judge_loose(entry: Entry) -> tuple[str, str]:
    """Why a loose object isn't inspected: a key of `rejections.REASONS` and what was found, or nothing."""
    reason, detail = judge_name(entry.name)
    if reason == "ignored":
        return reason, detail
    if odd := unreadable(entry.key):
        return "unsafe-name", odd
    if not entry.size:
        return "empty", ""
    if not reason and entry.size > MAX_LOOSE:
        return "too-large", f"{entry.size} bytes"
    return reason, detail


def parse_settings(content: bytes, where: str) -> dict[str, Any]:
    """truthmill.json as an object. Raises RequestError."""
    try:
        # Windows Notepad puts UTF-8's mark in front.
        settings = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RequestError(f"{SETTINGS} in {where} isn't a JSON object: {error}. Correct it.") from error
    for key in ("source", "trigger"):
        if key in settings:
            raise RequestError(
                f"{SETTINGS} in {where} has {key!r}, which only the request may say. Remove it."
            )
    return settings
