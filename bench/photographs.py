"""Photo-like pictures, their variants and their look-alikes, drawn from a seed.

A scene is a sky, a ground and overlapping leaves whose sizes follow a power law (the dead leaves model, which
has the statistics of natural pictures: Lee, Mumford and Huang, 2001), before which a subject stands. A
look-alike shares nearly all of that: another subject before the same background, or another view of the kind.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

SIZE_WH = (640, 480)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """What is drawn. Each part follows from a seed of its own, so that a look-alike can change one."""

    background: int
    leaves: int
    subject: int
    noise: int
    with_subject: bool = True


def scene(seed: int) -> Scene:
    random = Random(seed)
    return Scene(*(random.getrandbits(32) for _ in range(4)))


def other_subject(original: Scene, seed: int) -> Scene:
    """The same place with something else in it."""
    random = Random(seed)
    return replace(original, subject=random.getrandbits(32), noise=random.getrandbits(32))


def other_view(original: Scene, seed: int) -> Scene:
    """A scene of the same kind: the same light, sky and ground, other things in it."""
    random = Random(seed)
    return replace(
        original, leaves=random.getrandbits(32), subject=random.getrandbits(32), noise=random.getrandbits(32)
    )


def draw(what: Scene, size_wh: tuple[int, int] = SIZE_WH) -> Image.Image:
    """The scene as a camera would see it: with shading, noise and a slight blur."""
    picture, palette = _background(Random(what.background), size_wh)
    pen = ImageDraw.Draw(picture)
    random = Random(what.leaves)
    for _ in range(random.randint(25, 90)):
        _leaf(pen, random, size_wh, random.choice(palette), 0.02 + 0.16 * random.paretovariate(2.5) / 4)
    if what.with_subject:
        _subject(pen, Random(what.subject), size_wh)
    return _taken(picture, what)


def _background(random: Random, size_wh: tuple[int, int]) -> tuple[Image.Image, list[Colour]]:
    width, height = size_wh
    palette = [_colour(random) for _ in range(6)]
    horizon = random.uniform(0.2, 0.8)
    sky, zenith, ground, near = (np.array(_colour(random), float) for _ in range(4))
    down = np.linspace(0, 1, height)[:, None, None]
    above = zenith + (sky - zenith) * np.clip(down / horizon, 0, 1)
    below = ground + (near - ground) * np.clip((down - horizon) / (1 - horizon), 0, 1)
    field = np.broadcast_to(np.where(down < horizon, above, below), (height, width, 3))
    texture = _clouds(random, size_wh) * random.uniform(15, 45)
    return Image.fromarray(np.clip(field + texture[..., None], 0, 255).astype(np.uint8)), palette


def _colour(random: Random) -> Colour:
    light = random.uniform(40, 215)
    red, green, blue = (int(np.clip(light + random.gauss(0, 28), 0, 255)) for _ in range(3))
    return red, green, blue


def _clouds(random: Random, size_wh: tuple[int, int]) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Noise of all scales, each with half the amplitude of the next coarser: a spectrum of about 1/f."""
    numbers = np.random.default_rng(random.getrandbits(32))
    total = np.zeros(size_wh[::-1])
    for level in range(1, 8):
        coarse = numbers.normal(0, 255 / 6, (2**level, 2**level)).astype(np.float32)
        layer = Image.fromarray(coarse).resize(size_wh, Image.Resampling.BICUBIC)
        total += np.asarray(layer) / 40 * 0.6**level
    return total


def _leaf(
    pen: ImageDraw.ImageDraw, random: Random, size_wh: tuple[int, int], base: Colour, radius: float
) -> None:
    """A polygon or an ellipse of about this radius (share of the width), in a shade of a colour."""
    width, height = size_wh
    left, top = random.uniform(0, width), random.uniform(0.1, 1) * height
    shade = random.uniform(0.6, 1.4)
    colour = tuple(min(255, int(part * shade)) for part in base)
    corners = random.choice((3, 4, 5, 7, 24))
    turn, squeeze = random.uniform(0, math.tau), random.uniform(0.4, 1)
    points = []
    for corner in range(corners):
        angle = turn + math.tau * corner / corners
        reach = radius * width * (1 if corners == 24 else random.uniform(0.6, 1.2))
        points.append((left + reach * math.cos(angle), top + squeeze * reach * math.sin(angle)))
    pen.polygon(points, fill=colour)


