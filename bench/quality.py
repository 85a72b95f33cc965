"""Several workers made into one: against plain majority, and against the best of them alone.

python bench quality; QUALITY_SEEDS=11,12,13 takes other seeds. Every number follows from the seeds.
"""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from report import Report, Table, Target

from truthmill.assignment import assign
from truthmill.boxes import Box, iou
from truthmill.consolidation import certainty, consolidate, seen
from truthmill.matching import middle
from truthmill.worker_quality import Panel, learn
from truthmill_cli.known_truth import TruthBox
from truthmill_cli.worker_kinds import KINDS, Kind, draw_all

SEEDS = (1, 2, 3)
PICTURES = 400
SIZE = (800, 600)
LABELS = ("cat", "dog", "bird", "fish", "hare")
USUAL, SWAPS, CAREFUL, CARELESS, SPAMMER = (
    KINDS[name] for name in ("usual", "swapping", "careful", "careless", "spammer")
)
NORMAL = replace(USUAL, normal=True)
Answers = Mapping[str, Sequence[Box]]


@dataclass(frozen=True, slots=True)
class Crew:
    """Who labels. held: whether it is one of those that the bound of 0.90 and 0.98 speaks of.

    sides, things: of a thing in pixels, in a picture; pictures: share of those that other crews have.
    """

    words: str
    kinds: tuple[Kind, ...]
    sides: tuple[int, int] = (24, 240)
    things: tuple[int, int] = (0, 10)
    pictures: float = 1
    held: bool = False


CREWS = (
    Crew("3 usual", (USUAL,) * 3, held=True),
    Crew("4 usual", (USUAL,) * 4, held=True),
    Crew("5 usual", (USUAL,) * 5, held=True),
    Crew("3 usual, normal jitter", (NORMAL,) * 3),
    Crew("5 usual, normal jitter", (NORMAL,) * 5),
    Crew("3 usual, small things", (USUAL,) * 3, sides=(6, 24)),
    Crew("3 usual, crowded pictures", (USUAL,) * 3, (16, 48), (80, 120), 1 / 20),
    Crew("7 usual", (USUAL,) * 7),
    Crew("3 who swap labels", (SWAPS,) * 3),
    Crew("5 who swap labels", (SWAPS,) * 5),
    Crew("3 usual, 1 spammer", (*(USUAL,) * 3, SPAMMER)),
    Crew("2 usual, 1 spammer", (*(USUAL,) * 2, SPAMMER)),
    Crew("2 usual, 2 spammers", (*(USUAL,) * 2, *(SPAMMER,) * 2)),
    Crew("3 usual, 2 spammers", (*(USUAL,) * 3, *(SPAMMER,) * 2)),
    Crew("3 careless", (CARELESS,) * 3),
    Crew("5 careless", (CARELESS,) * 5),
    Crew("1 careful, 3 careless", (CAREFUL, *(CARELESS,) * 3)),
    Crew("2 careful, 1 careless", (CAREFUL, CAREFUL, CARELESS)),
    Crew("2 careful, 3 careless", (*(CAREFUL,) * 2, *(CARELESS,) * 3)),
    Crew("1 careful, 2 usual, 1 careless, 1 spammer", (CAREFUL, USUAL, USUAL, CARELESS, SPAMMER)),
)


def seeds() -> tuple[int, ...]:
    """QUALITY_SEEDS, else the usual ones."""
    given = os.environ.get("QUALITY_SEEDS", "")
    return tuple(map(int, given.split(","))) if given else SEEDS


def draw_truth(
    seed: int, sides: tuple[int, int], pictures: int = PICTURES, things: tuple[int, int] = (0, 10)
) -> list[list[TruthBox]]:
    """Pictures with so many things each; no two of them overlap by a third."""
    hand = random.Random(seed)
    return [_things(hand, sides, things) for _ in range(pictures)]


