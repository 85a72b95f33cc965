"""Workers: how far each agrees with what all agreed on, and how long an answer takes.

Read from what a labeling job leaves, in Ground Truth's layout, so both services' jobs can be told about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import msgspec

from truthmill.boxes import Box, iou
from truthmill.matching import SAME
from truthmill.report.sampling import chance

SAMPLED = 300  # objects of a run whose single answers are read
LEAST_ANSWERS = 5  # below, a worker is not compared with the others
FAR_AGREEMENT = 0.15  # below the median of all workers
FAR_PACE = 3  # times faster than the median of all workers


class _Drawn(msgspec.Struct, frozen=True):
    """A box as a worker's answer has it."""

    label: str
    left: float
    top: float
    width: float
    height: float


class _Content(msgspec.Struct, frozen=True, rename="camel"):
    bounding_boxes: tuple[_Drawn, ...] = ()


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    worker_id: str
    answer_content: dict[str, msgspec.Raw] = {}
    time_spent_in_seconds: float = 0.0


class Response(msgspec.Struct, frozen=True):
    """A document of annotations/worker-response: every worker's answer to one object."""

    answers: tuple[_Answer, ...] = ()


@dataclass(slots=True)
class Worker:
    """One worker's answers, as far as they were looked at.

    compared: answers to objects that others answered too. matched, drawn, agreed: boxes of those: that the
    worker and the consolidated answer share, that the worker drew, that the consolidated answer has.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    boxes: int = 0
    compared: int = 0
    matched: int = 0
    drawn: int = 0
    agreed: int = 0

    @property
    def answers(self) -> int:
        return len(self.seconds)

    @property
    def pace_s(self) -> float:
        """Median time of an answer."""
        return median(self.seconds)

    @property
    def agreement(self) -> float | None:
        """Shared boxes of all boxes that either has (Dice), 0 to 1; None where nobody else answered."""
        if not self.compared:
            return None
        both = self.drawn + self.agreed
        return 2 * self.matched / both if both else 1.0


class Staff:
    """All workers whose answers were looked at. confused: pairs of class ids, the lower one first."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._ids = {label: number for number, label in enumerate(labels)}
        self._workers: dict[str, Worker] = {}
        self.confused: Counter[tuple[int, int]] = Counter()
        self.objects = 0

    def add(self, response: Response, agreed: Sequence[Box]) -> None:
        """One object's answers. agreed: the consolidated boxes."""
        self.objects += 1
        for answer in response.answers:
            worker = self._workers.setdefault(answer.worker_id, Worker(answer.worker_id))
            drawn = self._boxes(answer.answer_content)
            worker.seconds.append(answer.time_spent_in_seconds)
            worker.boxes += len(drawn)
            if len(response.answers) > 1:
                worker.compared += 1
                worker.drawn += len(drawn)
                worker.agreed += len(agreed)
                worker.matched += self._matched(drawn, agreed)

    def _boxes(self, content: Mapping[str, msgspec.Raw]) -> list[Box]:
        """Those of the first element that has any; what isn't a box of the dataset's classes is left out."""
        found = []
        for raw in content.values():
            try:
                drawn = msgspec.json.decode(raw, type=_Content).bounding_boxes
            except msgspec.ValidationError:
                continue
            for each in drawn:
                corner = max(0, round(each.left)), max(0, round(each.top))
                if each.label in self._ids and each.width >= 1 and each.height >= 1:
                    box = Box(self._ids[each.label], *corner, round(each.width), round(each.height))
                    found.append(box)
        return found

    def _matched(self, drawn: Iterable[Box], agreed: Sequence[Box]) -> int:
        """Boxes that both have: of one class, in one place; each counts once."""
        free = list(agreed)
        matched = 0
        for box in drawn:
            best = max(free, key=lambda other, box=box: iou(box, other), default=None)  # type: ignore[misc]
            if best is None or iou(box, best) < SAME:
                continue
            if best.class_id == box.class_id:
                free.remove(best)
                matched += 1
            else:
                self.confused[min(best.class_id, box.class_id), max(best.class_id, box.class_id)] += 1
        return matched

    def workers(self) -> list[Worker]:
        """Who gave the most answers first."""
        return sorted(self._workers.values(), key=lambda worker: (-worker.answers, worker.name))


def far_from_others(workers: Sequence[Worker]) -> dict[str, str]:
    """Workers who stand out, with what of: there have to be three to say who of them is the odd one."""
    found: dict[str, str] = {}
    known = [worker for worker in workers if worker.answers >= LEAST_ANSWERS]
    if len(known) < 3:
        return found
    usual = (
        median(worker.agreement for worker in known if worker.agreement is not None)
        if any(worker.agreement is not None for worker in known)
        else None
    )
    pace = median(worker.pace_s for worker in known)
    for worker in known:
        said = []
        if usual is not None and worker.agreement is not None and worker.agreement < usual - FAR_AGREEMENT:
            said.append(f"agrees with the others on {worker.agreement:.0%} of the boxes (median {usual:.0%})")
        if worker.pace_s * FAR_PACE < pace:
            said.append(f"takes {worker.pace_s:.1f} s a picture (median {pace:.1f} s)")
        if said:
            found[worker.name] = " and ".join(said)
    return found


def sampled(objects: int, size: int, seed: str) -> set[int]:
    """Numbers of the objects, of so many, whose single answers are read."""
    if objects <= size:
        return set(range(objects))
    return set(sorted(range(objects), key=lambda number: chance(seed, str(number)))[:size])
