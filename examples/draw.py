"""Draw the demo's zip: landscapes with balloons, sailboats, houses and lighthouses, and the truth about them.

    python examples/draw.py OUT --seed 7 --pictures 40

writes OUT/lakeside.zip, the zip's pictures below OUT/images/, and OUT/truth.json (COCO; file_name is the name
within the zip, boxes are in upright pixels). The same seed gives the same bytes. Beside the pictures the zip
has what real zips have: odd names, rotated photographs, a copy, a file that ends early, a note, and what
operating systems leave behind.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scene import AT_HOME, Found, draw_scene
from scenery import MOODS

LABELS = ("balloon", "house", "lighthouse", "sailboat")
ARCHIVE = "lakeside.zip"
TRUTH = "truth.json"
IMAGES = "images"
LEAST_PICTURES = 16  # so that every awkward name and every rotation occurs
COPY = "backup/copy of regatta.jpg"
BROKEN = "Am See/transfer interrupted.jpg"
NOTE = "read me.txt"
DIFFERENT = 12  # of 64 bits: no two pictures look more alike than that

SIZES = ((640, 480), (800, 600), (720, 480), (480, 640), (640, 640), (768, 512), (600, 400))
# Names that have broken a pipeline somewhere; one base name in two folders, one stem with two extensions.
NAMES = {
    0: "Am See/Hütte (1).jpg",
    1: "Am See/sails + sun 100%.png",
    2: "⛵ regatta.jpg",
    3: "IMG_0004.jpg",
    4: "Am See/IMG_0004.jpg",
    6: 'grandma\'s "big" trip.jpg',
    7: "DSC 0007.JPG",
    8: "Am See/morning.jpg",
    9: "Am See/morning.png",
    11: "photo.2026.07.01.jpeg",
    14: "日の出.jpg",
}
# EXIF orientation of pictures whose stored pixels are turned, and how they are turned for it.
ROTATED = {
    5: (6, Image.Transpose.ROTATE_90),
    10: (8, Image.Transpose.ROTATE_270),
    13: (3, Image.Transpose.ROTATE_180),
}
EMPTY_EVERY = 8  # pictures without any subject: negatives
JUNK = {
    "Am See/": b"",
    "__MACOSX/": b"",
    "__MACOSX/Am See/._IMG_0004.jpg": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ",
    ".DS_Store": b"\x00\x00\x00\x01Bud1",
    "Am See/Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}
REQUEST = {
    "labels": list(LABELS),
    "instructions": {
        "title": "Balloons, houses, lighthouses, sailboats",
        "description": "Draw a box around each of them that you can see.",
        "short": "One box for each, tight around what you can see of it. Leave out shadows and reflections.",
        "full": "Mast, flag and basket belong to the subject; its shadow and its mirror image do not. "
        "Where something hides a part, the box goes around the part that can be seen. "
        "A picture may have nothing to label: submit it without a box.",
    },
    "split": {"validation": 0.2, "seed": "lakeside"},
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn picture. data: its file's bytes. width, height, found: upright."""

    name: str
    data: bytes
    width: int
    height: int
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What `make_demo` wrote. images: the folder of pictures; pictures: different ones, without the copy."""

    archive: Path
    truth: Path
    images: Path
    labels: tuple[str, ...]
    pictures: int


def make_demo(folder: Path, seed: int = 7, pictures: int = 40) -> DemoFiles:
    """Draw the pictures; write them, their zip and the truth into the folder, which is made if it is missing.

    Raises ValueError for fewer pictures than LEAST_PICTURES.
    """
    if pictures < LEAST_PICTURES:
        raise ValueError(f"{pictures} pictures; the demo needs at least {LEAST_PICTURES}.")
    drawn = list(draw_pictures(seed, pictures))
    regatta = drawn[2]
    drawn.append(Picture(COPY, regatta.data, regatta.width, regatta.height, regatta.found))
    for picture in drawn:
        path = folder / IMAGES / picture.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.data)
    _write_archive(folder / ARCHIVE, drawn)
    text = json.dumps(truth_of(drawn), ensure_ascii=False, indent=1)
    (folder / TRUTH).write_text(text + "\n", encoding="utf-8")
    return DemoFiles(folder / ARCHIVE, folder / TRUTH, folder / IMAGES, LABELS, pictures)


def draw_pictures(seed: int, count: int) -> Iterator[Picture]:
    """Pictures that look clearly different from one another."""
    looks: list[int] = []
    for number in range(count):
        for attempt in range(100):
            rng = np.random.default_rng([seed, number, attempt])
            size_wh = SIZES[int(rng.integers(len(SIZES)))]
            land = list(AT_HOME)[(number + attempt) % len(AT_HOME)]
            mood = list(MOODS)[int(rng.integers(len(MOODS)))]
            image, found = draw_scene(rng, size_wh, land, mood, _wanted(number, land))
            look = _look(image)
            if all((look ^ other).bit_count() >= DIFFERENT for other in looks):
                break
        looks.append(look)
        yield Picture(_name(number), _file(number, image), *image.size, tuple(found))


def truth_of(pictures: Sequence[Picture]) -> dict[str, Any]:
    """The truth as a COCO document; a category's id is its place in LABELS, from 1."""
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, start=1):
        for found in picture.found:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": LABELS.index(found.label) + 1,
                    "bbox": [found.left, found.top, found.width, found.height],
                    "area": found.width * found.height,
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "Truth of the drawn demo pictures, in pixels of the upright picture."},
        "images": [
            {"id": image_id, "file_name": picture.name, "width": picture.width, "height": picture.height}
            for image_id, picture in enumerate(pictures, start=1)
        ],
        "categories": [{"id": number, "name": label} for number, label in enumerate(LABELS, start=1)],
        "annotations": annotations,
    }


