"""State PlanLabeling: keeps the answers that have come, and decides what workers are asked next.

The state machine comes here before the labeling jobs and after them, until there is nothing left to ask.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from adapters import sagemaker
from adapters.executions import is_running
from adapters.storage import Storage, storage
from pipeline.answers import Ended, keep_answers, pictures_of
from pipeline.job_manifests import JobManifests
from pipeline.ledger import change_ledger, lines_of, read_ledger
from pipeline.observed import observed
from pipeline.prelabeling import apply_prelabels
from pipeline.run import RunReference, read_run, update_run
from pipeline.unplaced import calls_for_another_split, is_placed
from truthmill import labeling_rounds, layout, manifest, pricing
from truthmill.errors import BudgetExceededError, LabelingIncompleteError
from truthmill.labeling_job import ATTRIBUTE
from truthmill.labeling_limits import MAX_OBJECTS
from truthmill.layout import RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.records import LedgerLine
from truthmill.run import Job, JobKind, Run

COUNTS = ("labeled", "unlabeled", "boxes", "boxesInDoubt")
Wanted = Callable[[LedgerLine], int | None]


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    own = "AWS_ENDPOINT_URL_SAGEMAKER" in os.environ
    ended = msgspec.convert(event["ended"], list[Ended])
    service: pricing.Service = "truthmill" if own else "ground-truth"
    most = int(os.environ.get("MAX_OBJECTS_PER_JOB", MAX_OBJECTS))
    return plan_labeling(RunReference.from_event(event), ended, storage(), service, most)


def plan_labeling(
    reference: RunReference,
    ended: list[Ended],
    store: Storage,
    service: pricing.Service,
    most: int = MAX_OBJECTS,
) -> dict[str, Any]:
    """Keep what was answered; answer with the jobs to have labeled, none where that is done.

    ended: how the jobs of the round before ended; empty where the execution comes from somewhere else. Then
    jobs of an earlier execution are gone on with, and what such jobs leave without an answer is asked again;
    so is what a job leaves that was stopped with its own execution, where that is redriven. Else what an
    execution has asked itself it asks no second time, or a picture that nobody can label would keep it for
    ever. most: pictures that a labeling job may have.
    Where pictures couldn't be placed, the answer is only that it has to be decided anew what is kept.
    """
    at = reference.layout
    if calls_for_another_split(store, at):
        return {"counts": {}, "jobs": [], "unplaced": True}
    run = settle(store, at, read_run(store, reference), ended)
    if ended:  # here, for a run that fails was paid for too
        run = update_run(store, at.run_json, lambda found: _reckoned(found, service))
    else:
        run = apply_prelabels(store, at, run)
    plan = _Plan(store, reference, run, service, most)
    open_jobs = tuple(job for job in run.jobs if not job.has_ended)
    names, ours = {outcome.name for outcome in ended}, {"", reference.execution}
    inherited = any(job.given_up or job.created_by not in ours for job in run.jobs if job.name in names)
    again = (inherited or not ended) and not run.goes_on_without
    jobs = (() if ended else open_jobs) + (plan.unanswered(open_jobs) if again else ())
    if not jobs:
        check_complete(run, ended, store.uri(at.unlabeled))
        reviewed = {job.name for job in run.jobs if job.is_review}
        if not any(outcome.name in reviewed for outcome in ended):
            jobs = plan.review()
    if not jobs:
        update_run(store, at.run_json, lambda found: _all_asked(_reckoned(found, service)))
    jobs = plan.limited(jobs)
    counts = {name: run.counts[name] for name in COUNTS if ended and name in run.counts}
    return {"counts": counts, "jobs": [msgspec.to_builtins(job) for job in jobs], "unplaced": False}


def settle(store: Storage, at: RunLayout, run: Run, ended: list[Ended]) -> Run:
    """Keep the answers of all jobs of the run that have ended, also of those whose end nobody followed."""
    outcomes = {outcome.name: outcome for outcome in ended}
    for job in run.jobs:
        if job.arn and not job.has_ended and outcomes.get(job.name, _UNFOLLOWED).status == "NotFollowed":
            found = sagemaker.find_labeling_job(job.name)
            if found is None:
                outcomes[job.name] = Ended(job.name, "Failed", "The labeling service doesn't know it.")
            elif found["LabelingJobStatus"] in sagemaker.ENDED:
                outcomes[job.name] = Ended(
                    job.name, found["LabelingJobStatus"], found.get("FailureReason", "")
                )
    return keep_answers(store, at, run, outcomes) if outcomes else run


_UNFOLLOWED = Ended("", "NotFollowed")


def check_complete(run: Run, ended: list[Ended], unlabeled: str) -> None:
    """Raises LabelingIncompleteError where answers are missing and the request doesn't go on without."""
    short = [outcome for outcome in ended if outcome.status != "Completed"]
    missing = run.counts.get("unlabeled", 0)
    if run.asked.on_incomplete == "continue" or not (missing or short):
        return
    said = "; ".join(f"{outcome.name}: {outcome.status} {outcome.reason}".strip() for outcome in short)
    raise LabelingIncompleteError(
        f"Labeling is incomplete: {said or f'{missing} pictures came back without an answer'}. Every answer "
        f"that came is kept, what is missing is listed in {unlabeled}. Mend the cause and start the run "
        'again: only the missing is asked again. With "onIncomplete": "continue" it is built from the '
        "answers that came."
    )


