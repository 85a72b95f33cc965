"""Reads the boxes that come with a run's pictures and puts them into its segment of the ledger."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from adapters.storage import Storage, storage
from pipeline.ledger import change_ledger, lines_of, read_ledger
from pipeline.reading import read_entries
from pipeline.run import update_run
from truthmill import channels, layout, prelabels
from truthmill.box_check import check_boxes
from truthmill.channels.reading import DrawnPicture, Made, is_picture
from truthmill.errors import FormatError, PictureError, RequestError
from truthmill.labeling_rounds import LOW_CONFIDENCE
from truthmill.layout import RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.records import Entry, Inspection, LedgerLine
from truthmill.run import Run
from truthmill.s3_uri import s3_location

SMALL = 1_000_000  # bytes; files of labels up to this are read together and held
LARGEST = 512 * 1024 * 1024  # bytes, of one file of labels
ENDINGS = (".json", ".jsonl", ".manifest", ".txt", ".names", ".xml", ".yaml", ".yml")


def apply_prelabels(store: Storage, at: RunLayout, run: Run) -> Run:
    """Once: trusted boxes become labels, others what workers begin with. Holds all of the boxes.

    Raises FormatError where the files of labels can't be read or name a class that the request doesn't, and
    RequestError where they aren't there.
    """
    wanted = run.asked.prelabels
    own = read_ledger(store, at.dataset)[0].of(at.run)
    if wanted is None or wanted.use == "ignore" or own is None or "prelabeled" in run.counts:
        return run
    files = _SourceFiles(store, at, run, {line.name: line for line in lines_of(store, own)})
    reading = channels.CHANNELS[channels.detect(files)].read(files, run.asked.labels)
    drawn = {picture.path: picture for picture in reading.pictures if not picture.unlabeled}
    step = _Step(store, at, run, drawn)
    change_ledger(store, at.dataset, step.change)
    warnings = (*run.warnings, *reading.notes[:10], *step.told_of_scores(), *step.problems[:10])
    return update_run(
        store,
        at.run_json,
        lambda found: msgspec.structs.replace(
            found, counts={**found.counts, **step.counts}, warnings=warnings
        ),
    )


class _Step:
    """One pass over the run's segment; `change` may be called again when the ledger has changed meanwhile."""

    def __init__(self, store: Storage, at: RunLayout, run: Run, drawn: dict[str, DrawnPicture]) -> None:
        self.store, self.at, self.asked, self.drawn = store, at, run.asked, drawn
        wanted = run.asked.prelabels
        self.trusted = wanted is not None and wanted.use == "trusted"
        self.min_score = wanted.min_score if wanted else 0.0
        self.counts: dict[str, int] = {}
        self.scored, self.unsure, self.left_out = 0, 0, 0
        self.problems: list[str] = []

    def told_of_scores(self) -> list[str]:
        """What the user should know of a model's predictions, once they have been read."""
        if self.left_out:
            said = f"{self.left_out} of {self.scored} predictions were left out: less sure than "
            return [f'{said}"prelabels.minScore" of {self.min_score:g}, or in the place of a surer one.']
        if self.unsure:
            said = (
                f"Of {self.scored} predictions {self.unsure} are less sure than {LOW_CONFIDENCE:g}; all are "
            )
            return [f'{said}used. "prelabels.minScore" leaves such out.']
        return []

    def change(self, ledger: Ledger) -> Ledger:
        segment = ledger.of(self.at.run)
        return ledger if segment is None else ledger.with_segment(self.changed(segment))

    def changed(self, segment: Segment) -> Segment:
        key = layout.ledger_segment(self.at.dataset, self.at.run, "prelabeled")
        self.problems = []
        self.scored, self.unsure, self.left_out = 0, 0, 0
        self.counts = dict.fromkeys(("prelabeled", "labeled", "unlabeled", "boxes", "boxesInDoubt"), 0)
        with self.store.sink(key) as sink, self.store.sink(self.at.boxes_checked) as doubts:
            for line in lines_of(self.store, segment):
                made, findings = self.prelabeled(line)
                self.counts["labeled" if made.boxes is not None else "unlabeled"] += 1
                self.counts["boxes"] += len(made.boxes or ())
                self.counts["boxesInDoubt"] += len(findings)
                sink.add(made)
                for finding in findings:
                    doubts.add({"key": line.key, **msgspec.to_builtins(finding)})
        return msgspec.structs.replace(
            segment,
            key=key,
            labeled=not self.counts["unlabeled"],
            answered=True,
            labels=len(self.asked.labels),
        )

    def prelabeled(self, line: LedgerLine) -> tuple[LedgerLine, Iterable[object]]:
        drawn = self.drawn.get(line.name)
        if drawn is None:
            return line, ()
        drawn = self.surest(drawn)
        try:
            checked = check_boxes(prelabels.stored_boxes(drawn, line), line.width, line.height)
        except ValueError as error:
            self.problems.append(f"{line.name}: its labels were not used, {error}.")
            return line, ()
        self.counts["prelabeled"] += 1
        if not self.trusted:
            return msgspec.structs.replace(line, prelabels=checked.kept), checked.findings
        doubts = {finding.reason for finding in checked.findings}
        if any(score < LOW_CONFIDENCE for score in drawn.scores):
            doubts.add("low-confidence")
        labeled = msgspec.structs.replace(
            line, boxes=checked.kept, labels=len(self.asked.labels), doubts=tuple(sorted(doubts))
        )
        return labeled, checked.findings

    def surest(self, drawn: DrawnPicture) -> DrawnPicture:
        kept = prelabels.surest(drawn, self.min_score)
        self.scored += len(drawn.scores)
        self.left_out += len(drawn.scores) - len(kept.scores)
        self.unsure += sum(score < LOW_CONFIDENCE for score in kept.scores)
        return kept


