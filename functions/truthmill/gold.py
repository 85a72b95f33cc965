"""Gold tasks: pictures whose boxes are known, mixed in among a worker's tasks to see how they draw."""

import hashlib
from collections.abc import Sequence

import msgspec

from truthmill.assignment import assign
from truthmill.boxes import Box
from truthmill.matching import SAME, likeness
from truthmill.worker_quality import Evidence

ENOUGH = 3  # gold tasks after which a worker can be judged
MOST = 1_000  # gold pictures of a job


class GoldResult(msgspec.Struct, frozen=True):
    """How a worker's boxes compare with the known ones, one picture or several.

    things: known boxes; drawn: the worker's; hits: found, with the right label.
    """

    things: int = 0
    drawn: int = 0
    hits: int = 0
    tasks: int = 0

    def plus(self, other: "GoldResult") -> "GoldResult":
        return GoldResult(
            self.things + other.things,
            self.drawn + other.drawn,
            self.hits + other.hits,
            self.tasks + other.tasks,
        )

    @property
    def score(self) -> float:
        """F1; 1 where nothing is there and nothing was drawn."""
        return 2 * self.hits / (self.things + self.drawn) if self.things + self.drawn else 1.0


def compare(drawn: Sequence[Box], known: Sequence[Box]) -> GoldResult:
    """Boxes of the same class, assigned optimally, that are as alike as boxes of one thing."""
    return GoldResult(len(known), len(drawn), len(_hits(drawn, known)), 1)


def _hits(drawn: Sequence[Box], known: Sequence[Box]) -> dict[int, int]:
    return assign(
        {
            (row, column): alike
            for row, thing in enumerate(known)
            for column, box in enumerate(drawn)
            if thing.class_id == box.class_id and (alike := likeness(thing, box)) >= SAME
        }
    )


def evidence(drawn: Sequence[Box], known: Sequence[Box]) -> Evidence:
    """What a gold answer says of its worker: the boxes are known, so nothing is a matter of probability."""
    hits = _hits(drawn, known)
    found = Evidence(pictures=1, objects=len(known), hits=len(hits), false=len(drawn) - len(hits), said={})
    for row, column in hits.items():
        thing, box = known[row], drawn[column]
        pair = (thing.class_id, box.class_id)
        found.said[pair] = found.said.get(pair, 0.0) + 1
        for side, offs in (
            (thing.width, (thing.left - box.left, thing.right - box.right)),
            (thing.height, (thing.top - box.top, thing.bottom - box.bottom)),
        ):
            found.squares += sum((off / side) ** 2 for off in offs)
            found.edges += len(offs)
    return found


def below(result: GoldResult, threshold: float) -> bool:
    """Whether a worker has done enough gold tasks to be judged, and badly."""
    return result.tasks >= ENOUGH and result.score < threshold


def chosen(job: str, worker: str, taken: int, share: float, gold: int, done: Sequence[int]) -> int | None:
    """The gold picture to be a worker's next task, or None: about `share` of tasks are gold, each once.

    taken: tasks the worker has had so far. gold: how many pictures there are. Decided by a digest, so asking
    again gives the same, and each worker has an order and moments of their own.
    """
    seed = hashlib.sha256(f"{job}\n{worker}\n{taken}".encode()).digest()
    if int.from_bytes(seed[:8]) >= share * 2**64:
        return None
    left = sorted(set(range(gold)) - set(done))
    return left[int.from_bytes(seed[8:16]) % len(left)] if left else None
