"""Memory that inspecting a large picture takes, in a process of its own."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from truthmill.images import Limits, inspect, stored_bytes

SIZE_WH = (6000, 5000)
PIXELS = SIZE_WH[0] * SIZE_WH[1]
HELD = 4  # bytes a pixel that Pillow holds of a decoded picture
# The highest mark of resident memory, which on Linux begins anew with a program.
CHILD = """
import sys
from pathlib import Path
import numpy, xxhash
from PIL import Image, JpegImagePlugin, PngImagePlugin
from truthmill import images, similarity, image_strips

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024

data = Path(sys.argv[1]).read_bytes()
before = peak()
if sys.argv[2] == "inspect":
    similarity.fingerprints([images.inspect(data, "a", images.Limits()).square])
else:
    images.stored_bytes(data, "a", images.Limits())
print(peak() - before)
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def turned_jpeg() -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return saved("RGB", "JPEG", exif=exif)


def grey_jpeg() -> bytes:
    """It is decoded twice: what is cut off looks like that."""
    out = io.BytesIO()
    Image.new("RGB", SIZE_WH, (128, 128, 128)).save(out, "JPEG")
    return out.getvalue()


def saved(mode: str, format_: str, **options: object) -> bytes:
    shape = Image.radial_gradient("L").resize(SIZE_WH, Image.Resampling.NEAREST)
    image = shape.convert(mode)
    if mode == "RGBA":
        image.putalpha(shape)
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


MAKERS = {
    "JPEG": lambda: saved("RGB", "JPEG"),
    "JPEG to be turned": turned_jpeg,
    "JPEG that ends in grey": grey_jpeg,
    "JPEG in CMYK": lambda: saved("CMYK", "JPEG"),
    "PNG with alpha": lambda: saved("RGBA", "PNG", compress_level=1),
    "WebP": lambda: saved("RGB", "WEBP", quality=50, method=0),
}
FACTORS = {"WebP": 2.3}  # its decoder's pixels, and Pillow's image of them; Pillow's own way takes 4


def peak(data: bytes, what: str, folder: Path) -> int:
    """Bytes by which the peak rises."""
    path = folder / "picture"
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", CHILD, path, what], capture_output=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_large_picture_is_held_once_while_it_is_inspected(kind, tmp_path):
    assert peak(MAKERS[kind](), "inspect", tmp_path) < FACTORS.get(kind, 1.3) * HELD * PIXELS


@pytest.mark.parametrize("kind", ["JPEG to be turned", "JPEG in CMYK", "PNG with alpha", "WebP"])
def test_a_large_picture_is_held_once_while_it_is_made_fit_to_be_stored(kind, tmp_path):
    assert peak(MAKERS[kind](), "store", tmp_path) < FACTORS.get(kind, 1.3) * HELD * PIXELS


def test_a_picture_that_came_turned_is_inspected_as_it_is_stored():
    """It is larger than a strip, so each side is put together from several."""
    exif = Image.Exif()
    for orientation in range(2, 9):
        exif[274] = orientation
        shape = Image.linear_gradient("L").resize((1501, 1203)).convert("RGB")
        shape.paste((200, 30, 30), (100, 50, 700, 400))
        out = io.BytesIO()
        shape.save(out, "PNG", exif=exif, compress_level=1)
        turned = inspect(out.getvalue(), "a.png", Limits())
        stored = stored_bytes(out.getvalue(), "a.png", Limits())
        upright = inspect(stored, "a.png", Limits())
        assert upright.conversions == ()
        assert (turned.pixels, turned.width, turned.height) == (upright.pixels, upright.width, upright.height)
        ours, theirs = (Image.frombytes("YCbCr", (64, 64), found.square) for found in (turned, upright))
        assert ours.reduce(8).tobytes() == theirs.reduce(8).tobytes()