class _SourceFiles:
    """The files of the run's source, as a format's reader sees them: pictures, and files of labels."""

    def __init__(self, store: Storage, at: RunLayout, run: Run, lines: dict[str, LedgerLine]) -> None:
        self.run, self.asked = run, run.asked
        self.lines = lines
        where = run.asked.prelabels.source if run.asked.prelabels else ""
        self.remote = where if where.startswith("s3://") else ""
        pictures, entries = [], {}
        for entry in _entries(store, at):
            if is_picture(entry.name):
                pictures.append(entry.name)
            elif not self.remote and _is_wanted(entry.name, where):
                entries[entry.name] = entry
        if not entries and not self.remote:
            raise RequestError(
                f'"prelabels.source" is {where!r}; {run.asked.source} has no file of labels there. Name a '
                'file of the source, one of its folders, or "." for all of it.'
            )
        self.entries = entries
        self.held = self.small()
        listed = [self.remote.rpartition("/")[2]] if self.remote else list(entries)
        self.names = sorted([*pictures, *listed])

    def small(self) -> dict[str, bytes]:
        """Small files at once: a picture's own file of labels is not worth a request."""
        small = tuple(entry for entry in self.entries.values() if entry.size <= SMALL)
        found = {}
        for entry, content in read_entries(self.run, small, storage):
            if not isinstance(content, PictureError):
                found[entry.name] = bytes(content)
        return found

    def chunks(self, name: str) -> Iterator[bytes]:
        if self.remote:
            bucket, key = s3_location(self.remote)
            try:
                yield from storage(bucket).stream(key)
            except FileNotFoundError:
                raise RequestError(f'"prelabels.source": {self.remote} isn\'t there.') from None
        elif name in self.held:
            yield self.held[name]
        else:
            yield self.large(self.entries[name])

    def large(self, entry: Entry) -> bytes:
        ((_, content),) = read_entries(self.run, (entry,), storage, LARGEST)
        if isinstance(content, PictureError):
            raise FormatError(f"{entry.name} can't be read: {content}.")
        return content

    def parts(self, name: str) -> None:
        del name  # it may be packed

    def in_order(self, count: int, make: Callable[[int], Made]) -> Iterator[Made]:
        return map(make, range(count))

    def size_wh(self, name: str) -> tuple[int, int]:
        """As the file came; of a picture that isn't kept it doesn't matter."""
        line = self.lines.get(name)
        return prelabels.source_size(line) if line else (1, 1)


def _entries(store: Storage, at: RunLayout) -> Iterator[Entry]:
    for found in store.list(at.inspected):
        for inspection in store.read_lines(found.key, Inspection):
            yield inspection.entry


def _is_wanted(name: str, where: str) -> bool:
    place = where.strip("/")
    inside = place in {"", "."} or name == place or name.startswith(place + "/")
    return inside and name.lower().endswith(ENDINGS) and name != "truthmill.json"
