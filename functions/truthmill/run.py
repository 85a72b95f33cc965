"""run.json: what was asked, by whom, every count, and the state it ended in."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from truthmill.dataset import Heading
from truthmill.errors import NoPicturesError
from truthmill.layout import SPLITS
from truthmill.progress import Progress
from truthmill.records import Record
from truthmill.request import Request

State = Literal["RUNNING", "SUCCEEDED", "FAILED"]
JobKind = Literal["label", "adjustment", "verification"]


class Failure(Record, frozen=True):
    """Why a run failed. name: of the error's class; message: for the user."""

    name: str
    message: str


class Job(Record, frozen=True):
    """A labeling job of a run.

    objects: pictures in it; answered: of them; answers: by all workers together, None where the service
    doesn't tell. status: as the labeling service said at its end. created_by:
    an execution, by its ARN. kind: what workers are asked for. first_label: index of the first of the
    dataset's labels that they are asked for; earlier ones were asked for by earlier jobs. is_review: of what
    other workers have labeled. given_up: it was stopped because the execution that waited for it had ended.
    max_answers: how many answers it may take, so that the budget isn't passed; None for any number.
    """

    name: str
    number: int
    objects: int
    arn: str = ""
    status: str = ""
    answered: int = 0
    answers: int | None = None
    created_by: str = ""
    kind: JobKind = "label"
    first_label: int = 0
    is_review: bool = False
    given_up: bool = False
    max_answers: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether all answers that will ever come from it are in the ledger."""
        return self.status in {"Completed", "Failed", "Stopped"}


class Run(Record, frozen=True, omit_defaults=False):
    """run.json. Times are UTC, "YYYY-MM-DDTHH:MM:SSZ".

    execution: ARN of the execution that works on it, or did last. request: whole, defaults filled in; of a
    run that ended before its request was understood, as it came.
    counts: inputs = train + validation + test + duplicates + rejected + ignored. Of the duplicates, `known`
    are pictures that the dataset had already; of train, validation and test, `labeled` came back with an
    answer and `unlabeled` without.
    progress: of the jobs that workers are at, by their names; looked at every quarter of an hour.
    asks_no_more: no labeling job of it is under way, and none will come any more.
    goes_on_without: it failed for answers that were missing, and was started again to be built without them.
    split: what was wanted, and how far off it is. cost: USD, estimated and actual, and their price book.
    """

    run: str
    dataset: str
    state: State
    trigger: str
    execution: str
    started_at: str
    request: dict[str, Any]
    source: dict[str, Any] = {}
    ended_at: str = ""
    counts: dict[str, int] = {}
    split: dict[str, Any] = {}
    cost: dict[str, Any] = {}
    jobs: tuple[Job, ...] = ()
    progress: dict[str, Progress] = {}
    channels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    asks_no_more: bool = False
    goes_on_without: bool = False
    error: Failure | None = None

    @property
    def asked(self) -> Request:
        return msgspec.convert(self.request, Request)

    def heading(self, bucket: str, prefix: str, splits: tuple[str, ...]) -> Heading:
        """What all files of a format say of the dataset. prefix: key prefix of the format's files."""
        return Heading(
            labels=self.asked.labels,
            splits=splits,
            bucket=bucket,
            prefix=prefix,
            job=self.jobs[0].name if self.jobs else self.run,
            created=self.started_at.rstrip("Z"),  # not the clock: a retry writes the same bytes
        )

    def channel_splits(self, pictures: Mapping[str, int]) -> tuple[str, ...]:
        """The splits of its channels. pictures: how many labeled ones each split has."""
        wanted = self.split.get("wanted", ())
        return tuple(split for split in SPLITS if pictures.get(split) or split in wanted)

    @property
    def had_no_picture(self) -> bool:
        """Whether it failed because nothing of its source can be used."""
        return (
            self.state == "FAILED" and self.error is not None and self.error.name == NoPicturesError.__name__
        )

    @property
    def paid(self) -> bool:
        """Whether workers may have begun on its pictures."""
        return any(job.arn for job in self.jobs)


def run_name(source_digest: str, request: Request) -> str:
    """A run's name: digits of a digest over the source's content and all of the request that decides results.

    The same bytes under another key or by another trigger are the same run; so are those with another
    budget, or with more patience for what is incomplete: the run that failed goes on.
    source_digest: of the archive's directory, or of a prefix's listing.
    """
    split = msgspec.structs.replace(request.split, on_degenerate="fail")
    decisive = msgspec.structs.replace(
        request, source="", trigger="console", budget=None, on_incomplete="fail", split=split
    )
    content = msgspec.json.encode([source_digest, decisive], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:12]


def takes_over(found: Run, execution: str, *, still_running: bool) -> bool:
    """Whether an execution may work on a run that is there: its own, or one whose execution has ended.

    still_running: whether the execution that run.json names is under way.
    """
    if found.execution == execution:
        return True
    return found.state == "FAILED" or (found.state == "RUNNING" and not still_running)


def goes_on_without(found: Run, wanted: Run) -> bool:
    """Whether a run that failed for want of answers is started again by somebody who takes it as it is."""
    short = found.error is not None and found.error.name == "LabelingIncompleteError"
    return wanted.asked.on_incomplete == "continue" and (short or found.goes_on_without)


def check_counts(counts: dict[str, int]) -> None:
    """Raises AssertionError where an input is in none or in two places: a defect, never the user's fault."""
    placed = sum(counts.get(name, 0) for name in (*SPLITS, "duplicates", "rejected", "ignored"))
    if counts["inputs"] != placed:
        raise AssertionError(f"{counts['inputs']} inputs, {placed} accounted for: {counts}")
