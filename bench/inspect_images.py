"""Inspecting a picture (verify, convert, hash) against one full Pillow decode of the same bytes.

    python bench/inspect_images.py [rounds]

Both run in turn in one process; the figure is CPU time. A batch is inspected as the function InspectImages
does it, reading and writing left out. Every round gives a ratio; printed are their median and, in brackets,
the middle half. The last column leaves out the perceptual fingerprint. Pictures are soft shapes under grain,
which compress like photographs (3 to 4 bits a pixel at quality 90).
"""

import gc
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

from PIL import Image, ImageChops
from report import Report, Table, Target
from rounds import KEPT_MEMORY, fresh

from pipeline.inspect_images import inspected
from truthmill import images, similarity
from truthmill.records import Entry

_ORIENTATION = 274  # EXIF's tag
CASES = (
    ("JPEG", 640, 480, {"quality": 90}),  # of which the cost per picture is told
    ("JPEG", 300, 200, {"quality": 90}),
    ("JPEG", 2000, 1500, {"quality": 90}),
    ("JPEG", 2000, 1500, {"quality": 95, "subsampling": 0}),
    ("JPEG", 2000, 1500, {"quality": 90, "progressive": True}),
    ("JPEG", 4000, 3000, {"quality": 90}),
    ("JPEG", 640, 480, {"quality": 90, "orientation": 6}),
    ("JPEG", 2000, 1500, {"quality": 90, "orientation": 3}),
    ("JPEG", 2000, 1500, {"quality": 90, "orientation": 6}),
    ("JPEG", 4000, 3000, {"quality": 90, "orientation": 6}),
    ("PNG", 2000, 1500, {}),
    ("WEBP", 2000, 1500, {"quality": 90}),
)
LIMITS = images.Limits()
WANTED = 1.3


def photograph(width: int, height: int) -> Image.Image:
    """Soft shapes in all three channels, under grain."""
    gradient = Image.radial_gradient("L").resize((width, height))
    bands = [ImageChops.offset(gradient, width * step // 5, height * step // 7) for step in (1, 2, 4)]
    grain = Image.effect_noise((width, height), 12)
    return Image.merge("RGB", [ImageChops.add(band, grain, offset=-128) for band in bands])


def saved(picture: Image.Image, kind: str, orientation: int = 1, **options: Any) -> bytes:
    """orientation: what EXIF says, where it isn't upright."""
    if orientation != 1:
        options["exif"] = Image.Exif()
        options["exif"][_ORIENTATION] = orientation
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def cpu_s(work: Callable[[], object], repeats: int) -> float:
    """CPU seconds for one call, on average over some."""
    started = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - started) / repeats


def measure(data: bytes, name: str, rounds: int) -> tuple[float, list[float], list[float]]:
    """Median CPU seconds of a decode; each round's ratio of inspection, with and without fingerprint."""

    def decode() -> None:
        with Image.open(io.BytesIO(data)) as image:
            image.load()

    def inspect() -> None:
        for _ in inspected(batch, LIMITS):
            pass

    repeats = max(1, round(0.1 / cpu_s(decode, 2)))
    batch = [(Entry(name=name), data)] * repeats
    inspect()
    decodes, whole, bare = [], [], []
    for _ in range(rounds):
        decodes.append(cpu_s(decode, repeats))
        whole.append(cpu_s(inspect, 1) / repeats / decodes[-1])
        with without_fingerprint():
            bare.append(cpu_s(inspect, 1) / repeats / decodes[-1])
    return median(decodes), whole, bare


@contextmanager
def without_fingerprint() -> Iterator[None]:
    """Pictures have no square meanwhile, as if they couldn't be used."""
    square = similarity.square
    similarity.square = lambda _: b""
    try:
        yield
    finally:
        similarity.square = square


def shown(ratios: list[float]) -> str:
    low, _, high = quantiles(ratios, n=4)
    return f"{median(ratios):.2f} ({low:.2f}-{high:.2f})"


def one_round(rounds: int) -> None:
    """In a process of its own, with the function's environment: every case."""
    gc.disable()
    found = []
    for kind, width, height, options in CASES:
        data = saved(photograph(width, height), kind, **options)
        name = "a." + {"JPEG": "jpg"}.get(kind, kind.lower())
        said = " ".join([f"{width} x {height} {kind}", *(f"{key} {value}" for key, value in options.items())])
        found.append((said, len(data), *measure(data, name, rounds)))
    print(json.dumps({"cases": found}))


def about(said: str, _size: int, decode_s: float, whole: list[float], bare: list[float]) -> str:
    """What the table shows, given what was found of the smallest picture."""
    fingerprint_ms = (median(whole) - median(bare)) * decode_s * 1000
    return (
        "CPU of inspection (verify, convert, hashes, fingerprint) against that of one full Pillow "
        f"decode of the same bytes, in turn in one process, Pillow {Image.__version__}; a batch is "
        "inspected as the function does it, reading and writing left out. Of each round's ratio the "
        "median and, in brackets, the middle half. Pictures are soft shapes under grain, which compress "
        "like photographs. A JPEG of three channels is decoded to packed pixels, which takes less than "
        "Pillow's own decoding does: hence the ratios below 1. A JPEG to be turned (orientation 3 by half, "
        "6 by a quarter) is turned for its digest, which is that of the upright pixels: two passes over all "
        "of them, a fifth to a third of a decode. Both sides run in the function's environment "
        "(`template.yaml`).\n\n"
        "A fingerprint takes about as long whatever the picture's size. Half of it goes into coming to "
        "64 x 64 pixels, more where all of a picture's are looked at, as of sides below 384; a third "
        "into blurs of these, matrix products at the processor's speed, and spots in them. Of "
        f"{said} it is {fingerprint_ms:.2f} ms beside a decode of {decode_s * 1000:.2f}: 1.3 decodes are out "
        "of reach of a picture as small as that, while verifying it and both digests alone, in the last "
        "column, are near the floor of one decode."
    )


def run(rounds: int = 9) -> Report:
    """Every case, one after the other."""
    found = fresh(__file__, rounds, environment=KEPT_MEMORY)["cases"]
    rows = [
        [said, f"{size:,}", f"{decode_s * 1000:.1f}", shown(whole), shown(bare)]
        for said, size, decode_s, whole, bare in found
    ]
    ratios = {said: median(whole) for said, _, _, whole, _ in found}
    per_picture_s = found[0][2] * median(found[0][3])
    columns = ["picture", "bytes", "decode, ms", "inspect / decode", "without fingerprint"]
    missed = [f"{said} {ratio:.2f}" for said, ratio in ratios.items() if ratio > WANTED]
    return Report(
        name="inspect_images",
        title="Inspecting a picture",
        about=about(*min(found, key=lambda case: case[1])),
        rounds=rounds,
        tables=[Table("CPU, of one decode:", columns, rows)],
        targets=[
            Target(
                "inspect (verify + hashes), CPU",
                "one full Pillow decode of the same picture",
                f"≤ {WANTED} x",
                f"{median(ratios.values()):.2f} x (median of the kinds); "
                f"above: {', '.join(missed) or 'none'}",
                not missed,
            )
        ],
        figures={"cpu_s_per_picture": per_picture_s},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(int(sys.argv[2]))
    else:
        run(*(int(argument) for argument in sys.argv[1:])).show()
