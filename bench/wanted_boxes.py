"""The pictures that the scripted workers get, and the boxes that they are to draw."""

import io
import random
from collections.abc import Sequence
from itertools import product

from PIL import Image

LABELS = ("car", "person", "sign")
# A picture's, none of them grey; so the screen tells which one is shown.
COLOURS = tuple(colour for colour in product((60, 130, 200), repeat=3) if len(set(colour)) > 1)
MARK = (720, 1500)  # in a picture of SIZE; none of `scenes` comes near it
SIZE = (4000, 3000)  # 12 megapixels
LARGE = (11_600, 8_700)  # 100 megapixels
Box = tuple[str, int, int, int, int]  # label, left, top, width, height


def pixel_box(box: Sequence[int]) -> dict[str, int]:
    return dict(zip(("left", "top", "width", "height"), box, strict=True))


def number_of(colour: Sequence[int]) -> int | None:
    """Which picture has that colour; None where it is none's."""
    near = [
        number
        for number, own in enumerate(COLOURS)
        if max(abs(a - b) for a, b in zip(own, colour, strict=True)) < 25
    ]
    return near[0] if near else None


def picture(number: int, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG with grain, so that it weighs what a photograph does."""
    grain = Image.effect_noise((size[0] // 2, size[1] // 2), 25).resize(size)
    tones = ([min(255, max(0, at + by - 128)) for at in range(256)] for by in COLOURS[number])
    red, green, blue = map(grain.point, tones)
    out = io.BytesIO()
    Image.merge("RGB", (red, green, blue)).save(out, "JPEG", quality=85)
    return out.getvalue()


def scenes(pictures: int = 6, boxes: int = 5, size: tuple[int, int] = SIZE) -> list[list[Box]]:
    """Boxes beside one another, some at the picture's edge, for each picture; label by label."""
    chance = random.Random(5)
    width, height = size[0] // boxes, size[1]
    found = []
    for _ in range(pictures):
        labels = sorted(chance.choices(LABELS, k=boxes))
        scene = []
        for at, label in enumerate(labels):
            left = at * width + chance.randrange(0, width // 4)
            top = chance.choice([0, chance.randrange(height // 2)])
            wide, high = chance.randrange(width // 4, width // 2), chance.randrange(height // 8, height // 2)
            scene.append((label, left, top, wide, high))
        found.append(scene)
    return found


def many(count: int = 200, size: tuple[int, int] = LARGE) -> list[Box]:
    """Boxes all over a large picture."""
    chance = random.Random(7)
    found = []
    for at in range(count):
        wide, high = chance.randrange(60, 800), chance.randrange(60, 800)
        left, top = chance.randrange(size[0] - wide), chance.randrange(size[1] - high)
        found.append((LABELS[at % len(LABELS)], left, top, wide, high))
    return found
