"""Landscapes: sky, mountains, trees, meadows and water, in the light of an hour.

Everything is a float array (rows, columns, 3) of 0 to 1. Edges are smoothed by the share of a pixel that they
cover, so nothing here needs supersampling.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Canvas = NDArray[np.float64]
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mood:
    """Colours of an hour. light: what it does to every colour of a subject. night: stars, lit windows."""

    zenith: Rgb
    middle: Rgb
    horizon: Rgb
    sun: Rgb
    cloud: Rgb
    far: Rgb
    near: Rgb
    grass: Rgb
    light: Rgb
    night: bool = False


def rgb(text: str) -> Rgb:
    """Colour of six hexadecimal digits."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _mood(colours: str, light: Rgb, night: bool = False) -> Mood:
    zenith, middle, horizon, sun, cloud, far, near, grass = (rgb(each) for each in colours.split())
    return Mood(zenith, middle, horizon, sun, cloud, far, near, grass, light, night)


# zenith, middle, horizon, sun, cloud, far mountains, near mountains, grass
MOODS = {
    "noon": _mood("2f7fd0 7fbcec d9eefa fffbe6 ffffff 9db7d0 5f8a74 6fa64a", (1.0, 1.0, 1.0)),
    "morning": _mood("5f9fdc b9d8ee fdebd0 fff2c0 fffaf2 b3bfd6 7d9a86 8db45a", (1.0, 0.97, 0.9)),
    "sunset": _mood("3b3f86 c8607c ffb56b ffe9a8 ffc7a8 8a6a9a 5b4a72 6f7a3c", (1.0, 0.83, 0.7)),
    "rose": _mood("6d78b8 d9a3c4 ffd9c8 fff0dc ffe6e6 a89ac4 7f7fa6 86995c", (1.0, 0.9, 0.92)),
    "overcast": _mood("8c9aa8 b4bfc8 dde3e6 f2f4f4 f4f6f7 98a5ae 6c7f7a 7f9460", (0.92, 0.94, 0.96)),
    "dusk": _mood("0f1b3d 2f4478 8a7aa6 f6f0d8 5c6a94 46548a 2c3a62 33503f", (0.62, 0.66, 0.86), night=True),
    "golden": _mood("4a8fc4 e3c98f ffdf94 fff3b0 fff0d0 c2a878 94854e b0a03c", (1.0, 0.92, 0.74)),
    "storm": _mood("3d4a5c 6d7c8c b9c2b4 e6e8d8 8f9ba6 6f7f8a 4d5f60 5f7a48", (0.82, 0.86, 0.9)),
}


def noise(
    rng: np.random.Generator, size_wh: tuple[int, int], cells_wh: tuple[int, int], octaves: int
) -> Canvas:
    """Fractal noise, 0 to 1: random grids of ever more cells, enlarged smoothly and added."""
    width, height = size_wh
    total = np.zeros((height, width))
    for octave in range(octaves):
        shape = (cells_wh[1] * 2**octave + 3, cells_wh[0] * 2**octave + 3)
        grid = Image.fromarray(rng.random(shape, dtype=np.float32))
        total += np.asarray(grid.resize(size_wh, Image.Resampling.BICUBIC)) * 0.5**octave
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low))


