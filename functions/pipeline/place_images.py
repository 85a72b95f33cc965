"""State PlaceImages: puts each kept picture once, under the name that follows from its content."""

import hashlib
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

import msgspec

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.reading import read_entries
from pipeline.run import RunReference, read_run
from pipeline.source import limits_of
from truthmill import images
from truthmill.errors import PictureError, PlacingError, SourceError
from truthmill.records import PlaceBatch, Placement
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
    done = reference.layout.placed_batch(batch.batch)
    placed = Placed(len(batch.pictures), hashlib.sha256(msgspec.json.encode(batch)).hexdigest())
    if not _is_there(store, done, placed):
        run = read_run(store, reference)
        if run.asked.resplit:
            _copy_all(store, batch)
        elif apart:
            _put_all_apart(store, run, batch)
        else:
            put_all(store, _pictures(run, batch, images.stored_bytes))
        store.write_json(done, placed)
    return {"done": len(batch.pictures)}


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


def _put_all_apart(store: Storage, run: Run, batch: PlaceBatch) -> None:
    """Another process makes the pictures fit to be stored."""
    from pipeline.apart import Apart

    with Apart.in_function() as process:
        put_all(store, _pictures(run, batch, process.stored_bytes))


def _pictures(run: Run, batch: PlaceBatch, fit: Fit) -> Iterator[tuple[str, bytes]]:
    """Each picture's key and the bytes to store. Raises PlacingError where there are none."""
    asked, limits = run.asked, limits_of(run.asked)
    waiting: dict[tuple[int, str], list[Placement]] = {}
    for placement in batch.pictures:
        waiting.setdefault((placement.entry.offset, placement.entry.key), []).append(placement)
    entries = tuple(placement.entry for placement in batch.pictures)
    for entry, content in read_entries(run, entries, storage):
        if isinstance(content, Exception):
            raise SourceError(
                f"{asked.source}: {entry.name} could be read before and can't now ({content}). The source "
                "was replaced while the run was under way: put it back, or start a run for the new one."
            )
        placement = waiting[entry.offset, entry.key].pop()
        _check_same(asked, placement, content)
        try:
            kept = fit(content, entry.name, limits) if placement.conversions else content
        except PictureError as error:
            raise PlacingError(asked.source, entry.name, error) from error
        yield placement.key, kept


def _check_same(asked: Request, placement: Placement, content: bytes) -> None:
    """A key says digits of its picture's digest: raises SourceError where the bytes are others by now.

    Of an archive's entry the checksum has told that already.
    """
    if not placement.entry.key:
        return
    digits = placement.key.rpartition("/")[2].partition("-")[0]
    if not hashlib.sha256(content).hexdigest().startswith(digits):
        raise SourceError(
            f"{asked.source}: {placement.entry.name} is another file than the one that was inspected. The "
            "source was replaced while the run was under way: put it back, or start a run for the new one."
        )


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
