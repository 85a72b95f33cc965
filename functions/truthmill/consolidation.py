"""Several workers' boxes of one picture become one list: matched, judged, merged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from truthmill.boxes import Box
from truthmill.matching import likeness, match
from truthmill.worker_quality import Judgement, Panel, Picture, agreement, judge

SURE = 2 / 3  # how likely a class has to be, where three or more workers tell


@dataclass(frozen=True, slots=True)
class Consolidated:
    """A box, and how sure one can be of it.

    confidence: the probability that there is such a thing of that class; 0 with a single worker, as in Ground
    Truth. agreement: share of the workers, by weight, who drew it with that class.
    """

    box: Box
    confidence: float
    agreement: float = 1.0


def consolidate(
    answers: Mapping[str, Iterable[Box]], size_wh: tuple[int, int], panel: Panel | None = None
) -> list[Consolidated]:
    """The boxes that are more likely there than not, by what is known of who drew them and who didn't.

    answers: worker to their boxes. size_wh: of the picture in pixels; every result lies inside it.
    panel: what is known of the workers; without it each is taken as usual, and of one's box alone that of two
    workers stays, that of three goes. Two workers who differ about a label leave the box with either; of
    three or more the class has to be SURE as well, since what is learned of labels tells little apart.
    With one worker the boxes stay as they are, in the order they were drawn. With several they come sorted,
    and neither the order of workers nor that of boxes changes anything.
    """
    if len(answers) == 1:
        return [Consolidated(box, 0.0) for boxes in answers.values() for box in boxes]
    panel = panel or Panel()
    boxes = (
        Consolidated(
            _inside(each.box, size_wh),
            round(each.confidence, 4),
            round(agreement(each, answers.keys(), panel), 4),
        )
        for each in judgements(answers, panel)
        if _is_kept(each, len(answers))
    )
    return sorted(boxes, key=lambda each: (each.box, each.confidence, each.agreement))


def _is_kept(each: Judgement, workers: int) -> bool:
    if workers == 2:
        return each.probability > 0.5
    return each.confidence > 0.5 and each.classes[0][1] > SURE


def judgements(answers: Mapping[str, Iterable[Box]], panel: Panel) -> list[Judgement]:
    """All that anybody drew, with how likely it is; for two workers or more."""
    workers = sorted(answers)
    return [judge(group, workers, panel) for group in match(answers)]


def seen(answers: Mapping[str, Iterable[Box]]) -> Picture:
    """A picture as `worker_quality.learn` takes it."""
    return Picture(tuple(sorted(answers)), tuple(match(answers)))


def certainty(answers: Mapping[str, Iterable[Box]], panel: Panel) -> float:
    """How sure the workers' answers make every box, 0 to 1: the least sure counts.

    For what is more likely there than not the probability that it is, of that class, or the likeness of the
    boxes drawn, whichever is less; for anything else the probability that it isn't. Nothing drawn by anybody
    is 1; with one worker nothing is certain.
    """
    if len(answers) < 2:
        return 0.0
    return min((_certain(each) for each in judgements(answers, panel)), default=1.0)


def _certain(each: Judgement) -> float:
    if each.probability <= 0.5:
        return 1 - each.probability
    alike = (likeness(each.box, box) for box in each.group.values())
    return min(each.confidence, sum(alike) / len(each.group))


def _inside(box: Box, size_wh: tuple[int, int]) -> Box:
    width, height = size_wh
    left, top = min(box.left, width - 1), min(box.top, height - 1)
    return Box(box.class_id, left, top, min(box.width, width - left), min(box.height, height - top))
