"""Colours are looked up once a profile was met often, and are what the engine makes of them."""

import io

from PIL import Image, ImageChops, ImageCms

from picture_bytes import exif, exif_segment, noise, saved, with_segments
from truthmill import image_colour, images
from truthmill.image_colour_table import COLOURS, Tables


def brighter(image: Image.Image) -> Image.Image:
    """Each level by a rule of its own, so that none can be taken for another."""
    return image.point([*range(3, 256), 0, 1, 2, *range(5, 256), *range(5), *range(255, -1, -1)])


class Counted:
    """A conversion that counts the pixels which it is asked for."""

    def __init__(self) -> None:
        self.pixels = 0

    def __call__(self, image: Image.Image) -> Image.Image:
        self.pixels += image.width * image.height
        return brighter(image)


def test_what_is_looked_up_is_what_was_to_be_made():
    tables, picture = Tables(), noise(300, 200)
    whole = Image.new("RGB", (4096, COLOURS // 4096))
    for image in (picture, whole, picture):
        made = tables.convert(image, b"one", brighter)
        assert (made.mode, made.tobytes()) == ("RGB", brighter(image).tobytes())


def test_a_table_is_filled_once_as_many_pixels_were_met_as_it_has_colours():
    tables, convert = Tables(), Counted()
    half = Image.new("RGB", (4096, COLOURS // 4096 // 2))
    tables.convert(half, b"one", convert)
    assert convert.pixels == COLOURS // 2
    for _ in range(3):  # the first of these fills it
        tables.convert(half, b"one", convert)
    assert convert.pixels == COLOURS // 2 + COLOURS


def test_two_profiles_in_turn_never_cost_more_than_twice():
    """Each time that one takes the other's place, as many pixels came first as it costs."""
    tables, convert, shown = Tables(), Counted(), 0
    eighth = Image.new("RGB", (4096, COLOURS // 4096 // 8))
    for profile in (b"one", b"two") * 20:
        tables.convert(eighth, profile, convert)
        shown += eighth.width * eighth.height
    assert convert.pixels <= 2 * shown


def test_in_a_mixture_of_many_profiles_none_is_worth_a_table():
    """And no more is remembered of them than of a few."""
    tables, convert, shown = Tables(), Counted(), 0
    quarter = Image.new("RGB", (4096, COLOURS // 4096 // 4))
    for number in range(160):
        tables.convert(quarter, b"%d" % (number % 20), convert)
        shown += quarter.width * quarter.height
    assert convert.pixels == shown


def foreign_profile(name: bytes) -> bytes:
    """sRGB's with red and green changed. name: four bytes, so that no other test has met it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    return profile[:80] + name + profile[84:]  # its creator (ICC.1:2010, 7.2.17)


def meet_often(profile: bytes) -> None:
    image_colour.from_profile(Image.new("RGB", (4096, COLOURS // 4096)), profile)
    assert image_colour.table(profile) is not None


def test_the_engines_colours_stay_to_the_level():
    profile, picture = foreign_profile(b"abcd"), noise(800, 600)
    engine = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
    )
    expected = engine.apply(picture)
    meet_often(profile)
    shown = image_colour.from_profile(picture, profile)
    assert ImageChops.difference(shown, expected).getbbox() is None
    assert ImageChops.difference(shown, picture).getbbox() is not None


def test_a_jpeg_is_the_same_picture_whether_its_colours_were_looked_up_or_not():
    """In any orientation, and not the same as without its profile."""
    profile = foreign_profile(b"efgh")
    shown = [
        saved(noise(*size), "JPEG", quality=90, icc_profile=profile) for size in ((640, 480), (300, 200))
    ]
    jpegs = [with_segments(jpeg, exif_segment(exif(turn))) for turn in range(1, 9) for jpeg in shown]
    before = [images.inspect(jpeg, "a.jpg", images.Limits()) for jpeg in jpegs]
    assert image_colour.table(profile) is None
    meet_often(profile)
    assert [images.inspect(jpeg, "a.jpg", images.Limits()) for jpeg in jpegs] == before
    assert all("srgb" in found.conversions for found in before)
    assert [found.orientation for found in before[::2]] == list(range(1, 9))
    plain = images.inspect(saved(noise(640, 480), "JPEG", quality=90), "a.jpg", images.Limits())
    assert plain.pixels != before[0].pixels
