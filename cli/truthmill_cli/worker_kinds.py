"""Workers of known quality: how a simulated one draws the boxes of a known truth."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from truthmill_cli.known_truth import TruthBox


@dataclass(frozen=True, slots=True)
class Kind:
    """How a simulated worker errs.

    miss: chance that a thing stays undrawn. false: chance, for each thing, of a box around nothing besides.
    swap: chance of a wrong label. jitter: how far off each edge is at most, as a share of the box's side;
    noise_px: the same in pixels, which adds to it. normal: jitter is the standard deviation of a normal
    distribution instead. spammer: draws some boxes anywhere, whatever the picture shows.
    """

    miss: float = 0.0
    false: float = 0.0
    swap: float = 0.0
    jitter: float = 0.0
    noise_px: float = 0.0
    normal: bool = False
    spammer: bool = False


KINDS = {
    "exact": Kind(),
    "careful": Kind(miss=0.03, false=0.01, jitter=0.02),
    "usual": Kind(miss=0.10, false=0.05, jitter=0.05),
    "swapping": Kind(miss=0.10, false=0.05, jitter=0.05, swap=0.10),
    "careless": Kind(miss=0.35, false=0.25, jitter=0.12, swap=0.10),
    "spammer": Kind(spammer=True),
}


def draw_all(
    kind: Kind,
    truth: Sequence[TruthBox],
    labels: Sequence[str],
    size_wh: tuple[int, int],
    hand: random.Random,
) -> list[TruthBox]:
    """A picture's boxes as such a worker draws them: whole pixels, inside the picture."""
    if kind.spammer:
        return [_anywhere(labels, size_wh, hand) for _ in range(hand.randint(1, 5))]
    drawn = [
        draw(kind, box, _label(kind, box.label, labels, hand), size_wh, hand)
        for box in truth
        if not _happens(kind.miss, hand)
    ]
    return drawn + [_anywhere(labels, size_wh, hand) for _ in truth if _happens(kind.false, hand)]


def _happens(chance: float, hand: random.Random) -> bool:
    """Nothing is drawn from the generator for what never happens."""
    return chance > 0 and hand.random() < chance


def draw(kind: Kind, box: TruthBox, label: str, size_wh: tuple[int, int], hand: random.Random) -> TruthBox:
    """One box as such a worker draws it."""

    def edge(value: float, side: float, least: int, most: int) -> int:
        reach = kind.jitter * side + kind.noise_px
        off = hand.gauss(0, reach) if kind.normal else hand.uniform(-reach, reach)
        return min(most, max(least, round(value + off)))

    width, height = size_wh
    left = edge(box.left, box.width, 0, width - 1)
    top = edge(box.top, box.height, 0, height - 1)
    right = edge(box.left + box.width, box.width, left + 1, width)
    bottom = edge(box.top + box.height, box.height, top + 1, height)
    return TruthBox(label, left, top, right - left, bottom - top)


def _label(kind: Kind, label: str, labels: Sequence[str], hand: random.Random) -> str:
    others = [each for each in labels if each != label]
    return hand.choice(others) if others and _happens(kind.swap, hand) else label


def _anywhere(labels: Sequence[str], size_wh: tuple[int, int], hand: random.Random) -> TruthBox:
    """A box around nothing: a twentieth to a third of the picture's sides."""
    width, height = size_wh
    across = max(1, round(hand.uniform(0.05, 0.33) * width))
    down = max(1, round(hand.uniform(0.05, 0.33) * height))
    return TruthBox(
        hand.choice(list(labels)),
        hand.randint(0, width - across),
        hand.randint(0, height - down),
        across,
        down,
    )
