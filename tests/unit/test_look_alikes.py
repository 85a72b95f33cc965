"""Pictures that are the same but for a thing, of which detectors are made: no near-duplicates."""

from collections.abc import Callable, Iterable

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from test_similarity import linked, picture

WIDTH, HEIGHT = 480, 360


Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels


def background(seed: int) -> Image.Image:
    return picture(seed, (WIDTH, HEIGHT)).filter(ImageFilter.GaussianBlur(6))


def with_oval(image: Image.Image, box: Box, change: Callable[[int], float]) -> Image.Image:
    """With a thing there. change: what becomes of red, green and blue."""
    part = image.crop(box)
    mask = Image.new("L", part.size)
    ImageDraw.Draw(mask).ellipse((2, 2, part.width - 3, part.height - 3), fill=255)
    result = image.copy()
    result.paste(part.point(change), box[:2], mask.filter(ImageFilter.GaussianBlur(1.5)))
    return result


def paler(value: int) -> float:
    """As a translucent white would make it."""
    return value + 0.45 * (255 - value)


def darker(value: int) -> float:
    return 0.55 * value


def false_links(pairs: Iterable[tuple[Image.Image, Image.Image]]) -> int:
    return sum(bool(linked(list(pair))) for pair in pairs)


def test_a_small_thing_that_hardly_stands_out_makes_another_picture():
    """Of a tenth of the width, by 28 shades lighter than what is behind it."""
    empty = [background(seed) for seed in range(12)]
    assert (
        false_links((image, with_oval(image, (200, 150, 260, 210), lambda v: v + 28)) for image in empty) <= 1
    )


@pytest.mark.parametrize("change", [paler, darker])
def test_a_thing_that_a_watermark_could_be_by_its_light_is_none_by_its_shape(change):
    boxes = [(60 + 20 * seed, 90 + 10 * seed, 120 + 20 * seed, 146 + 10 * seed) for seed in range(12)]
    empty = [background(seed) for seed in range(12)]
    assert (
        false_links((image, with_oval(image, box, change)) for image, box in zip(empty, boxes, strict=True))
        == 0
    )


@pytest.mark.parametrize("change", [paler, darker])
def test_two_things_are_no_watermark_from_one_to_the_other(change):
    empty = [background(seed) for seed in range(12)]
    both = [
        with_oval(with_oval(image, (60, 200, 116, 242), change), (330, 205, 386, 247), change)
        for image in empty
    ]
    assert false_links(zip(empty, both, strict=True)) == 0


def test_brighter_copies_of_strong_colours_are_found():
    """So strong that they are near the ends of Cb and Cr."""
    originals = []
    for seed in range(12):
        image = background(seed)
        pen = ImageDraw.Draw(image)
        pen.ellipse((20, 60, 230, 330), fill=(150, 60, 5))
        pen.ellipse((240, 20, 470, 300), fill=(5, 40, 140))
        originals.append(image)
    copies = [ImageEnhance.Brightness(image).enhance(1.6) for image in originals]
    assert len({(number, number + 12) for number in range(12)} & linked(originals + copies)) == 12
