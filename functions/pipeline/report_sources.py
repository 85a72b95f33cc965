"""What the report is made from, read from the run's objects; what isn't there is told as absent."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from adapters.storage import Storage
from pipeline.ledger import read_ledger
from truthmill.box_check import whole_box
from truthmill.boxes import Box
from truthmill.errors import FormatError
from truthmill.labeling_job import ATTRIBUTE
from truthmill.layout import RunLayout
from truthmill.ledger import Ledger
from truthmill.manifest import Labeled, read_output
from truthmill.records import Rejected, Similar, split_lines
from truthmill.report.durations import durations
from truthmill.report.facts import Agreement, Doubtful, Facts, Listed
from truthmill.report.measures import LabeledLine, Measures, PlainBox
from truthmill.report.sampling import Lowest, chance
from truthmill.report.sheets import DUPLICATES, PAIRS
from truthmill.report.workers import SAMPLED, Response, Staff, sampled
from truthmill.run import Job, Run

T = TypeVar("T")


class _Channels(msgspec.Struct, frozen=True, rename="pascal"):
    """As much of a format's channels.json as is looked at."""

    problems: tuple[str, ...] = ()


EXAMPLES = 12  # files named for each reason
DOUBTFUL = 6  # boxes of each reason
LEAST_AGREED = 12
AGREEMENT_BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)


class BoxFinding(msgspec.Struct, frozen=True):
    """As much of a line of boxes.jsonl as is looked at. box: as somebody drew it."""

    key: str
    reason: str
    kept: bool = True
    box: dict[str, float | None] = {}  # what is no number is null

    def drawn(self) -> PlainBox | None:
        sides = [self.box.get(name) for name in PlainBox.__struct_fields__]
        whole = [round(side) for side in sides if side is not None]
        return PlainBox(*whole) if len(whole) == len(sides) else None


class Missing(msgspec.Struct, frozen=True):
    """As much of a line of unlabeled.jsonl as is looked at."""

    name: str
    reason: str


def gather(store: Storage, at: RunLayout, run: Run) -> Facts:
    """Everything in one pass over each object; memory doesn't grow with the dataset."""
    ledger = _ledger(store, at)
    labels = tuple(map(str, run.request.get("labels", ()))) or ledger.labels
    listed = read_lists(store, at)
    agreement, staff = read_answers(store, at, run, labels)
    prefix = store.uri("")
    agreement.least = {uri.removeprefix(prefix): share for uri, share in agreement.least.items()}
    wanted = listed.keys() | agreement.least.keys()
    measures, lines = Measures(labels, at.run, at.run), {}
    for segment in ledger.segments:
        measures.add(_kept_aside(_pictures(store, segment.key, len(labels)), wanted, lines))
    return Facts(
        run=run,
        bucket=store.bucket,
        measures=measures,
        listed=listed,
        agreement=agreement,
        staff=staff,
        lines=lines,
        durations=durations(run.started_at, moments(store, at, run)),
        limits=dict(_limits(store, at, run)),
    )


