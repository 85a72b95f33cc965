"""State BuildChannels: the workers' answers become boxes in the ledger, and the ledger training channels."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import msgspec

from adapters import sagemaker
from adapters.storage import Storage, storage
from pipeline.ledger import change_ledger, lines_of, read_ledger
from pipeline.observed import observed
from pipeline.run import RunReference, read_run, update_run
from truthmill import layout
from truthmill.box_check import check_boxes
from truthmill.channels import CHANNELS
from truthmill.dataset import LabeledDataset, LabeledPicture
from truthmill.errors import LabelingIncompleteError, NoPicturesError
from truthmill.labeling_job import ATTRIBUTE
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger
from truthmill.manifest import Labeled, NotLabeled, read_output
from truthmill.records import LedgerLine, split_lines
from truthmill.run import Job, Run


class Ended(msgspec.Struct, frozen=True):
    """How a labeling job ended. status: the service's, or NotCreated, NotFollowed."""

    name: str
    status: str
    reason: str = ""


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    ended = msgspec.convert(event["ended"], list[Ended])
    return build_channels(RunReference.from_event(event), ended, storage())


def build_channels(reference: RunReference, ended: list[Ended], store: Storage) -> dict[str, Any]:
    """Keep every answer first, then judge whether they are enough, then write the channels."""
    at = reference.layout
    run = read_run(store, reference)
    statuses = {outcome.name: outcome for outcome in ended}
    counts = keep_answers(store, at, run, statuses)
    update_run(store, at.run_json, lambda found: _noted(found, counts, statuses))
    check_complete(run, ended, store.uri(at.unlabeled))
    write_channels(store, at, run)
    return {"counts": counts}


def _noted(found: Run, counts: dict[str, int], statuses: dict[str, Ended]) -> Run:
    jobs = tuple(
        msgspec.structs.replace(job, status=statuses[job.name].status) if job.name in statuses else job
        for job in found.jobs
    )
    return msgspec.structs.replace(found, counts={**found.counts, **counts}, jobs=jobs)


def check_complete(run: Run, ended: list[Ended], unlabeled: str) -> None:
    """Raises LabelingIncompleteError where a job didn't complete and the request doesn't go on without."""
    short = [outcome for outcome in ended if outcome.status != "Completed"]
    if short and run.asked.on_incomplete == "fail":
        said = "; ".join(f"{outcome.name}: {outcome.status} {outcome.reason}".strip() for outcome in short)
        raise LabelingIncompleteError(
            f"Labeling is incomplete: {said}. Every answer that came is kept, what is missing is listed in "
            f'{unlabeled}. Mend the cause and start the run again; with "onIncomplete": "continue" it is '
            "built from the answers that came."
        )


def keep_answers(store: Storage, at: RunLayout, run: Run, statuses: dict[str, Ended]) -> dict[str, int]:
    """The run's segment of the ledger with boxes in place of the one without; what has none is listed."""
    counts = {"labeled": 0, "unlabeled": 0}

    def change(ledger: Ledger) -> Ledger:
        segment = ledger.of(at.run)
        if segment is None:
            return ledger
        key = layout.ledger_segment(at.dataset, at.run, layout.LABELED)
        counts.update(_write_answers(store, at, run, statuses, key))
        complete = counts["unlabeled"] == 0 or run.asked.on_incomplete == "continue"
        return ledger.with_segment(msgspec.structs.replace(segment, key=key, labeled=complete))

    change_ledger(store, at.dataset, change)
    return counts


