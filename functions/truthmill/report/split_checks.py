"""Checks of the split and its classes. A threshold stands beside the rule that uses it."""

from collections.abc import Iterator

from truthmill.report.concerns import Concern, many, some
from truthmill.report.facts import Facts


def sides(facts: Facts) -> Iterator[Concern]:
    """A side that was asked for has no picture."""
    for split in ("train", "validation"):
        counts = facts.measures.splits.get(split)
        asked = facts.run.split.get("wanted")  # names the sides that were asked for
        wanted = split == "train" or not asked or asked.get(split, 0) > 0
        if wanted and (counts is None or not counts.pictures):
            yield Concern(
                "stop",
                f"There is no {split} picture",
                f"Of {many(facts.measures.pictures, 'labeled picture')} none is on the {split} side.",
                "Bring more pictures, or change “split” in the request.",
                "split",
            )


def leaks(facts: Facts) -> Iterator[Concern]:
    """Groups that are on several sides."""
    straddling = int(facts.run.split.get("straddlingGroups", 0) or 0)
    if straddling:
        yield Concern(
            "stop",
            f"{many(straddling, 'group')} on both sides of the split",
            "Pictures that look alike or belong together are in training and in validation, which will look "
            "better than the model is.",
            "Earlier runs under other rules put them there. Split the dataset anew: "
            f"truthmill resplit {facts.run.dataset}.",
            "split",
        )


FEW_PICTURES = 100


def few(facts: Facts) -> Iterator[Concern]:
    """Too few training pictures for figures that hold."""
    train = facts.measures.splits.get("train")
    if train and 0 < train.pictures < FEW_PICTURES:
        yield Concern(
            "note",
            f"Only {many(train.pictures, 'training picture')}",
            "Enough to try the training out, too few for figures that hold.",
            "Start from a pre-trained model, and drop more pictures into the dataset.",
            "split",
        )


OFF_SHARE = 0.05  # of the run's kept pictures


def split_off(facts: Facts) -> Iterator[Concern]:
    """Shares that are far from what was wanted."""
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


def classes(facts: Facts) -> Iterator[Concern]:
    """Classes that a side lacks."""
    drawn = [number for number in range(len(facts.labels)) if facts.measures.of_class(number)]
    nowhere = [label for number, label in enumerate(facts.labels) if not facts.measures.of_class(number)]
    if nowhere:
        yield Concern(
            "look",
            f"{many(len(nowhere), 'class', 'classes')} without a single box",
            f"Nobody drew {some(nowhere)}.",
            "Bring pictures of it, or train without the class. Check that workers understood the label.",
            "classes",
        )
    if unseen := _lacking(facts, "validation", drawn):
        yield Concern(
            "look",
            "Classes without a validation box",
            f"{some(unseen)}: no box on the validation side, so no figure tells how well it is found.",
            f"{_stratified(facts)} puts it on both sides where it can; else bring more pictures of it.",
            "classes",
        )
    if unlearned := _lacking(facts, "train", drawn):
        yield Concern(
            "stop",
            "Classes without a training box",
            f"{some(unlearned)}: boxes on the other side only, so it can't be learned.",
            f"{_stratified(facts)} puts it on both sides where it can; else bring more pictures of it.",
            "classes",
        )


def _stratified(facts: Facts) -> str:
    """What splits the dataset with a view to its classes; nobody has to label again for it."""
    return f"truthmill resplit {facts.run.dataset} --stratify"


def _lacking(facts: Facts, split: str, drawn: list[int]) -> list[str]:
    """Of the classes that have boxes, those without one on a side that has pictures."""
    side = facts.measures.splits.get(split)
    if not side or not side.pictures:
        return []
    return [facts.labels[number] for number in drawn if not side.boxes[number]]


RARE_BOXES = 30  # below, a detector hardly learns a class

RARE_SHARE = 0.02  # of the most frequent class


def rare(facts: Facts) -> Iterator[Concern]:
    """Classes with too few training boxes."""
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
            many(len(rare), "rare class", "rare classes"),
            f"Few training boxes: {some(rare)}; the most frequent class has {most:,}.",
            f"Bring more pictures of them ({RARE_BOXES} boxes at least, better hundreds), or weight them.",
            "classes",
        )


BALANCE_BOXES = 20

BALANCE_FACTOR = 2.5


def unbalanced(facts: Facts) -> Iterator[Concern]:
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
            f"Of all boxes {share:.0%} validate, but of {some(uneven)}.",
            f"{_stratified(facts)} balances them; group less where large groups hold one class.",
            "classes",
        )
