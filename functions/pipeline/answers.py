"""Answers of labeling jobs on their way into the ledger; all that came are kept, however a job ended."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import msgspec

from adapters import sagemaker
from adapters.storage import LineSink, Storage, storage
from pipeline.ledger import change_ledger, lines_of
from pipeline.run import update_run
from truthmill import labeling_rounds, layout, manifest
from truthmill.labeling_job import attribute_of
from truthmill.layout import RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.manifest import Labeled, NotLabeled, Verdict
from truthmill.records import LedgerLine, Unlabeled, split_lines
from truthmill.run import Job, Run
from truthmill.s3_uri import s3_location

Answer = Labeled | Verdict | NotLabeled


class Ended(msgspec.Struct, frozen=True):
    """How a labeling job ended. status: the service's, or NotCreated, NotFollowed."""

    name: str
    status: str
    reason: str = ""


class _Sent(msgspec.Struct, frozen=True):
    """What is read of a manifest's line."""

    source: str = msgspec.field(name="source-ref")


class _Workers(msgspec.Struct, frozen=True):
    """What is read of the workers of a job."""

    answers: int


class _Finding(msgspec.Struct, frozen=True):
    """What is read of a line of boxes.jsonl."""

    key: str


def pictures_of(store: Storage, at: RunLayout, jobs: Sequence[Job]) -> dict[int, int]:
    """For the hash of a picture's URI the number in `jobs` of the last that has it: 100 bytes a picture."""
    return {
        hash(line.source): number
        for number, job in enumerate(jobs)
        for line in store.read_lines(at.labeling_manifest(job.number), _Sent)
    }


def keep_answers(store: Storage, at: RunLayout, run: Run, ended: Mapping[str, Ended]) -> Run:
    """Put the answers of the jobs that have ended into the ledger, and list what has none; run.json as it is.

    Asking twice comes to the same. at, run: of the run that had the jobs made.
    """
    step = _Keeping(store, at, run, ended)
    step.paid = {name: paid_answers(name) for name, each in ended.items() if each.status != "NotCreated"}
    change_ledger(store, at.dataset, step.change)
    return update_run(store, at.run_json, step.noted)


def paid_answers(job: str) -> int | None:
    """How many answers workers gave to a job; None where the service doesn't tell, or has written nothing."""
    uri = sagemaker.describe_labeling_job(job).get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
    bucket, key = s3_location(uri)
    if not key:
        return None
    try:
        told = storage(bucket).read(key.removesuffix(layout.OUTPUT_MANIFEST) + layout.WORKERS)
    except FileNotFoundError:
        return None
    return msgspec.json.decode(told, type=_Workers).answers


