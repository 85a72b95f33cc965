"""State PlaceImages: puts each kept picture once, under the name that follows from its content."""

import hashlib
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

import msgspec

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.placement import line_of
from pipeline.reading import read_entries
from pipeline.run import RunReference, read_run
from pipeline.source import limits_of
from pipeline.unplaced import of_batch, without
from truthmill import images
from truthmill.errors import PictureError, SourceError
from truthmill.records import Entry, PlaceBatch, Placement, Unplaced
from truthmill.request import Request
from truthmill.run import Run

IN_FLIGHT = 16  # uploads at a time, and pictures held
IN_FLIGHT_BYTES = 96 * 1024 * 1024  # of them together, for 16 of the largest pictures would be 640 MB
Fit: TypeAlias = Callable[[bytes, str, images.Limits], bytes]
TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


class Placed(msgspec.Struct, frozen=True):
    """Says that a batch is in place. digest: of the batch, which a run that decides anew makes another."""

    pictures: int
    digest: str = ""


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    batch = msgspec.convert(event["batch"], PlaceBatch)
    retried = event.get("retries", 0) > 0
    return place_batch(RunReference.from_event(event), batch, storage(), apart=retried)


def place_batch(
    reference: RunReference, batch: PlaceBatch, store: Storage, *, apart: bool = False
) -> dict[str, Any]:
    """Write the batch's pictures, then that it is done; a batch that is done already is left as it is.

    apart: an earlier try failed, and the function may have died of a picture: see `apart`.
    """
    at = reference.layout
    unplaced = of_batch(store, at, batch.batch)
    rest = without(batch, unplaced)
    done = at.placed_batch(batch.batch)
    if not _is_there(store, done, _placed(rest)):
        run = read_run(store, reference)
        before = len(unplaced)
        if run.asked.resplit:
            _copy_all(store, rest)
        elif apart:
            _put_all_apart(store, run, rest, unplaced)
        else:
            put_all(store, _pictures(run, rest, images.stored_bytes, unplaced))
        if len(unplaced) > before:  # first, for once the batch is done nobody looks again
            store.write_lines(at.unplaced_batch(batch.batch), unplaced.values())
        store.write_json(done, _placed(without(rest, unplaced)))
    return {"done": len(batch.pictures)}


def _placed(batch: PlaceBatch) -> Placed:
    return Placed(len(batch.pictures), hashlib.sha256(msgspec.json.encode(batch)).hexdigest())


def _is_there(store: Storage, key: str, wanted: Placed) -> bool:
    try:
        return store.read_json(key, Placed)[0] == wanted
    except FileNotFoundError:
        return False


def _copy_all(store: Storage, batch: PlaceBatch) -> None:
    """Pictures that the dataset has already, copied inside S3; the first error ends it."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(lambda placement: store.copy(placement.entry.key, placement.key), batch.pictures))


def _put_all_apart(store: Storage, run: Run, batch: PlaceBatch, unplaced: dict[Entry, Unplaced]) -> None:
    """Another process makes the pictures fit to be stored."""
    from pipeline.apart import Apart

    with Apart.in_function() as process:
        put_all(store, _pictures(run, batch, process.stored_bytes, unplaced))


def _pictures(
    run: Run, batch: PlaceBatch, fit: Fit, unplaced: dict[Entry, Unplaced]
) -> Iterator[tuple[str, bytes]]:
    """Each picture's key and the bytes to store. unplaced: gets those of which there are none."""
    waiting: dict[tuple[int, str], list[Placement]] = {}
    for placement in batch.pictures:
        waiting.setdefault((placement.entry.offset, placement.entry.key), []).append(placement)
    entries = tuple(placement.entry for placement in batch.pictures)
    for entry, content in read_entries(run, entries, storage):
        placement = waiting[entry.offset, entry.key].pop()
        try:
            kept = _stored_bytes(run.asked, placement, content, fit)
        except PictureError as error:
            line = line_of(placement)
            unplaced[entry] = Unplaced(entry=entry, reason=error.reason, detail=error.detail, line=line)
        else:
            yield placement.key, kept


def _stored_bytes(asked: Request, placement: Placement, content: bytes | PictureError, fit: Fit) -> bytes:
    """Raises PictureError where there are none, and SourceError where it is the archive's fault."""
    entry = placement.entry
    if isinstance(content, PictureError):
        if entry.key:
            raise content
        raise SourceError(
            f"{asked.source}: {entry.name} could be read before and can't now ({content}). The source "
            "was replaced while the run was under way: put it back, or start a run for the new one."
        )
    if entry.key:
        _check_same(placement, content)
    return fit(content, entry.name, limits_of(asked)) if placement.conversions else content


def _check_same(placement: Placement, content: bytes) -> None:
    """A key says digits of its picture's digest: raises PictureError where a loose object's are others.

    Of an archive's entry the checksum has told that already.
    """
    digits = placement.key.rpartition("/")[2].partition("-")[0]
    if not hashlib.sha256(content).hexdigest().startswith(digits):
        raise PictureError("replaced")


def put_all(store: Storage, pictures: Iterator[tuple[str, bytes]]) -> None:
    """Upload with IN_FLIGHT at a time, and no more than IN_FLIGHT_BYTES; the first error ends it.

    Threads of its own and two queues: a pool's futures would cost a sixth of what a PUT does.
    """
    asked: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
    ended: SimpleQueue[int | BaseException] = SimpleQueue()
    threads = [Thread(target=_upload, args=(store, asked, ended)) for _ in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    under_way = held = 0
    try:
        for key, content in pictures:
            while under_way and (under_way >= IN_FLIGHT or held + len(content) > IN_FLIGHT_BYTES):
                held -= _size_of(ended.get())
                under_way -= 1
            asked.put((key, content))
            held += len(content)
            under_way += 1
        for _ in range(under_way):
            _size_of(ended.get())
    finally:
        for _ in threads:
            asked.put(None)
        for thread in threads:
            thread.join()


def _upload(
    store: Storage,
    asked: "SimpleQueue[tuple[str, bytes] | None]",
    ended: "SimpleQueue[int | BaseException]",
) -> None:
    """Write what is asked for, until there is nothing more; answer with each one's size or its error."""
    while picture := asked.get():
        key, content = picture
        outcome: int | BaseException = len(content)
        try:
            store.write(key, content, TYPES[key[key.rindex(".") :]])
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            outcome = error
        del picture, content  # a thread that waits holds no picture
        ended.put(outcome)


def _size_of(outcome: int | BaseException) -> int:
    """Of an upload that ended. Raises its error."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
