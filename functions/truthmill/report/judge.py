"""What a reader should know before training: each concern with what to do, and the verdict over all of them.

Thresholds stand beside the rule that uses them. They are conventions, not laws: the page names the figure, so
that somebody who sees it differently can.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from truthmill.box_check import FINDINGS
from truthmill.report.facts import Facts
from truthmill.report.markup import short
from truthmill.report.measures import HUGE_SHARE, TINY_SIDE
from truthmill.report.workers import far_from_others

Level = Literal["stop", "look", "note"]
LEVELS: tuple[Level, ...] = ("stop", "look", "note")


@dataclass(frozen=True, slots=True)
class Concern:
    """level: "stop" before training, "look" into it, or "note". where: the page's section that shows it."""

    level: Level
    title: str
    found: str
    advice: str
    where: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """concerns: the gravest first. passed: checks that found nothing, in a few words each."""

    concerns: tuple[Concern, ...]
    passed: tuple[str, ...]

    @property
    def level(self) -> Level | Literal["ready"]:
        return self.concerns[0].level if self.concerns and self.concerns[0].level != "note" else "ready"

    @property
    def headline(self) -> str:
        looks = sum(concern.level == "look" for concern in self.concerns)
        return {
            "stop": "Don't train on this yet",
            "look": f"Train, but look at {_many(looks, 'point')} first",
            "note": "",
            "ready": "Ready to train",
        }[self.level]


def judge(facts: Facts) -> Judgement:
    """Every check in its order; a check with nothing to say has passed."""
    concerns: list[Concern] = []
    passed = []
    for name, check in CHECKS.items():
        found = list(check(facts))
        concerns += found
        if not found:
            passed.append(name)
    concerns.sort(key=lambda concern: LEVELS.index(concern.level))  # stable: within a level as checked
    return Judgement(tuple(concerns), tuple(passed))


