"""What stands in the landscapes and is to be found: balloons, sailboats, houses, lighthouses.

Each is drawn four times as large as it will be, then reduced, so that its edges are smooth. The alpha of the
result is the share of each pixel that the subject covers: from it comes the truth.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw
from scenery import Rgb, rgb

ENLARGED = 4
Point = tuple[float, float]
Pixels = NDArray[np.float64]


class Sheet:
    """A transparent sheet. Positions are in units of the subject's height, from the top left corner."""

    def __init__(self, height_px: int, width_in_heights: float) -> None:
        self.unit = height_px * ENLARGED
        self.image = Image.new("RGBA", (round(self.unit * width_in_heights), self.unit))

    def polygon(
        self, points: Sequence[Point], colour: Rgb, other: Rgb | None = None, down: bool = False
    ) -> None:
        """A shape whose colour changes evenly to another one, from left to right or downwards."""
        mask = Image.new("L", self.image.size)
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        ImageDraw.Draw(mask).polygon(scaled, 255)
        box = mask.getbbox()
        if box is None:
            return
        size_wh = box[2] - box[0], box[3] - box[1]
        ramp = np.linspace(0, 1, size_wh[1] if down else size_wh[0])
        ramp = np.repeat(ramp[:, None], size_wh[0], 1) if down else np.repeat(ramp[None, :], size_wh[1], 0)
        shade = np.array(colour) * (1 - ramp[..., None]) + np.array(other or colour) * ramp[..., None]
        self.image.paste(_to_image(shade), box[:2], mask.crop(box))

    def line(self, points: Sequence[Point], colour: Rgb, width: float, least_px: float = 1.4) -> None:
        """A line that is never thinner than it can be seen."""
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        thick = round(max(width * self.unit, least_px * ENLARGED))
        ImageDraw.Draw(self.image).line(scaled, _ink(colour), thick, joint="curve")

    def ellipse(self, centre: Point, half: Point, colour: Rgb) -> None:
        (x, y), (across, down) = centre, half
        box = [
            (x - across) * self.unit,
            (y - down) * self.unit,
            (x + across) * self.unit,
            (y + down) * self.unit,
        ]
        ImageDraw.Draw(self.image).ellipse(box, _ink(colour))

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def units(self) -> tuple[Pixels, Pixels]:
        """Position of every pixel across and down, in units."""
        rows, columns = np.mgrid[: self.image.height, : self.image.width]
        return (columns + 0.5) / self.unit, (rows + 0.5) / self.unit

    def shade(self, colours: Pixels, mask: NDArray[np.bool_]) -> None:
        """Colours of each pixel, where the mask is."""
        self.image.paste(_to_image(colours), (0, 0), Image.fromarray((mask * 255).astype(np.uint8)))

    def finish(self, lean_degrees: float = 0) -> Image.Image:
        """In its own size, cut to what is drawn."""
        image = self.image
        if lean_degrees:
            image = image.rotate(lean_degrees, Image.Resampling.BILINEAR, expand=True)
        # Reduced whole: a width that is no multiple of ENLARGED would leave an edge that is too opaque.
        spare = -image.width % ENLARGED, -image.height % ENLARGED
        padded = Image.new("RGBA", (image.width + spare[0], image.height + spare[1]))
        padded.paste(image)
        small = padded.reduce(ENLARGED)
        return small.crop(small.getchannel("A").getbbox())


def _to_image(colours: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(colours * 255, 0, 255).astype(np.uint8))


def _ink(colour: Rgb) -> tuple[int, ...]:
    return (*(round(each * 255) for each in colour), 255)


def _darker(colour: Rgb, share: float) -> Rgb:
    red, green, blue = colour
    return red * share, green * share, blue * share


def _curve(start: Point, pull: Point, end: Point, steps: int = 24) -> list[Point]:
    """Points of a quadratic Bezier curve."""
    along = np.linspace(0, 1, steps)
    return [
        (
            float((1 - t) ** 2 * start[0] + 2 * t * (1 - t) * pull[0] + t**2 * end[0]),
            float((1 - t) ** 2 * start[1] + 2 * t * (1 - t) * pull[1] + t**2 * end[1]),
        )
        for t in along
    ]


def _pick(rng: np.random.Generator, colours: str) -> Rgb:
    return rgb(str(rng.choice(colours.split())))


