"""Which boxes of several workers show one thing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from truthmill.assignment import assign
from truthmill.boxes import Box, iou

SAME = 0.5  # boxes whose likeness reaches this show the same thing
ROUNDS = 3  # in which every worker's boxes are matched again with those of all others
MANY = 40_000  # pairs of boxes from which they are compared by the array
NEAREST = 20  # places that a box may be matched with then
_TOLERANCE = 1  # pixels that an edge is off without anybody's fault

Group = dict[str, Box]  # worker to box: nobody draws one thing twice


def likeness(a: Box, b: Box) -> float:
    """IoU once each edge of b has come up to one pixel nearer to that of a; 0 where they don't overlap.

    A small box loses much IoU by a pixel, a large one next to nothing: 4 x 4 pixels moved by one each way
    have an IoU of 0.39.
    """
    if not overlapping(a, b):
        return 0.0
    left, top = _nearer(b.left, a.left), _nearer(b.top, a.top)
    right, bottom = _nearer(b.right, a.right), _nearer(b.bottom, a.bottom)
    if right <= left or bottom <= top:
        return iou(a, b)
    return iou(a, Box(b.class_id, left, top, right - left, bottom - top))


def overlapping(a: Box, b: Box) -> bool:
    """Whether they share a pixel."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def _nearer(edge: int, wanted: int) -> int:
    return min(edge + _TOLERANCE, max(edge - _TOLERANCE, wanted))


def match(answers: Mapping[str, Iterable[Box]]) -> list[Group]:
    """The boxes of all workers, each in just one group; a group is one thing, as some of them drew it.

    Worker by worker, boxes are assigned optimally to the groups so far: as alike as possible, and of the same
    class rather than of another one, so that a swapped label doesn't make a second thing of one, and two
    things in one place stay two. Then each worker's boxes are taken out and assigned again, which mends what
    came of who happened to be first. Neither the order of workers nor that of boxes changes anything.
    """
    drawn = {worker: sorted(boxes) for worker, boxes in sorted(answers.items())}
    groups: list[Group] = []
    for worker, boxes in drawn.items():
        groups = _placed(groups, worker, boxes)
    for _ in range(ROUNDS if len(drawn) > 2 else 0):
        before = groups
        for worker, boxes in drawn.items():
            others = [{who: box for who, box in group.items() if who != worker} for group in groups]
            groups = _placed([group for group in others if group], worker, boxes)
        if _canonical(groups) == _canonical(before):
            break
    return sorted(groups, key=lambda group: sorted(group.items()))


def _canonical(groups: list[Group]) -> list[list[tuple[str, Box]]]:
    return sorted(sorted(group.items()) for group in groups)


def _placed(groups: list[Group], worker: str, boxes: Sequence[Box]) -> list[Group]:
    """The groups with a worker's boxes, in those they fit best, or in groups of their own."""
    places = [middle(group.values()) for group in groups]
    alike = _alike_of_many if len(boxes) * len(places) > MANY else _alike_of_few
    values = {
        (at, number): value + _same_class(groups[at], boxes[number])
        for number, at, value in alike(boxes, places)
    }
    group_of = {number: at for at, number in assign(values).items()}
    placed = [dict(group) for group in groups]
    for number, box in enumerate(boxes):
        if number in group_of:
            placed[group_of[number]][worker] = box
        else:
            placed.append({worker: box})
    return placed


def _alike_of_few(boxes: Sequence[Box], places: Sequence[Box]) -> Iterator[tuple[int, int, float]]:
    """Number of a box, of a place, and their likeness, where it reaches SAME."""
    for number, at, box in _candidates(boxes, places):
        value = likeness(places[at], box)
        if value >= SAME:
            yield number, at, value


def _alike_of_many(boxes: Sequence[Box], places: Sequence[Box]) -> Iterator[tuple[int, int, float]]:
    """The same with NumPy, for each box its NEAREST places at most: hundreds over one another cost little."""
    import numpy as np  # noqa: PLC0415 - few pictures have so many boxes

    left, top, right, bottom = np.array(
        [(place.left, place.top, place.right, place.bottom) for place in places], dtype=np.int64
    ).T
    for number, box in enumerate(boxes):
        edges = [
            np.clip(wanted, edge - _TOLERANCE, edge + _TOLERANCE)
            for edge, wanted in ((box.left, left), (box.top, top), (box.right, right), (box.bottom, bottom))
        ]
        across = np.minimum(edges[2], right) - np.maximum(edges[0], left)
        down = np.minimum(edges[3], bottom) - np.maximum(edges[1], top)
        shared = np.where((across > 0) & (down > 0), across * down, 0)
        areas = (edges[2] - edges[0]) * (edges[3] - edges[1]) + (right - left) * (bottom - top)
        value = shared / np.maximum(1, areas - shared)
        near = np.flatnonzero(value >= SAME)
        for at in near[np.argsort(-value[near], kind="stable")][:NEAREST].tolist():
            if overlapping(box, places[at]):
                yield number, at, likeness(places[at], box)


def _candidates(boxes: Sequence[Box], places: Sequence[Box]) -> Iterator[tuple[int, int, Box]]:
    """Pairs that share a pixel: number of the box and of the place, the box. Sweeps rightwards."""
    order = sorted(range(len(places)), key=lambda at: places[at].left)
    waiting = iter(order)
    following = next(waiting, None)
    active: list[int] = []
    for number in sorted(range(len(boxes)), key=lambda at: boxes[at].right):
        box = boxes[number]
        while following is not None and places[following].left < box.right:
            active.append(following)
            following = next(waiting, None)
        yield from ((number, at, box) for at in active if overlapping(box, places[at]))


def _same_class(group: Group, box: Box) -> float:
    return sum(other.class_id == box.class_id for other in group.values()) / len(group)


def middle(boxes: Iterable[Box]) -> Box:
    """Each edge at the median of the edges, which one outlier can't move far; whole pixels.

    The median of an even number is the mean of the middle two, rounded half up. The class is the most
    frequent one, of several the first.
    """
    drawn = list(boxes)
    left, top = _median([box.left for box in drawn]), _median([box.top for box in drawn])
    right, bottom = _median([box.right for box in drawn]), _median([box.bottom for box in drawn])
    classes = [box.class_id for box in drawn]
    class_id = min(classes, key=lambda each: (-classes.count(each), each))
    return Box(class_id, left, top, max(1, right - left), max(1, bottom - top))


def _median(values: list[int]) -> int:
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half] + 1) // 2
