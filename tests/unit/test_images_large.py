"""Large pictures take ways of their own, for the memory; what comes out is the same."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter
from PIL.JpegImagePlugin import get_sampling

from truthmill import image_containers, image_strips, image_webp, images, jpeg_strips
from truthmill.images import Limits, inspect, stored_bytes


def noise(size_wh: tuple[int, int], mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Soft noise: every block differs."""
    width, height = size_wh
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(levels).filter(ImageFilter.GaussianBlur(1.5))


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def pixels(data: bytes) -> tuple[str, bytes]:
    image = Image.open(io.BytesIO(data))
    return image.mode, image.tobytes()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size_wh", [(200, 150), (131, 97), (64, 16), (33, 17), (16, 160)])
def test_a_jpeg_of_strips_has_the_pixels_of_one_that_is_encoded_as_a_whole(size_wh, subsampling):
    image = noise(size_wh)
    width, height = size_wh
    strips = [image.crop((0, top, width, min(top + 16, height))) for top in range(0, height, 16)]
    made = jpeg_strips.encoded(strips, height, 90, subsampling, 1_000_000)
    assert pixels(made) == pixels(saved(image, "JPEG", quality=90, subsampling=subsampling))
    assert get_sampling(Image.open(io.BytesIO(made))) == subsampling


def test_a_jpeg_of_strips_that_would_be_too_large_is_none():
    image = noise((64, 32))
    strips = [image.crop((0, top, 64, top + 16)) for top in (0, 16)]
    size = len(jpeg_strips.encoded(strips, 32, 95, 0, 100_000))
    assert jpeg_strips.encoded(strips, 32, 95, 0, size) is not None
    assert jpeg_strips.encoded(strips, 32, 95, 0, size - 1) is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_a_large_picture_is_stored_with_the_pixels_of_any_other(orientation, mode, monkeypatch):
    """The one has 16 strips of whole units and a part of one."""
    exif = Image.Exif()
    exif[274] = orientation
    image = noise((263, 261)).convert(mode)
    data = saved(image, "JPEG", quality=90, exif=exif, subsampling=2)
    whole = stored_bytes(data, "a.jpg", Limits())
    monkeypatch.setattr(image_strips, "STRIP", 16 * 263)
    monkeypatch.setattr(images, "_LARGE", 0)
    stored = stored_bytes(data, "a.jpg", Limits())
    assert pixels(stored) == pixels(whole)
    assert inspect(stored, "a.jpg", Limits()).conversions == ()


@pytest.mark.parametrize("largest_side", [262, 200, 131, 40, 3])
@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_large_picture_is_scaled_to_the_pixels_of_any_other(
    format_, orientation, largest_side, monkeypatch
):
    """Each strip is made of the rows that it depends on."""
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(noise((263, 251)), format_, exif=exif)
    limits, name = Limits(largest_side=largest_side), "a.jpg" if format_ == "JPEG" else "a.png"
    whole = stored_bytes(data, name, limits)
    monkeypatch.setattr(image_strips, "STRIP", 16 * 40)
    monkeypatch.setattr(images, "_LARGE", 0)
    stored = stored_bytes(data, name, limits)
    ours, theirs = (Image.open(io.BytesIO(data)) for data in (stored, whole))
    assert ours.size == theirs.size
    assert max(ours.size) == largest_side
    off = np.abs(np.asarray(ours).astype(int) - np.asarray(theirs))
    assert off.mean() < 1
    assert off.max() <= 2 or format_ == "JPEG"


def test_a_large_picture_that_would_pass_the_limit_gets_a_lower_quality(monkeypatch):
    monkeypatch.setattr(images, "_LARGE", 0)
    data = saved(noise((400, 300)), "WEBP", quality=95)
    full = stored_bytes(data, "a.webp", Limits())
    smaller = stored_bytes(data, "a.webp", Limits(max_bytes=len(full) - 1))
    assert len(data) < len(smaller) < len(full)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("options", [{"quality": 60}, {"lossless": True}, {"lossless": True, "exact": True}])
def test_a_large_webp_is_decoded_to_the_same_pixels_as_any_other(mode, options, monkeypatch):
    data = saved(noise((131, 97), mode), "WEBP", **options)
    container = image_containers.read(data, "a.webp")
    found = image_webp.decoded(container, data)
    assert (found.mode, found.tobytes()) == pixels(data)
    before = inspect(data, "a.webp", Limits()), stored_bytes(data, "a.webp", Limits())
    monkeypatch.setattr(image_webp, "LARGE", 0)
    assert (inspect(data, "a.webp", Limits()), stored_bytes(data, "a.webp", Limits())) == before


def test_a_large_webp_that_is_broken_or_moves_is_left_to_pillow():
    frames = [noise((40, 30), seed=seed) for seed in (1, 2)]
    moving = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    whole = saved(frames[0], "WEBP")
    container = image_containers.read(whole, "a.webp")
    assert image_webp.decoded(image_containers.read(moving, "a.webp"), moving) is None
    for length in (10, 30, len(whole) // 2, len(whole) - 3):
        assert image_webp.decoded(container, whole[:length]) is None