_CLOTHS = (
    "d62f3a f7d154 2b6cb0",
    "f28c28 fff3dc 7a2e8e",
    "1f8a70 fdf6e3 e4572e",
    "264a8a f4f4f4 d92b2b",
    "e83f6f ffbf00 2274a5",
    "5b2a86 9ac6c5 f7f7f2",
    "ffd23f ee4266 540d6e",
    "2d936c f4d35e f95738",
)


def balloon(rng: np.random.Generator, height_px: int, night: bool) -> Image.Image:
    """A hot-air balloon: a round envelope of coloured gores, a burner's skirt, ropes and a basket."""
    sheet = Sheet(height_px, 0.74)
    x, y = sheet.units()
    top, widest, mouth, radius, middle = 0.01, 0.33, 0.79, 0.355, 0.37
    above = np.sqrt(np.clip(1 - ((widest - y) / (widest - top)) ** 2, 0, 1))
    below = 0.15 + 0.85 * np.cos(np.clip((y - widest) / (mouth - widest), 0, 1) * np.pi / 2)
    half = np.where(y < widest, above, below) * radius
    across = np.clip((x - middle) / np.maximum(half, 1e-6), -1, 1)
    around = np.arcsin(across) / np.pi + 0.5
    cloth = [np.array(rgb(each)) for each in str(rng.choice(_CLOTHS)).split()]
    colours = np.stack(cloth)[_pattern(rng, around, y) % len(cloth)]
    downwards = np.clip((y - widest) / (mouth - widest), -1, 1)
    lit = np.clip(-0.52 * across - 0.45 * downwards + 0.72 * np.sqrt(np.clip(1 - across**2, 0, 1)), 0, 1)
    glow = 0.35 * np.clip(1 - np.hypot(across, (y - 0.6) / 0.45), 0, 1) if night else 0.0
    seam = 0.93 + 0.07 * np.abs(np.sin(around * np.pi * 12))
    shaded = colours * ((0.46 + 0.66 * lit) * seam + glow)[..., None]
    shaded += (np.clip(lit - 0.86, 0, 1) * 1.3)[..., None]
    # Ropes and basket first: the envelope's mouth covers the ropes' upper ends.
    for side in (-1, 1):
        sheet.line([(middle + side * 0.05, 0.76), (middle + side * 0.058, 0.9)], rgb("5a4632"), 0.006, 1.2)
    sheet.polygon(
        [(middle - 0.068, 0.885), (middle + 0.068, 0.885), (middle + 0.056, 0.995), (middle - 0.056, 0.995)],
        rgb("a8743c"),
        rgb("63401e"),
    )
    sheet.rectangle(middle - 0.074, 0.878, middle + 0.074, 0.9, rgb("6b4423"))
    sheet.shade(shaded, (np.abs(x - middle) <= half) & (y >= top) & (y <= mouth))
    return sheet.finish()


def _pattern(rng: np.random.Generator, around: Pixels, y: Pixels) -> NDArray[np.int64]:
    """Which of its colours the cloth has: gores, bands, a zigzag, or a chequered belt."""
    gores = np.floor(around * 12).astype(np.int64)
    zigzag = np.floor((y + 0.035 * np.abs((around * 12 % 2) - 1)) * 9).astype(np.int64)
    bands = np.floor(y * 10).astype(np.int64)
    belt = np.where((y > 0.26) & (y < 0.44), gores + np.floor(y * 17).astype(np.int64), 0)
    spiral = np.floor(around * 8 + y * 7).astype(np.int64)
    return (gores, zigzag, bands, belt, spiral)[int(rng.integers(5))]