def _subject(pen: ImageDraw.ImageDraw, random: Random, size_wh: tuple[int, int]) -> None:
    """A body of a few parts, in all a tenth to a third of the picture wide."""
    width, height = size_wh
    scale = random.uniform(0.1, 0.3) * width
    left, top = random.uniform(0.2, 0.8) * width, random.uniform(0.3, 0.8) * height
    base = _colour(random)
    for _ in range(random.randint(3, 7)):
        x, y = left + random.gauss(0, 0.25) * scale, top + random.gauss(0, 0.25) * scale
        wide, tall = random.uniform(0.15, 0.45) * scale, random.uniform(0.15, 0.45) * scale
        colour = tuple(min(255, max(0, part + random.randint(-50, 50))) for part in base)
        pen.ellipse((x - wide, y - tall, x + wide, y + tall), fill=colour)


def _taken(picture: Image.Image, what: Scene) -> Image.Image:
    random = Random(what.background + 1)
    width, height = picture.size
    across, down = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    light = 1 + random.uniform(-0.15, 0.15) * across + random.uniform(-0.15, 0.15) * down
    light *= 1 - random.uniform(0, 0.2) * (across**2 + down**2)
    noise = np.random.default_rng(what.noise).normal(0, random.uniform(1, 5), (height, width, 1))
    detail = _clouds(Random(what.leaves + 1), picture.size) * 8
    pixels = np.asarray(picture, float) * light[..., None] + noise + detail[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))


def reencoded(picture: Image.Image, random: Random) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=random.randint(25, 70))
    return Image.open(file).convert("RGB")


def resized(picture: Image.Image, random: Random) -> Image.Image:
    """A quarter to one and a half of the size; its proportions change a little in half of the cases."""
    factor = random.uniform(0.25, 1.5)
    stretch = random.choice((1, random.uniform(0.8, 1.25)))
    kind = random.choice((Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.BOX))
    return picture.resize((int(picture.width * factor * stretch), int(picture.height * factor)), kind)


def brighter(picture: Image.Image, random: Random) -> Image.Image:
    """A quarter to a half more light, and a little more or less contrast."""
    bright = ImageEnhance.Brightness(picture).enhance(random.uniform(1.2, 1.5))
    return ImageEnhance.Contrast(bright).enhance(random.uniform(0.8, 1.2))


def blurred(picture: Image.Image, random: Random) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(random.uniform(1.5, 5)))


def cropped(picture: Image.Image, random: Random, most: float = 0.10) -> Image.Image:
    """2 % to 10 % of the width and of the height gone, shared between opposite sides at random."""
    width, height = picture.size
    away_w, away_h = random.uniform(0.02, most) * width, random.uniform(0.02, most) * height
    left, top = random.uniform(0, away_w), random.uniform(0, away_h)
    return picture.crop((int(left), int(top), int(left + width - away_w), int(top + height - away_h)))


def watermarked(picture: Image.Image, random: Random) -> Image.Image:
    """A translucent line of text across the picture or in a corner."""
    text = random.choice(("SAMPLE", "proof copy", "(c) Studio North", "DRAFT 2031"))
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    size = picture.width * random.choice((0.05, 0.1, 0.14))
    at = (picture.width * random.uniform(0.02, 0.3), picture.height * random.uniform(0.05, 0.85))
    ImageDraw.Draw(layer).text(at, text, fill=(255, 255, 255, random.randint(90, 200)), font_size=size)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def mirrored(picture: Image.Image, random: Random) -> Image.Image:
    return picture.transpose(
        random.choice((Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM))
    )


def turned(picture: Image.Image, random: Random) -> Image.Image:
    """By one, two or three quarters."""
    return picture.transpose(
        random.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    )


def rotated(picture: Image.Image, random: Random) -> Image.Image:
    """By up to 10 degrees; the corners that are laid bare are black."""
    return picture.rotate(random.choice((-1, 1)) * random.uniform(1, 10), Image.Resampling.BICUBIC)


def mixed(picture: Image.Image, random: Random) -> Image.Image:
    """Crop, flip, small rotation and resizing: two to four of them, one after the other."""
    steps = [cropped, mirrored, rotated, resized]
    for step in random.sample(steps, random.randint(2, 4)):
        picture = step(picture, random)
    return picture


VARIANTS: dict[str, Callable[[Image.Image, Random], Image.Image]] = {
    "re-encoded": reencoded,
    "resized": resized,
    "brighter": brighter,
    "blurred": blurred,
    "cropped 2-10 %": cropped,
    "watermarked": watermarked,
    "mirrored": mirrored,
    "quarter turns": turned,
    "rotated 1-10 degrees": rotated,
    "mix": mixed,
}
