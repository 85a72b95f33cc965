"""What lies below a prefix of a bucket, whatever its keys are.

obstore takes some keys for no path ("a//b.jpg"), and ends its listing with the page that has one. Such pages
come by boto3, which takes fifteen times as long, and 0.6 s to import.
"""

import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import obstore
from obstore.exceptions import InvalidPathError
from obstore.store import ObjectStore

PAGE = 1000
"""Keys that S3 lists at once (ListObjectsV2)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ODD_PARTS = frozenset({"", ".", ".."})
# Where a listing begins behind a key, obstore writes other characters as %XX.
_PLAIN = re.compile(r"[A-Za-z0-9/_.-]+").fullmatch


@dataclass(frozen=True, slots=True)
class Stored:
    """What a listing says of an object. size: bytes."""

    key: str
    size: int
    etag: str
    modified: datetime


def is_readable(key: str) -> bool:
    """Whether obstore can read an object of that key: no empty part, none of dots, no control character."""
    return _ODD_PARTS.isdisjoint(key.split("/")) and not _CONTROL.search(key)


def stored(meta: Any) -> Stored:
    """What obstore says of an object."""
    return Stored(meta["path"], meta["size"], str(meta["e_tag"]), meta["last_modified"])


def objects(store: ObjectStore, bucket: str, prefix: str) -> Iterator[Stored]:
    """In the order of their keys, page by page; a last slash is left off."""
    after: str | None = ""
    while after is not None:
        # A key that lost its last slash doesn't tell where it was listed: what follows may come again.
        recent: deque[str] = deque([after], maxlen=2 * PAGE)
        try:
            for page in obstore.list(store, prefix=prefix, offset=after or None):
                for found in map(stored, page):
                    recent.append(found.key)
                    yield found
        except InvalidPathError:
            after = yield from _odd(bucket, prefix, recent)
        else:
            return


def ends_with_slash(bucket: str, key: str) -> bool:
    """Whether what is listed as `key` lost its last slash, and can't be read by that key."""
    return f"{key}/" in _page(bucket, f"{key}/", "")


def _odd(bucket: str, prefix: str, listed: deque[str]) -> Generator[Stored, None, str | None]:
    """Pages behind what is listed, up to a key that obstore can begin behind; that key, None at the end."""
    after, seen = listed[-1], set(listed)
    while page := _page(bucket, prefix, after):
        yield from (found for found in page.values() if found.key not in seen)
        after, seen = list(page)[-1], set()
        if _PLAIN(after) and is_readable(after):
            return after
    return None


def _page(bucket: str, prefix: str, after: str) -> dict[str, Stored]:
    """What S3 lists behind a key: at most PAGE objects, by their whole keys."""
    answer = _client().list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after, MaxKeys=PAGE)
    return {
        found["Key"]: Stored(
            found["Key"].removesuffix("/"), found["Size"], found["ETag"], found["LastModified"]
        )
        for found in answer.get("Contents", ())
    }


@lru_cache(maxsize=1)
def _client() -> Any:
    import boto3

    return boto3.client("s3")
