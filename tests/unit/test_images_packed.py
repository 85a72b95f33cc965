"""JPEGs of three channels come from a decoder of their own, which must not differ from Pillow in anything."""

import contextlib
import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from picture_bytes import exif, exif_segment, noise, opened, saved, with_segments
from truthmill import image_containers, image_decoding, image_packed, image_pixels, images, similarity
from truthmill.errors import PictureError

SIDES = st.one_of(st.integers(1, 40), st.integers(1, 200))


def both(jpeg: bytes) -> tuple[image_packed.Packed | None, Image.Image | str]:
    """What the packed decoder answers, and what Pillow's way does: the picture, or the reason against it."""
    container = image_containers.read(jpeg, "a.jpg")
    packed, lacks_bits = None, False
    if container.keeps:
        try:
            packed = image_packed.decode(container, jpeg)
        except image_packed.DoubtError as doubt:
            lacks_bits = doubt.lacks_bits
    try:
        by_pillow = image_decoding.decode(container, jpeg, lambda _: None, lacks_bits=lacks_bits)
    except PictureError as error:
        return packed, error.reason
    return packed, by_pillow


@st.composite
def jpegs(draw) -> bytes:
    """Of any size, sampling and coding that Pillow writes; noise, a gradient, or flat (grey too)."""
    width, height = draw(SIDES), draw(SIDES)
    kind = draw(st.sampled_from(("noise", "gradient", "flat")))
    if kind == "flat":
        image = Image.new("RGB", (width, height), (draw(st.sampled_from((0, 127, 128, 255))),) * 3)
    else:
        image = noise(width, height) if kind == "noise" else Image.radial_gradient("L").convert("RGB")
        image = image.resize((width, height))
    options = {
        "quality": draw(st.sampled_from((1, 30, 75, 95, 100))),
        "progressive": draw(st.booleans()),
        "restart_marker_blocks": draw(st.sampled_from((0, 1, 3))),
    }
    coding = draw(st.sampled_from(({"keep_rgb": True}, *({"subsampling": kind} for kind in (0, 1, 2)))))
    out = io.BytesIO()
    with contextlib.suppress(OSError):  # Pillow's buffer is too small for some tiny pictures
        image.save(out, "JPEG", **options | coding)
    assume(out.tell())
    return out.getvalue()


@st.composite
def damaged(draw) -> bytes:
    """A JPEG after up to three changes anywhere behind its first marker."""
    content = bytearray(draw(jpegs()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(2, len(content) - 2))
        kind = draw(st.sampled_from(("bit", "cut", "insert", "marker", "end")))
        if kind == "bit":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[at : min(at + draw(st.integers(1, 20)), len(content) - 2)]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "marker":
            content[at:at] = bytes((0xFF, draw(st.sampled_from((0xD0, 0xD1, 0xC4, 0xFE, 0x00, 0xFF)))))
        else:
            del content[at:-2]
    return bytes(content)


@settings(max_examples=300, deadline=None)
@given(jpegs())
def test_a_whole_jpeg_has_the_pixels_that_pillow_gives(jpeg):
    packed, by_pillow = both(jpeg)
    assert packed.pixels.tobytes() == by_pillow.tobytes()
    assert packed.sampled().tobytes("raw", "RGB") == similarity.sampled(by_pillow).tobytes()


@settings(max_examples=600, deadline=None)
@given(damaged())
def test_of_a_damaged_jpeg_nothing_is_taken_but_what_pillow_takes_and_the_same(jpeg):
    try:
        packed, by_pillow = both(jpeg)
    except PictureError:
        return
    assert packed is None or packed.pixels.tobytes() == by_pillow.tobytes()


@pytest.mark.parametrize("sampling", ["444", "422", "420", "440", "411"])
def test_any_sampling_of_colours_has_the_pixels_that_pillow_gives(sampling):
    shown = np.asarray(Image.effect_noise((641, 479), 40).convert("RGB"))
    packed, by_pillow = both(simplejpeg.encode_jpeg(shown, colorsubsampling=sampling))
    assert packed.pixels.tobytes() == by_pillow.tobytes()


@pytest.mark.parametrize("size_wh", [(17_000, 40), (40, 65_500), (383, 385), (384, 383), (2000, 1500)])
def test_long_sides_and_the_borders_of_sampling_give_the_same(size_wh):
    shape = Image.radial_gradient("L").resize(size_wh).convert("RGB")
    packed, by_pillow = both(saved(shape, "JPEG"))
    assert packed.pixels.tobytes() == by_pillow.tobytes()
    assert packed.sampled().tobytes("raw", "RGB") == similarity.sampled(by_pillow).tobytes()


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 40, 300])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("coding", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_jpeg_that_lacks_its_last_bits_is_truncated_whatever_its_last_pixels_look_like(
    cut, orientation, coding
):
    """Where only bits are cut off that no pixel needs it is whole."""
    jpeg = saved(noise(64, 64), "JPEG", **coding)
    short = jpeg[: -2 - cut] + jpeg[-2:]
    lost = opened(short).tobytes() != opened(jpeg).tobytes()
    turned = with_segments(short, exif_segment(exif(orientation)))
    reason = ""
    try:
        images.inspect(turned, "a.jpg", images.Limits())
    except PictureError as error:
        reason = error.reason
    assert reason == ("truncated" if lost else "")
    assert lost or cut == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_has_the_digest_of_the_upright_picture(orientation):
    """Larger than a strip, so that it is turned in several, on either side."""
    shape = Image.effect_noise((1300, 1000), 60).convert("RGB")
    jpeg = saved(shape, "JPEG", quality=90)
    turned = with_segments(jpeg, exif_segment(exif(orientation)))
    found = images.inspect(turned, "a.jpg", images.Limits())
    upright = image_pixels.upright(opened(jpeg), orientation)
    expected = images.inspect(saved(upright, "PNG"), "a.png", images.Limits())
    assert found.pixels == expected.pixels
    assert (found.width, found.height) == upright.size


def test_a_jpeg_that_has_a_grey_corner_is_whole():
    packed, by_pillow = both(saved(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG"))
    assert packed.pixels.tobytes() == by_pillow.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "size_wh", [(1, 1), (7, 13), (383, 385), (640, 480), (480, 640), (500, 3), (769, 1000), (2048, 600)]
)
def test_a_turned_jpeg_has_the_pixels_and_the_sample_of_the_upright_picture(size_wh, orientation):
    """The sample's are those that Pillow takes of the picture as it came, on either side of 384 pixels.

    Of 640 pixels it takes others from one end than from the other.
    """
    jpeg = saved(noise(*size_wh), "JPEG", quality=90)
    packed, by_pillow = both(jpeg)
    seen = []
    sample = packed.turned(orientation, lambda pixels: seen.append(bytes(pixels)))
    assert b"".join(seen) == image_pixels.upright(by_pillow, orientation).tobytes()
    sampled = image_pixels.upright(similarity.sampled(by_pillow), orientation)
    assert sample.size == sampled.size
    assert sample.tobytes("raw", "RGB") == sampled.tobytes()
    assert similarity.square(sample) == similarity.square(sampled)
