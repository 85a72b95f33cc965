"""State BuildChannels: the ledger's labeled pictures become training channels."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from adapters.channel_store import write_channel
from adapters.storage import Storage, storage
from pipeline.ledger import lines_of, read_ledger
from pipeline.observed import observed
from pipeline.resplit_dataset import commit
from pipeline.run import RunReference, read_run
from truthmill.channels import CHANNELS
from truthmill.dataset import Heading, LabeledPicture, labeled_picture
from truthmill.errors import NoPicturesError
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger
from truthmill.run import Run


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return build_channels(RunReference.from_event(event), storage())


def build_channels(reference: RunReference, store: Storage) -> dict[str, Any]:
    """PlanLabeling has put the answers into the ledger and found them enough."""
    run = read_run(store, reference)
    if run.asked.resplit:
        commit(store, reference.layout)
    write_channels(store, reference.layout, run)
    return {"channels": list(run.asked.channels)}


def write_channels(store: Storage, at: RunLayout, run: Run) -> None:
    """Every format that was asked for, from all labeled pictures of the dataset."""
    ledger = read_ledger(store, at.dataset)[0]
    labels = run.asked.labels
    there = tuple(
        split for split in SPLITS if next(_pictures(store, ledger, labels, split), None) is not None
    )
    if not there:
        raise NoPicturesError(
            f"Dataset {at.dataset} has no labeled picture: every one came back without an answer. "
            f"Why, picture by picture, is in {store.uri(at.unlabeled)}."
        )
    heading = Heading(
        labels=labels,
        splits=tuple(split for split in SPLITS if split in there or split in run.split.get("wanted", ())),
        bucket=store.bucket,
        job=run.jobs[0].name if run.jobs else run.run,
        created=run.started_at.rstrip("Z"),  # not the clock: a retry writes the same bytes
    )
    for name in run.asked.channels:
        placed = replace(heading, prefix=at.channel(name))
        pictures = partial(_pictures, store, ledger, labels)
        write_channel(store, CHANNELS[name], placed, pictures, at.channel_pieces(name))
    store.write_json(at.ledger, ledger)


def _pictures(
    store: Storage, ledger: Ledger, labels: tuple[str, ...], split: str
) -> Iterator[LabeledPicture]:
    """The dataset's pictures of one split that were labeled with all of `labels`, segment after segment."""
    for segment in ledger.segments:
        for line in lines_of(store, segment):
            if line.split == split and (picture := labeled_picture(line, labels)):
                yield picture
