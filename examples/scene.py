"""A landscape with subjects in it, and for each subject the box of what is seen of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scenery
from PIL import Image, ImageFilter
from scenery import MOODS, Canvas, Mood
from subjects import SUBJECTS, in_light

LEAST_SIDE = 44  # pixels: smaller ones say more about the hand that draws the box than about the box
LEAST_SEEN = 0.6  # share of a subject's area that others and the picture's edge must leave
SEEN = 0.5  # share of a pixel from which it belongs to the subject


@dataclass(frozen=True, slots=True)
class Found:
    """The truth about one subject: a box in whole pixels of the picture, tight around what is seen."""

    label: str
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Place:
    """The land: where which subject may stand.

    horizon: row where the sky ends. crest: for each column the row where the ground begins. line: row where
    the water begins; the picture's height where there is none.
    """

    canvas: Canvas
    horizon: int
    crest: Canvas
    line: int
    sun_x: int
    mood: Mood


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject at its place. foot: row of its lower edge; the lower, the nearer."""

    label: str
    image: Image.Image
    left: int
    top: int
    depth: float

    @property
    def foot(self) -> int:
        return self.top + self.image.height


def draw_scene(
    rng: np.random.Generator, size_wh: tuple[int, int], land: str, mood: str, labels: Sequence[str]
) -> tuple[Image.Image, list[Found]]:
    """A picture of a land in LANDS with as many of the labels as find a place, and the truth about it."""
    place = LANDS[land](rng, size_wh, MOODS[mood])
    standing: list[Standing] = []
    for label in labels:
        standing = _with_one_more(rng, place, standing, label)
    image = _to_image(place.canvas)
    for subject in standing:
        _ground(image, subject, place, rng)
        image.paste(subject.image, (subject.left, subject.top), subject.image)
    return image, [found for found, _ in _seen(standing, size_wh)]


def _lake(rng: np.random.Generator, size_wh: tuple[int, int], mood: Mood) -> Place:
    width, height = size_wh
    horizon = int(height * rng.uniform(0.34, 0.58))
    canvas, sun_x = scenery.sky(rng, size_wh, horizon, mood)
    canvas = scenery.mountains(rng, canvas, horizon, mood, rough=float(rng.choice([0.2, 1.0])))
    line = horizon + int(height * rng.uniform(0.06, 0.14))
    crest = scenery.ridge(rng, width, horizon + 4, height * 0.035, 0.2)
    canvas = scenery.meadow(rng, canvas, crest, mood)
    canvas = scenery.trees(rng, canvas, crest, mood, height * 0.075, int(rng.integers(10, 34)))
    return Place(scenery.water(rng, canvas, line, mood, sun_x), horizon, crest, line, sun_x, mood)


def _meadow(rng: np.random.Generator, size_wh: tuple[int, int], mood: Mood) -> Place:
    width, height = size_wh
    horizon = int(height * rng.uniform(0.34, 0.66))
    canvas, sun_x = scenery.sky(rng, size_wh, horizon, mood)
    canvas = scenery.mountains(rng, canvas, horizon, mood, rough=float(rng.choice([0.1, 0.3, 1.0])))
    hill = scenery.ridge(rng, width, horizon, height * 0.05, 0.2)
    canvas = scenery.meadow(rng, canvas, hill, mood)
    canvas = scenery.trees(rng, canvas, hill, mood, height * 0.11, int(rng.integers(8, 30)))
    crest = scenery.ridge(rng, width, horizon + height * 0.11, height * 0.05, 0.1)
    canvas = scenery.meadow(rng, canvas, crest, mood)
    return Place(canvas, horizon, crest, height, sun_x, mood)


def _coast(rng: np.random.Generator, size_wh: tuple[int, int], mood: Mood) -> Place:
    width, height = size_wh
    horizon = int(height * rng.uniform(0.36, 0.6))
    canvas, sun_x = scenery.sky(rng, size_wh, horizon, mood)
    canvas = scenery.water(rng, canvas, horizon, mood, sun_x)
    across = np.arange(width) / width
    across = across if rng.random() < 0.5 else 1 - across
    slope = scenery.smoothstep(rng.uniform(0.3, 0.5), rng.uniform(0.6, 0.9), across)
    rough = scenery.ridge(rng, width, 0, height * 0.02, 1.0)
    crest = height * (1.06 - slope * rng.uniform(0.36, 0.5)) + rough
    rock = np.array(mood.near) * 0.5 + np.array([0.13, 0.11, 0.09])
    grain = scenery.noise(rng, size_wh, (24, 30), 5)
    rocks = np.clip(rock * (0.55 + 0.9 * grain)[..., None], 0, 1)
    canvas = scenery.paint_below(canvas, crest - height * 0.025, rocks)
    canvas = scenery.meadow(rng, canvas, crest + height * 0.02 + rough, mood)
    return Place(canvas, horizon, crest, horizon, sun_x, mood)


LANDS: dict[str, Callable[[np.random.Generator, tuple[int, int], Mood], Place]] = {
    "lake": _lake,
    "meadow": _meadow,
    "coast": _coast,
}
# Subjects that fit a land.
AT_HOME = {
    "lake": ("sailboat", "balloon", "house", "sailboat", "balloon"),
    "meadow": ("house", "balloon", "balloon", "house"),
    "coast": ("lighthouse", "sailboat", "sailboat", "balloon"),
}


def _with_one_more(
    rng: np.random.Generator, place: Place, standing: list[Standing], label: str
) -> list[Standing]:
    """The subjects from far to near with one more, if all are still seen well; else as before."""
    height, width = place.canvas.shape[:2]
    for _ in range(60):
        candidate = _candidate(rng, place, standing, label)
        if candidate is None:
            continue
        together = sorted([*standing, candidate], key=lambda subject: subject.depth)
        seen = _seen(together, (width, height))
        well = [share >= LEAST_SEEN and min(found.width, found.height) >= LEAST_SIDE for found, share in seen]
        if len(seen) == len(together) and all(well):
            return together
    return standing


