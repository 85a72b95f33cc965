"""The bytes of a run's entries, out of the very source that the run began with."""

from collections.abc import Callable, Iterator

from adapters.listing import ends_with_slash
from adapters.storage import ColdStorageError, ConflictError, OversizeError, Storage
from pipeline.source import MAX_LOOSE, Archive, in_cold_storage, is_archive, unreadable
from truthmill.archive import unpack_all
from truthmill.errors import ArchiveError, PictureError, SourceError
from truthmill.records import Entry
from truthmill.run import Run
from truthmill.s3_uri import s3_location


def read_entries(
    run: Run, entries: tuple[Entry, ...], store_of: Callable[[str], Storage], limit: int = MAX_LOOSE
) -> Iterator[tuple[Entry, bytes | PictureError]]:
    """The bytes of a batch's entries, or why there are none; of an archive, one GET serves all.

    limit: bytes that an entry may have. A loose object that is gone concerns nobody else; raises SourceError
    where an archive is gone or another by now.
    """
    uri = run.asked.source
    bucket, key = s3_location(uri)
    store = store_of(bucket)
    if not is_archive(key):
        yield from ((entry, _loose(store, entry, limit)) for entry in entries)
        return
    try:
        yield from unpack_all(entries, _SameArchive(store, key, run).stream, limit)
    except FileNotFoundError as error:
        raise SourceError(
            f"{uri}: what was there when the run began is gone ({str(error).splitlines()[0]}). Put it back, "
            "and start the run again."
        ) from error
    except ColdStorageError as error:
        raise in_cold_storage(uri) from error
    except ConflictError as error:
        raise SourceError(
            f"{uri} was replaced while the run was under way. Put back what was there, and start the run "
            "again, or start a run for the new one."
        ) from error


def _loose(store: Storage, entry: Entry, limit: int) -> bytes | PictureError:
    if odd := unreadable(entry.key):
        return PictureError("unsafe-name", odd)
    try:
        return store.read(entry.key, limit)
    except FileNotFoundError:
        if ends_with_slash(store.bucket, entry.key):
            return PictureError("unsafe-name", "its key ends with a slash")
        return PictureError("missing", "")
    except ColdStorageError:
        return PictureError("cold-storage", "")
    except OversizeError as error:  # it was smaller when it was listed
        return PictureError("too-large", str(error))


class _SameArchive:
    """Reads of the archive that a run began with, or of its equal that was put in its place since.

    An archive that is uploaded again may have another ETag though its bytes are the same (in other parts, or
    encrypted): where it has the same directory it is the same for the run, for what it unpacks to has its
    checksums there.
    """

    def __init__(self, store: Storage, key: str, run: Run) -> None:
        self._store, self._key, self._source = store, key, run.source
        self._etag = str(run.source.get("etag", ""))

    def stream(self, start: int, length: int) -> Iterator[memoryview]:
        """As `Storage.stream_range`. Raises ConflictError where it is another archive by now."""
        position, end, before = start, start + length, ""
        while True:
            try:
                for chunk in self._store.stream_range(self._key, position, end - position, self._etag):
                    position += len(chunk)
                    yield chunk
            except ConflictError:
                if self._etag == before:
                    raise
                before = self._etag
                self._etag = self._of_its_equal()
            else:
                return

    def _of_its_equal(self) -> str:
        """The present ETag. Raises ConflictError where the archive isn't the same."""
        found = Archive(self._store, self._key)
        try:
            same = found.digest == self._source.get("digest")
        except (ArchiveError, SourceError):
            same = False
        if not same:
            raise ConflictError(self._key)
        return found.found.etag
