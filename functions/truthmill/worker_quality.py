"""How well each worker draws, learned from how they agree: an estimate after Dawid and Skene (1979).

Dawid and Skene learn confusion matrices by expectation and maximisation. Here a worker also misses things,
draws boxes around nothing, and is off by some pixels; all four are learned together. What there is to know of
a worker is a handful of sums (`Evidence`), so a job of any length is learned from as a stream.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import exp, log, prod, sqrt

import msgspec

from truthmill.boxes import Box
from truthmill.matching import Group, middle

# What is believed of a worker of whom nothing is known, and how many objects' worth of evidence that is.
MISS, FALSE, JITTER, ACCURACY, STRENGTH = 0.1, 0.05, 0.05, 0.95, 10.0
CONFUSION = 200.0  # objects of a class before it counts with which others a worker confuses it
OBJECTS = 5.0  # in a picture, before any was seen
COINCIDENCE = 0.03  # chance that a mistake meets one certain other of a picture
PIXEL_VARIANCE = 0.3  # of an edge, from drawing in whole pixels with a hand
SAYS_NOTHING = 0.25  # weight of a worker who had better not be listened to
CLIP = 2.5  # standard deviations from the middle beyond which an edge pulls no harder
CLOSE = 2.0  # pixels from the middle that are never far
_UNSAID = -1  # stands for the class of a thing where nobody said the right one


class Evidence(msgspec.Struct, kw_only=True):
    """Sums over what a worker answered; fractions, since what is true is known with a probability only.

    pictures: answered together with others. objects: things that were there. hits: of them drawn.
    false: boxes around nothing. squares: of the distances of `edges` edges from where they belong, in shares
    of the box's side. said: by true class and class said.
    """

    pictures: float = 0.0
    objects: float = 0.0
    hits: float = 0.0
    false: float = 0.0
    squares: float = 0.0
    edges: float = 0.0
    said: dict[tuple[int, int], float] = {}

    def add(self, other: "Evidence") -> None:
        """Add another's sums."""
        self.pictures += other.pictures
        self.objects += other.objects
        self.hits += other.hits
        self.false += other.false
        self.squares += other.squares
        self.edges += other.edges
        for pair, count in other.said.items():
            self.said[pair] = self.said.get(pair, 0.0) + count


@dataclass(frozen=True)
class Quality:
    """How a worker draws.

    miss: chance that a thing stays undrawn. false: boxes around nothing in a picture. jitter: standard
    deviation of an edge, in shares of the box's side. accuracy: chance that a label is right.
    objects: things in a picture, on average over the job. labels: how many classes there are.
    """

    miss: float
    false: float
    jitter: float
    accuracy: float
    objects: float
    labels: int
    said: dict[tuple[int, int], float] = field(default_factory=dict)

    @cached_property
    def weight(self) -> float:
        """From 0 (says nothing) to 1: share of things drawn, times share of boxes and of labels right."""
        drawn = self.objects * (1 - self.miss)
        return (1 - self.miss) * drawn / (drawn + self.false) * self.accuracy

    @cached_property
    def log_hit(self) -> float:
        return log(1 - self.miss)

    @cached_property
    def log_miss(self) -> float:
        return log(self.miss)

    @cached_property
    def log_false(self) -> float:
        return log(self.false / self.labels)

    @cached_property
    def log_errs(self) -> float:
        """That a thing gets one certain label that is wrong."""
        return log((1 - self.accuracy) / (self.labels - 1))

    @cached_property
    def log_meets(self) -> float:
        """That a box around nothing lies where another's does: oftener in fuller pictures."""
        many = FALSE * max(OBJECTS, self.objects)
        return log(min(self.false, many) * COINCIDENCE / self.labels)

    @cached_property
    def _seen_of_class(self) -> dict[int, float]:
        seen: dict[int, float] = {}
        for (true, _), count in self.said.items():
            seen[true] = seen.get(true, 0.0) + count
        return seen

    def log_says(self, said: int, true: int) -> float:
        """Log of the chance that a thing of one class gets a label."""
        usual = self.accuracy if said == true else (1 - self.accuracy) / (self.labels - 1)
        counted = self.said.get((true, said), 0.0) + CONFUSION * usual
        return log(counted / (self._seen_of_class.get(true, 0.0) + CONFUSION))

    def variance(self, side: float) -> float:
        """Of an edge of a box, pixels squared; side: of the box across that edge, pixels."""
        return PIXEL_VARIANCE + (self.jitter * side) ** 2


