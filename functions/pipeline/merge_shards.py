"""State MergeShards: joins the shards of every channel inside S3."""

from typing import Any

from adapters.channel_shards import merge_shards
from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.run import RunReference, read_run
from truthmill.channels import CHANNELS
from truthmill.channels.writing import Counts
from truthmill.layout import RunLayout
from truthmill.records import ChannelShard


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return merge_channels(RunReference.from_event(event), storage())


def merge_channels(reference: RunReference, store: Storage) -> dict[str, Any]:
    """A second time it makes the same of the same pieces."""
    at, run = reference.layout, read_run(store, reference)
    shards = list(store.read_lines(at.shards, ChannelShard))
    for name in run.asked.channels:
        heading = run.heading(store.bucket, at.channel(name), shards[0].splits)
        counts = _counted(store, at, name, shards)
        merge_shards(store, CHANNELS[name], heading, counts, at.channel_pieces(name))
    return {"channels": list(run.asked.channels)}


def _counted(store: Storage, at: RunLayout, name: str, shards: list[ChannelShard]) -> dict[str, Counts]:
    """Of each split, over all shards."""
    counts = {split: Counts() for split in shards[0].splits}
    for shard in shards:
        for split, found in store.read_json(at.shard_counts(name, shard.number), dict[str, Counts])[
            0
        ].items():
            counts[split].add(found)
    return counts
