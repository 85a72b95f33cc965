"""State BuildShards: one shard of the dataset, in every channel; MergeShards puts the shards together."""

from functools import partial
from typing import Any

import msgspec

from adapters.channel_shards import write_shard
from adapters.storage import Storage, storage
from pipeline.build_channels import pictures_of
from pipeline.observed import observed
from pipeline.run import RunReference, read_run
from truthmill.channels import CHANNELS
from truthmill.records import ChannelShard


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    shard = msgspec.convert(event["batch"], ChannelShard)
    return build_shard(RunReference.from_event(event), shard, storage())


def build_shard(reference: RunReference, shard: ChannelShard, store: Storage) -> dict[str, Any]:
    """Write what of each channel the shard makes; a channel whose shard is done is left as it is."""
    at, run = reference.layout, read_run(store, reference)
    for name in run.asked.channels:
        done = at.shard_counts(name, shard.number)
        if not store.exists(done):
            heading = run.heading(store.bucket, at.channel(name), shard.splits)
            pictures = partial(pictures_of, store, shard, run.asked.labels)
            counts = write_shard(store, CHANNELS[name], heading, shard, pictures, at.channel_pieces(name))
            store.write_json(done, counts)
    return {"done": shard.number}
