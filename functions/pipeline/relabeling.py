"""A run whose source is the dataset itself: its pictures that came back without an answer.

`truthmill relabel` starts one. Nothing is uploaded, inspected or placed; the state machine goes on with
PlanLabeling at once.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from adapters.storage import Storage
from pipeline.ledger import read_ledger
from pipeline.run import Newest
from truthmill import layout
from truthmill.errors import SourceError
from truthmill.layout import RunLayout
from truthmill.records import Entry, Inspection
from truthmill.run import Run
from truthmill.s3_uri import s3_location

ASKED_ANEW = ("source", "trigger", "prelabels", "resplit")


def is_dataset(uri: str, store: Storage) -> bool:
    """Whether a source is a dataset of this stack."""
    bucket, key = s3_location(uri)
    return bucket == store.bucket and layout.dataset_of(key) != ""


class Unanswered:
    """The dataset as a source. Raises SourceError where there is no such dataset."""

    def __init__(self, store: Storage, uri: str) -> None:
        self.store, self.uri = store, uri
        self.dataset = layout.dataset_of(uri.removeprefix(f"s3://{store.bucket}/"))
        if not self.last_run:
            raise SourceError(f"{uri}: there is no dataset {self.dataset!r} with pictures. Check its name.")

    @cached_property
    def last_run(self) -> str:
        """Name of the newest complete run, or of the last that brought pictures in."""
        try:
            return self.store.read_json(layout.latest(self.dataset), Newest)[0].run
        except FileNotFoundError:
            segments = read_ledger(self.store, self.dataset)[0].segments
            return segments[-1].run if segments else ""

    @property
    def digest(self) -> str:
        """The same until a run of the dataset succeeds, so that a relabeling that failed is gone on with."""
        return hashlib.sha256(f"unanswered {self.dataset} {self.last_run}".encode()).hexdigest()

    def settings(self) -> dict[str, Any]:
        """What the dataset was asked for last, where the request doesn't say."""
        run = self.store.read_json(RunLayout(self.dataset, self.last_run).run_json, Run)[0]
        settings = {name: value for name, value in run.request.items() if name not in ASKED_ANEW}
        settings["split"] = {**settings.get("split", {}), "stratify": False}
        return settings

    def entries(self, _at: RunLayout) -> Iterator[Entry | Inspection]:
        return iter(())

    def described(self) -> dict[str, Any]:
        return {"uri": self.uri}
