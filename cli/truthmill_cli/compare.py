"""What was pulled against what is known to be true: the demo's last word.

Nothing here believes the pipeline's own records where it can look for itself: pictures are found by the
digest of the archive's bytes, boxes are read from the channels as plain JSON.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truthmill.boxes import Box, iou
from truthmill.layout import SPLITS
from truthmill_cli.errors import UsageError
from truthmill_cli.pulled import Key, LabeledFile, Pulled, read_coco, read_inputs, read_pulled, sources_of

LEAST_IOU = 0.9
SHOWN = 5  # examples of what is wrong that a check names


@dataclass(frozen=True, slots=True)
class Check:
    """A row of the table. examples: what is wrong, at most SHOWN of them."""

    name: str
    found: str
    wanted: str
    ok: bool
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every check, in the order in which they are shown."""

    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.ok for check in self.checks)


def compare(pulled: Path, truth: Path, archive: Path) -> Comparison:
    """Check a pulled folder of one run against its archive and the truth about it.

    truth: a COCO document whose file names are names in the archive; pictures and boxes in upright pixels.
    Holds all names and boxes, and one picture at a time. Raises UsageError where the folder was not pulled.
    """
    labels: dict[str, int] = {}
    if not truth.is_file():
        raise UsageError(f"{truth} isn't there; it is the COCO document to compare with.")
    known = dict(read_coco(truth, labels, []))
    found = read_pulled(pulled, labels)
    inputs = read_inputs(archive)
    sources = sources_of(found, inputs)
    return Comparison(
        (
            _every_input_once(inputs, sources, found),
            _counts_add_up(found, len(inputs)),
            _every_known_picture(known, sources, found),
            _no_picture_on_both_sides(sources, found),
            _share(found),
            _listed_everywhere(found),
            _sizes(known, sources, found),
            *_boxes(known, sources, found),
            _channels_agree(found),
        )
    )


def match(found: Sequence[Box], wanted: Sequence[Box]) -> list[float]:
    """IoU of pairs of one label that overlap, the best pairs first, each box in at most one."""
    pairs = sorted(
        (
            (-iou(a, b), one, other)
            for one, a in enumerate(found)
            for other, b in enumerate(wanted)
            if a.class_id == b.class_id
        ),
    )
    used_found: set[int] = set()
    used_wanted: set[int] = set()
    matched = []
    for negative, one, other in pairs:
        if negative < 0 and one not in used_found and other not in used_wanted:
            used_found.add(one)
            used_wanted.add(other)
            matched.append(-negative)
    return matched


def _check(name: str, found: int, wanted: int, wrong: Iterable[str] = ()) -> Check:
    examples = tuple(wrong)
    return Check(name, str(found), str(wanted), found == wanted and not examples, examples[:SHOWN])


def _every_input_once(inputs: Sequence[tuple[str, str]], sources: Mapping[Key, str], found: Pulled) -> Check:
    places = Counter(sources.values()) + Counter(line["name"] for line in found.rejected)
    wanted = Counter(name for name, _ in inputs)
    wrong = [
        f"{name!r} is {wanted[name]} times in the archive, {places[name]} times accounted for"
        for name in sorted(wanted | places)
        if places[name] != wanted[name]
    ]
    strangers = [
        f"images/{split}/{name} is none of the archive"
        for split, name in found.digests.keys() - sources.keys()
    ]
    right = sum(count for name, count in wanted.items() if places[name] == count)
    return _check("inputs accounted for once", right, len(inputs), wrong + sorted(strangers))


def _counts_add_up(found: Pulled, inputs: int) -> Check:
    """run.json's counts add up, and are those of what lies in the folder."""
    reasons = Counter(line["reason"] for line in found.rejected)
    seen = Counter(split for split, _ in found.digests)
    seen["duplicates"] = reasons.pop("duplicate", 0) + reasons.pop("known", 0)
    seen["ignored"] = reasons.pop("ignored", 0)
    seen["rejected"] = reasons.total()
    said = found.run.get("counts", {})
    parts = (*SPLITS, "duplicates", "rejected", "ignored")
    wrong = [
        f"run.json says {said.get(part, 0)} {part}, the folder has {seen[part]}"
        for part in parts
        if said.get(part, 0) != seen[part]
    ]
    if said.get("inputs") != inputs:
        wrong.append(f"run.json says {said.get('inputs')} inputs, the archive has {inputs}")
    return _check("run.json's counts add up", sum(said.get(part, 0) for part in parts), inputs, wrong)


