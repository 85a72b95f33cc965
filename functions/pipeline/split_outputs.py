"""What SplitDataset writes of its decision, and the inspections that it goes through for that.

Nothing is decided here: everything follows from the inspections and a `Curation`.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import chain

import msgspec

from adapters.storage import Storage
from pipeline import unplaced
from pipeline.placement import PlaceWriter, picture_keys
from truthmill import layout, manifest, rejections
from truthmill.curation import Curation
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Copies, Segment
from truthmill.records import Copy, Entry, Inspection, LedgerLine, Rejected, Similar, Unplaced
from truthmill.request import Request


class Outputs:
    """The objects of one run that follow from what was decided. Each is a pass over the inspections."""

    def __init__(self, store: Storage, at: RunLayout, asked: Request) -> None:
        self.store, self.at, self.asked = store, at, asked

    @cached_property
    def unplaced(self) -> dict[Entry, Unplaced]:
        """What an earlier decision kept, and couldn't be placed."""
        return unplaced.of_run(self.store, self.at)

    def inspections(self) -> Iterator[Inspection]:
        """Every input, in an order that is the same each time."""
        for found in self.store.list(self.at.inspected):
            lines = self.store.read_lines(found.key, Inspection)
            yield from map(self._as_placed, lines) if self.unplaced else lines

    def _as_placed(self, found: Inspection) -> Inspection:
        """With its reason, where it couldn't be placed."""
        line = self.unplaced.get(found.entry)
        return msgspec.structs.replace(found, reason=line.reason, detail=line.detail) if line else found

    def usable(self) -> Iterator[Inspection]:
        return (inspection for inspection in self.inspections() if not inspection.reason)

    def write_kept(
        self, curation: Curation, groups: Sequence[str], taken: set[int]
    ) -> tuple[dict[int, str], Segment]:
        """place.jsonl, the splits' manifests and the ledger's segment, in one pass.

        groups: keys of the new pictures' groups.
        taken: `key_mark` of each key that belongs to another picture of the dataset.
        Answers the keys of pictures that others are duplicates of or resemble, and the segment.
        """
        kept = curation.kept()
        wanted = set(curation.stands_for[~kept].tolist()) | set(curation.similar.ravel().tolist())
        of: dict[int, str] = {}
        segment = Segment(
            run=self.at.run,
            key=layout.kept_segment(self.at.dataset, self.at.run, len(self.unplaced)),
            pictures=int(kept.sum()),
        )
        keys = picture_keys(self.at.dataset, taken)
        with ExitStack() as open_files:
            sink = lambda key: open_files.enter_context(self.store.sink(key))  # noqa: E731 - three uses below
            ledger = sink(segment.key)
            # A folder, or an earlier run, may put pictures on a side that this request gives no share.
            sides = {SPLITS[side] for side in set(curation.sides[: len(kept)][kept].tolist())}
            splits = {name: sink(self.at.split_manifest(name)) for name in {*curation.outcome.wanted} | sides}
            place = PlaceWriter(sink(self.at.place))
            number = -1
            for found in self.inspections():
                if found.reason:
                    if found.entry in self.unplaced:
                        place.leave_out(self.unplaced[found.entry])
                    continue
                number += 1
                if not kept[number]:
                    continue
                split = SPLITS[curation.sides[number]]
                key = keys(found, split)
                if number in wanted:
                    of[number] = key
                line = manifest.input_line(self.store.bucket, key, split)
                place.add(found, key)
                splits[split].add(line)
                ledger.add(self._ledger_line(found, key, split, groups[number]))
            place.close()
        return of, segment

    def _ledger_line(self, found: Inspection, key: str, split: str, group: str) -> LedgerLine:
        return LedgerLine(
            sha256=found.sha256,
            key=key,
            split=split,
            name=found.entry.name,
            run=self.at.run,
            pixels=found.pixels,
            fingerprint=found.fingerprint,
            width=found.width,
            height=found.height,
            orientation=found.orientation,
            scaled_from=found.scaled_from,
            taken=found.taken,
            group=group,
        )

    def write_copies(self, curation: Curation, before: Iterator[Copy]) -> Copies:
        """Names of pictures that aren't kept, but whose groups bind what is kept in their place.

        before: those that are known without this decision.
        """
        usable = enumerate(self.usable())
        noted = (found for number, found in usable if curation.copies[number])
        own = (Copy(pixels=found.pixels, name=found.entry.name, taken=found.taken) for found in noted)
        every = chain(before, own)
        key, pictures = layout.ledger_copies(self.at.dataset, self.at.run), 0
        if first := next(every, None):
            with self.store.sink(key) as sink:
                for copy in chain([first], every):
                    sink.add(copy)
                    pictures += 1
        return Copies(run=self.at.run, key=key, pictures=pictures)

    def write_all_rejected(self) -> None:
        """Of a run of which nothing can be used."""
        self.store.write_lines(self.at.rejected, map(_refused, self.inspections()))

    def write_rejected(self, curation: Curation, of: dict[int, str]) -> None:
        """A line for every input that isn't used, with its reason."""
        self.store.write_lines(self.at.rejected, self._rejected(curation, of))

    def _rejected(self, curation: Curation, of: dict[int, str]) -> Iterator[Rejected]:
        number, left_out = -1, self._left_out(curation)
        for found in self.inspections():
            if found.reason:
                yield _refused(found)
                continue
            number += 1
            stands = int(curation.stands_for[number])
            if number in curation.between:
                why = curation.between[number]
                yield _refused(msgspec.structs.replace(found, reason="between-splits", detail=why))
            elif stands != number:
                reason = "known" if stands >= len(curation.stands_for) else "duplicate"
                of_what, detail = of.get(stands, ""), ""
                if stands in left_out:  # which has no key
                    of_what = left_out[stands]
                    detail = f"that one isn't kept either (between-splits): {curation.between[stands]}"
                same = msgspec.structs.replace(found, reason=reason, detail=detail)
                yield msgspec.structs.replace(_refused(same), of=of_what, distance=0)

    def _left_out(self, curation: Curation) -> dict[int, str]:
        """Names of pictures that others are duplicates of, and that would leak on any side."""
        stands_for = set(curation.stands_for.tolist())
        copied = {number for number in curation.between if number in stands_for}
        if not copied:
            return {}
        return {number: found.entry.name for number, found in enumerate(self.usable()) if number in copied}

    def write_similar(self, curation: Curation, of: dict[int, str]) -> None:
        """Pairs that look alike and stay on one side; pairs of two known pictures were written before."""
        pairs = zip(*curation.similar.tolist(), curation.distance.tolist(), strict=True)
        self.store.write_lines(
            self.at.similar,
            (
                Similar(key=of[one], of=of[other], distance=distance)
                for one, other, distance in pairs
                if one < len(curation.stands_for)
            ),
        )


def _refused(found: Inspection) -> Rejected:
    return Rejected(
        name=found.entry.name,
        reason=found.reason,
        detail=found.detail,
        advice=rejections.REASONS[found.reason],
    )
