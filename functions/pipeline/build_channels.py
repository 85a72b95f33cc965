"""State BuildChannels: the ledger's labeled pictures become training channels.

What one function can do in time is done here; of a larger dataset the ledger is cut into shards, for
BuildShards and MergeShards.
"""

import os
from collections.abc import Iterator
from typing import Any

from adapters.channel_store import write_channel
from adapters.storage import Storage, storage
from pipeline.ledger import read_ledger
from pipeline.observed import observed
from pipeline.resplit_dataset import commit
from pipeline.run import RunReference, read_run
from truthmill.channels import CHANNELS
from truthmill.dataset import LabeledPicture, labeled_picture
from truthmill.errors import NoPicturesError
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger
from truthmill.records import (
    Before,
    ChannelShard,
    LedgerLine,
    LedgerPart,
    from_lines,
    line_lengths,
)
from truthmill.run import Run

SHARD_PICTURES = 10_000  # by default: minutes for a function that copies or embeds all of them


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    most = int(os.environ.get("CHANNEL_SHARD_PICTURES", SHARD_PICTURES))
    return build_channels(RunReference.from_event(event), storage(), most)


def build_channels(reference: RunReference, store: Storage, most: int = SHARD_PICTURES) -> dict[str, Any]:
    """PlanLabeling has put the answers into the ledger and found them enough.

    most: pictures that are built here; of more, shards of so many are planned.
    """
    at, run = reference.layout, read_run(store, reference)
    if run.asked.resplit:
        commit(store, at)
    ledger = read_ledger(store, at.dataset)[0]
    store.write_json(at.ledger, ledger)
    shards = plan_shards(store, at, run, ledger, most)
    if len(shards) > 1:
        store.write_lines(at.shards, shards)
        return {"sharded": True, "shards": at.shards}
    for name in run.asked.channels:
        write_channel(
            store,
            CHANNELS[name],
            run.heading(store.bucket, at.channel(name), shards[0].splits),
            lambda split: pictures_of(store, shards[0], run.asked.labels, split),
            at.channel_pieces(name),
        )
    return {"sharded": False, "shards": at.shards}


def pictures_of(
    store: Storage, shard: ChannelShard, labels: tuple[str, ...], split: str
) -> Iterator[LabeledPicture]:
    """A shard's pictures of one split that were labeled with all of `labels`, in the ledger's order."""
    for part in shard.parts:
        chunks = store.stream_range(part.key, part.start, part.length)
        for line in from_lines(chunks, LedgerLine, store.uri(part.key)):
            if line.split == split and (picture := labeled_picture(line, labels)):
                yield picture


def plan_shards(store: Storage, at: RunLayout, run: Run, ledger: Ledger, most: int) -> list[ChannelShard]:
    """The ledger in shards of so many labeled pictures. Raises NoPicturesError where there is none."""
    plan = _Plan(run.asked.labels, most)
    for segment in ledger.segments:
        for line, length in line_lengths(store.stream(segment.key), LedgerLine, store.uri(segment.key)):
            plan.add(segment.key, line, length)
    if not any(before.pictures for before in plan.before.values()):
        raise NoPicturesError(
            f"Dataset {at.dataset} has no labeled picture: every one came back without an answer. "
            f"Why, picture by picture, is in {store.uri(at.unlabeled)}."
        )
    return plan.shards(run.channel_splits({split: before.pictures for split, before in plan.before.items()}))


class _Plan:
    """Cuts the ledger as its lines pass; holds some hundred bytes a shard."""

    def __init__(self, labels: tuple[str, ...], most: int) -> None:
        self.labels, self.most = labels, most
        self.before = {split: Before() for split in SPLITS}
        self._cut: list[tuple[list[LedgerPart], dict[str, Before]]] = []
        self._pictures = most  # so that the first picture begins a shard

    def add(self, key: str, line: LedgerLine, length: int) -> None:
        """length: bytes of the line, its newline included; lines come in the segment's order."""
        picture = labeled_picture(line, self.labels)
        if (picture and self._pictures == self.most) or not self._cut:
            self._cut.append(([], dict(self.before)))
            self._pictures = 0
        parts = self._cut[-1][0]
        if parts and parts[-1].key == key:
            parts[-1] = LedgerPart(key, parts[-1].start, parts[-1].length + length)
        else:
            start = self._end_of(key)
            parts.append(LedgerPart(key, start, length))
        if picture:
            self._pictures += 1
            before = self.before[line.split]
            self.before[line.split] = Before(before.pictures + 1, before.boxes + len(picture.boxes))

    def _end_of(self, key: str) -> int:
        """Where the shards before end in a segment."""
        ends = (
            part.start + part.length for parts, _ in reversed(self._cut) for part in parts if part.key == key
        )
        return next(ends, 0)

    def shards(self, splits: tuple[str, ...]) -> list[ChannelShard]:
        return [
            ChannelShard(number, tuple(parts), splits, {split: before[split] for split in splits})
            for number, (parts, before) in enumerate(self._cut)
        ]