class _Plan:
    """What one run may ask about: its own pictures; of a relabeling, and for new labels, the dataset's."""

    def __init__(
        self, store: Storage, reference: RunReference, run: Run, service: pricing.Service, most: int
    ) -> None:
        self.store, self.reference, self.at, self.run = store, reference, reference.layout, run
        self.service, self.most = service, most
        self.asked = run.asked
        self.total = len(self.asked.labels)

    def unanswered(self, open_jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """Jobs for all that has no answer yet and is in no open job."""
        free = {segment.run for segment in self.ledger().segments if self.is_free(segment)}
        ledger = change_ledger(self.store, self.at.dataset, lambda found: self.claimed(found, free))
        covered = pictures_of(self.store, self.at, open_jobs)
        execution = self.reference.execution
        segments = [segment for segment in ledger.segments if segment.sent_by == execution]

        def wanted(line: LedgerLine) -> int | None:
            first = labeling_rounds.first_label(line, self.total)
            if first is None or hash(self.store.uri(line.key)) in covered:
                return None
            foreign = line.run != self.at.run and not self.asked.is_relabeling
            return None if foreign and not first else first

        def drawn(line: LedgerLine) -> int | None:
            return wanted(line) if line.prelabels is not None else None

        def blank(line: LedgerLine) -> int | None:
            return wanted(line) if line.prelabels is None else None

        return self.made(segments, blank, "label") + self.made(segments, drawn, "adjustment")

    def is_free(self, segment: Segment) -> bool:
        """Whether this run may ask about the segment's pictures, and has reason to."""
        if segment.run != self.at.run:
            longer = 0 < segment.labels < self.total
            if not longer and (segment.labeled or not self.asked.is_relabeling):
                return False
            other = RunLayout(self.at.dataset, segment.run)
            if not self.is_over(other.run_json):
                return False
            if not (segment.answered or segment.sent_by or is_placed(self.store, other)):
                return False
        if segment.sent_by in {"", self.reference.execution}:
            return True
        return not is_running(segment.sent_by) and self.is_over(self.run_of(segment.sent_by))

    def run_of(self, execution: str) -> str:
        """Key of the run.json that an execution worked on; empty where that isn't known any more."""
        try:
            pointer = self.store.read_json(layout.execution(execution.rpartition(":")[2]), dict[str, str])
        except FileNotFoundError:
            return ""
        return pointer[0]["key"]

    def is_over(self, run_json: str) -> bool:
        """Whether nothing more can come from a run's jobs; answers that it left there are kept now."""
        if run_json == self.at.run_json:
            return True
        try:
            other = self.store.read_json(run_json, Run)[0]
        except FileNotFoundError:  # somebody cleared it away; whether workers had begun can't be told
            return False
        if other.state == "RUNNING" and is_running(other.execution):
            return False
        settled = settle(self.store, RunLayout(other.dataset, other.run), other, [])
        return all(job.has_ended or not job.arn for job in settled.jobs)

    def claimed(self, ledger: Ledger, free: set[str]) -> Ledger:
        """The ledger with this execution's name on the segments whose pictures it may send.

        Whoever would take over pictures of these decides on the ledger too, so one of both sees the other.
        """
        execution = self.reference.execution
        for segment in ledger.segments:
            own = segment.run == self.at.run and segment.labeled
            held = segment.sent_by not in {"", execution} and is_running(segment.sent_by)
            if segment.run in free and not held and not own:
                ledger = ledger.with_segment(msgspec.structs.replace(segment, sent_by=execution))
        return ledger

    def review(self) -> tuple[Job, ...]:
        """Jobs that have the run's labels looked at again, where the request wants that."""
        review = self.asked.review
        own = self.ledger().of(self.at.run)
        if review is None or own is None:
            return ()

        def wanted(line: LedgerLine) -> int | None:
            return 0 if labeling_rounds.is_reviewed_by(line, review) else None

        return self.made([own], wanted, review.type, is_review=True)

    def ledger(self) -> Ledger:
        return read_ledger(self.store, self.at.dataset)[0]

    def made(
        self, segments: list[Segment], wanted: Wanted, kind: JobKind, *, is_review: bool = False
    ) -> tuple[Job, ...]:
        """Write the manifests of new jobs, hold their price against the budget, note them in run.json."""
        sizes: dict[int, int] = {}
        for _, first in self.lines(segments, wanted):
            sizes[first] = sizes.get(first, 0) + 1
        objects = sum(sizes.values())
        if not objects:
            return ()
        self.check_budget(objects)
        manifests = JobManifests(self.store, self.at, self.asked, kind, sizes, len(self.run.jobs), self.most)
        for line, first in self.lines(segments, wanted):
            manifests.add(first, self.input_line(line, kind))
        jobs = tuple(msgspec.structs.replace(job, is_review=is_review) for job in manifests.jobs())
        self.run = update_run(self.store, self.at.run_json, lambda found: _with_jobs(found, jobs))
        return jobs

    def limited(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """The jobs, new ones with as many answers as the budget pays for, where the service heeds that."""
        new = [job for job in jobs if not job.arn and job.max_answers is None]
        limits = pricing.limits(self.run, self.service, new) if new and self.service == "truthmill" else None
        if limits is None:
            return jobs
        most = {job.name: limit for job, limit in zip(new, limits, strict=True)}
        self.run = update_run(self.store, self.at.run_json, lambda found: _limited(found, most))
        return tuple(job for job in self.run.jobs if job.name in {each.name for each in jobs})

    def lines(self, segments: list[Segment], wanted: Wanted) -> Iterator[tuple[LedgerLine, int]]:
        for segment in segments:
            for line in lines_of(self.store, segment):
                first = wanted(line)
                if first is not None:
                    yield line, first

    def input_line(self, line: LedgerLine, kind: JobKind) -> bytes:
        more: Mapping[str, Any] = {}
        if kind != "label":
            size_wh = line.width, line.height
            more = manifest.boxes_to_review(
                line.boxes or line.prelabels or (), self.asked.labels, size_wh, self.run.started_at, ATTRIBUTE
            )
        return manifest.input_line(self.store.bucket, line.key, line.split, more)

    def check_budget(self, objects: int) -> None:
        """Raises BudgetExceededError where what was spent and these together would cost too much."""
        most = self.asked.most_usd
        before = pricing.spent(self.run, self.service).total_usd
        after = pricing.spent(self.run, self.service, objects).total_usd
        if most is not None and after > most:
            raise BudgetExceededError(float(after), float(most), objects, float(before))


def _all_asked(found: Run) -> Run:
    return msgspec.structs.replace(found, asks_no_more=True)


def _reckoned(found: Run, service: pricing.Service) -> Run:
    """run.json with what labeling has cost: what was answered is paid for, and nothing else."""
    actual = pricing.spent(found, service)
    parts = {
        "actualUsd": float(actual.total_usd),
        "actualServiceUsd": float(actual.service_usd),
        "actualWorkersUsd": float(actual.workers_usd),
        "answered": sum(job.answered for job in found.jobs),
    }
    return msgspec.structs.replace(found, cost={**found.cost, **parts})


def _limited(found: Run, most: Mapping[str, int]) -> Run:
    jobs = (
        msgspec.structs.replace(job, max_answers=job.max_answers or most.get(job.name)) for job in found.jobs
    )
    return msgspec.structs.replace(found, jobs=tuple(jobs))


def _with_jobs(found: Run, jobs: tuple[Job, ...]) -> Run:
    known = {job.name for job in found.jobs}
    new = tuple(job for job in jobs if job.name not in known)
    return msgspec.structs.replace(found, jobs=found.jobs + new)