class Panel:
    """The workers of a job with what is known of each. One of whom nothing is known is taken as usual."""

    def __init__(self, labels: int = 2) -> None:
        """labels: number of classes of the job."""
        self.labels = max(2, labels)
        self.evidence: dict[str, Evidence] = {}
        self.pictures = 0.0
        self.objects = 0.0
        self._qualities: dict[str, Quality] = {}

    def add(self, other: "Panel") -> None:
        """Add another panel's evidence."""
        for worker, evidence in other.evidence.items():
            self.of(worker).add(evidence)
        self.pictures += other.pictures
        self.objects += other.objects
        self._qualities.clear()

    def of(self, worker: str) -> Evidence:
        """A worker's sums, to be added to."""
        self._qualities.clear()
        return self.evidence.setdefault(worker, Evidence(said={}))

    @property
    def objects_per_picture(self) -> float:
        return max(0.05, (self.objects + OBJECTS) / (self.pictures + 1))

    def begun_anew(self) -> "Panel":
        """A panel that knows only who says nothing, how close each draws, and how much a picture has."""
        panel = Panel(self.labels)
        panel.pictures, panel.objects = self.pictures, self.objects
        for worker, sums in self.evidence.items():
            if self.quality(worker).weight < SAYS_NOTHING:
                panel.evidence[worker] = sums
            else:
                panel.evidence[worker] = Evidence(squares=sums.squares, edges=sums.edges, said={})
        return panel

    def quality(self, worker: str) -> Quality:
        """What the evidence says of a worker, with the usual where there is little of it."""
        found = self._qualities.get(worker)
        if found is None:
            found = self._qualities[worker] = self._quality(self.evidence.get(worker, Evidence()))
        return found

    def _quality(self, sums: Evidence) -> Quality:
        objects = self.objects_per_picture
        pictures = STRENGTH / objects  # that the usual is worth
        right = sum(count for (true, said), count in sums.said.items() if true == said)
        labelled = sum(sums.said.values())
        edges = 4 * STRENGTH
        return Quality(
            miss=(sums.objects - sums.hits + MISS * STRENGTH) / (sums.objects + STRENGTH),
            false=(sums.false + FALSE * STRENGTH) / (sums.pictures + pictures),
            jitter=sqrt(max(0.0, sums.squares + JITTER**2 * edges) / (sums.edges + edges)),
            accuracy=(right + ACCURACY * STRENGTH) / (labelled + STRENGTH),
            objects=objects,
            labels=self.labels,
            said=sums.said,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a group of boxes comes to.

    probability: that there is a thing. classes: how likely each that somebody said is, the most likely first;
    what is missing to 1 is that all are wrong.
    """

    group: Group
    box: Box
    probability: float
    classes: tuple[tuple[int, float], ...]

    @property
    def confidence(self) -> float:
        """That there is a thing, of this class."""
        return self.probability * self.classes[0][1]


def judge(group: Group, workers: Collection[str], panel: Panel) -> Judgement:
    """Whether a group of boxes is a thing, which, and where.

    workers: all who looked at the picture. By Bayes' rule: the odds that some drew and the others missed one
    thing, against so many boxes around nothing that met by chance.
    """
    quality = {worker: panel.quality(worker) for worker in workers}
    drawn = [(quality[worker], box.class_id) for worker, box in group.items()]
    logs = {
        true: sum(each.log_says(said, true) for each, said in drawn)
        for true in sorted({said for _, said in drawn})
    }
    most = max(logs.values())
    total = sum(exp(value - most) for value in logs.values())
    total += max(0, panel.labels - len(logs)) * exp(sum(each.log_errs for each, _ in drawn) - most)
    there = log(panel.objects_per_picture / panel.labels) + most + log(total)
    there += sum(quality[who].log_hit if who in group else quality[who].log_miss for who in workers)
    chance = _log_coincidence([each for each, _ in drawn])
    classes = sorted(((true, exp(value - most) / total) for true, value in logs.items()), key=_first)
    return Judgement(group, merge(group, panel, classes[0][0]), _of_odds(there - chance), tuple(classes))


def _log_coincidence(drawn: Sequence[Quality]) -> float:
    """Log of how many boxes around nothing, of all these workers in one place, a picture has.

    One of them has as many as they usually draw; each other one meets it with a chance that is bounded, or
    what crowded pictures or careless workers leave unmatched would make all agreement look like chance.
    """
    met = sum(each.log_meets for each in drawn)
    return met + log(sum(each.false / exp(each.log_meets) / each.labels for each in drawn) / len(drawn))


def agreement(found: Judgement, workers: Collection[str], panel: Panel) -> float:
    """Share of the workers who looked, by weight, who drew it with its class."""
    weights = {worker: panel.quality(worker).weight for worker in workers}
    agreeing = (weights[worker] for worker, box in found.group.items() if box.class_id == found.box.class_id)
    return sum(agreeing) / sum(weights.values())


def _first(pair: tuple[int, float]) -> tuple[float, int]:
    return -pair[1], pair[0]


def _of_odds(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds)) if log_odds > -700 else 0.0


def merge(group: Group, panel: Panel, class_id: int) -> Box:
    """Each edge at the mean of the edges, weighted by how close each worker usually is; whole pixels.

    An edge further from the weighted median than CLIP standard deviations counts as one at that distance,
    where there are three or more to know it from.
    """
    if len(group) == 1:
        (box,) = group.values()
        return Box(class_id, box.left, box.top, box.width, box.height)
    usual = middle(group.values())
    across = [panel.quality(worker).variance(usual.width) for worker in group]
    down = [panel.quality(worker).variance(usual.height) for worker in group]
    boxes = list(group.values())
    left, right = _mean([box.left for box in boxes], across), _mean([box.right for box in boxes], across)
    top, bottom = _mean([box.top for box in boxes], down), _mean([box.bottom for box in boxes], down)
    return Box(class_id, left, top, max(1, right - left), max(1, bottom - top))


def _mean(edges: Sequence[int], variances: Sequence[float]) -> int:
    """Rounded half up; edges aren't negative."""
    weights = [1 / variance for variance in variances]
    near = _near(edges, variances, weights)
    mean = sum(weight * edge for weight, edge in zip(weights, near, strict=True)) / sum(weights)
    return int(mean + 0.5 + 1e-9)


def _near(edges: Sequence[int], variances: Sequence[float], weights: Sequence[float]) -> Sequence[float]:
    """The edges, those of three or more that are far off no further than CLIP allows."""
    if len(edges) < 3:
        return edges
    centre = _median(edges, weights)
    reaches = [max(CLIP * sqrt(variance), CLOSE) for variance in variances]
    return [
        min(max(edge, centre - reach), centre + reach) for edge, reach in zip(edges, reaches, strict=True)
    ]


def _median(edges: Sequence[int], weights: Sequence[float]) -> float:
    """The edge at which half of the weight is reached; between two where it is reached exactly."""
    half, so_far = sum(weights) / 2, 0.0
    ordered = sorted(zip(edges, weights, strict=True))
    for number, (edge, weight) in enumerate(ordered):
        so_far += weight
        if abs(so_far - half) < 1e-9 * half:
            return (edge + ordered[number + 1][0]) / 2
        if so_far > half:
            return float(edge)
    return float(ordered[-1][0])


@dataclass(frozen=True, slots=True)
class Picture:
    """What several workers drew on one picture, matched."""

    workers: tuple[str, ...]
    groups: tuple[Group, ...]


def observe(picture: Picture, believed: Panel, into: Panel) -> None:
    """Add to a panel what a picture tells of its workers, as far as is believed now.

    A picture that one worker alone has seen tells nothing.
    """
    if len(picture.workers) < 2:
        return
    unseen = believed.objects_per_picture * prod(believed.quality(worker).miss for worker in picture.workers)
    judged = [(group, judge(group, picture.workers, believed)) for group in picture.groups]
    things = sum(each.probability for _, each in judged) + unseen
    into.pictures += 1
    into.objects += things
    for worker in picture.workers:
        sums = into.of(worker)
        sums.pictures += 1
        sums.objects += things
        for group, found in judged:
            if worker in group:
                _observe_box(sums, group[worker], group, found)
    for group, found in judged:
        if len(group) > 1:
            _observe_edges(group, found, believed, into)


def _observe_box(sums: Evidence, box: Box, group: Group, found: Judgement) -> None:
    sums.hits += found.probability
    sums.false += 1 - found.probability
    if len(group) < 2:
        return
    unsaid = 1 - sum(likely for _, likely in found.classes)
    for true, likely in (*found.classes, (_UNSAID, unsaid)):
        pair = (true, box.class_id)
        sums.said[pair] = sums.said.get(pair, 0.0) + found.probability * likely


def _observe_edges(group: Group, found: Judgement, believed: Panel, into: Panel) -> None:
    """How far each worker's edges are from where they belong.

    Of three or more from the mean of the others', less what that is off itself: so one who draws much closer
    than the rest is soon known. Of two, from their mean, and what that is off comes on top: two can't tell
    which of them is off.
    """
    workers, boxes = list(group), list(group.values())
    for side, lines in (
        (found.box.width, ([box.left for box in boxes], [box.right for box in boxes])),
        (found.box.height, ([box.top for box in boxes], [box.bottom for box in boxes])),
    ):
        variances = [believed.quality(worker).variance(side) for worker in workers]
        weights = [1 / variance for variance in variances]
        total = sum(weights)
        for edges in lines:
            near = _near(edges, variances, weights)
            whole = sum(weight * edge for weight, edge in zip(weights, near, strict=True))
            for worker, edge, close, weight in zip(workers, edges, near, weights, strict=True):
                if len(group) > 2:
                    others = total - weight
                    off = (edge - (whole - weight * close) / others) ** 2 - 1 / others
                else:
                    off = (edge - whole / total) ** 2 + 1 / total
                sums = into.of(worker)
                sums.squares += found.probability * (off - PIXEL_VARIANCE) / side**2
                sums.edges += found.probability


def learn(
    pictures: Iterable[Picture],
    labels: int,
    rounds: int = 12,
    sample: int = 1_000,
    known: Mapping[str, Evidence] | None = None,
) -> Panel:
    """What a job's pictures tell of its workers, read once; at most `sample` of them are held.

    known: what is known for certain of workers, from gold tasks; worth as much as all of it says.

    The first ones are gone over `rounds` times, until what is believed and what is seen fit; half way the
    workers begin anew but for those who turned out to say nothing, since what one does of a job's boxes while
    a spammer is taken seriously sends everybody else the wrong way. The rest is then observed as it comes, in
    steps, each with what was believed after the one before.
    """
    stream = iter(pictures)
    held = list(islice(stream, sample))
    panel = _with(Panel(labels), known)
    for number in range(rounds):
        panel = _with(_observed(held, panel.begun_anew() if 2 * number == rounds else panel), known)
    while held := list(islice(stream, sample)):
        panel.add(_observed(held, panel))
    return panel


def _with(panel: Panel, known: Mapping[str, Evidence] | None) -> Panel:
    for worker, sums in (known or {}).items():
        panel.of(worker).add(sums)
    return panel


def _observed(pictures: Iterable[Picture], believed: Panel) -> Panel:
    into = Panel(believed.labels)
    for picture in pictures:
        observe(picture, believed, into)
    return into
