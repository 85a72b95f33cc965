"""A channel in shards: each is written by whoever it is handed to, then the pieces are joined inside S3.

A shard's pieces of the file `train.rec` lie below the run's pieces as `train.rec.<section>.<shard>`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Self

from adapters.channel_store import Ahead, Objects, content_type
from adapters.joined import join
from adapters.listing import Stored
from adapters.storage import Storage
from truthmill.channels import Channel
from truthmill.channels.writing import Append, Close, Counts, Event, Shard
from truthmill.dataset import Heading, LabeledPicture
from truthmill.records import ChannelShard

_PIECE = re.compile(r"(?P<file>.*)\.(?P<section>\d+)\.(?P<shard>\d{6})")


def write_shard(
    store: Storage,
    channel: Channel,
    heading: Heading,
    shard: ChannelShard,
    pictures: Callable[[str], Iterable[LabeledPicture]],
    pieces: str,
) -> dict[str, Counts]:
    """A shard's files and pieces; the counts of each split in it. pieces: key prefix for the pieces."""
    counts = {split: Counts() for split in heading.splits}
    with (
        Objects(store, heading.prefix, pieces) as objects,
        _Pieces(store, heading, pieces, shard.number) as apart,
    ):
        for split in heading.splits:
            before = shard.before[split]
            with Ahead(store, counts[split].of(pictures(split)), channel.pictures == "embeds") as ahead:
                part = Shard(
                    heading,
                    split,
                    ahead,
                    number=shard.number,
                    first_picture=before.pictures,
                    first_box=before.boxes,
                    content=ahead.content,
                )
                objects.write(apart.taken_out(channel.write(part)))
    return counts


class _Pieces:
    """Writes what a shard adds to files that others add to as well."""

    def __init__(self, store: Storage, heading: Heading, pieces: str, number: int) -> None:
        self._store, self._heading, self._pieces, self._number = store, heading, pieces, number
        self._objects = Objects(store, pieces, f"{pieces}aside-{number:06d}/")
        self._open: dict[str, set[int]] = {}

    def __enter__(self) -> Self:
        self._objects.__enter__()
        return self

    def __exit__(self, failed: type[BaseException] | None, *more: object) -> None:
        self._objects.__exit__(failed, *more)

    def taken_out(self, events: Iterable[Event]) -> Iterator[Event]:
        """The other events; a file that the shard closes has all its pieces here, and is joined at once."""
        for event in events:
            if isinstance(event, Append):
                self._open.setdefault(event.file, set()).add(event.section)
                self._objects.write([Append(self._piece(event.file, event.section), event.data)])
            elif isinstance(event, Close):
                self._close(event.file)
            else:
                yield event

    def _piece(self, file: str, section: int) -> str:
        return f"{file}.{section}.{self._number:06d}"

    def _close(self, file: str) -> None:
        pieces = [self._piece(file, section) for section in sorted(self._open.pop(file))]
        self._objects.write(Close(piece) for piece in pieces)
        found = [self._store.head(self._pieces + piece) for piece in pieces]
        join(self._store, found, self._heading.prefix + file, content_type(file))
        for piece in found:
            self._store.delete(piece.key)


def merge_shards(
    store: Storage, channel: Channel, heading: Heading, counts: Mapping[str, Counts], pieces: str
) -> None:
    """Join the pieces of all shards to the channel's files. counts: of each split, over all shards."""
    for file, of_file in groupby(_listed(store, pieces), key=lambda piece: _parts(piece, pieces)[0]):
        parts = sorted(of_file, key=lambda piece: _parts(piece, pieces)[1:])
        ending = "." + file.rpartition(".")[2]
        if ending not in channel.merged:
            join(store, parts, heading.prefix + file, content_type(file))
            continue
        other, merge = channel.merged[ending]
        lengths = _lengths(store, pieces, file.removesuffix(ending) + other)
        shards = ((store.read(piece.key), lengths[_parts(piece, pieces)[2]]) for piece in parts)
        store.write(heading.prefix + file, merge(shards), content_type(file))
    with Objects(store, heading.prefix, pieces) as objects:
        objects.write(channel.finish(heading, counts))


def _parts(piece: Stored, pieces: str) -> tuple[str, int, int]:
    """File, section and shard of a piece."""
    match = _PIECE.fullmatch(piece.key.removeprefix(pieces))
    if match is None:
        raise ValueError(f"{piece.key} is no piece of a channel")
    return match["file"], int(match["section"]), int(match["shard"])


def _lengths(store: Storage, pieces: str, file: str) -> dict[int, int]:
    """Bytes of a file in each shard."""
    lengths: dict[int, int] = {}
    for piece in _listed(store, pieces):
        name, _, number = _parts(piece, pieces)
        if name == file:
            lengths[number] = lengths.get(number, 0) + piece.size
    return lengths


def _listed(store: Storage, pieces: str) -> Iterator[Stored]:
    return (piece for piece in store.list(pieces) if "/aside-" not in piece.key)