def smoothstep(low: float, high: float, values: Canvas) -> Canvas:
    """0 below low, 1 above high, smooth between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _slope(field: Canvas, step: int, axis: int) -> Canvas:
    """How much a field rises over that many pixels, downwards (axis 0) or to the right (axis 1)."""
    before = np.take(field, np.clip(np.arange(field.shape[axis]) - step, 0, None), axis=axis)
    return np.asarray(field - before)


def blend(canvas: Canvas, colour: Rgb | Canvas, share: Canvas) -> Canvas:
    """The colour over the canvas, by its share of each pixel."""
    weight = share[..., None]
    return np.asarray(canvas * (1 - weight) + np.asarray(colour) * weight)


def _grid(canvas: Canvas) -> tuple[Canvas, Canvas]:
    rows, columns = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    return columns.astype(float), rows.astype(float)


def sky(rng: np.random.Generator, size_wh: tuple[int, int], horizon: int, mood: Mood) -> tuple[Canvas, int]:
    """A sky with sun or moon and clouds, and the column of the sun. horizon: row where the sky ends."""
    width, height = size_wh
    down = np.linspace(0, height / max(horizon, 1), height)
    stops = np.array([mood.zenith, mood.middle, mood.horizon])
    column = np.stack([np.interp(down, [0, 0.55, 1], stops[:, channel]) for channel in range(3)], axis=1)
    canvas = np.repeat(column[:, None, :], width, axis=1)
    if mood.night:
        canvas = _stars(rng, canvas, horizon)
    sun_x, sun_y = int(width * rng.uniform(0.12, 0.88)), int(horizon * rng.uniform(0.18, 0.8))
    columns, rows = _grid(canvas)
    distance = np.hypot(columns - sun_x, rows - sun_y) / width
    radius = rng.uniform(0.022, 0.04)
    canvas = blend(canvas, mood.sun, 0.55 * np.exp(-((distance / (radius * 4.5)) ** 1.3)))
    canvas = blend(canvas, mood.sun, np.clip((radius - distance) * width + 0.5, 0, 1))
    return _clouds(rng, canvas, horizon, mood), sun_x


def _stars(rng: np.random.Generator, canvas: Canvas, horizon: int) -> Canvas:
    for _ in range(120):
        row, column = rng.integers(0, max(1, int(horizon * 0.8))), rng.integers(0, canvas.shape[1])
        canvas[row, column] = np.clip(canvas[row, column] + rng.uniform(0.25, 0.8), 0, 1)
    return canvas


def _clouds(rng: np.random.Generator, canvas: Canvas, horizon: int, mood: Mood) -> Canvas:
    height, width = canvas.shape[:2]
    cover = rng.uniform(0.42, 0.66)
    field = noise(rng, (width, height), (3, 5), 6)
    share = smoothstep(cover, cover + 0.22, field)
    lit = np.clip(0.86 + _slope(field, max(2, height // 60), 0) * 2.4, 0.62, 1.08)
    fade = np.clip(1.15 - np.arange(height) / max(horizon, 1), 0, 1)[:, None]
    return np.clip(blend(canvas, np.array(mood.cloud) * lit[..., None], share * fade * 0.9), 0, 1)


def ridge(rng: np.random.Generator, width: int, base: float, amplitude: float, rough: float) -> Canvas:
    """A skyline: for each column the row of its crest. rough: 0 for rolling hills, 1 for jagged mountains."""
    across = np.arange(width) / width
    crest = np.zeros(width)
    for octave in range(1, 8):
        strength = (0.36 + 0.2 * rough) ** (octave - 1)
        wave = np.sin(2 * np.pi * (across * rng.uniform(0.6, 1.3) * 1.75 ** (octave - 1) + rng.random()))
        crest += strength * ((1 - np.abs(wave)) * 2 - 1 if rough > 0.5 else wave)
    return np.asarray(base - amplitude * crest / 1.6)


def paint_below(canvas: Canvas, crest: Canvas, colour: Rgb | Canvas) -> Canvas:
    """Colour everything below a skyline."""
    rows = np.arange(canvas.shape[0])[:, None]
    return blend(canvas, colour, np.clip(rows - crest[None, :] + 0.5, 0, 1))


def mountains(rng: np.random.Generator, canvas: Canvas, horizon: int, mood: Mood, rough: float) -> Canvas:
    """Two or three chains, the farther the paler; jagged ones have snow and sunny flanks."""
    height, width = canvas.shape[:2]
    chains = int(rng.integers(2, 4))
    reach = horizon * rng.uniform(0.22, 0.5)
    for chain in range(chains):
        near = chain / max(chains - 1, 1)
        crest = ridge(rng, width, horizon - reach * (0.75 - 0.62 * near), reach * (0.55 - 0.3 * near), rough)
        flank = noise(rng, (width, height), (9, 5), 5)
        light = 1 + _slope(flank, 5, 1) * (2.2 if rough > 0.5 else 0.8)
        colour = np.array(mood.far) * (1 - near) + np.array(mood.near) * near
        depth = np.clip((np.arange(height)[:, None] - crest[None, :]) / (reach + 1), 0, 1)
        shaded = colour * light[..., None]
        if rough > 0.5 and near < 0.6:
            snow = smoothstep(0.0, 0.12, 0.3 - depth + (flank - 0.5) * 0.35)
            shaded = blend(shaded, np.array(mood.light) * np.clip(light, 0.75, 1.1)[..., None] * 0.97, snow)
        haze = (depth * 0.45 * (1 - near * 0.6)).clip(0, 1)
        canvas = paint_below(canvas, crest, np.clip(blend(shaded, mood.horizon, haze), 0, 1))
    return canvas


def meadow(rng: np.random.Generator, canvas: Canvas, crest: Canvas, mood: Mood) -> Canvas:
    """Grass below a skyline: darker towards the viewer, uneven, with flowers near by."""
    height, width = canvas.shape[:2]
    patches = noise(rng, (width, height), (4, 14), 6)
    blades = noise(rng, (width, height), (90, 40), 2)
    depth = np.clip((np.arange(height)[:, None] - crest[None, :]) / (height - crest.min() + 1), 0, 1)
    light = 1.12 - 0.38 * depth + (patches - 0.5) * 0.34 + (blades - 0.5) * 0.22 * depth
    canvas = paint_below(canvas, crest, np.clip(np.array(mood.grass) * light[..., None], 0, 1))
    flowers = [rgb(each) for each in ("fff6d8", "ffd84a", "f3a5c0", "d96a6a")]
    for _ in range(int(rng.integers(60, 260))):
        row, column = (
            int(height - (height - crest.max()) * rng.random() ** 1.8 * 0.8) - 2,
            rng.integers(1, width - 2),
        )
        if row > crest[column] + 6:
            spread = 1 if row < height * 0.85 else 2
            target = canvas[row : row + spread, column : column + spread]
            target[:] = target * 0.25 + 0.75 * np.array(flowers[rng.integers(4)]) * mood.light
    return canvas


def water(rng: np.random.Generator, canvas: Canvas, line: int, mood: Mood, sun_x: int) -> Canvas:
    """Water below a row: what stands above it mirrored, broken by waves that grow towards the viewer."""
    height, width = canvas.shape[:2]
    depth = np.arange(height - line) / max(height - line, 1)
    waves = noise(rng, (width, height - line), (6, 46), 4) - 0.5
    mirrored = np.clip(line - 1 - np.arange(height - line) * line / (height - line) * 0.9, 0, line - 1)
    rows = np.clip(mirrored[:, None] + waves * 46 * (0.25 + depth[:, None]), 0, line - 1).astype(int)
    columns = np.clip(np.arange(width)[None, :] + waves * 18 * depth[:, None], 0, width - 1).astype(int)
    body = np.array(mood.zenith) * 0.62 + np.array([0.0, 0.07, 0.08])
    surface = blend(canvas[rows, columns], body, np.repeat((0.22 + 0.42 * depth)[:, None], width, axis=1))
    surface *= (1 + waves * (0.18 + 0.55 * depth[:, None]))[..., None]
    spread = width * (0.03 + 0.10 * depth[:, None])
    glitter = np.exp(-(((np.arange(width)[None, :] - sun_x) / spread) ** 2)) * smoothstep(0.08, 0.26, waves)
    canvas[line:] = np.clip(blend(surface, mood.sun, glitter * 0.8), 0, 1)
    return canvas


def trees(
    rng: np.random.Generator, canvas: Canvas, crest: Canvas, mood: Mood, size_px: float, count: int
) -> Canvas:
    """Trees along a skyline, in groups: firs and broad-leaved ones."""
    height, width = canvas.shape[:2]
    layer = Image.new("RGBA", (width * 3, height * 3))
    pen = ImageDraw.Draw(layer)
    groups = rng.uniform(0, width, max(1, count // 6))
    places = sorted(
        (float(np.clip(rng.normal(rng.choice(groups), width * 0.07), 0, width - 1)) for _ in range(count)),
        key=lambda place: crest[int(place)],
    )
    for place in places:
        base = (crest[int(place)] + size_px * 0.22) * 3
        tall, green = size_px * rng.uniform(0.6, 1.25) * 3, np.array(mood.grass) * rng.uniform(0.42, 0.66)
        draw = _fir if rng.random() < 0.6 else _broad_leaved
        draw(pen, rng, (place * 3, base), tall, green)
    small = np.asarray(layer.reduce(3), dtype=float) / 255
    return blend(canvas, small[..., :3], small[..., 3])


def _ink(colour: Canvas) -> tuple[int, ...]:
    return (*(int(each) for each in np.clip(colour * 255, 0, 255)), 255)


def _fir(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, foot: tuple[float, float], tall: float, green: Canvas
) -> None:
    x, y = foot
    pen.rectangle((x - tall * 0.03, y - tall * 0.12, x + tall * 0.03, y), _ink(np.array([0.25, 0.18, 0.12])))
    for tier in range(4):
        low, half = y - tall * (0.1 + 0.2 * tier), tall * (0.25 - 0.048 * tier)
        tip = (x, low - tall * 0.36)
        pen.polygon([tip, (x - half, low), (x + half, low)], _ink(green * (1 + 0.08 * tier)))
        pen.polygon([tip, (x, low), (x + half, low)], _ink(green * (0.78 + 0.06 * tier)))
    del rng


def _broad_leaved(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, foot: tuple[float, float], tall: float, green: Canvas
) -> None:
    x, y = foot
    pen.rectangle((x - tall * 0.04, y - tall * 0.4, x + tall * 0.04, y), _ink(np.array([0.3, 0.22, 0.15])))
    for step in range(14):
        size = tall * rng.uniform(0.13, 0.2)
        at_x, at_y = x + tall * rng.normal(0, 0.12), y - tall * (0.62 + rng.normal(0, 0.1))
        shade = 0.85 + 0.03 * step
        pen.ellipse((at_x - size, at_y - size, at_x + size, at_y + size), _ink(green * shade * 1.15))
