"""Inspecting a picture (verify, convert, hash) against one full Pillow decode of the same bytes.

    python bench/inspect_images.py [rounds]

Both run in turn in one process; the figure is CPU time. Every round gives a ratio; printed are their median
and, in brackets, the middle half. The last column leaves out the perceptual fingerprint. Pictures are soft
shapes under grain, which compress like photographs (3 to 4 bits a pixel at quality 90).
"""

import gc
import io
import sys
import time
from collections.abc import Callable
from statistics import median, quantiles

from PIL import Image, ImageChops

from truthmill import images, similarity

CASES = (
    ("JPEG", 640, 480, {"quality": 90}),
    ("JPEG", 2000, 1500, {"quality": 90}),
    ("JPEG", 2000, 1500, {"quality": 95, "subsampling": 0}),
    ("JPEG", 2000, 1500, {"quality": 90, "progressive": True}),
    ("JPEG", 4000, 3000, {"quality": 90}),
    ("PNG", 2000, 1500, {}),
    ("WEBP", 2000, 1500, {"quality": 90}),
)
LIMITS = images.Limits()


def photograph(width: int, height: int) -> Image.Image:
    """Soft shapes in all three channels, under grain."""
    gradient = Image.radial_gradient("L").resize((width, height))
    bands = [ImageChops.offset(gradient, width * step // 5, height * step // 7) for step in (1, 2, 4)]
    grain = Image.effect_noise((width, height), 12)
    return Image.merge("RGB", [ImageChops.add(band, grain, offset=-128) for band in bands])


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
        images.inspect(data, name, LIMITS)

    repeats = max(1, round(0.1 / cpu_s(decode, 2)))
    inspect()
    decodes, whole, bare = [], [], []
    fingerprint = similarity.fingerprint
    for _ in range(rounds):
        decodes.append(cpu_s(decode, repeats))
        whole.append(cpu_s(inspect, repeats) / decodes[-1])
        similarity.fingerprint = lambda _: ""
        bare.append(cpu_s(inspect, repeats) / decodes[-1])
        similarity.fingerprint = fingerprint
    return median(decodes), whole, bare


def shown(ratios: list[float]) -> str:
    low, _, high = quantiles(ratios, n=4)
    return f"{median(ratios):.2f} ({low:.2f}-{high:.2f})"


def main(rounds: int) -> None:
    """Print the table."""
    gc.disable()
    print(f"CPU of inspection / CPU of one Pillow decode, {rounds} rounds, Pillow {Image.__version__}\n")
    print("| picture | bytes | decode, ms | inspect | without fingerprint |")
    print("| --- | --- | --- | --- | --- |")
    for kind, width, height, options in CASES:
        out = io.BytesIO()
        photograph(width, height).save(out, kind, **options)
        data = out.getvalue()
        name = "a." + {"JPEG": "jpg"}.get(kind, kind.lower())
        decode_s, whole, bare = measure(data, name, rounds)
        said = " ".join([kind, *(f"{key} {value}" for key, value in options.items())])
        cells = [
            f"{width} x {height} {said}",
            f"{len(data):,}",
            f"{decode_s * 1000:.1f}",
            shown(whole),
            shown(bare),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
