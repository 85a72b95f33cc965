"""Several workers' boxes of one object become one list: clustered by class and overlap, then merged."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from truthmill.boxes import Box, iou

SAME = 0.5  # boxes of one class whose IoU reaches this show the same thing


@dataclass(frozen=True, slots=True)
class Consolidated:
    """A box and how sure the workers are of it: 0 with a single worker, else the share who drew it."""

    box: Box
    confidence: float


def consolidate(answers: Mapping[str, Iterable[Box]], size_wh: tuple[int, int]) -> list[Consolidated]:
    """The boxes that at least half of the workers drew; what a minority drew goes.

    answers: worker to their boxes. size_wh: of the picture in pixels; every result lies inside it.
    With one worker the boxes stay as they are, in the order they were drawn. The order of workers and, with
    several, of boxes changes nothing;
    several workers' boxes come sorted.
    """
    if len(answers) == 1:
        return [Consolidated(box, 0.0) for boxes in answers.values() for box in boxes]
    by_class: dict[int, list[tuple[str, Box]]] = defaultdict(list)
    for worker, boxes in answers.items():
        for box in boxes:
            by_class[box.class_id].append((worker, box))
    workers = len(answers)
    found = [
        Consolidated(_inside(merge(cluster.values()), size_wh), round(len(cluster) / workers, 4))
        for drawn in by_class.values()
        for cluster in _clusters(drawn)
        if 2 * len(cluster) >= workers
    ]
    return sorted(found, key=lambda each: each.box)


def merge(boxes: Iterable[Box]) -> Box:
    """Each edge at the median of the edges, which one outlier can't move far; whole pixels.

    The median of an even number is the mean of the middle two, rounded half up.
    """
    drawn = list(boxes)
    left, top = _median([box.left for box in drawn]), _median([box.top for box in drawn])
    right, bottom = _median([box.right for box in drawn]), _median([box.bottom for box in drawn])
    return Box(drawn[0].class_id, left, top, max(1, right - left), max(1, bottom - top))


def _clusters(drawn: list[tuple[str, Box]]) -> list[dict[str, Box]]:
    """Boxes of one class that show the same thing, by worker: nobody draws one thing twice.

    Greedy over all pairs, the closest first, joining two clusters where no worker is in both and their
    merged boxes still overlap by SAME. Boxes are ordered first, so the order of answers is nothing.
    """
    ordered = sorted(drawn, key=lambda pair: (pair[1], pair[0]))
    cluster_at = [{worker: box} for worker, box in ordered]
    for _, first, second in _pairs(ordered):
        one, other = cluster_at[first], cluster_at[second]
        if (
            one is other
            or one.keys() & other.keys()
            or iou(merge(one.values()), merge(other.values())) < SAME
        ):
            continue
        joined = one | other
        cluster_at = [joined if each is one or each is other else each for each in cluster_at]
    return list({id(each): each for each in cluster_at}.values())


def _pairs(ordered: list[tuple[str, Box]]) -> list[tuple[float, int, int]]:
    """Pairs of boxes of two workers that overlap by SAME: (-IoU, index, index), the closest first."""
    return sorted(
        (-overlap, first, second)
        for first in range(len(ordered))
        for second in range(first + 1, len(ordered))
        if ordered[first][0] != ordered[second][0]
        and (overlap := iou(ordered[first][1], ordered[second][1])) >= SAME
    )


def _median(values: list[int]) -> int:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle] + 1) // 2


def _inside(box: Box, size_wh: tuple[int, int]) -> Box:
    width, height = size_wh
    left, top = min(box.left, width - 1), min(box.top, height - 1)
    return Box(box.class_id, left, top, min(box.width, width - left), min(box.height, height - top))