def _things(hand: random.Random, sides: tuple[int, int], things: tuple[int, int]) -> list[TruthBox]:
    found: list[TruthBox] = []
    for _ in range(hand.randint(*things)):
        width, height = hand.randint(*sides), hand.randint(*sides)
        left, top = hand.randint(0, SIZE[0] - width), hand.randint(0, SIZE[1] - height)
        new = TruthBox(hand.choice(LABELS), left, top, width, height)
        if all(iou(_box(new), _box(other)) < 1 / 3 for other in found):
            found.append(new)
    return found


def _box(drawn: TruthBox) -> Box:
    return Box(
        LABELS.index(drawn.label), int(drawn.left), int(drawn.top), int(drawn.width), int(drawn.height)
    )


def draw_answers(seed: int, kinds: Sequence[Kind], truth: Sequence[Sequence[TruthBox]]) -> list[Answers]:
    """Each worker's boxes of each picture."""
    hands = [random.Random(f"{seed} {number}") for number in range(len(kinds))]
    return [
        {
            f"worker {number}": [_box(box) for box in draw_all(kind, things, LABELS, SIZE, hands[number])]
            for number, kind in enumerate(kinds)
        }
        for things in truth
    ]


@dataclass(frozen=True, slots=True)
class Score:
    """iou: mean over all things, 0 where nothing was found. matched: by `least_iou`, class included."""

    iou: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def least_iou(box: Box) -> float:
    """IoU from which a box counts as found: 0.5, or less for a thing so small that a pixel costs more."""
    inner = max(0, box.width - 2) * max(0, box.height - 2) / box.area
    return min(0.5, inner) if inner else 0.25


def score(found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]]) -> Score:
    overlap, hits = 0.0, 0
    for boxes, things in zip(found, truth, strict=True):
        values = {
            (row, column): alike
            for row, thing in enumerate(things)
            for column, box in enumerate(boxes)
            if thing.class_id == box.class_id and (alike := iou(thing, box)) >= least_iou(thing)
        }
        chosen = assign(values)
        hits += len(chosen)
        overlap += sum(values[pair] for pair in chosen.items())
    things_there, drawn = sum(map(len, truth)), sum(map(len, found))
    return Score(overlap / things_there, hits / max(1, drawn), hits / things_there)


def majority(answers: Answers) -> list[Box]:
    """What one would write first: clusters by class and IoU, median edges, kept if more than half drew it."""
    clusters: list[dict[str, Box]] = []
    for worker, boxes in answers.items():
        for box in boxes:
            near = [
                (alike, number)
                for number, cluster in enumerate(clusters)
                if worker not in cluster
                and middle(cluster.values()).class_id == box.class_id
                and (alike := iou(middle(cluster.values()), box)) >= 0.5
            ]
            if near:
                clusters[max(near)[1]][worker] = box
            else:
                clusters.append({worker: box})
    return [middle(cluster.values()) for cluster in clusters if 2 * len(cluster) > len(answers)]


def ours(answers: Sequence[Answers]) -> list[list[Box]]:
    """As the service does at a job's end: learn from all, then consolidate each."""
    panel = learn(map(seen, answers), len(LABELS))
    return [[each.box for each in consolidate(one, SIZE, panel)] for one in answers]


def told(answers: Answers, things: Sequence[Box], least: int) -> list[Box]:
    """As somebody would merge them who is told which box shows which thing: the mean of each edge.

    least: workers who have to have drawn a thing. Nobody can do better who has to find that out.
    """
    drawn: dict[int, list[Box]] = defaultdict(list)
    for boxes in answers.values():
        alike = {
            (row, column): value
            for row, thing in enumerate(things)
            for column, box in enumerate(boxes)
            if thing.class_id == box.class_id and (value := iou(thing, box)) >= 0.4
        }
        for row, column in assign(alike).items():
            drawn[row].append(boxes[column])
    return [_mean(things[row].class_id, boxes) for row, boxes in drawn.items() if len(boxes) >= least]


