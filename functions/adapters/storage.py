"""The data plane: every byte of a picture or manifest goes through obstore, one bucket at a time."""

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Self, TypeVar

import msgspec
import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
)
from obstore.store import MemoryStore, ObjectStore, S3Store

from adapters import listing
from adapters.listing import Stored, stored
from truthmill.errors import SourceError
from truthmill.records import from_lines, to_lines

T = TypeVar("T")
PART = 8 * 1024 * 1024  # bytes held of a stream that is written, and the size of an upload's part
CHUNK = 1024 * 1024  # bytes, at least, that are taken at once of a stream that is read
RESUMES = 5  # times that a stream is gone on with from the same place


class ConflictError(Exception):
    """Somebody else wrote the object since it was read; read again and decide again."""


class OversizeError(Exception):
    """The object has more bytes than the caller takes. size: of the object."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


class ColdStorageError(Exception):
    """The object has to be restored before it can be read (S3 Glacier; GetObject's InvalidObjectState)."""


class Storage:
    """One bucket. A key that isn't there raises FileNotFoundError."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        """store: obstore's; a MemoryStore serves tests. bucket: its name, for URIs."""
        self.store = store
        self.bucket = bucket

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def head(self, key: str) -> Stored:
        return stored(obstore.head(self.store, key))

    def exists(self, key: str) -> bool:
        try:
            obstore.head(self.store, key)
        except FileNotFoundError:
            return False
        return True

    def read(self, key: str, limit: int = 0) -> bytes:
        """The object. Raises OversizeError where it has more than `limit` bytes, unread; 0: any number."""
        try:
            found = obstore.get(self.store, key)
        except PermissionDeniedError as error:
            raise _denied(error, key) from error
        if limit and found.meta["size"] > limit:
            raise OversizeError(found.meta["size"])
        return bytes(found.bytes())

    def read_range(self, key: str, start: int, length: int, etag: str = "") -> bytes:
        """The bytes there, of the very object that has the ETag, if one is given. Raises ConflictError."""
        try:
            return bytes(obstore.get(self.store, key, options=_range(start, start + length, etag)).bytes())
        except PreconditionError as error:
            raise ConflictError(key) from error
        except PermissionDeniedError as error:
            raise _denied(error, key) from error

    def stream_range(self, key: str, start: int, length: int, etag: str = "") -> Iterator[memoryview]:
        """The bytes there in chunks of some megabytes, by one GET; fewer where the object ends before.

        Whoever works on the chunks may take minutes: a connection that is lost meanwhile, or a body that ends
        too early, is gone on with from where it broke, as long as the object is the same one.
        Raises ConflictError where it was replaced meanwhile, or is another than the one of the ETag.
        """
        position, end, broken = start, start + length, 0
        while position < end:
            try:
                found = obstore.get(self.store, key, options=_range(position, end, etag))
                etag, end = str(found.meta["e_tag"]), min(end, found.meta["size"])
                for chunk in found.stream(min_chunk_size=CHUNK):
                    position += len(chunk)
                    broken = 0
                    yield memoryview(chunk)
            except PreconditionError as error:
                raise ConflictError(key) from error
            except PermissionDeniedError as error:
                raise _denied(error, key) from error
            except GenericError:
                broken += 1
                if broken > RESUMES:
                    raise

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks of some megabytes."""
        for chunk in obstore.get(self.store, key).stream(min_chunk_size=CHUNK):
            yield bytes(chunk)

    def read_lines(self, key: str, kind: type[T]) -> Iterator[T]:
        return from_lines(self.stream(key), kind, self.uri(key))

    def read_json(self, key: str, kind: type[T]) -> tuple[T, str]:
        """The object as `kind`, and its ETag for `replace`."""
        found = obstore.get(self.store, key)
        return msgspec.json.decode(bytes(found.bytes()), type=kind), str(found.meta["e_tag"])

    def write(self, key: str, data: bytes | Iterable[bytes], content_type: str = "") -> None:
        """Write bytes, or a stream of which some parts are held; nothing is written where it raises."""
        attributes = {"Content-Type": content_type} if content_type else None
        if isinstance(data, bytes):
            obstore.put(self.store, key, data, attributes=attributes, use_multipart=len(data) > 4 * PART)
            return
        parts = _parts(data)
        first = next(parts, b"")
        if len(first) < PART:
            obstore.put(self.store, key, first, attributes=attributes, use_multipart=False)
            return
        # Pushed, not pulled: obstore.put would ask for parts from within its runtime, and where they are made
        # from an object that is read meanwhile, that ends the process.
        file = obstore.open_writer(
            self.store, key, attributes=attributes, buffer_size=PART, max_concurrency=4
        )
        for part in itertools.chain([first], parts):
            file.write(part)
        file.close()

    def write_lines(self, key: str, records: Iterable[Any]) -> None:
        self.write(key, to_lines(records), "application/x-ndjson")

    def write_json(self, key: str, document: Any) -> None:
        self.write(key, encode_json(document), "application/json")

    def sink(self, key: str) -> "LineSink":
        return LineSink(self, key)

    def create(self, key: str, data: bytes, content_type: str = "") -> bool:
        """Write where nothing is; False where something is."""
        attributes = {"Content-Type": content_type} if content_type else None
        try:
            obstore.put(self.store, key, data, attributes=attributes, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, key: str, document: Any, etag: str) -> None:
        """Write JSON where the object still is the one read; an empty etag: where none is yet.

        Raises ConflictError where it is another by now.
        """
        data = encode_json(document)
        if not etag:
            if not self.create(key, data, "application/json"):
                raise ConflictError(key)
            return
        try:
            obstore.put(
                self.store,
                key,
                data,
                attributes={"Content-Type": "application/json"},
                mode={"e_tag": etag},
            )
        except PreconditionError as error:
            raise ConflictError(key) from error

    def replaced(self, key: str, document: Any, etag: str) -> bool:
        """`replace`, answering whether it could."""
        try:
            self.replace(key, document, etag)
        except ConflictError:
            return False
        return True

    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the bucket; its bytes don't come here."""
        obstore.copy(self.store, source, target)

    def delete(self, key: str) -> None:
        """Also where there is nothing."""
        try:
            obstore.delete(self.store, key)
        except FileNotFoundError:
            return

    def list(self, prefix: str) -> Iterator[Stored]:
        """Objects below a prefix, in the order of their keys, page by page; a last slash is left off.

        Some may have keys that can't be read (`listing.is_readable`); Truthmill itself writes none.
        """
        return listing.objects(self.store, self.bucket, prefix)


class LineSink:
    """JSON Lines that are pushed, where a pass over one input feeds several outputs.

    Use it as a context: leaving it writes what is left; where the block raises, nothing is written.
    digest: sha256 (hex) of all lines so far.
    """

    def __init__(self, store: Storage, key: str) -> None:
        self._file = obstore.open_writer(store.store, key, buffer_size=PART, max_concurrency=2)
        self._hash = hashlib.sha256()

    def add(self, record: Any) -> None:
        """record: a struct, or bytes that are a line already."""
        line = record if isinstance(record, bytes) else msgspec.json.encode(record) + b"\n"
        self._hash.update(line)
        self._file.write(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self._file.close()


def encode_json(document: Any) -> bytes:
    """JSON for people: indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def read_source(store: Storage, key: str) -> Stored:
    """The archive's size and ETag. Raises SourceError where it isn't there or may not be read."""
    try:
        return store.head(key)
    except FileNotFoundError:
        raise SourceError(
            f"{store.uri(key)} isn't there. Check the bucket and the key: upper and lower case count."
        ) from None
    except ValueError as error:
        raise SourceError(f"{store.uri(key)} can't be used: {error}. Give it another key.") from error
    except PermissionDeniedError as error:
        raise SourceError(
            f"{store.uri(key)} can't be read: {str(error).splitlines()[0]}. Put it into this stack's bucket "
            "under incoming/, or grant the function Prepare access."
        ) from error


@lru_cache(maxsize=4)
def storage(bucket: str = "", key: str = "") -> Storage:
    """The bucket of that name, or the stack's own (BUCKET); credentials and endpoint from the environment.

    key: KMS key that encrypts what is written; empty for the bucket's default.

    Signatures leave bodies out (UNSIGNED-PAYLOAD, S3 API reference, "Authenticating requests"), as AWS's own
    clients do over TLS, which guards them: a digest of every picture would be a third of what a PUT costs.
    """
    name = bucket or os.environ["BUCKET"]
    encryption: Any = {"server_side_encryption": "aws:kms", "sse_kms_key_id": key} if key else {}
    made = S3Store(name, client_options=_client_options(), unsigned_payload=True, **encryption)
    return Storage(made, name)


def memory(bucket: str = "bucket") -> Storage:
    """A bucket in memory."""
    return Storage(MemoryStore(), bucket)


def _client_options() -> Any:
    """Plain HTTP only where the endpoint says so, which the local stack does and AWS never.

    Time limits are for an answer that stalls, not for a body that is worked on while it comes.
    """
    local = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"read_timeout": "30s", "timeout": "900s"} | ({"allow_http": True} if local else {})


def _denied(error: Exception, key: str) -> Exception:
    """What S3's 403 means."""
    return ColdStorageError(key) if "InvalidObjectState" in str(error) else error


def _range(start: int, end: int, etag: str) -> Any:
    """What to ask for: these bytes, of the very object that was read before, if it was."""
    return {"range": (start, end)} | ({"if_match": etag} if etag else {})


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of at least PART bytes, the last one excepted."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PART:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