def _every_known_picture(
    known: Mapping[str, LabeledFile], sources: Mapping[Key, str], found: Pulled
) -> Check:
    """A picture of the truth is kept, or a duplicate of one that is and shows the same; no other is."""
    by_file = {name: source for (_, name), source in sources.items()}
    doubles = set()
    for line in found.rejected:
        first = by_file.get(line.get("of", "").rpartition("/")[2], "")
        if line["reason"] == "duplicate" and first in known and known[first] == known.get(line["name"]):
            doubles.add(line["name"])
    kept = set(sources.values())
    lost = sorted(known.keys() - kept - doubles)
    wrong = [f"{name!r} is neither kept nor a duplicate" for name in lost]
    wrong += [f"{name!r} is kept, but no picture of the truth" for name in sorted(kept - known.keys())]
    return _check("pictures of the truth", len(known) - len(lost), len(known), wrong)


def _no_picture_on_both_sides(sources: Mapping[Key, str], found: Pulled) -> Check:
    """By the file's bytes, and by the input that it came from; by the file's name where it came from none."""
    sides: dict[tuple[str, str], set[str]] = {}
    for key, digest in found.digests.items():
        split, name = key
        for mark in (("bytes", digest), ("input", sources.get(key, name))):
            sides.setdefault(mark, set()).add(split)
    both = sorted({value for (_, value), splits in sides.items() if len(splits) > 1})
    return _check("pictures in two splits", len(both), 0, both)


def _share(found: Pulled) -> Check:
    share = found.run.get("request", {}).get("split", {}).get("validation", 0.2)
    pictures = len(found.digests)
    validation = sum(split == "validation" for split, _ in found.digests)
    ok = abs(validation - share * pictures) < 1
    return Check("validation pictures", f"{validation} of {pictures}", f"{share:.0%}", ok)


def _listed_everywhere(found: Pulled) -> Check:
    """Every stored picture is in both channels, every picture of a channel is stored."""
    everywhere = found.digests.keys() | found.coco.keys() | found.manifest.keys()
    wrong = [
        f"{split}/{name} is not in {place}"
        for split, name in sorted(everywhere)
        for place, there in (
            ("images", found.digests),
            ("coco", found.coco),
            ("augmented-manifest", found.manifest),
        )
        if (split, name) not in there
    ]
    complete = found.digests.keys() & found.coco.keys() & found.manifest.keys()
    return _check("pictures in both channels", len(complete), len(everywhere), wrong + found.faults)


def _sizes(known: Mapping[str, LabeledFile], sources: Mapping[Key, str], found: Pulled) -> Check:
    """Upright: a picture that is stored turned has its sides exchanged."""
    pairs = [(key, known[name]) for key, name in sources.items() if name in known and key in found.coco]
    wrong = [
        f"{key[1]} is {found.coco[key].width} x {found.coco[key].height}, not {truth.width} x {truth.height}"
        for key, truth in pairs
        if (found.coco[key].width, found.coco[key].height) != (truth.width, truth.height)
    ]
    return _check("upright sizes", len(pairs) - len(wrong), len(pairs), wrong)


def _boxes(known: Mapping[str, LabeledFile], sources: Mapping[Key, str], found: Pulled) -> Iterator[Check]:
    """Every box of the truth has its match, and none is left over."""
    wanted = good = left_over = 0
    overlaps: list[float] = []
    missing, strange = [], []
    for key, name in sources.items():
        truth = known[name].boxes if name in known else ()
        boxes = found.coco[key].boxes if key in found.coco else ()
        matched = match(boxes, truth)
        right = sum(overlap >= LEAST_IOU for overlap in matched)
        overlaps += matched
        wanted, good, left_over = wanted + len(truth), good + right, left_over + len(boxes) - right
        if right < len(truth):
            missing.append(f"{name!r}: {right} of {len(truth)} boxes match")
        if right < len(boxes):
            strange.append(f"{name!r}: {len(boxes) - right} boxes match nothing")
    yield _check(f"boxes with IoU of {LEAST_IOU} or more", good, wanted, missing)
    yield _check("boxes left over", left_over, 0, strange)
    least = min(overlaps, default=1.0)
    yield Check("lowest IoU", f"{least:.3f}", f"{LEAST_IOU:.3f} or more", least >= LEAST_IOU)


def _channels_agree(found: Pulled) -> Check:
    both = found.coco.keys() & found.manifest.keys()
    different = sorted(
        f"{split}/{name}" for split, name in both if found.coco[split, name] != found.manifest[split, name]
    )
    return _check("pictures on which both channels agree", len(both) - len(different), len(both), different)