def _candidate(
    rng: np.random.Generator, place: Place, standing: list[Standing], label: str
) -> Standing | None:
    height, width = place.canvas.shape[:2]
    x = rng.uniform(0.02, 0.98) * width
    if standing and rng.random() < 0.35:  # near another one, so that some overlap
        other = standing[int(rng.integers(len(standing)))]
        x = float(np.clip(other.left + other.image.width * rng.uniform(-0.2, 1.2), 1, width - 2))
    foot, tall = _stand(rng, place, label, int(x))
    if not place.horizon * 0.2 < foot < height * 1.02 or tall < LEAST_SIDE * 1.35:
        return None
    subject = SUBJECTS[label](rng, int(tall), place.mood.night)
    image = in_light(subject, place.mood.light)
    left = int(x - image.width / 2)
    ground = place.crest[max(0, left) : max(1, left + image.width)]
    if label == "lighthouse" and np.ptp(ground) > height * 0.05:
        return None  # it would hang over the cliff
    if label == "sailboat" and np.any((ground > place.line) & (ground - height * 0.04 < foot)):
        return None  # it would be ashore
    # A balloon stands before nothing that has its feet on the ground.
    depth = foot if label != "balloon" else -1 + tall / height
    return Standing(label, image, left, int(foot - image.height), depth)


def _stand(rng: np.random.Generator, place: Place, label: str, column: int) -> tuple[float, float]:
    """Row of the foot, and height in pixels: what is nearer is lower and larger."""
    height = place.canvas.shape[0]
    ground, near = place.crest[column], rng.random() ** 1.3
    if label == "balloon":
        tall = height * rng.uniform(0.16, 0.52)
        return tall + (place.horizon * 1.02 - tall) * rng.uniform(-0.12, 1.0), tall
    if label == "sailboat":
        return place.line + (height - place.line) * (0.1 + 0.85 * near), height * (0.15 + 0.42 * near)
    if label == "lighthouse":
        return ground + height * 0.05, height * rng.uniform(0.34, 0.56)
    if place.line < height:  # a house on the far shore
        return place.line - (place.line - ground) * rng.uniform(0.1, 0.6), height * rng.uniform(0.13, 0.2)
    return ground + (height - ground) * (0.06 + 0.86 * near), height * (0.17 + 0.3 * near)


def _seen(standing: Sequence[Standing], size_wh: tuple[int, int]) -> list[tuple[Found, float]]:
    """What is seen of each subject, and which share of its own area that is. From far to near."""
    width, height = size_wh
    free = np.ones((height, width))
    found: list[tuple[Found, float]] = []
    for subject in reversed(standing):
        alpha = np.zeros((height, width))
        layer = Image.new("L", size_wh)
        layer.paste(subject.image.getchannel("A"), (subject.left, subject.top))
        alpha = np.asarray(layer) / 255
        seen = alpha * free
        free = free * (1 - alpha)
        rows, columns = np.nonzero(seen >= SEEN)
        if rows.size:
            left, top = int(columns.min()), int(rows.min())
            box = Found(subject.label, left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
            found.append((box, float(seen.sum() / (np.asarray(subject.image.getchannel("A")).sum() / 255))))
    return found[::-1]


def _ground(image: Image.Image, subject: Standing, place: Place, rng: np.random.Generator) -> None:
    """What a subject leaves on its ground: a boat its mirror image, a building its shadow."""
    if subject.label == "sailboat":
        _mirror(image, subject, rng)
    elif subject.label != "balloon":
        _shadow(image, subject, place)


def _mirror(image: Image.Image, subject: Standing, rng: np.random.Generator) -> None:
    flat = subject.image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    flat = flat.resize((flat.width, max(1, int(flat.height * 0.62)))).filter(ImageFilter.GaussianBlur(1.2))
    pixels = np.array(flat, dtype=float)
    rows = np.arange(flat.height)
    sway = np.sin(rows / max(flat.height, 1) * 40 + rng.random() * 6) * (1 + rows / 22)
    for row in rows:
        pixels[row] = np.roll(pixels[row], int(sway[row]), axis=0)
    pixels[..., 3] *= 0.46 * (1 - rows / flat.height)[:, None]
    mirrored = Image.fromarray(pixels.astype(np.uint8))
    image.paste(mirrored, (subject.left, subject.foot - max(2, subject.image.height // 60)), mirrored)


def _shadow(image: Image.Image, subject: Standing, place: Place) -> None:
    """Away from the sun, soft, flat on the ground."""
    wide, deep = subject.image.width, max(4, int(subject.image.height * 0.13))
    shape = subject.image.getchannel("A").resize((wide, deep)).point(lambda value: value * 0.42)
    away = -1 if place.sun_x > subject.left + wide / 2 else 1
    layer = Image.new("L", (wide + 80, deep * 2 + 20))
    layer.paste(shape, (40, 10))
    leaning = layer.transform(
        layer.size,
        Image.Transform.AFFINE,
        (1, away * 1.1, -away * 1.1 * (deep + 10), 0, 1, 0),
        Image.Resampling.BILINEAR,
    ).filter(ImageFilter.GaussianBlur(3))
    dark = Image.new("RGB", leaning.size, (16, 22, 30))
    image.paste(dark, (subject.left - 40, subject.foot - deep - 8), leaning)


def _to_image(canvas: Canvas) -> Image.Image:
    return Image.fromarray((np.clip(canvas, 0, 1) * 255).round().astype(np.uint8))