def _limits(store: Storage, at: RunLayout, run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the formats' own files say of limits that the dataset doesn't keep."""
    for name in run.request.get("channels", ()):
        with contextlib.suppress(FileNotFoundError):
            problems = store.read_json(at.channel(name) + "channels.json", _Channels)[0].problems
            if problems:
                yield name, problems


def _ledger(store: Storage, at: RunLayout) -> Ledger:
    """As the run's channels were built from it; of runs that didn't keep it, as it is now."""
    try:
        return store.read_json(at.ledger, Ledger)[0]
    except FileNotFoundError:
        return read_ledger(store, at.dataset)[0]


def _pictures(store: Storage, key: str, labels: int) -> Iterator[LabeledLine]:
    return (line.as_of(labels) for line in _lines(store, key, LabeledLine))


def _lines(store: Storage, key: str, kind: type[T]) -> Iterator[T]:
    """Lines of an object that earlier runs, or runs without such lines, may not have."""
    try:
        yield from store.read_lines(key, kind)
    except FileNotFoundError:
        return


def _kept_aside(
    lines: Iterable[LabeledLine], wanted: set[str], aside: dict[str, LabeledLine]
) -> Iterator[LabeledLine]:
    for line in lines:
        if line.key in wanted:
            aside[line.key] = line
        yield line


def read_lists(store: Storage, at: RunLayout) -> Listed:
    """rejected.jsonl, similar.jsonl, boxes.jsonl and unlabeled.jsonl: counts of all, some of each."""
    listed = Listed()
    duplicates = Lowest[Rejected](DUPLICATES)
    examples: dict[str, Lowest[Rejected]] = {}
    for line in _lines(store, at.rejected, Rejected):
        listed.rejected[line.reason] += 1
        score = chance(at.run, line.name)
        examples.setdefault(line.reason, Lowest(EXAMPLES)).offer(score, line)
        if line.of:
            duplicates.offer(score, line)
    listed.examples = {reason: list(found) for reason, found in examples.items()}
    listed.duplicates = list(duplicates)
    _read_similar(store, at, listed)
    _read_findings(store, at, listed)
    names = Lowest[str](EXAMPLES)
    for missing in _lines(store, at.unlabeled, Missing):
        listed.unlabeled[missing.reason] += 1
        names.offer(chance(at.run, missing.name), missing.name)
    listed.unlabeled_names = list(names)
    return listed


def _read_similar(store: Storage, at: RunLayout, listed: Listed) -> None:
    pairs = Lowest[Similar](PAIRS)
    for pair in _lines(store, at.similar, Similar):
        pairs.offer(pair.distance + chance(at.run, pair.key), pair)
    listed.similar_pairs, listed.similar = pairs.offered, list(pairs)


def _read_findings(store: Storage, at: RunLayout, listed: Listed) -> None:
    doubtful: dict[str, Lowest[Doubtful]] = {}
    for finding in _lines(store, at.boxes_checked, BoxFinding):
        listed.findings[finding.reason] += 1
        listed.dropped += not finding.kept
        some = doubtful.setdefault(finding.reason, Lowest(DOUBTFUL))
        some.offer(chance(at.run, finding.key), Doubtful(finding.key, finding.drawn()))
    listed.doubtful = {reason: list(found) for reason, found in doubtful.items()}


def read_answers(store: Storage, at: RunLayout, run: Run, labels: tuple[str, ...]) -> tuple[Agreement, Staff]:
    """How far workers agree, from the jobs' output manifests and a sample of the single answers."""
    agreement, staff = Agreement(), Staff(labels)
    least = Lowest[tuple[str, float]](LEAST_AGREED)
    total = sum(job.objects for job in run.jobs) or 1
    for job in run.jobs:
        share = -(-SAMPLED * job.objects // total)
        chosen = sampled(job.objects, share, f"{at.run}:{job.name}")
        for number, answer in enumerate(_answers(store, at, job, labels)):
            if not isinstance(answer, Labeled):
                continue
            _add_agreement(answer, agreement, least)
            if number in chosen:
                _add_responses(store, at, job, number, answer, staff)
    agreement.least = dict(least)
    return agreement, staff


def output_manifest(at: RunLayout, job: Job) -> str:
    """Key of a job's output, in Ground Truth's layout."""
    return f"{at.labeling_output}{job.name}/manifests/output/output.manifest"


def _answers(store: Storage, at: RunLayout, job: Job, labels: tuple[str, ...]) -> Iterator[object]:
    """Each line's answer; none where the job left no output, or one that isn't for these labels."""
    key = output_manifest(at, job)
    try:
        yield from read_output(split_lines(store.stream(key)), labels, ATTRIBUTE, store.uri(key))
    except (FileNotFoundError, FormatError):
        return


def _add_agreement(answer: Labeled, agreement: Agreement, least: Lowest[tuple[str, float]]) -> None:
    """With one worker every confidence is 0 and says nothing (FACTS: output)."""
    if not any(answer.confidences):
        return
    mean = sum(answer.confidences) / len(answer.confidences)
    agreement.pictures += 1
    agreement.total += mean
    agreement.bins[sum(mean > edge for edge in AGREEMENT_BINS)] += 1
    lowest = min(answer.confidences)
    if lowest < 1:
        least.offer(lowest + mean / 1000, (answer.source, lowest))


def _add_responses(
    store: Storage, at: RunLayout, job: Job, number: int, answer: Labeled, staff: Staff
) -> None:
    """The workers' own answers to one object: the newest document of its folder."""
    prefix = f"{at.labeling_output}{job.name}/annotations/worker-response/iteration-1/{number}/"
    keys = [found.key for found in store.list(prefix)]
    if not keys:
        return
    try:
        response = msgspec.json.decode(store.read(max(keys)), type=Response)
    except (FileNotFoundError, msgspec.DecodeError):
        return
    staff.add(response, _boxes(answer))


def _boxes(answer: Labeled) -> list[Box]:
    found = []
    for drawn in answer.boxes:
        try:
            found.append(whole_box(drawn))
        except ValueError:
            continue
    return found


def moments(store: Storage, at: RunLayout, run: Run) -> dict[str, datetime]:
    """When each state wrote its last object, as far as it has written any."""
    prefixes = {
        "Prepare": [at.plan],
        "InspectImages": [at.inspected],
        "ResplitDataset" if run.request.get("resplit") else "SplitDataset": [at.outcome],
        "PlaceImages": [at.placed],
        "LabelImages": [output_manifest(at, job) for job in run.jobs],
        "BuildChannels": [at.channels],
    }
    found = {state: [_newest(store, key) for key in keys] for state, keys in prefixes.items()}
    return {state: max(times) for state, given in found.items() if (times := [t for t in given if t])}


def _newest(store: Storage, key: str) -> datetime | None:
    """Of an object, or of all below a prefix."""
    if key.endswith("/"):
        return max((found.modified for found in store.list(key)), default=None)
    try:
        return store.head(key).modified
    except FileNotFoundError:
        return None
