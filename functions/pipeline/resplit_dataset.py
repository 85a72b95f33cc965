"""State ResplitDataset: splits a labeled dataset anew; PlaceImages copies what moves, BuildChannels commits.

Nothing of the dataset changes before the copies are there: the new segments of the ledger lie beside the old
ones until `commit` puts them in their place. What an earlier run's channels refer to stays where it is.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.executions import is_running
from adapters.storage import Storage, storage
from pipeline.ledger import change_ledger, copies_of, lines_of, read_ledger
from pipeline.observed import observed
from pipeline.placement import PlaceWriter
from pipeline.run import RunReference, read_run, update_run
from truthmill import layout
from truthmill.errors import SourceError, SplitError
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.records import LedgerLine, Placement, stored_entry
from truthmill.resplit import Remembered, Resplit, resplit
from truthmill.run import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Rewritten(msgspec.Struct, frozen=True, rename="camel"):
    """split.json of a run that splits a dataset anew: each segment that changes, before and after.

    runs: whose pictures it looked at.
    """

    before: tuple[Segment, ...]
    after: tuple[Segment, ...]
    runs: tuple[str, ...]


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return resplit_dataset(RunReference.from_event(event), storage())


def resplit_dataset(reference: RunReference, store: Storage) -> dict[str, Any]:
    """Decide from the ledger, write the segments as they shall be and place.jsonl."""
    at = reference.layout
    run = read_run(store, reference)
    ledger, _ = read_ledger(store, at.dataset)
    staying = [segment.run for segment in ledger.segments if _is_awaited(store, at, segment)]
    remembered = Remembered(run.asked.split, len(run.asked.labels), store.uri(layout.ledger(at.dataset)))
    for segment in ledger.segments:
        for line in lines_of(store, segment):
            remembered.add(line, stays=segment.run in staying)
    for copies in ledger.copies:
        for copy in copies_of(store, copies):
            remembered.add_copy(copy)
    found = resplit(remembered, run.asked.split.seed or at.dataset)
    _check(run, found, staying)
    store.write_json(at.outcome, _write(store, at, ledger, found))
    store.write_lines(at.rejected, ())
    counts = {"inputs": len(found.sides), "duplicates": 0, "rejected": 0, "ignored": 0, **found.counts}
    described = {
        "wanted": dict(found.wanted),
        "offBy": {name: found.counts[name] - wanted for name, wanted in found.wanted.items()},
        "largestGroup": found.largest_group,
        "straddlingGroups": found.straddling,
        "lacking": [{"split": split, "label": run.asked.labels[kind]} for split, kind in found.lacking],
    }
    update_run(
        store,
        at.run_json,
        lambda noted: msgspec.structs.replace(
            noted,
            counts={**noted.counts, **counts, "moved": found.moved},
            split=described,
            warnings=tuple(_warnings(run, found)),
        ),
    )
    return {"moved": found.moved}


def _is_awaited(store: Storage, at: RunLayout, segment: Segment) -> bool:
    """Whether answers may come for its pictures, which do so under the keys that these have now.

    Also where nobody waits at the moment: a run that was stopped keeps its answers when it is started again.
    Of one that has no answer yet the pictures needn't even be in place.
    """
    if segment.sent_by or not (segment.answered or segment.labeled):
        return True
    try:
        other = store.read_json(RunLayout(at.dataset, segment.run).run_json, Run)[0]
    except FileNotFoundError:  # somebody cleared it away, so nobody waits for it
        return False
    if other.state == "RUNNING" and is_running(other.execution):
        return True
    return any(job.arn and not job.has_ended for job in other.jobs)


def _check(run: Run, found: Resplit, staying: list[str]) -> None:
    """A split with an empty side, or one that leaks, is not passed off as done. Raises SplitError.

    staying: runs whose pictures stay on their sides.
    """
    if found.straddling and run.asked.split.on_degenerate == "fail":
        raise SplitError(
            f"{found.straddling} groups would be on several sides: pictures of {' and '.join(staying)} stay "
            "where they are, for workers are busy with them or their labeling has not ended. End these runs, "
            "or start them again, and then this one; or accept it with "
            '"split": {"onDegenerate": "continue"}.'
        )
    empty = [name for name in found.wanted if not found.counts[name]]
    if empty and run.asked.split.on_degenerate == "fail":
        raise SplitError(
            f"The split would be {dict(found.counts)} instead of {dict(found.wanted)}: {' and '.join(empty)} "
            'would be empty, for pictures that belong together stay together. Group less ("nearDuplicates", '
            '"groupBy"), bring more pictures, or accept it with "split": {"onDegenerate": "continue"}.'
        )


def _warnings(run: Run, found: Resplit) -> Iterator[str]:
    for split, kind in found.lacking:
        yield (
            f"{split} has no box of {run.asked.labels[kind]!r}: pictures that belong together hold all of "
            "them, or nearly all. Bring more pictures of it."
        )


def _write(store: Storage, at: RunLayout, ledger: Ledger, found: Resplit) -> Rewritten:
    """place.jsonl, and the segments of which a picture moves."""
    before, after, first = [], [], 0
    with store.sink(at.place) as sink:
        place = PlaceWriter(sink)
        for segment in ledger.segments:
            sides = found.sides[first:]
            moves = [
                SPLITS[sides[number]] != line.split for number, line in enumerate(lines_of(store, segment))
            ]
            if any(moves):
                key = layout.ledger_segment(at.dataset, segment.run, f"split-{at.run}")
                store.write_lines(key, _moved(lines_of(store, segment), sides, place))
                before.append(segment)
                after.append(msgspec.structs.replace(segment, key=key))
            first += len(moves)
        place.close()
    return Rewritten(tuple(before), tuple(after), tuple(segment.run for segment in ledger.segments))


def _moved(
    lines: Iterator[LedgerLine], sides: "NDArray[np.int8]", place: PlaceWriter
) -> Iterator[LedgerLine]:
    for number, line in enumerate(lines):
        split = SPLITS[sides[number]]
        if split == line.split:
            yield line
            continue
        key = layout.on_side(line.key, split)
        place.place(Placement(entry=stored_entry(line), key=key), size=0)
        yield msgspec.structs.replace(line, key=key, split=split)


def commit(store: Storage, at: RunLayout) -> None:
    """Put the segments into the ledger; a second time it changes nothing.

    Raises SourceError where somebody changed one of them since they were read, or brought pictures in: these
    joined the sides that others are to leave.
    """
    rewritten = store.read_json(at.outcome, Rewritten)[0]
    done = {segment.key for segment in rewritten.after}

    def change(ledger: Ledger) -> Ledger:
        there = {segment.key for segment in ledger.segments}
        if done <= there:
            return ledger
        strangers = {segment.run for segment in ledger.segments} - {*rewritten.runs}
        changed = [segment.run for segment in rewritten.before if segment not in ledger.segments]
        if strangers or changed:
            raise SourceError(
                f"Dataset {at.dataset} changed while it was split anew: pictures of run "
                f"{min({*strangers, *changed})} came in or were worked on. Start the run again."
            )
        for segment in rewritten.after:
            ledger = ledger.with_segment(segment)
        return ledger

    change_ledger(store, at.dataset, change)
