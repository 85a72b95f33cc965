"""Fingerprints and near-duplicates, on pictures drawn here."""

import base64
import io
import subprocess
import sys
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from truthmill import grouping, similarity
from truthmill.errors import FormatError
from truthmill.similarity_search import MAX_DISTANCE, near_duplicates

Transpose = Image.Transpose


def picture(seed: int, size_wh: tuple[int, int] = (320, 240)) -> Image.Image:
    """Shapes of all sizes before a slope of light."""
    random = Random(seed)  # noqa: S311 - not a secret
    width, height = size_wh
    image = Image.linear_gradient("L").resize(size_wh).convert("RGB")
    pen = ImageDraw.Draw(image)
    for _ in range(45):
        x, y = random.uniform(0, width), random.uniform(0, height)
        reach = width * random.choice((0.03, 0.05, 0.08, 0.14))
        corners = [
            (x + random.uniform(-reach, reach), y + random.uniform(-reach, reach))
            for _ in range(random.randint(3, 6))
        ]
        pen.polygon(corners, fill=tuple(random.randint(0, 255) for _ in range(3)))
    return image.filter(ImageFilter.GaussianBlur(0.8))


def reencoded(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    return Image.open(file).convert("RGB")


COPIES = {
    "re-encoded": reencoded,
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "twice the size": lambda image: image.resize((image.width * 2, image.height * 2)),
    "stretched": lambda image: image.resize((image.width, image.width)),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.75),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "mirrored": lambda image: image.transpose(Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda image: image.transpose(Transpose.FLIP_TOP_BOTTOM),
    "a quarter": lambda image: image.transpose(Transpose.ROTATE_90),
    "half a turn": lambda image: image.transpose(Transpose.ROTATE_180),
    "three quarters": lambda image: image.transpose(Transpose.ROTATE_270),
    "transposed": lambda image: image.transpose(Transpose.TRANSPOSE),
    "cropped by 6 %": lambda image: image.crop((10, 5, image.width - 10, image.height - 9)),
    "rotated by 4 degrees": lambda image: image.rotate(4, Image.Resampling.BICUBIC),
}


def linked(images: list[Image.Image], distance: int = 3) -> set[tuple[int, int]]:
    pairs = near_duplicates(similarity.pack(map(similarity.fingerprint, images)), distance)
    return {(int(one), int(other)) for one, other in pairs.links.T}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_among_others(name):
    images = [picture(seed) for seed in range(12)]
    copies = [COPIES[name](image) for image in images]
    found = {(number, number + 12) for number in range(12)} & linked(images + copies)
    assert len(found) >= {"cropped by 6 %": 8, "rotated by 4 degrees": 3}.get(name, 12)


def test_different_pictures_are_in_no_pair():
    assert linked([picture(seed) for seed in range(150)], MAX_DISTANCE) == set()


def test_another_object_before_the_same_background_is_another_picture():
    images = []
    for seed in range(15):
        for number, colour in enumerate(("white", "black")):
            image = picture(seed)
            left = 60 + 100 * number
            ImageDraw.Draw(image).ellipse((left, 60, left + 70, 130), fill=colour)
            images.append(image)
    assert linked(images) == set()


def test_an_object_before_something_black_is_another_picture():
    """Black is only left out where a rotation may have laid it bare."""
    image = picture(4)
    ImageDraw.Draw(image).rectangle((110, 70, 230, 180), fill="black")
    other = image.copy()
    ImageDraw.Draw(other).ellipse((140, 90, 200, 160), fill=(80, 130, 90))
    assert linked([image, other]) == set()


def test_an_object_of_another_colour_and_the_same_grey_is_another_picture():
    images = []
    for colour in ((200, 60, 60), (40, 140, 40)):
        image = picture(1)
        ImageDraw.Draw(image).rectangle((100, 60, 200, 160), fill=colour)
        images.append(image)
    assert linked(images) == set()


def watermarked(image: Image.Image, strength: int = 150) -> Image.Image:
    """A line of translucent white letters."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    pen.text((40, 100), "SAMPLE COPY", fill=(255, 255, 255, strength), font_size=36)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def test_watermarked_copies_are_found():
    images = [picture(seed) for seed in range(20)]
    found = linked(images + [watermarked(image) for image in images])
    assert len(found & {(number, number + 20) for number in range(20)}) >= 18
    assert all(other - one == 20 for one, other in found)


def lettered(image: Image.Image, colour: tuple[int, int, int, int], at: tuple[int, int]) -> Image.Image:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    ImageDraw.Draw(layer).text(at, "PROOF COPY", fill=colour, font_size=40)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def saturated(seed: int) -> Image.Image:
    """Shapes of strong colours: a white mark takes as much of the colour as it adds light."""
    return Image.blend(picture(seed), Image.new("RGB", (320, 240), (250, 190, 0)), 0.5)


def assert_marked_copies_are_found(images: list[Image.Image], colour: tuple[int, int, int, int]) -> None:
    found = linked(images + [lettered(image, colour, (20, 90)) for image in images])
    assert len(found & {(number, number + 20) for number in range(20)}) >= 18
    assert all(other - one == 20 for one, other in found)


def test_a_watermark_makes_strong_colours_paler():
    assert_marked_copies_are_found([saturated(seed) for seed in range(20)], (255, 255, 255, 170))


def test_dark_watermarks_are_found():
    images = [picture(seed).point(lambda shade: 90 + 0.6 * shade) for seed in range(20)]
    assert_marked_copies_are_found(images, (0, 0, 0, 150))


def out_of_focus(seed: int) -> Image.Image:
    """Large, soft shapes: nothing stands out but what is drawn over them."""
    return picture(seed, (96, 72)).filter(ImageFilter.GaussianBlur(5)).resize((320, 240))


def test_copies_without_any_spot_of_their_own_are_found():
    assert_marked_copies_are_found([out_of_focus(seed) for seed in range(20)], (255, 255, 255, 150))


def test_different_pictures_out_of_focus_are_in_no_pair():
    assert linked([out_of_focus(seed) for seed in range(150)]) == set()


def test_a_white_bar_across_a_picture_is_no_watermark():
    """It covers wholly, where a watermark lets through what is below."""
    images = [picture(seed) for seed in range(10)]
    barred = []
    for image in images:
        copy = image.copy()
        ImageDraw.Draw(copy).rectangle((40, 100, 280, 130), fill="white")
        barred.append(copy)
    assert linked(images + barred) == set()


def test_copies_whose_light_is_cut_off_are_found():
    """The lightest tenth of each picture is beyond white, then all of it is pulled to the middle."""
    images = [picture(seed).point(lambda shade: 40 + 0.55 * shade) for seed in range(20)]
    lighter = [
        ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.6)).enhance(0.85) for image in images
    ]
    found = linked(images + lighter)
    assert len(found & {(number, number + 20) for number in range(20)}) == 20
    assert all(other - one == 20 for one, other in found)


def test_copies_of_whose_colours_one_after_the_other_is_cut_off_are_found():
    """Of a light blue first blue reaches white, then green: it turns grey, and most of a picture with it."""
    images = [
        Image.blend(picture(seed), Image.new("RGB", (320, 240), (150, 190, 250)), 0.7) for seed in range(20)
    ]
    found = linked(images + [ImageEnhance.Brightness(image).enhance(1.35) for image in images])
    assert len(found & {(number, number + 20) for number in range(20)}) >= 18
    assert all(other - one == 20 for one, other in found)


def test_another_object_in_a_picture_with_more_light_is_another_picture():
    lighter, others = [], []
    for seed in range(15):
        image = picture(seed).point(lambda shade: 30 + 0.7 * shade)
        other = image.copy()
        ImageDraw.Draw(image).ellipse((60, 60, 130, 130), fill=(190, 60, 60))
        ImageDraw.Draw(other).ellipse((160, 60, 230, 130), fill=(60, 60, 190))
        lighter.append(ImageEnhance.Brightness(image).enhance(1.4))
        others.append(other)
    assert linked(lighter + others) == set()


def with_object(seed: int, colour: tuple[int, int, int]) -> Image.Image:
    image = picture(seed).point(lambda shade: 30 + 0.7 * shade)
    ImageDraw.Draw(image).rectangle((100, 60, 180, 140), fill=colour)
    return image


@pytest.mark.parametrize("colour", [(215, 60, 60), (70, 80, 215)], ids=["red", "blue"])
def test_copies_of_which_one_colour_s_light_is_cut_off_are_found(colour):
    """The object's red or blue reaches white, its grey is far from it: it becomes paler, but not grey."""
    red, green, blue = colour
    grey = (round(0.299 * red + 0.587 * green + 0.114 * blue),) * 3
    for seed in range(8):
        image, lighter, other = (
            with_object(seed, colour),
            ImageEnhance.Brightness(with_object(seed, colour)).enhance(1.4),
            ImageEnhance.Brightness(with_object(seed, grey)).enhance(1.4),
        )
        assert linked([image, lighter, other]) == {(0, 1)}


def test_copies_of_what_was_nearly_white_already_are_found():
    """Both are cut off there: neither tells how light the other is."""
    found = set()
    for seed in range(10):
        image = picture(seed).point(lambda shade: 40 + 0.6 * shade)
        ImageDraw.Draw(image).rectangle((40, 30, 160, 90), fill=(246, 246, 246))
        if linked([image, ImageEnhance.Brightness(image).enhance(1.35)]):
            found.add(seed)
    assert len(found) >= 9


def texture(seed: int, mean: int) -> Image.Image:
    """Gravel: grain without a shape, faint once it is scaled down."""
    grain = np.random.default_rng(seed).normal(mean, 28, (600, 600)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(grain).filter(ImageFilter.GaussianBlur(2)).convert("RGB")


def test_textures_that_were_rotated_have_only_their_bare_corners_in_common():
    rotated = [
        texture(seed, 110 + 3 * seed).rotate(turn, Image.Resampling.BICUBIC)
        for seed in range(12)
        for turn in (2 + seed % 4, -3 - seed % 5)
    ]
    groups = {(one // 2, other // 2) for one, other in linked(rotated)}
    assert all(one == other for one, other in groups)


@pytest.mark.parametrize(
    "flat",
    [
        Image.new("RGB", (64, 48), "black"),
        Image.new("RGB", (640, 480), (120, 160, 220)),
        Image.linear_gradient("L").resize((300, 200)).convert("RGB"),
        Image.radial_gradient("L").point(lambda shade: 160 + shade // 8).convert("RGB"),
        Image.effect_noise((400, 300), 12).convert("RGB"),
        Image.new("RGB", (1, 1), "white"),
    ],
)
def test_a_flat_picture_has_no_fingerprint(flat):
    assert similarity.fingerprint(flat) == ""


def test_flat_pictures_are_in_no_pair():
    rows = similarity.pack(["", "", similarity.fingerprint(picture(1)), ""])
    assert near_duplicates(rows, MAX_DISTANCE).links.shape == (2, 0)


def clouds(seed: int, shades: float) -> Image.Image:
    """Before a sky that is the same each time. shades: standard deviation that they bring in."""
    numbers, soft = np.random.default_rng(seed), np.zeros((240, 320))
    for across in (4, 8, 16):
        grain = numbers.normal(0, 1, (across * 3 // 4, across)).astype(np.float32)
        soft += np.asarray(Image.fromarray(grain).resize((320, 240), Image.Resampling.BICUBIC)) / across
    down = np.linspace(0, 1, 240)[:, None, None]
    sky = (1 - down) * np.array((90, 140, 220)) + down * np.array((180, 210, 245))
    light = sky + (soft / soft.std() * shades)[..., None] + numbers.normal(0, 2, (240, 320, 3))
    return Image.fromarray(light.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("shades", [2, 4, 8])
def test_faint_clouds_before_one_sky_are_hardly_ever_taken_for_each_other(shades):
    """The sky is most of their contrast, and no evidence; of 780 pairs a few are alike by chance."""
    assert len(linked([clouds(seed, shades) for seed in range(40)])) <= 2


def sea(horizon: int, seed: int) -> Image.Image:
    """Without a wave. horizon: pixels from above, of 240."""
    light = np.zeros((240, 320, 3))
    light[:horizon], light[horizon:] = (170, 200, 230), (40, 70, 110)
    light[horizon:] += np.random.default_rng(seed).normal(0, 10, (240 - horizon, 320, 1))
    return Image.fromarray(light.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))


def test_seas_without_a_wave_are_one_picture_only_where_their_horizons_are_level():
    """One might be a crop of another, but nothing tells how far it was cropped along the horizon."""
    horizons = [90, 97, 104, 111, 118, 125, 132, 139, 146]
    assert linked([sea(horizon, horizon) for horizon in horizons]) == set()
    assert linked([sea(100, 1), reencoded(sea(100, 1))]) == {(0, 1)}


def test_a_small_object_in_another_place_of_a_crop_is_another_picture():
    """It is no more than a few cells of 16 x 16, which a crop and a rotation change as well."""
    for seed in range(6):
        ground = picture(seed)
        one, other = ground.copy(), ground.copy()
        ImageDraw.Draw(one).ellipse((90, 60, 114, 78), fill=(150, 40, 160))
        ImageDraw.Draw(other).ellipse((200, 150, 224, 168), fill=(150, 40, 160))
        other = other.crop((6, 4, 310, 232))
        assert linked([one, one.crop((6, 4, 310, 232))]) == {(0, 1)}
        assert linked([one, other]) == set()
        assert linked([one, other.rotate(3, Image.Resampling.BICUBIC)]) == set()


def test_whether_a_copy_is_found_does_not_depend_on_what_else_is_there():
    """Two pictures may have many marks in common, of which the first doesn't always bring them together."""
    grounds = [picture(seed) for seed in range(24)]
    copies = [
        ground.rotate(3 + seed % 5, Image.Resampling.BICUBIC).crop((12, 9, 304, 228))
        for seed, ground in enumerate(grounds)
    ]
    alone = {n for n, pair in enumerate(zip(grounds, copies, strict=True)) if linked(list(pair))}
    together = linked(grounds + copies)
    assert len(alone) > len(grounds) // 2
    assert {(n, n + len(grounds)) for n in alone} <= together


def test_frames_of_two_skies_are_in_no_pair():
    skies = [Image.linear_gradient("L").resize((320, 240)).convert("RGB") for _ in range(6)]
    for number, sky in enumerate(skies):
        ImageDraw.Draw(sky).ellipse((20 + 40 * number, 30, 32 + 40 * number, 40), fill="white")
    assert linked(skies) == set()


def form(seed: int) -> Image.Image:
    """The same fields each time, and something else written into each."""
    random = Random(seed)  # noqa: S311 - not a secret
    image = Image.new("RGB", (420, 594), "white")
    pen = ImageDraw.Draw(image)
    for top in range(80, 560, 44):
        pen.text((40, top), "Surname", fill="black", font_size=12)
        pen.rectangle((130, top - 4, 380, top + 22), outline="black", width=2)
        text = "".join(random.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(random.randint(4, 22)))
        pen.text((136, top - 2), text, fill=(20, 20, 140), font_size=18)
    return image


def test_forms_that_are_filled_in_differently_are_hardly_ever_taken_for_each_other():
    """The frames are most of what is seen at 32 x 32; small letters are levelled out to shades of grey."""
    forms = [form(seed) for seed in range(14)]
    assert len(linked(forms)) <= 2
    assert linked([forms[0], reencoded(forms[0])]) == {(0, 1)}


def test_copies_of_stronger_and_of_paler_colours_are_found():
    images = [picture(seed).point(lambda shade: 60 + 0.5 * shade) for seed in range(12)]
    for strength in (0.75, 1.25):
        found = linked(images + [ImageEnhance.Color(image).enhance(strength) for image in images])
        assert found == {(number, number + 12) for number in range(12)}


def test_copies_without_colours_are_found():
    images = [picture(seed) for seed in range(12)]
    found = linked(images + [image.convert("L").convert("RGB") for image in images])
    assert found == {(number, number + 12) for number in range(12)}


def test_a_grey_object_as_light_as_a_coloured_one_is_another_picture():
    """The rest of both has its colours: it is no copy without any."""
    for seed in range(6):
        image = picture(seed)
        other = image.copy()
        ImageDraw.Draw(image).rectangle((100, 60, 200, 160), fill=(200, 60, 60))
        ImageDraw.Draw(other).rectangle((100, 60, 200, 160), fill=(102, 102, 102))
        assert linked([image, other]) == set()


def test_a_grey_picture_of_another_light_is_no_copy_without_colours():
    for seed in range(6):
        image = picture(seed)
        grey = image.convert("L").point(lambda shade: 60 + 0.6 * shade).convert("RGB")
        assert linked([image, grey]) == set()


def test_equal_fingerprints_are_at_distance_zero():
    rows = similarity.pack([similarity.fingerprint(picture(3))] * 3)
    pairs = near_duplicates(rows, 0)
    assert pairs.links.tolist() == [[0, 0], [1, 2]]
    assert pairs.distance.tolist() == [0, 0]


def test_distances_are_within_what_was_asked():
    images = [picture(seed) for seed in range(20)]
    marked = []
    for number, image in enumerate(images):
        copy = image.copy()
        ImageDraw.Draw(copy).rectangle((150, 100, 150 + 3 * number, 100 + 3 * number), fill="white")
        marked.append(copy)
    rows = similarity.pack(map(similarity.fingerprint, images + marked))
    found = {distance: near_duplicates(rows, distance) for distance in (0, 2, 8, MAX_DISTANCE)}
    for distance, pairs in found.items():
        assert (pairs.distance <= distance).all()
    sizes = [pairs.links.shape[1] for pairs in found.values()]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_groups_do_not_depend_on_the_order():
    images = [copy(picture(seed)) for seed in range(8) for copy in list(COPIES.values())[:7]]
    rows = similarity.pack(map(similarity.fingerprint, images))
    order = np.random.default_rng(5).permutation(len(rows))
    groups = grouping.union(len(rows), near_duplicates(rows, 3).links)
    again = grouping.union(len(rows), near_duplicates(rows[order], 3).links)
    together = groups[order][:, None] == groups[order][None]
    assert ((again[:, None] == again[None]) == together).all()


def test_frames_of_a_camera_that_stands_still_are_one_group_by_few_links():
    """All marks are nearly alike, so all pairs might be compared: a million frames would take days."""
    count, numbers = 1000, np.random.default_rng(1)
    rows = np.repeat(similarity.pack([similarity.fingerprint(picture(1))]), count, axis=0)
    rows[:, 2:130] ^= (numbers.random((count, 128)) < 0.1).astype(np.uint8)
    marks = (
        np.ascontiguousarray(rows[:, similarity.MARKS_AT : similarity.LOW_BITS_AT])
        .view(">u8")
        .astype(np.uint64)
    )
    flips = np.uint64(1) << numbers.integers(24, 64, marks.shape).astype(np.uint64)
    marks = np.where((marks > 0) & (numbers.random(marks.shape) < 0.4), marks ^ flips, marks)
    rows[:, similarity.MARKS_AT : similarity.LOW_BITS_AT] = marks.astype(">u8").view(np.uint8)
    links = near_duplicates(rows, 3).links
    assert (grouping.union(count, links) == 0).all()
    assert links.shape[1] < 12 * count


@pytest.mark.parametrize("distance", [-1, MAX_DISTANCE + 1])
def test_a_distance_that_cannot_be_searched_is_refused(distance):
    with pytest.raises(ValueError, match=f"distance is {distance}"):
        near_duplicates(similarity.pack([]), distance)


def test_no_pictures_have_no_pairs():
    assert near_duplicates(similarity.pack([]), 3).links.shape == (2, 0)


def test_a_fingerprint_has_a_fixed_length_that_json_takes():
    text = similarity.fingerprint(picture(1))
    assert len(base64.b64decode(text)) == similarity.LENGTH
    assert len(text) == 1052


def test_a_fingerprint_is_the_same_on_every_machine():
    """Of a picture drawn with whole numbers; ledgers hold fingerprints for years."""
    image = Image.new("RGB", (256, 256), (40, 90, 140))
    ImageDraw.Draw(image).rectangle((64, 96, 127, 191), fill=(220, 180, 30))
    row = base64.b64decode(similarity.fingerprint(image))
    cells = np.array([[byte >> 4, byte & 15] for byte in row[2:130]]).reshape(16, 16)
    expected = np.zeros((16, 16), dtype=int)
    expected[6:12, 4:8] = 15
    assert cells.tolist() == expected.tolist()
    # 0.299 R + 0.587 G + 0.114 B: 80.75 and 174.86, of which Pillow drops the fraction.
    assert (row[0], row[1]) == (80, 174)
    # Cb and Cr of (40, 90, 140) are 161 and 99, of (220, 180, 30) 46 and 160: the upper four bits of each.
    assert {row[130], row[130 + 3 * 8 + 2]} == {10 << 4 | 6, 2 << 4 | 10}


@pytest.mark.parametrize("text", ["AAAA", "not base64!", "é"])
def test_what_is_no_fingerprint_is_named(text):
    with pytest.raises(FormatError, match="Picture 1 has the fingerprint"):
        similarity.pack(["", text])


def test_importing_it_does_not_import_numpy():
    code = "import sys, truthmill.similarity; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
