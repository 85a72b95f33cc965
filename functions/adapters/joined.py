"""Objects joined to one inside S3: what is large is copied part by part, and no byte of it comes here.

Source: S3 user guide, "Amazon S3 multipart upload limits": parts of 5 MiB to 5 GiB but for the last one,
at most 10,000 of them.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

import boto3

from adapters.listing import Stored
from adapters.storage import Storage

LEAST_PART = 5 * 1024 * 1024  # bytes
COPIED_AT_ONCE = 1024 * 1024 * 1024  # bytes of a part that is copied; a gigabyte takes seconds


def join(store: Storage, pieces: Iterable[Stored], target: str, content_type: str) -> None:
    """Make one object of others, in their order. At most LEAST_PART bytes are held."""
    found = list(pieces)
    if sum(piece.size for piece in found) < LEAST_PART:
        store.write(
            target, b"".join(chain.from_iterable(store.stream(piece.key) for piece in found)), content_type
        )
        return
    upload = _Upload(store, target, content_type)
    try:
        for piece in found:
            upload.add(piece)
        upload.complete()
    except BaseException:
        upload.abort()
        raise


class _Upload:
    """A multipart upload of pieces; small ones are held until they make a part."""

    def __init__(self, store: Storage, target: str, content_type: str) -> None:
        self._store = store
        self._where = {"Bucket": store.bucket, "Key": target}
        made = _client().create_multipart_upload(**self._where, ContentType=content_type)
        self._where["UploadId"] = made["UploadId"]
        self._parts: list[dict[str, Any]] = []
        self._held = bytearray()

    def add(self, piece: Stored) -> None:
        start = 0
        if self._held or piece.size < LEAST_PART:
            start = min(piece.size, LEAST_PART - len(self._held))
            for chunk in self._store.stream_range(piece.key, 0, start):
                self._held += chunk
            if len(self._held) >= LEAST_PART:
                self._put_held()
        for first, length in _cut(start, piece.size):
            if length < LEAST_PART:
                self._held += self._store.read_range(piece.key, first, length)
            else:
                self._copy(piece.key, first, length)

    def complete(self) -> None:
        if self._held:
            self._put_held()
        _client().complete_multipart_upload(**self._where, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        _client().abort_multipart_upload(**self._where)

    def _put_held(self) -> None:
        number = len(self._parts) + 1
        answer = _client().upload_part(**self._where, PartNumber=number, Body=bytes(self._held))
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._held.clear()

    def _copy(self, key: str, first: int, length: int) -> None:
        number = len(self._parts) + 1
        answer = _client().upload_part_copy(
            **self._where,
            PartNumber=number,
            CopySource={"Bucket": self._store.bucket, "Key": key},
            CopySourceRange=f"bytes={first}-{first + length - 1}",
        )
        self._parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})


def _cut(start: int, end: int) -> Iterator[tuple[int, int]]:
    """First byte and length of each part to copy; a short rest goes with the part before, if there is one."""
    while start < end:
        length = min(COPIED_AT_ONCE, end - start)
        if 0 < end - start - length < LEAST_PART:
            length = end - start
        yield start, length
        start += length


@lru_cache(maxsize=1)
def _client() -> Any:
    return boto3.client("s3")
