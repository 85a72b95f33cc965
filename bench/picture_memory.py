"""Peak memory of inspecting one picture of 100 megapixels, and of making it fit to be stored.

    python bench/picture_memory.py

Each in a process of its own, imports and the file included, as Lambda counts it, less its own runtime.
"""

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from report import Report, Table, Target
from rounds import KEPT_MEMORY, fresh, peak_mib

SIDE = 10_000  # pixels: 100 megapixels are the most that Ground Truth takes
HALF = {"WEBP", "AVIF"}  # of which at most half as many are taken
WANTED_MIB = 512
MEMORY_MIB = 1769  # of the functions, template.yaml
_ORIENTATION = 274  # EXIF's tag
# Mode, and how it is saved.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("RGB", {"format": "JPEG"}),
    "JPEG, progressive": ("RGB", {"format": "JPEG", "progressive": True}),
    "JPEG, progressive, 4:4:4": ("RGB", {"format": "JPEG", "progressive": True, "subsampling": 0}),
    "JPEG to be turned": ("RGB", {"format": "JPEG", "orientation": 6}),
    "JPEG, progressive, to be turned": ("RGB", {"format": "JPEG", "progressive": True, "orientation": 6}),
    "JPEG, grey": ("L", {"format": "JPEG"}),
    "JPEG, CMYK": ("CMYK", {"format": "JPEG"}),
    "PNG": ("RGB", {"format": "PNG", "compress_level": 1}),
    "PNG with alpha": ("RGBA", {"format": "PNG", "compress_level": 1}),
    "PNG, palette": ("P", {"format": "PNG", "compress_level": 1}),
    "PNG, grey, 16 bits": ("I;16", {"format": "PNG", "compress_level": 1}),
    "TIFF, deflated": ("RGB", {"format": "TIFF", "compression": "tiff_adobe_deflate"}),
    "WebP of 50 megapixels": ("RGB", {"format": "WEBP", "quality": 50, "method": 0}),
    "AVIF of 50 megapixels": ("RGB", {"format": "AVIF", "quality": 50, "speed": 10}),
}


def made(kind: str) -> bytes:
    """A file of that kind: a soft shape, which compresses to some megabytes at most."""
    mode, options = KINDS[kind]
    options = dict(options)
    size = (SIDE, SIDE // 2 if options["format"] in HALF else SIDE)
    picture = Image.radial_gradient("L").resize(size, Image.Resampling.NEAREST).convert(mode)
    if mode == "RGBA":
        picture.putalpha(picture.getchannel("R"))
    if orientation := options.pop("orientation", 0):
        options["exif"] = Image.Exif()
        options["exif"][_ORIENTATION] = orientation
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def one_round(what: str, path: str) -> None:
    """In a process of its own. what: "make" the kind that the path names, "inspect" it, or "store" it."""
    from truthmill import images
    from truthmill.similarity import fingerprints

    file = Path(path)
    if what == "make":
        file.write_bytes(made(file.name))
    elif what == "inspect":
        fingerprints([images.inspect(file.read_bytes(), "picture", images.Limits()).square])
    else:
        images.stored_bytes(file.read_bytes(), "picture", images.Limits())
    print(json.dumps({"mib": peak_mib()}))


def run(rounds: int = 1) -> Report:
    """rounds: a peak is the same in each; one is made."""
    del rounds
    rows, over, most = [], [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            path = Path(folder, kind)
            fresh(__file__, "make", path)
            peaks = [
                fresh(__file__, what, path, environment=given)["mib"]
                for what, given in (("inspect", KEPT_MEMORY), ("store", {}))
            ]
            rows.append([kind, *(f"{peak:.0f}" for peak in peaks)])
            most = max(most, *peaks)
            if peaks[0] > WANTED_MIB:
                over.append(f"{kind} {peaks[0]:.0f} MiB")
            path.unlink()
    return Report(
        name="picture_memory",
        title="The memory that the largest pictures take",
        about=(
            "Peak of resident memory, MiB, of a process that inspects one picture of 100 megapixels, and of "
            "one that makes it fit to be stored; imports and the file included. Pillow holds 381 MiB of it, "
            "95 where it is grey; a JPEG of three channels is inspected packed, which is 286. Colours and "
            "turns are made strip by strip, and a JPEG to store is encoded strip by strip, so that neither "
            "takes much more than that. What needs nothing done is stored "
            "without being decoded. Decoders' own memory comes on top: of WebP 4 bytes a pixel, of a "
            "progressive JPEG all coefficients, two bytes for each sample: 286 MiB, or 572 with colours in "
            "full, which is above 512 by itself. With the pixels that is 572 and 858 MiB, the floor of "
            "decoders that answer with all pixels at once, as each in the package does; what is measured is "
            "5 to 8 % more, the program and the file. The functions have "
            f"{MEMORY_MIB:,} MiB."
        ),
        rounds=1,
        tables=[Table("MiB:", ["picture", "inspect", "make fit to be stored"], rows)],
        targets=[
            Target(
                "inspect 100 megapixels, peak memory",
                "",
                f"≤ {WANTED_MIB} MiB",
                f"{len(KINDS) - len(over)} of {len(KINDS)} kinds; above: {', '.join(over) or 'none'}",
                not over,
            ),
            Target(
                "inspect or store 100 megapixels, peak memory of any kind",
                "the functions' memory",
                f"≤ two thirds of {MEMORY_MIB} MiB",
                f"{most:.0f} MiB",
                most <= MEMORY_MIB * 2 / 3,
            ),
        ],
        figures={"most_mib": most},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(*sys.argv[2:])
    else:
        run().show()