def sailboat(rng: np.random.Generator, height_px: int, night: bool) -> Image.Image:
    """A sloop under main and jib, heeling a little."""
    del night
    sheet = Sheet(height_px, 0.86)
    hull = _pick(rng, "f2f2ee 1d3557 a4243b 2a6f57 e9c46a 22223b")
    sail = _pick(rng, "fdfbf3 fdfbf3 f6e7cb e76f51 f4d35e d62839 e8eef2")
    jib = _pick(rng, "fdfbf3 e8eef2 e63946 457b9d f4a261 2a9d8f")
    mast, deck = 0.45, 0.83
    leech = _curve((mast - 0.012, 0.04), (0.2, 0.34), (0.07, 0.745))
    sheet.polygon([*leech, (mast - 0.012, 0.765)], _darker(sail, 0.8), sail)
    for batten in (0.3, 0.48, 0.63):
        along = min(range(len(leech)), key=lambda at: abs(leech[at][1] - batten))
        sheet.line([leech[along], (mast - 0.02, batten + 0.02)], _darker(sail, 0.72), 0.004, 0.7)
    luff = _curve((mast + 0.014, 0.1), (mast + 0.15, 0.5), (0.81, 0.79))
    sheet.polygon([*luff, (mast + 0.035, 0.76)], jib, _darker(jib, 0.82))
    sheet.line([(mast, 0.012), (mast, deck)], rgb("4a3b2a"), 0.014)
    sheet.line([(0.06, 0.765), (mast, 0.782)], rgb("6d5536"), 0.014)
    sheet.polygon([(mast, 0.015), (mast - 0.11, 0.035), (mast, 0.06)], _pick(rng, "d62828 f77f00 003049"))
    bottom = [
        *_curve((0.85, 0.81), (0.76, 0.985), (0.56, 0.995)),
        *_curve((0.56, 0.995), (0.16, 1.0), (0.07, 0.845)),
    ]
    sheet.polygon(bottom, hull, _darker(hull, 0.62), down=True)
    sheet.polygon([(0.065, 0.838), (0.857, 0.803), (0.84, 0.835), (0.072, 0.868)], rgb("f5ecd7"))
    sheet.polygon(
        [(0.26, 0.835), (0.3, 0.79), (0.5, 0.785), (0.55, 0.825)], rgb("f8f4e8"), rgb("cfc6b2"), down=True
    )
    for window in (0.33, 0.4, 0.47):
        sheet.ellipse((window, 0.812), (0.016, 0.011), rgb("35506b"))
    image = sheet.finish(float(rng.uniform(-6, 6)))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def house(rng: np.random.Generator, height_px: int, night: bool) -> Image.Image:
    """A house seen from a corner: gable to the left, eaves to the right, a chimney."""
    wide = float(rng.uniform(1.05, 1.45))
    sheet = Sheet(height_px, wide)
    wall = _pick(rng, "f4ead5 ffffff f2d98d cfdde3 b5533c e6c3a5 dfe5cf")
    roof = _pick(rng, "b5452f 8c3b2e 5b6470 7a4a2f 9c5a3c 44525a")
    frame = _pick(rng, "ffffff 5a3a22 f2efe6 3d5a4a")
    corner, right, apex, eaves = wide * 0.44, wide - 0.07, wide * 0.24, 0.45
    sheet.rectangle(wide * 0.6, 0.01, wide * 0.6 + 0.09, 0.3, rgb("8a5a48"))
    sheet.rectangle(wide * 0.6 - 0.015, 0.01, wide * 0.6 + 0.105, 0.045, rgb("6d4437"))
    sheet.polygon(
        [(corner, eaves), (right, eaves), (right, 0.995), (corner, 0.995)],
        _darker(wall, 0.74),
        _darker(wall, 0.62),
    )
    gable = [(0.05, eaves), (apex, 0.1), (corner, eaves), (corner, 0.995), (0.05, 0.995)]
    sheet.polygon(gable, wall, _darker(wall, 0.93))
    if rng.random() < 0.4:
        _timber(sheet, corner, eaves)
    ridge_end = right - (corner - apex) + 0.05
    sheet.polygon(
        [(apex, 0.075), (ridge_end, 0.075), (wide - 0.01, 0.49), (corner + 0.02, 0.49)],
        roof,
        _darker(roof, 0.8),
        down=True,
    )
    for row in range(1, 7):
        share = row / 7
        level = 0.075 + share * 0.415
        ends = (apex + (corner + 0.02 - apex) * share, ridge_end + (wide - 0.01 - ridge_end) * share)
        sheet.line([(ends[0], level), (ends[1], level)], _darker(roof, 0.72), 0.004, 0.5)
    sheet.line([(0.01, 0.5), (apex, 0.085), (corner + 0.02, 0.49)], _darker(roof, 0.62), 0.035)
    _openings(sheet, rng, (corner, right), frame, night)
    image = sheet.finish()
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def _timber(sheet: Sheet, corner: float, eaves: float) -> None:
    """Beams on the gable's wall."""
    beam = rgb("5a3a22")
    for level in (eaves + 0.02, 0.7, 0.98):
        sheet.line([(0.05, level), (corner, level)], beam, 0.02)
    for x in (0.06, corner - 0.01):
        sheet.line([(x, eaves), (x, 0.99)], beam, 0.02)
    sheet.line([(0.06, 0.7), (corner * 0.5, eaves + 0.02), (corner - 0.01, 0.7)], beam, 0.016)


