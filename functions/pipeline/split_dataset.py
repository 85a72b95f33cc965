"""State SplitDataset: decides what is kept and on which side, before anything is placed or paid for."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NoReturn

import msgspec

from adapters.executions import is_running
from adapters.storage import Storage, storage
from pipeline.ledger import change_ledger, copies_of, lines_of
from pipeline.observed import observed
from pipeline.placement import key_mark
from pipeline.run import RunReference, read_run, update_run
from pipeline.split_outputs import Outputs
from pipeline.unplaced import calls_for_another_split
from truthmill import grouping, layout, pricing
from truthmill.curation import Copied, Curation, Gathered, curate, origin
from truthmill.errors import BudgetExceededError, NoPicturesError, SplitError, TruthmillError
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.records import Copy, LedgerLine, name_of
from truthmill.run import Run, check_counts


class Decided(msgspec.Struct, frozen=True, rename="camel"):
    """split.json: what was decided, and in which segment of the ledger it stands.

    unplaced: pictures that were left out because they couldn't be placed.
    """

    counts: dict[str, int]
    split: dict[str, Any]
    cost: dict[str, Any]
    segment: Segment
    unplaced: int = 0


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    own = "AWS_ENDPOINT_URL_SAGEMAKER" in os.environ
    return split_dataset(RunReference.from_event(event), storage(), "truthmill" if own else "ground-truth")


def split_dataset(reference: RunReference, store: Storage, service: pricing.Service) -> dict[str, Any]:
    """Decide once; where the run was here before and its pictures are still its own, only say so again."""
    at = reference.layout
    run = read_run(store, reference)
    step = _Step(store, at, run, service)
    decided = step.earlier()
    if decided is None:
        decided = step.decision()
        store.write_json(at.outcome, decided)
    update_run(store, at.run_json, lambda found: _noted(found, decided))
    return {"counts": decided.counts}


def _noted(found: Run, decided: Decided) -> Run:
    """run.json with the decision."""
    return msgspec.structs.replace(
        found,
        counts={**found.counts, **decided.counts},
        split=decided.split,
        cost={**found.cost, **decided.cost},
    )


class _Step:
    """The decision for one run; `decide` may be called again when the ledger has changed meanwhile."""

    decided: Decided

    def __init__(self, store: Storage, at: RunLayout, run: Run, service: pricing.Service) -> None:
        self.store, self.at, self.service = store, at, service
        self.asked = run.asked
        self.taken: set[int] = set()
        self.outputs = Outputs(store, at, self.asked)
        self.leaving: dict[str, str] = {}
        self.brought: set[str] = set()
        self.unplaced: set[str] = set()  # digests

    def earlier(self) -> Decided | None:
        """What was decided before the run was interrupted, if the ledger still has it."""
        try:
            decided = self.store.read_json(self.at.outcome, Decided)[0]
            ledger = self.store.read_json(layout.ledger(self.at.dataset), Ledger)[0]
        except FileNotFoundError:
            return None
        segment = ledger.of(self.at.run)
        if segment is None:
            return None if decided.segment.pictures else decided
        if calls_for_another_split(self.store, self.at):
            return None
        return decided if segment.answered or segment.key == decided.segment.key else None

    def decision(self) -> Decided:
        """Decide, and put it into the ledger.

        Of pictures that couldn't all be placed the rest keeps its sides, unless that leaves no split.
        """
        try:
            change_ledger(self.store, self.at.dataset, self.decide)
        except TruthmillError:
            if not self.outputs.unplaced:
                raise
            none = Segment(run=self.at.run, key="", pictures=0)
            change_ledger(self.store, self.at.dataset, lambda ledger: ledger.with_segment(none))
            change_ledger(self.store, self.at.dataset, self.decide)
        return self.decided

    def decide(self, ledger: Ledger) -> Ledger:
        """Write everything that follows from the ledger as it is; the ledger as it shall be."""
        ledger = ledger.with_labels(self.asked.labels, self.at.dataset)
        new, counts = self.gather()
        if not len(new):
            self.refuse(counts)
        copied = self.copied(ledger)
        known, settled, left_behind = self.remember(ledger, new, copied)
        seed = self.asked.split.seed or self.at.dataset
        curation = curate(new, known, settled, self.asked.split, seed, copied)
        kept = curation.kept()
        self.check_split(curation)
        cost = self.check_budget(int(kept.sum()))
        of, segment = self.outputs.write_kept(curation, new.groups, self.taken)
        of |= self.known_keys(ledger, curation)
        self.outputs.write_rejected(curation, of)
        self.outputs.write_similar(curation, of)
        sides = Counter(curation.sides[: len(new)][kept].tolist())
        counts |= {name: sides[number] for number, name in enumerate(SPLITS)}
        counts["rejected"] += len(curation.between)
        counts["duplicates"] = int((~kept).sum()) - len(curation.between)
        counts["known"] = int((curation.stands_for >= len(new)).sum())
        check_counts(counts)
        self.decided = Decided(counts, self.described(curation), cost, segment, len(self.outputs.unplaced))
        copies = self.outputs.write_copies(curation, self.names_before(ledger, left_behind, new))
        for other in left_behind:
            ledger = ledger.with_segment(self.without_brought(other))
        if segment.pictures:  # so that it stands from the ledger's change on, whenever this dies
            self.store.write_json(self.at.outcome, self.decided)
        return ledger.with_segment(segment).with_copies(copies)

    def gather(self) -> tuple[Gathered, dict[str, int]]:
        """What the decision needs of every usable picture, and counts of the others."""
        gathered, counts = Gathered(), {"inputs": 0, "rejected": 0, "ignored": 0}
        rules = self.asked.split
        for found in self.outputs.inspections():
            counts["inputs"] += 1
            if found.reason:
                if found.entry in self.outputs.unplaced:
                    self.unplaced.add(found.pixels)
                counts["ignored" if found.reason == "ignored" else "rejected"] += 1
                continue
            name = found.entry.name
            side = grouping.folder_split(name) if rules.folders == "honour" else ""
            group = grouping.group_by(name, found.taken, rules.group_by)
            gathered.add(found.pixels, name, found.fingerprint, group, side, found.taken)
        return gathered, counts

    def refuse(self, counts: dict[str, int]) -> NoReturn:
        """Nothing can be used; why not is written down like in any other run."""
        self.outputs.write_all_rejected()
        update_run(self.store, self.at.run_json, lambda found: msgspec.structs.replace(found, counts=counts))
        raise NoPicturesError(
            f"{self.asked.source} has {counts['inputs']} entries and none is a picture that can be used. "
            f"Why, entry by entry, is in {self.store.uri(self.at.rejected)}."
        )

    def remember(
        self, ledger: Ledger, new: Gathered, copied: Copied
    ) -> tuple[Gathered, dict[str, str], list[Segment]]:
        """What the dataset keeps; sides already given to pictures of this run; segments to take from.

        A run that failed before it had a labeling job leaves its pictures to whoever brings them again, and
        one that has ended those that came back without an answer, on the side that they were given and in the
        groups of the names that they had there, which `copied` gets.
        """
        known, settled = Gathered(self.store.uri(layout.ledger(self.at.dataset))), {}
        self.taken.clear()
        self.leaving = {segment.run: self.leaves(segment) for segment in ledger.segments}
        if set(self.leaving.values()) - {"nothing"}:
            self.brought = {row.tobytes().hex() for row in new.rows()}
        for segment in ledger.segments:
            for line in lines_of(self.store, segment):
                if segment.run == self.at.run and line.pixels in self.unplaced:
                    continue  # nor does it bind an equal one that takes its place
                if self.stays(line):
                    self.taken.add(key_mark(line.key))
                    group = grouping.regroup(line.name, line.taken, line.group, self.asked.split.group_by)
                    known.add(line.pixels, line.name, line.fingerprint, group, line.split, line.taken)
                else:
                    settled[line.pixels] = line.split
                    copied.bind(name_of(line), self.asked.split.group_by)
        others = [segment for segment in ledger.segments if segment.run != self.at.run]
        return known, settled, [segment for segment in others if self.leaving[segment.run] != "nothing"]

    def copied(self, ledger: Ledger) -> Copied:
        """What isn't kept, because the dataset has the same, by the runs up to now."""
        copied = Copied()
        for copies in ledger.copies:
            for line in copies_of(self.store, copies):
                copied.add(line, self.asked.split.group_by)
        return copied

    def names_before(self, ledger: Ledger, left_behind: list[Segment], new: Gathered) -> Iterator[Copy]:
        """Copies that this run has noted before, and other names of what it takes over."""
        for copies in ledger.copies:
            if copies.run == self.at.run:
                yield from copies_of(self.store, copies)
        ours = set(new.origins) if left_behind else set()
        for other in left_behind:
            for line in lines_of(self.store, other):
                copy = name_of(line)
                if not self.stays(line) and origin(copy.pixels, copy.name, copy.taken) not in ours:
                    yield copy

    def stays(self, line: LedgerLine) -> bool:
        """Whether the picture is none of this run's; its side then binds what belongs with it.

        Also where it was left to whoever brings it again: its run may be started again instead. What this
        run kept and couldn't place does not.
        """
        return self.is_known(line) or (line.run != self.at.run and line.pixels not in self.brought)

    def is_known(self, line: LedgerLine) -> bool:
        """Whether the dataset has the picture for good; else this run has it, or may take it over."""
        leaves = self.leaving[line.run]
        return leaves == "nothing" or (leaves == "unanswered" and line.boxes is not None)

    def leaves(self, segment: Segment) -> Literal["nothing", "unanswered", "everything"]:
        """Which pictures of a segment this run may have."""
        if segment.run == self.at.run:
            return "everything"
        if segment.labeled or (segment.sent_by and is_running(segment.sent_by)):
            return "nothing"
        key = RunLayout(self.at.dataset, segment.run).run_json
        try:
            other = self.store.read_json(key, Run)[0]
        except FileNotFoundError:  # somebody cleared it away; whether workers had begun can't be told
            return "nothing"
        if other.state == "RUNNING" and is_running(other.execution):
            return "nothing"
        if not other.paid and not segment.answered:
            return "everything"
        return "unanswered" if all(job.has_ended or not job.arn for job in other.jobs) else "nothing"

    def check_split(self, curation: Curation) -> None:
        """A split that isn't one is not passed off as done. Raises SplitError."""
        outcome = curation.outcome
        if not outcome.is_degenerate() or self.asked.split.on_degenerate == "continue":
            return
        raise SplitError(
            f"The split would be {dict(outcome.counts)} instead of {dict(outcome.wanted)}: pictures that "
            f"belong together stay together, and the largest group has {outcome.largest_group}, among them "
            f'{self.name_of(curation.largest)!r}. Group less ("nearDuplicates", "groupBy"), bring more '
            'pictures, or accept it with "split": {"onDegenerate": "continue"}.'
        )

    def name_of(self, number: int) -> str:
        found = (
            inspection.entry.name for index, inspection in enumerate(self.outputs.usable()) if index == number
        )
        return next(found, "an earlier picture of the dataset")

    def check_budget(self, objects: int) -> dict[str, Any]:
        """The estimate, before a cent is spent. Raises BudgetExceededError.

        Of labels that come with the pictures and are trusted, PlanLabeling knows how many there are.
        """
        prelabels = self.asked.prelabels
        sent = 0 if prelabels and prelabels.use == "trusted" else objects
        estimate = pricing.of_request(self.asked, sent, self.service)
        most = self.asked.most_usd
        if most is not None and estimate.total_usd > most:
            raise BudgetExceededError(float(estimate.total_usd), float(most), objects)
        return pricing.described(estimate, objects)

    def known_keys(self, ledger: Ledger, curation: Curation) -> dict[int, str]:
        """Keys of the known pictures that new ones are duplicates of or resemble."""
        first = len(curation.stands_for)
        wanted = {*curation.stands_for.tolist(), *curation.similar.ravel().tolist()}
        if not any(number >= first for number in wanted):
            return {}
        lines = (line for segment in ledger.segments for line in lines_of(self.store, segment))
        known = filter(self.stays, lines)
        return {number: line.key for number, line in enumerate(known, start=first) if number in wanted}

    def described(self, curation: Curation) -> dict[str, Any]:
        outcome = curation.outcome
        return {
            "wanted": dict(outcome.wanted),
            "offBy": dict(outcome.off_by),
            "largestGroup": outcome.largest_group,
            "straddlingGroups": outcome.straddling,
            "similarPairs": int(curation.similar.shape[1]),
        }

    def without_brought(self, other: Segment) -> Segment:
        """What is left of a run's segment when this run has decided on the pictures that it brings too.

        Those that it leaves out go as well: nothing binds what this run keeps to their side.
        """
        key = layout.ledger_segment(self.at.dataset, other.run, f"without-{self.at.run}")
        left = 0
        with self.store.sink(key) as sink:
            for line in lines_of(self.store, other):
                if self.stays(line):
                    sink.add(line)
                    left += 1
        return msgspec.structs.replace(other, key=key, pictures=left, sent_by="")