def _many(number: int, what: str, plural: str = "") -> str:
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def _some(names: list[str], most: int = 6) -> str:
    """Quoted, the first few."""
    shown = ", ".join(f"“{short(name, 60)}”" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _sides(facts: Facts) -> Iterator[Concern]:
    for split in ("train", "validation"):
        counts = facts.measures.splits.get(split)
        asked = facts.run.split.get("wanted")  # names the sides that were asked for
        wanted = split == "train" or not asked or asked.get(split, 0) > 0
        if wanted and (counts is None or not counts.pictures):
            yield Concern(
                "stop",
                f"There is no {split} picture",
                f"Of {_many(facts.measures.pictures, 'labeled picture')} none is on the {split} side.",
                "Bring more pictures, or change “split” in the request.",
                "split",
            )


def _classes(facts: Facts) -> Iterator[Concern]:
    sides = facts.measures.splits
    ids = range(len(facts.labels))
    train, validation = sides.get("train"), sides.get("validation")
    nowhere = [facts.labels[number] for number in ids if not facts.measures.of_class(number)]
    if nowhere:
        yield Concern(
            "look",
            f"{_many(len(nowhere), 'class', 'classes')} without a single box",
            f"Nobody drew {_some(nowhere)}.",
            "Bring pictures of it, or train without the class. Check that workers understood the label.",
            "classes",
        )
    if validation and validation.pictures:
        unseen = [
            facts.labels[number]
            for number in ids
            if facts.measures.of_class(number) and not validation.boxes[number]
        ]
        if unseen:
            yield Concern(
                "look",
                "Classes without a validation box",
                f"{_some(unseen)}: no box on the validation side, so no figure tells how well it is found.",
                "Bring more pictures of it, or split again with another “seed”.",
                "classes",
            )
    if train and train.pictures:
        unlearned = [
            facts.labels[number]
            for number in ids
            if facts.measures.of_class(number) and not train.boxes[number]
        ]
        if unlearned:
            yield Concern(
                "stop",
                "Classes without a training box",
                f"{_some(unlearned)}: boxes on the other side only, so it can't be learned.",
                "Split again with another “seed”, or bring more pictures of it.",
                "classes",
            )


RARE_BOXES = 30  # below, a detector hardly learns a class
RARE_SHARE = 0.02  # of the most frequent class


def _rare(facts: Facts) -> Iterator[Concern]:
    train = facts.measures.splits.get("train")
    if not train or not train.box_count:
        return
    most = int(train.boxes.max())
    rare = [
        f"{label} ({int(number):,})"
        for label, number in zip(facts.labels, train.boxes, strict=True)
        if 0 < number < max(RARE_BOXES, RARE_SHARE * most)
    ]
    if rare:
        yield Concern(
            "look",
            _many(len(rare), "rare class", "rare classes"),
            f"Few training boxes: {_some(rare)}; the most frequent class has {most:,}.",
            f"Bring more pictures of them ({RARE_BOXES} boxes at least, better hundreds), or weight them.",
            "classes",
        )


FEW_PICTURES = 100


def _few(facts: Facts) -> Iterator[Concern]:
    train = facts.measures.splits.get("train")
    if train and 0 < train.pictures < FEW_PICTURES:
        yield Concern(
            "note",
            f"Only {_many(train.pictures, 'training picture')}",
            "Enough to try the training out, too few for figures that hold.",
            "Start from a pre-trained model, and drop more pictures into the dataset.",
            "split",
        )


def _leaks(facts: Facts) -> Iterator[Concern]:
    straddling = int(facts.run.split.get("straddlingGroups", 0) or 0)
    if straddling:
        yield Concern(
            "stop",
            f"{_many(straddling, 'group')} on both sides of the split",
            "Pictures that look alike or belong together are in training and in validation, which will look "
            "better than the model is.",
            "A folder, or an earlier run, put them there. Give the dataset a new name, or ignore folders.",
            "split",
        )


OFF_SHARE = 0.05  # of the run's kept pictures


def _split_off(facts: Facts) -> Iterator[Concern]:
    kept = sum(facts.count(name) for name in ("train", "validation", "test"))
    off = facts.run.split.get("offBy", {})
    far = {name: by for name, by in off.items() if kept and abs(by) > max(1, OFF_SHARE * kept)}
    if far:
        said = ", ".join(f"{name} by {by:+,.0f}" for name, by in far.items())
        yield Concern(
            "look",
            "The split is far from what was wanted",
            f"Off by pictures: {said}. The largest group that stays together has "
            f"{facts.run.split.get('largestGroup', '?')} pictures.",
            "Group less (“groupBy”, “nearDuplicates”), or bring pictures of other scenes.",
            "split",
        )


BALANCE_BOXES = 20
BALANCE_FACTOR = 2.5


def _unbalanced(facts: Facts) -> Iterator[Concern]:
    """A class whose share on the validation side is far from the side's share of all boxes."""
    validation = facts.measures.splits.get("validation")
    if not validation or not facts.measures.boxes:
        return
    share = validation.box_count / facts.measures.boxes
    uneven = []
    for number, label in enumerate(facts.labels):
        boxes = facts.measures.of_class(number)
        own = int(validation.boxes[number]) / boxes if boxes else 0
        if boxes >= BALANCE_BOXES and own and not share / BALANCE_FACTOR <= own <= share * BALANCE_FACTOR:
            uneven.append(f"{label} ({own:.0%})")
    if uneven:
        yield Concern(
            "look",
            "Classes are spread unevenly over the split",
            f"Of all boxes {share:.0%} validate, but of {_some(uneven)}.",
            "Split again with another “seed”; group less where large groups hold one class.",
            "classes",
        )


MUCH_UNLABELED = 0.2


def _unlabeled(facts: Facts) -> Iterator[Concern]:
    missing = facts.count("unlabeled") or sum(facts.listed.unlabeled.values())
    asked = missing + facts.count("labeled")
    if missing:
        yield Concern(
            "stop" if missing > MUCH_UNLABELED * asked else "look",
            f"{_many(missing, 'picture')} came back without an answer",
            f"{missing / asked:.0%} of {asked:,}. They are in no channel.",
            "Look at the reasons; have the job finished, and start the run again with the same request.",
            "flow",
        )


def _confused(facts: Facts) -> Iterator[Concern]:
    drawn, said = facts.measures.confused, facts.staff.confused
    for pairs, level, what, advice in (
        (
            drawn,
            "look",
            "in one place in the finished labels",
            "Look at the sheet “suspicious”; correct them, or merge classes that nobody can tell apart.",
        ),
        (
            said,
            "note",
            "of one box said differently by workers (of the answers that were looked at)",
            "Say in the instructions how to tell them apart.",
        ),
    ):
        named = [
            f"{facts.labels[one]} / {facts.labels[other]} ({number:,})"
            for (one, other), number in pairs.most_common()
        ]
        if named:
            yield Concern(
                level,  # type: ignore[arg-type]
                "Classes are confused with each other",
                f"{_many(sum(pairs.values()), 'time')} {what}: {_some(named, 4)}.",
                advice,
                "suspicious" if pairs is drawn else "workers",
            )


def _doubles(facts: Facts) -> Iterator[Concern]:
    if facts.measures.doubles:
        yield Concern(
            "look",
            f"{_many(facts.measures.doubles, 'thing')} may be boxed twice",
            "Two boxes of one class lie nearly in the same place.",
            "Look at the sheet “suspicious”; a second box on one object counts as a miss in training.",
            "suspicious",
        )


def _checked(facts: Facts) -> Iterator[Concern]:
    listed = facts.listed
    if not listed.findings:
        return
    said = "; ".join(f"{number:,} × {reason}" for reason, number in listed.findings.most_common())
    told = FINDINGS.get(listed.findings.most_common(1)[0][0], "")
    yield Concern(
        "look" if listed.dropped > 0.01 * max(1, facts.measures.boxes) else "note",
        f"{_many(sum(listed.findings.values()), 'box', 'boxes')} cut, dropped or doubtful",
        f"{said}. {told}".strip(),
        "boxes.jsonl lists each with its reason.",
        "boxes",
    )


EDGE_SHARE = 0.25


def _edges(facts: Facts) -> Iterator[Concern]:
    boxes = facts.measures.boxes
    touching = int(facts.measures.at_edge.sum())
    if boxes and touching > EDGE_SHARE * boxes:
        shares = [
            (int(at_edge) / facts.measures.of_class(number), facts.labels[number])
            for number, at_edge in enumerate(facts.measures.at_edge)
            if facts.measures.of_class(number) >= BALANCE_BOXES
        ]
        worst = max(shares, default=(0.0, ""))
        yield Concern(
            "note",
            f"{touching / boxes:.0%} of the boxes touch the picture's edge",
            f"Objects are often cut off{f'; most often “{worst[1]}” ({worst[0]:.0%})' if worst[1] else ''}.",
            "If the model will see whole objects, take pictures with more room around them.",
            "boxes",
        )


TINY_SHARE = 0.05


def _tiny(facts: Facts) -> Iterator[Concern]:
    tiny, boxes = facts.measures.sizes["tiny"], facts.measures.boxes
    if tiny:
        yield Concern(
            "look" if tiny > TINY_SHARE * boxes else "note",
            f"{_many(tiny, 'box', 'boxes')} narrower than {TINY_SIDE} pixels",
            f"{tiny / boxes:.1%} of all boxes. Small slips of the hand look like this, and far-away things.",
            "Look at the sheet “smallest”. Train at full resolution or in tiles if they are real.",
            "smallest",
        )


def _huge(facts: Facts) -> Iterator[Concern]:
    huge = facts.measures.sizes["huge"]
    if huge:
        yield Concern(
            "note",
            f"{_many(huge, 'box', 'boxes')} over {HUGE_SHARE:.0%} of the picture",
            "Either the object fills the picture, or somebody marked the picture as a whole.",
            "Look at the sheet “largest”.",
            "largest",
        )


MANY_EMPTY = 0.5


def _empty(facts: Facts) -> Iterator[Concern]:
    empty, pictures = facts.measures.negatives, facts.measures.pictures
    if pictures and empty > MANY_EMPTY * pictures:
        yield Concern(
            "look" if facts.measures.boxes else "stop",
            f"{empty / pictures:.0%} of the pictures have no box",
            f"{empty:,} of {pictures:,} were labeled as showing nothing.",
            "Check some of the sheet “random”: are they really empty, or did workers submit without drawing?",
            "random",
        )


def _workers(facts: Facts) -> Iterator[Concern]:
    for name, said in far_from_others(facts.staff.workers()).items():
        yield Concern(
            "look",
            "A worker is far from the others",
            f"Worker {name} {said}.",
            "Look at some of their answers; explain, or have the pictures labeled again.",
            "workers",
        )


LOW_AGREEMENT = 0.75


def _agreement(facts: Facts) -> Iterator[Concern]:
    if facts.agreement.pictures and facts.agreement.mean < LOW_AGREEMENT:
        yield Concern(
            "look",
            "Workers often disagree",
            f"By the workers' answers a box is certain to {facts.agreement.mean:.0%} on average.",
            "Look at the sheet “least agreed”, and make the instructions clearer where they differ.",
            "least-agreed",
        )


MANY_REJECTED = 0.1


def _rejected(facts: Facts) -> Iterator[Concern]:
    rejected, inputs = facts.count("rejected"), facts.count("inputs")
    if rejected > MANY_REJECTED * max(1, inputs):
        yield Concern(
            "look",
            f"{rejected / inputs:.0%} of the inputs were rejected",
            f"{rejected:,} of {inputs:,} files couldn't be used.",
            "The section lists why, and what to do about each reason.",
            "rejected",
        )


def _limits(facts: Facts) -> Iterator[Concern]:
    for name, problems in facts.limits.items():
        yield Concern(
            "look",
            f"The channel “{name}” breaks limits of its reader",
            "; ".join(problems),
            f"Other channels don't have these limits. {name}/channels.json has them all by name; split the "
            "dataset, scale its pictures (“largestSide”), or leave out what is too much.",
            "channels",
        )


CHECKS: dict[str, Callable[[Facts], Iterator[Concern]]] = {
    "Both sides of the split have pictures": _sides,
    "No group on both sides of the split": _leaks,
    "Every class has boxes on both sides": _classes,
    "Every picture came back with an answer": _unlabeled,
    "No class is rare": _rare,
    "The split is as wanted": _split_off,
    "Classes are spread evenly over the split": _unbalanced,
    "No classes in one place": _confused,
    "Nothing is boxed twice": _doubles,
    "Every box could be used as drawn": _checked,
    "Workers agree": _agreement,
    "No worker stands out": _workers,
    "No tiny boxes": _tiny,
    "No box covers a whole picture": _huge,
    "Few boxes touch the edge": _edges,
    "Most pictures have boxes": _empty,
    "Few inputs were rejected": _rejected,
    "There are enough pictures": _few,
    "Every channel keeps the limits of its reader": _limits,
}