class _Keeping:
    """One pass over the ledger; `change` may be called again when the ledger has changed meanwhile."""

    def __init__(self, store: Storage, at: RunLayout, run: Run, ended: Mapping[str, Ended]) -> None:
        self.store, self.at, self.run, self.ended = store, at, run, ended
        self.job_of = pictures_of(store, at, run.jobs)
        self.answers = _Answers(run, ended)
        self.total = len(run.asked.labels)
        self.counts: dict[str, int] = {}
        self.given: Counter[str] = Counter()
        self.paid: Mapping[str, int | None] = {}

    def noted(self, found: Run) -> Run:
        jobs = tuple(
            msgspec.structs.replace(
                job,
                status=self.ended[job.name].status,
                answered=self.given[job.name],
                answers=self.paid.get(job.name),
            )
            if job.name in self.ended
            else job
            for job in found.jobs
        )
        progress = {name: seen for name, seen in found.progress.items() if name not in self.ended}
        counts = {**found.counts, **self.counts}
        return msgspec.structs.replace(found, counts=counts, jobs=jobs, progress=progress)

    def change(self, ledger: Ledger) -> Ledger:
        self.given = Counter()
        self.counts = {"labeled": 0, "unlabeled": 0, "boxes": 0, "boxesInDoubt": 0}
        reasons = {line.key: line.reason for line in self.earlier(self.at.unlabeled, Unlabeled)}
        findings = list(self.earlier_findings())
        with ExitStack() as open_files:
            unlabeled, doubts = (
                open_files.enter_context(self.store.sink(key))
                for key in (self.at.unlabeled, self.at.boxes_checked)
            )
            for finding in findings:
                self.counts["boxesInDoubt"] += 1
                doubts.add(finding)
            for segment in ledger.segments:
                if self.concerns(segment):
                    ledger = ledger.with_segment(self.kept(segment, reasons, unlabeled, doubts))
        return ledger

    def concerns(self, segment: Segment) -> bool:
        return segment.run == self.at.run or any(
            hash(self.store.uri(line.key)) in self.job_of for line in lines_of(self.store, segment)
        )

    def earlier(self, key: str, kind: type[Unlabeled]) -> Iterator[Unlabeled]:
        try:
            yield from self.store.read_lines(key, kind)
        except FileNotFoundError:
            return

    def earlier_findings(self) -> Iterator[msgspec.Raw]:
        """Lines of boxes.jsonl about pictures whose answers were kept before and aren't read now."""
        try:
            for raw in self.store.read_lines(self.at.boxes_checked, msgspec.Raw):
                key = msgspec.json.decode(raw, type=_Finding).key
                if self.job(key) is None:
                    yield msgspec.Raw(bytes(raw))
        except FileNotFoundError:
            return

    def job(self, key: str) -> Job | None:
        """The job whose answer to a picture is to be kept now."""
        number = self.job_of.get(hash(self.store.uri(key)))
        if number is None or self.run.jobs[number].name not in self.ended:
            return None
        return self.run.jobs[number]

    def kept(
        self, segment: Segment, reasons: Mapping[str, str], unlabeled: LineSink, doubts: LineSink
    ) -> Segment:
        """Write the segment anew with the answers."""
        first = min((job.number for job in self.run.jobs if job.name in self.ended), default=0)
        key = layout.answered_segment(self.at.dataset, segment.run, self.at.run, first)
        complete, labels = True, self.total
        with self.store.sink(key) as sink:
            for line in lines_of(self.store, segment):
                made, missing = self.answered(line, doubts)
                if not missing and labeling_rounds.first_label(made, self.total) is not None:
                    missing = reasons.get(line.key, "It was not sent to labeling.")
                complete = complete and made.boxes is not None
                labels = min(labels, made.labels or labels)
                if segment.run == self.at.run or hash(self.store.uri(line.key)) in self.job_of:
                    self.count(made)
                    if missing:
                        unlabeled.add(Unlabeled(key=line.key, name=line.name, reason=missing))
                sink.add(made)
        return msgspec.structs.replace(
            segment, key=key, labeled=complete, answered=True, sent_by="", labels=labels
        )

    def count(self, line: LedgerLine) -> None:
        unlabeled = labeling_rounds.first_label(line, self.total) is not None
        self.counts["unlabeled" if unlabeled else "labeled"] += 1
        self.counts["boxes"] += len(line.boxes or ())
        if line.review:
            self.counts["reviewed"] = self.counts.get("reviewed", 0) + 1

    def answered(self, line: LedgerLine, doubts: LineSink) -> tuple[LedgerLine, str]:
        """The line with its answer, if there is one to keep now; or why one that was due isn't there."""
        job = self.job(line.key)
        if job is None:
            return line, ""
        answer = _of_the_stored_picture(self.answers.of(job, self.store.uri(line.key)), line)
        if isinstance(answer, NotLabeled):
            return line, answer.reason
        self.given[job.name] += 1
        if isinstance(answer, Verdict):
            made = labeling_rounds.verified(line, right=answer.right)
            return made, "" if answer.right else labeling_rounds.REVIEWS["refused"]
        made, findings = labeling_rounds.labeled(line, job, answer.boxes, answer.confidences, self.total)
        for finding in findings:
            self.counts["boxesInDoubt"] += 1
            doubts.add({"key": line.key, **msgspec.to_builtins(finding)})
        return made, ""


class _Answers:
    """What jobs have answered. Holds one job's answers, at most 100,000.

    Pictures stand in the ledger in the order of the jobs' manifests, so each job is read about once.
    """

    def __init__(self, run: Run, ended: Mapping[str, Ended]) -> None:
        self.run, self.ended = run, ended
        self.name = ""
        self.held: dict[str, Answer] = {}

    def of(self, job: Job, uri: str) -> Answer:
        if job.name != self.name:
            self.held = {answer.source: answer for answer in self.read(job)}
            self.name = job.name
        status = self.ended[job.name].status
        missing = NotLabeled(source=uri, reason=f"The labeling job ended {status} without it.")
        return self.held.get(uri, missing)

    def read(self, job: Job) -> Iterator[Answer]:
        """What a job has written; nothing where there is no such job."""
        if self.ended[job.name].status == "NotCreated":
            return
        described = sagemaker.describe_labeling_job(job.name)
        uri = described.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        bucket, key = s3_location(uri)
        if not key:
            return
        try:
            lines = split_lines(storage(bucket).stream(key))
            if job.kind == "verification":
                yield from manifest.read_verdicts(lines, attribute_of(job.kind), uri)
            else:
                labels = self.run.asked.labels[job.first_label :]
                for answer in manifest.read_output(lines, labels, attribute_of(job.kind), uri):
                    yield _in_the_datasets_list(answer, job.first_label)
        except FileNotFoundError:
            return


def _in_the_datasets_list(answer: Labeled | NotLabeled, first: int) -> Labeled | NotLabeled:
    """With class ids of the dataset's whole list; the job had only the labels from `first` on."""
    if isinstance(answer, NotLabeled) or not first:
        return answer
    boxes = tuple(msgspec.structs.replace(box, class_id=box.class_id + first) for box in answer.boxes)
    return msgspec.structs.replace(answer, boxes=boxes)


def _of_the_stored_picture(answer: Answer, line: LedgerLine) -> Answer:
    """Boxes drawn on a picture of another size would lie elsewhere on the stored one."""
    if not isinstance(answer, Labeled) or (answer.width, answer.height) == (line.width, line.height):
        return answer
    return NotLabeled(
        source=answer.source,
        reason=f"The answer is for {answer.width} x {answer.height} pixels, the stored picture has "
        f"{line.width} x {line.height}.",
    )
