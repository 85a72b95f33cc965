"""Peak memory of each function on an archive of 2 GiB, each in a process of its own.

    python bench/pipeline_memory.py

The archive and all that is written lie on the disk, behind a server that reads them by ranges. The handlers
are those that Lambda calls; the peak is the whole process's (interpreter and imports included), as Lambda
bills it, less its own runtime.
"""

import io
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from disk_store import DiskStore
from PIL import Image
from report import Report, Table, Target
from stages import Pipeline, Step, write_archive

ARCHIVE_BYTES = 2 * 1024**3
WANTED_MIB = 512
FUNCTIONS = ("prepare", "inspect_images", "split_dataset", "place_images")


def grain(size_wh: tuple[int, int], spread: float) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    numbers = np.random.default_rng(7)
    return np.clip(numbers.normal(128, spread, (size_wh[1], size_wh[0], 3)), 0, 255).astype(np.uint8)


def shifted(base: "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]", number: int) -> Image.Image:
    """The same grain, moved elsewhere under another patch of light: another picture at little cost."""
    dice = random.Random(number)
    pixels = np.roll(base, (dice.randrange(len(base)), dice.randrange(base.shape[1])), axis=(0, 1))
    top, left = dice.randrange(len(base) // 2), dice.randrange(base.shape[1] // 2)
    pixels[top : top + len(base) // 3, left : left + base.shape[1] // 3] //= 2
    return Image.fromarray(pixels)


def photographs() -> Iterator[bytes]:
    """12 megapixels, about 5 MB each, as a camera writes them."""
    base = grain((4000, 3000), 14)
    for number in range(100_000):
        out = io.BytesIO()
        shifted(base, number).save(out, "JPEG", quality=90)
        yield out.getvalue()


def largest_files() -> Iterator[bytes]:
    """PNG of nearly 40 MB, the largest file that Ground Truth takes."""
    base = grain((4200, 3150), 40)
    for number in range(100_000):
        out = io.BytesIO()
        shifted(base, number).save(out, "PNG", compress_level=0)
        yield out.getvalue()


def most_pixels() -> Iterator[bytes]:
    """JPEG of 100 megapixels, the most that Ground Truth takes."""
    base = np.tile(grain((2000, 2000), 3), (5, 5, 1))
    for number in range(100_000):
        out = io.BytesIO()
        shifted(base, number).save(out, "JPEG", quality=75)
        yield out.getvalue()


def up_to(total: int, contents: Iterator[bytes], extension: str) -> Iterator[tuple[str, bytes]]:
    """Named entries, until they have so many bytes."""
    written = 0
    for number, content in enumerate(contents):
        yield f"camera/IMG_{number:05d}{extension}", content
        written += len(content)
        if written >= total:
            return


CASES: dict[str, tuple[Callable[[], Iterator[bytes]], str, int]] = {
    "JPEG of 12 megapixels": (photographs, ".jpg", ARCHIVE_BYTES),
    "PNG of nearly 40 MB": (largest_files, ".png", ARCHIVE_BYTES),
    "JPEG of 100 megapixels": (most_pixels, ".jpg", 96 * 1024**2),
}


def measured(name: str) -> tuple[str, list[Step], float]:
    """What the archive is, every process of the run, and requests that read for each picture placed."""
    contents, extension, total = CASES[name]
    with tempfile.TemporaryDirectory() as folder, DiskStore(Path(folder, "bucket")) as store:
        size = write_archive(store.folder, up_to(total, contents(), extension))
        steps = list(Pipeline(store, {"onDegenerate": "continue"}).run())
        placed = sum(1 for path in store.folder.glob("datasets/*/images/*/*"))
        gets = sum(number for key, number in store.counted().items() if key.split()[0] in {"GET", "HEAD"})
    return f"{size / 1024**3:.2f} GiB, {placed} {name}", steps, gets / placed


def peaks(steps: list[Step]) -> dict[str, float]:
    return {name: max(step.mib for step in steps if step.function == name) for name in FUNCTIONS}


def run(rounds: int = 1) -> Report:
    """rounds: each process is one; the figure is the largest of all batches."""
    del rounds
    rows, worst, figures = [], {}, {}
    for name in CASES:
        about, steps, gets = measured(name)
        peak = peaks(steps)
        children = sum(step.function == "inspect_images" for step in steps)
        slowest = max(step.s for step in steps)
        rows.append(
            [
                about,
                str(children),
                *(f"{peak[function]:.0f}" for function in FUNCTIONS),
                f"{slowest:.0f}",
                f"{gets:.2f}",
            ]
        )
        worst[name] = max(peak.values())
        if name == "JPEG of 12 megapixels":
            figures = {f"{function}_mib": peak[function] for function in FUNCTIONS}
    columns = [
        "archive",
        "batches",
        *(f"`{function}`" for function in FUNCTIONS),
        "longest, s",
        "GET and HEAD a picture",
    ]
    return Report(
        name="pipeline_memory",
        title="An archive of 2 GiB: memory of the functions",
        about=(
            "Peak of resident memory, MiB, of a process for each invocation; of the Maps' children the "
            "largest. The third archive has the most pixels that Ground Truth takes: 100 million are 381 MiB "
            "once decoded. Other kinds of that size are among the largest pictures, above."
        ),
        rounds=1,
        tables=[Table("MiB, by function:", columns, rows)],
        targets=[
            Target(
                "a 2 GiB archive, memory of the functions",
                "",
                f"≤ {WANTED_MIB} MiB each",
                "; ".join(f"{name}: {mib:.0f} MiB" for name, mib in worst.items()),
                all(mib <= WANTED_MIB for mib in worst.values()),
            )
        ],
        figures=figures,
    )


if __name__ == "__main__":
    run(*(int(argument) for argument in sys.argv[1:])).show()