def _wanted(number: int, land: str) -> list[str]:
    if number % EMPTY_EVERY == EMPTY_EVERY - 1:
        return []
    at_home = AT_HOME[land]
    return [at_home[(number + each) % len(at_home)] for each in range(1 + number % 5)]


def _name(number: int) -> str:
    if number in NAMES:
        return NAMES[number]
    folder = ("", "Am See/", "Harbour, day 2/")[number % 3]
    return f"{folder}IMG_{number + 1001:04}.{'png' if _is_png(number) else 'jpg'}"


def _is_png(number: int) -> bool:
    return NAMES.get(number, "").endswith(".png") or (number not in NAMES and number % 9 == 0)


def _look(image: Image.Image) -> int:
    """64 bits: whether brightness falls from each cell of a coarse grid to its right neighbour."""
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=int)
    return int("".join("1" if bit else "0" for bit in (grey[:, :-1] > grey[:, 1:]).ravel()), 2)


def _file(number: int, image: Image.Image) -> bytes:
    data = io.BytesIO()
    if _is_png(number):
        image.save(data, "PNG")
        return data.getvalue()
    exif = Image.Exif()
    if number in ROTATED:
        orientation, turn = ROTATED[number]
        exif[0x0112] = orientation
        image = image.transpose(turn)
    exif[0x0132] = f"2026:07:01 {8 + number // 6 % 12:02}:{number * 7 % 60:02}:00"
    image.save(data, "JPEG", quality=88, exif=exif)
    return data.getvalue()


def _write_archive(path: Path, pictures: Sequence[Picture]) -> None:
    """Entries with one fixed time, so that the same pictures give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, "truthmill.json", json.dumps(REQUEST, indent=2).encode())
        for name, data in JUNK.items():
            _add(archive, name, data)
        for picture in pictures:
            _add(archive, picture.name, picture.data)
        _add(archive, BROKEN, pictures[0].data[: len(pictures[0].data) * 3 // 5])
        _add(archive, NOTE, b"Nothing to see here: a file that is no picture.\n")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(2026, 7, 1, 12, 0, 0))
    entry.create_system = 3  # the same on every system
    entry.external_attr = (0o040755 << 16) | 0x10 if name.endswith("/") else 0o100644 << 16
    # Pictures are compressed already; the text is packed, so that both methods occur.
    packed = name.endswith((".txt", ".json"))
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(entry, data)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the demo's pictures, with the truth about them.")
    parser.add_argument("out", type=Path, help="folder for lakeside.zip, truth.json and images/")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=40, help=f"at least {LEAST_PICTURES}")
    arguments = parser.parse_args()
    demo = make_demo(arguments.out, arguments.seed, arguments.pictures)
    written = {"archive": str(demo.archive), "truth": str(demo.truth), "images": str(demo.images)}
    print(json.dumps({**written, "pictures": demo.pictures}))


if __name__ == "__main__":
    main()