def _mean(class_id: int, boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = (
        round(mean(getattr(box, edge) for box in boxes)) for edge in ("left", "top", "right", "bottom")
    )
    return Box(class_id, left, top, max(1, right - left), max(1, bottom - top))


def ceiling(seed: int, crew: Crew, least: int) -> float:
    """Mean IoU of `told`."""
    truth = draw_truth(seed, crew.sides)
    true = [[_box(each) for each in things] for things in truth]
    answers = draw_answers(seed, crew.kinds, truth)
    found = [told(one, things, least) for one, things in zip(answers, true, strict=True)]
    return score(found, true).iou


def _ceiling_table(found: Mapping[Crew, list[dict[str, Score]]]) -> Table:
    rows = []
    for crew, rounds in found.items():
        if crew.words in ("3 usual", "3 usual, normal jitter", "5 usual, normal jitter"):
            reached = mean(one["ours"].iou for one in rounds)
            highest = [mean(ceiling(seed, crew, least) for seed in seeds()) for least in (2, 1)]
            rows.append([crew.words, f"{reached:.3f}", *(f"{each:.3f}" for each in highest)])
    return Table(
        "How far it could go: mean IoU of somebody who is told which box shows which thing and takes the "
        "mean of each edge, of things that two workers drew, and of all that any worker drew.",
        ["workers", "Truthmill", "told, drawn by two or more", "told, drawn by anybody"],
        rows,
    )


def scores(seed: int, crew: Crew, pictures: int = PICTURES) -> dict[str, Score]:
    truth = draw_truth(seed, crew.sides, max(1, round(pictures * crew.pictures)), crew.things)
    answers = draw_answers(seed, crew.kinds, truth)
    true = [[_box(each) for each in things] for things in truth]
    alone = [score([one[worker] for one in answers], true) for worker in answers[0]]
    return {
        "best": max(alone, key=lambda each: (each.f1, each.iou)),
        "majority": score([majority(one) for one in answers], true),
        "ours": score(ours(answers), true),
    }


def adaptive(seed: int, kinds: Sequence[Kind], first: int, agreement: float) -> tuple[Score, float]:
    """Workers are added one by one while the answers aren't certain enough; the score, and answers an object.

    Whoever is free takes an object, so the order of workers differs from picture to picture.
    """
    truth = draw_truth(seed, (24, 240))
    answers = draw_answers(seed, kinds, truth)
    hand = random.Random(seed)
    panel, asked = Panel(len(LABELS)), []
    for one in answers:
        order = hand.sample(sorted(one), len(one))
        count = first
        while count < len(order) and certainty({who: one[who] for who in order[:count]}, panel) < agreement:
            count += 1
        asked.append({who: one[who] for who in order[:count]})
    true = [[_box(each) for each in things] for things in truth]
    return score(ours(asked), true), mean(map(len, asked))


WAYS = {"best": "the best worker alone", "majority": "plain majority", "ours": "Truthmill"}


def _quality_table(found: Mapping[Crew, list[dict[str, Score]]]) -> Table:
    rows = []
    for crew, rounds in found.items():
        for way, words in WAYS.items():
            each = [one[way] for one in rounds]
            rows.append(
                [
                    crew.words,
                    words,
                    *(
                        _spread([getattr(one, name) for one in each])
                        for name in ("iou", "precision", "recall", "f1")
                    ),
                ]
            )
    return Table(
        "Each seed's mean over all things: the mean of the seeds, in brackets the least and the greatest.",
        ["workers", "way", "mean IoU", "precision", "recall", "F1 at 0.5"],
        rows,
    )


def _gain(rounds: Sequence[dict[str, Score]], measure: str) -> float:
    """Mean over the seeds, above the better of the two other ways."""
    ours, *others = (
        mean(getattr(one[way], measure) for one in rounds) for way in ("ours", "majority", "best")
    )
    return ours - max(others)


def _spread(numbers: Sequence[float]) -> str:
    return f"{mean(numbers):.3f} ({min(numbers):.3f} to {max(numbers):.3f})"


def _adaptive_rows(name: str, kinds: Sequence[Kind]) -> list[list[str]]:
    """Fixed numbers of workers beside asking more where it pays."""
    ways: list[tuple[str, Callable[[int], tuple[Score, float]]]] = [
        (f"{count} for each picture", lambda seed, count=count: adaptive(seed, kinds, count, 0.0))
        for count in (2, 3, 4, 5)
    ]
    ways += [
        (
            f"2, more up to {len(kinds)} below {level}",
            lambda seed, level=level: adaptive(seed, kinds, 2, level),
        )
        for level in (0.7, 0.8, 0.9, 0.95)
    ]
    rows = []
    for words, way in ways:
        each = [way(seed) for seed in seeds()]
        rows.append(
            [
                name,
                words,
                f"{mean(answers for _, answers in each):.2f}",
                f"{mean(one.iou for one, _ in each):.3f}",
                f"{mean(one.f1 for one, _ in each):.3f}",
            ]
        )
    return rows


def run() -> Report:
    found: dict[Crew, list[dict[str, Score]]] = defaultdict(list)
    for crew in CREWS:
        for seed in seeds():
            found[crew].append(scores(seed, crew))
    held = [one["ours"] for crew, rounds in found.items() if crew.held for one in rounds]
    least_gain_iou = min(_gain(rounds, "iou") for rounds in found.values())
    least_gain_f1 = min(_gain(rounds, "f1") for rounds in found.values())
    least_iou_held, least_f1_held = min(one.iou for one in held), min(one.f1 for one in held)
    return Report(
        "quality",
        "Several workers made into one",
        f"{PICTURES} drawn pictures a seed, 0 to 10 things of 24 to 240 pixels (small: 6 to 24) in "
        f"{SIZE[0]} x {SIZE[1]}, {len(LABELS)} classes. Usual: misses 10 %, draws around nothing for 5 % "
        "of the things, each edge off by up to 5 % of the side, evenly spread (normal: with that standard "
        "deviation). Who swaps labels does it for 10 %. Careful: 3 %, 1 %, 2 %; careless: 35 %, 25 %, 12 % "
        "and 10 % of the labels; a spammer draws 1 to 5 boxes anywhere. IoU is that of things and boxes of "
        "the same class, assigned optimally, 0 where nothing was found; found from 0.5 on, or, for a thing "
        "so small that a pixel at each edge takes it below, from there on. Seeds: "
        f"{', '.join(map(str, seeds()))}; others with QUALITY_SEEDS=11,12,13.",
        len(seeds()),
        [
            _quality_table(found),
            Table(
                "Ask only where it pays: answers for each picture, and what comes of them.",
                ["workers", "asked", "answers a picture", "mean IoU", "F1 at 0.5"],
                [
                    *_adaptive_rows("usual", (USUAL,) * 5),
                    *_adaptive_rows("careful", (CAREFUL,) * 5),
                ],
            ),
            _ceiling_table(found),
        ],
        [
            Target(
                "several workers made into one, each crew, mean of the seeds: gain",
                "plain majority and the best worker alone, whichever is better",
                "mean IoU above 0, F1 not below 0",
                f"at least {least_gain_iou:+.3f} mean IoU, {least_gain_f1:+.3f} F1",
                least_gain_iou > 0 and least_gain_f1 >= 0,
            ),
            Target(
                "3 to 5 workers who miss 10 %, jitter 5 % and draw 5 % around nothing: mean IoU, F1",
                "",
                "≥ 0.90, ≥ 0.98",
                f"least of the seeds {least_iou_held:.3f}, {least_f1_held:.3f}",
                least_iou_held >= 0.90 and least_f1_held >= 0.98,
            ),
        ],
    )
