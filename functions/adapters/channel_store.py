"""Training channels in the bucket: a writer's pieces become objects, copies are made inside S3."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import obstore

from adapters.storage import PART, Storage
from truthmill.channels import Channel
from truthmill.channels.writing import Append, Close, Copy, Counts, Event, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture

IN_FLIGHT = 32  # small objects written or copied at a time
AHEAD = 8  # pictures that are read before their turn, where a format embeds them
_WRITTEN_AT_ONCE = 256 * 1024  # bytes; a call into obstore costs more than joining them
_TYPES = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "manifest": "application/x-ndjson",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "tar": "application/x-tar",
    "parquet": "application/vnd.apache.parquet",
}


def write_channel(
    store: Storage,
    channel: Channel,
    heading: Heading,
    pictures: Callable[[str], Iterable[LabeledPicture]],
    pieces: str,
) -> dict[str, Counts]:
    """Every file of a channel, a shard for each split; the counts of each split.

    pictures: of a split. pieces: key prefix for parts of files that can't be written in one go.
    """
    counts = {split: Counts() for split in heading.splits}
    with Objects(store, heading.prefix, pieces) as objects:
        for split in heading.splits:
            with Ahead(store, counts[split].of(pictures(split)), channel.pictures == "embeds") as ahead:
                objects.write(channel.write(Shard(heading, split, ahead, content=ahead.content)))
        objects.write(channel.finish(heading, counts))
    return counts


class Ahead:
    """Pictures, whose bytes are read a little before they are asked for."""

    def __init__(self, store: Storage, pictures: Iterable[LabeledPicture], wanted: bool) -> None:
        self._store, self._pictures, self._wanted = store, pictures, wanted
        self._pool = ThreadPoolExecutor(AHEAD)
        self._current: Future[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[LabeledPicture]:
        if not self._wanted:
            yield from self._pictures
            return
        waiting: deque[tuple[LabeledPicture, Future[bytes]]] = deque()
        for picture in self._pictures:
            waiting.append((picture, self._pool.submit(self._store.read, picture.key)))
            if len(waiting) > AHEAD:
                yield self._next(waiting)
        while waiting:
            yield self._next(waiting)

    def _next(self, waiting: deque[tuple[LabeledPicture, Future[bytes]]]) -> LabeledPicture:
        picture, self._current = waiting.popleft()
        return picture

    def content(self, picture: LabeledPicture) -> bytes:
        """Of the picture that came last."""
        return self._current.result() if self._current else self._store.read(picture.key)


class Objects:
    """Puts a channel's pieces together; after an error, files of several pieces stay unwritten."""

    def __init__(self, store: Storage, prefix: str, pieces: str) -> None:
        self._store, self._prefix, self._pieces = store, prefix, pieces
        self._pool = ThreadPoolExecutor(IN_FLIGHT)
        self._under_way: deque[Future[None]] = deque()
        self._files: dict[str, _File] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                while self._under_way:
                    self._under_way.popleft().result()
                for name in list(self._files):
                    self._files.pop(name).close()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def write(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Append(file, data, section):
                    self._file(file).append(data, section)
                case Close(file):
                    self._files.pop(file).close()
                case Whole(file, data):
                    self._submit(self._store.write, self._prefix + file, data, content_type(file))
                case Copy(key, file):
                    self._submit(obstore.copy, self._store.store, key, self._prefix + file)

    def _file(self, name: str) -> "_File":
        if name not in self._files:
            self._files[name] = _File(self._store, self._prefix + name, self._pieces + name)
        return self._files[name]

    def _submit(self, call: Callable[..., None], *arguments: Any) -> None:
        """The oldest is waited for where IN_FLIGHT are under way; its error ends the channel."""
        if len(self._under_way) >= IN_FLIGHT:
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(call, *arguments))


class _File:
    """An object that comes in sections: the first is uploaded as it comes, the others wait their turn.

    A section that waits is held while it is small, and else lies in an object of its own meanwhile.
    """

    def __init__(self, store: Storage, key: str, pieces: str) -> None:
        self._store, self._key, self._pieces = store, key, pieces
        self._sections: dict[int, _Section] = {}

    def append(self, data: bytes, section: int) -> None:
        if section not in self._sections:
            key = f"{self._pieces}.{section}" if section else self._key
            self._sections[section] = _Section(self._store, key, PART if section else 0)
        self._sections[section].append(data)

    def close(self) -> None:
        first = self._sections.pop(0)
        for _, section in sorted(self._sections.items()):
            for data in section.read():
                first.append(data)
        first.close()


class _Section:
    """Bytes that go to an object as soon as there are more than `held` of them."""

    def __init__(self, store: Storage, key: str, held: int) -> None:
        self._store, self._key = store, key
        self._limit = max(held, _WRITTEN_AT_ONCE)
        self._held: list[bytes] = []
        self._size = 0
        self._file: Any = None

    def append(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size >= self._limit:
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            self._file = obstore.open_writer(
                self._store.store,
                self._key,
                attributes={"Content-Type": content_type(self._key)},
                buffer_size=PART,
                max_concurrency=4,
            )
            self._limit = _WRITTEN_AT_ONCE
        self._file.write(b"".join(self._held))
        self._held, self._size = [], 0

    def read(self) -> Iterator[bytes]:
        """All of it, once."""
        if self._file is None:
            yield from self._held
            return
        self.close()
        yield from self._store.stream(self._key)

    def close(self) -> None:
        self._flush()
        self._file.close()


def content_type(file: str) -> str:
    return _TYPES.get(file.rpartition(".")[2], "application/octet-stream")