def _write_answers(
    store: Storage, at: RunLayout, run: Run, statuses: dict[str, Ended], key: str
) -> dict[str, int]:
    """Write the ledger's segment under `key`, from the one that SplitDataset wrote."""
    counts = {"labeled": 0, "unlabeled": 0, "boxes": 0, "boxesInDoubt": 0}
    kept = store.read_lines(layout.ledger_segment(at.dataset, at.run, layout.KEPT), LedgerLine)
    with ExitStack() as open_files:
        ledger, unlabeled, doubts = (
            open_files.enter_context(store.sink(key)) for key in (key, at.unlabeled, at.boxes_checked)
        )
        for line, answer in _answered(store, run, statuses, kept):
            if not isinstance(answer, Labeled):
                counts["unlabeled"] += 1
                unlabeled.add({"key": line.key, "name": line.name, "reason": answer.reason})
                ledger.add(line)
                continue
            checked = check_boxes(answer.boxes, line.width, line.height)
            counts["labeled"] += 1
            counts["boxes"] += len(checked.kept)
            counts["boxesInDoubt"] += len(checked.findings)
            ledger.add(msgspec.structs.replace(line, boxes=checked.kept))
            for finding in checked.findings:
                doubts.add({"key": line.key, **msgspec.to_builtins(finding)})
    return counts


def _answered(
    store: Storage, run: Run, statuses: dict[str, Ended], kept: Iterator[LedgerLine]
) -> Iterator[tuple[LedgerLine, Labeled | NotLabeled]]:
    """Each kept picture with its answer. Holds one job's answers, at most 100,000.

    The lines are in the order of the jobs' manifests, so job after job is read beside them.
    """
    for job in run.jobs:
        outcome = statuses.get(job.name, Ended(job.name, "NotCreated"))
        answers = _answers(run, job, outcome)
        for line in islice(kept, job.objects):
            uri = store.uri(line.key)
            missing = NotLabeled(source=uri, reason=f"The labeling job ended {outcome.status} without it.")
            yield line, _of_the_stored_picture(answers.get(uri, missing), line)


def _of_the_stored_picture(answer: Labeled | NotLabeled, line: LedgerLine) -> Labeled | NotLabeled:
    """Boxes drawn on a picture of another size would lie elsewhere on the stored one."""
    if isinstance(answer, NotLabeled) or (answer.width, answer.height) == (line.width, line.height):
        return answer
    return NotLabeled(
        source=answer.source,
        reason=f"The answer is for {answer.width} x {answer.height} pixels, the stored picture has "
        f"{line.width} x {line.height}.",
    )


def _answers(run: Run, job: Job, outcome: Ended) -> dict[str, Labeled | NotLabeled]:
    """What a job has written, by the picture's URI; nothing where there is no such job."""
    if outcome.status == "NotCreated":
        return {}
    described = sagemaker.describe_labeling_job(job.name)
    uri = described.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        lines = split_lines(storage(bucket).stream(key)) if key else iter(())
        found = read_output(lines, run.asked.labels, ATTRIBUTE, uri)
        return {answer.source: answer for answer in found}
    except FileNotFoundError:
        return {}


def write_channels(store: Storage, at: RunLayout, run: Run) -> None:
    """Every format that was asked for, from all labeled pictures of the dataset."""
    ledger = read_ledger(store, at.dataset)[0]
    there = tuple(split for split in SPLITS if next(_pictures(store, ledger, split), None) is not None)
    dataset = LabeledDataset(
        bucket=store.bucket,
        labels=ledger.labels,
        pictures=lambda split: _pictures(store, ledger, split),
        splits=tuple(split for split in SPLITS if split in there or split in run.split["wanted"]),
        job=run.jobs[0].name if run.jobs else run.run,
        created=run.started_at.rstrip("Z"),  # not the clock: a retry writes the same bytes
    )
    if not there:
        raise NoPicturesError(
            f"Dataset {at.dataset} has no labeled picture: every one came back without an answer. "
            f"Why, picture by picture, is in {store.uri(at.unlabeled)}."
        )
    for name in run.asked.channels:
        for file, chunks in CHANNELS[name].write(dataset, at.channel(name)):
            store.write(at.channel(name) + file, chunks, "application/json")


def _pictures(store: Storage, ledger: Ledger, split: str) -> Iterator[LabeledPicture]:
    """The dataset's labeled pictures of one split, segment after segment."""
    for segment in ledger.segments:
        for line in lines_of(store, segment):
            if line.split == split and line.boxes is not None:
                yield LabeledPicture(
                    key=line.key,
                    split=line.split,
                    width=line.width,
                    height=line.height,
                    boxes=line.boxes,
                    sha256=line.sha256,
                    name=line.name,
                )