def _openings(sheet: Sheet, rng: np.random.Generator, side: Point, frame: Rgb, night: bool) -> None:
    corner, right = side
    glass = rgb("ffd77a") if night else rgb("6f93ad")
    door = _pick(rng, "6b3e26 2f5d50 8c2f39 33415c")
    middle = (0.05 + corner) / 2
    sheet.rectangle(middle + 0.02, 0.72, middle + 0.15, 0.995, _darker(frame, 0.9))
    sheet.rectangle(middle + 0.035, 0.735, middle + 0.135, 0.995, door)
    _window(sheet, (middle - 0.105, 0.78), frame, glass)
    _window(sheet, (middle + 0.01, 0.42), frame, glass)
    count = 2 if right - corner < 0.62 else 3
    for number in range(count):
        x = corner + (right - corner) * (number + 0.5) / count
        _window(sheet, (x, 0.68), _darker(frame, 0.82), glass if night else _darker(glass, 0.85))


def _window(sheet: Sheet, centre: Point, frame: Rgb, glass: Rgb) -> None:
    x, y = centre
    sheet.rectangle(x - 0.062, y - 0.072, x + 0.062, y + 0.072, frame)
    sheet.rectangle(x - 0.047, y - 0.057, x + 0.047, y + 0.057, glass)
    sheet.line([(x, y - 0.06), (x, y + 0.06)], frame, 0.012, 0.5)
    sheet.line([(x - 0.05, y), (x + 0.05, y)], frame, 0.012, 0.5)


def lighthouse(rng: np.random.Generator, height_px: int, night: bool) -> Image.Image:
    """A round, tapering tower with bands, a gallery and a lantern."""
    sheet = Sheet(height_px, 0.46)
    x, y = sheet.units()
    middle = 0.23
    half = 0.09 + 0.085 * np.clip((y - 0.21) / 0.785, 0, 1)
    across = np.clip((x - middle) / half, -1, 1)
    band = np.array(_pick(rng, "c1272d 1d3557 222222 c8553d"))
    bands = int(rng.integers(3, 6))
    painted = np.floor((y - 0.21) / 0.785 * (bands * 2 - 1)).astype(int) % 2 == 0
    colours = np.where(painted[..., None], band, np.array(rgb("f7f4ec")))
    lit = np.clip(0.62 * np.sqrt(1 - across**2) - 0.42 * across + 0.36, 0.25, 1.08)
    sheet.shade(colours * lit[..., None], (np.abs(x - middle) <= half) & (y >= 0.21) & (y <= 0.995))
    for level in (0.42, 0.66):
        sheet.rectangle(middle - 0.022, level, middle + 0.022, level + 0.055, rgb("2d3a45"))
    sheet.polygon([*_curve((middle - 0.035, 0.995), (middle, 0.84), (middle + 0.035, 0.995))], rgb("4a3020"))
    lamp = rgb("fff2a8") if night else rgb("cfe6ee")
    sheet.polygon(
        [(middle - 0.06, 0.105), (middle + 0.06, 0.105), (middle + 0.06, 0.19), (middle - 0.06, 0.19)],
        lamp,
        _darker(lamp, 0.72),
    )
    for bar in (-0.058, -0.02, 0.02, 0.058):
        sheet.line([(middle + bar, 0.105), (middle + bar, 0.19)], rgb("2b2b2b"), 0.008, 0.8)
    sheet.polygon(
        [*_curve((middle - 0.08, 0.11), (middle, -0.04), (middle + 0.08, 0.11))],
        _darker((band[0], band[1], band[2]), 0.85),
    )
    sheet.line([(middle, 0.008), (middle, 0.06)], rgb("2b2b2b"), 0.014)
    sheet.rectangle(middle - 0.135, 0.185, middle + 0.135, 0.215, rgb("30343a"))
    sheet.line([(middle - 0.13, 0.15), (middle + 0.13, 0.15)], rgb("30343a"), 0.007, 0.9)
    for post in (-0.13, -0.065, 0.065, 0.13):
        sheet.line([(middle + post, 0.148), (middle + post, 0.19)], rgb("30343a"), 0.007, 0.9)
    return sheet.finish()


def in_light(image: Image.Image, light: Rgb) -> Image.Image:
    """The subject's colours as an hour's light leaves them."""
    shine = Image.new("RGB", image.size, tuple(round(each * 255) for each in light))
    coloured = ImageChops.multiply(image.convert("RGB"), shine)
    coloured.putalpha(image.getchannel("A"))
    return coloured


SUBJECTS: dict[str, Callable[[np.random.Generator, int, bool], Image.Image]] = {
    "balloon": balloon,
    "house": house,
    "lighthouse": lighthouse,
    "sailboat": sailboat,
}
