"""How simulated workers draw, and how they know a picture."""

import hashlib
import io
import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from truthmill_cli.errors import UsageError
from truthmill_cli.known_truth import Truth, TruthBox
from truthmill_cli.simulated_workers import Manner
from truthmill_cli.simulation import read_element
from truthmill_cli.worker_kinds import KINDS, Kind, draw_all

WIDTH, HEIGHT = 200, 100


def hand(seed):
    return random.Random(seed)  # noqa: S311 a simulation repeats


@settings(max_examples=100, deadline=None)
@given(
    left=st.integers(0, WIDTH - 1),
    top=st.integers(0, HEIGHT - 1),
    width=st.integers(1, WIDTH),
    height=st.integers(1, HEIGHT),
    noise=st.floats(0, 10),
    seed=st.integers(0, 1000),
)
def test_each_edge_is_off_by_the_noise_at_most_and_inside_the_picture(left, top, width, height, noise, seed):
    width, height = min(width, WIDTH - left), min(height, HEIGHT - top)
    box = TruthBox("cat", left, top, width, height)
    (drawn,) = draw_all(Kind(noise_px=noise), [box], ["cat"], (WIDTH, HEIGHT), hand(seed))
    assert drawn.label == "cat"
    assert drawn.width >= 1 <= drawn.height
    assert drawn.left >= 0 <= drawn.top
    assert drawn.left + drawn.width <= WIDTH
    assert drawn.top + drawn.height <= HEIGHT
    if min(width, height) > 2 * noise + 2:
        assert abs(drawn.left - left) <= noise + 0.5
        assert abs(drawn.top + drawn.height - top - height) <= noise + 0.5


def test_without_noise_a_box_is_drawn_as_it_is():
    box = TruthBox("cat", 10, 20, 30, 40)
    assert draw_all(KINDS["exact"], [box], ["cat"], (WIDTH, HEIGHT), hand(1)) == [box]


def test_workers_err_as_often_as_their_kind_does():
    """Of 4,000 things; the bounds are four standard deviations wide."""
    things = [TruthBox("cat", 10, 20, 30, 40)] * 4_000
    drawn = draw_all(
        Kind(miss=0.1, false=0.05, swap=0.2), things, ["cat", "dog", "bird"], (WIDTH, HEIGHT), hand(3)
    )
    there = [box for box in drawn if (box.left, box.top) == (10, 20)]
    assert 3_524 <= len(there) <= 3_676
    assert 0.173 <= sum(box.label != "cat" for box in there) / len(there) <= 0.227
    assert 145 <= len(drawn) - len(there) <= 256


def test_a_spammer_draws_whatever_the_picture_shows():
    drawn = draw_all(KINDS["spammer"], [], ["cat"], (WIDTH, HEIGHT), hand(1))
    assert 1 <= len(drawn) <= 5
    assert all(box.left + box.width <= WIDTH and box.top + box.height <= HEIGHT for box in drawn)


def test_the_element_is_found_in_a_page_with_its_entities_read():
    page = '<p><crowd-bounding-box name="x" src="http://h/k?a=1&amp;b=2" labels="[&#34;cat&#34;]">'
    assert read_element(page) == {"name": "x", "src": "http://h/k?a=1&b=2", "labels": '["cat"]'}
    with pytest.raises(ValueError, match="crowd-bounding-box"):
        read_element("<p>nothing</p>")


def a_picture(colour, kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(out, kind)
    return out.getvalue()


def a_truth(tmp_path, *names):
    """Picture n has one box of width n + 1."""
    document = {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(names)],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"image_id": n, "category_id": 3, "bbox": [1, 1, n + 1, 1]} for n in range(len(names))
        ],
    }
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(document))
    return path


def test_a_picture_is_known_by_its_name_made_safe(tmp_path):
    truth = Truth.read(a_truth(tmp_path, "day 1/Hund & Katze.JPG", "other.png"))
    (box,) = truth.boxes("Hund-Katze.jpg", "00000000-Hund-Katze.jpg", b"")
    assert box.width == 1
    assert truth.boxes("unknown.jpg", "00000000-unknown.jpg", b"") is None


def test_two_pictures_of_one_name_are_told_apart_by_content(tmp_path):
    path = a_truth(tmp_path, "a/rex.png", "b/rex.png")
    for number, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rex.png").write_bytes(a_picture((number, 0, 0)))
    assert Truth.read(path).boxes("rex.png", "00000000-rex.png", b"") is None
    truth = Truth.read(path, tmp_path)
    second = a_picture((1, 0, 0))
    digest = hashlib.sha256(second).hexdigest()[:8]
    assert truth.boxes("rex.png", f"{digest}-rex.png", b"")[0].width == 2
    assert truth.boxes("rex.png", "00000000-rex.png", second)[0].width == 2


def test_a_renamed_and_recompressed_picture_is_known_by_its_pixels(tmp_path):
    path = a_truth(tmp_path, "rex.png")
    (tmp_path / "rex.png").write_bytes(a_picture((5, 6, 7)))
    truth = Truth.read(path, tmp_path)
    out = io.BytesIO()
    Image.new("RGB", (8, 6), (5, 6, 7)).save(out, "PNG", compress_level=0)
    assert truth.boxes("moved.png", "12345678-moved.png", out.getvalue())[0].width == 1
    assert truth.boxes("moved.png", "12345678-moved.png", a_picture((9, 9, 9))) is None
    assert truth.boxes("moved.png", "12345678-moved.png", b"not a picture") is None


def test_what_is_not_coco_says_so(tmp_path):
    path = tmp_path / "truth.json"
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match=r"truth\.json isn't a COCO file"):
        Truth.read(path)


def test_kinds_are_taken_in_turn_with_the_noise_that_was_asked_for():
    spammer, careful = Manner(kinds=("spammer", "careful"), noise=3.5).each()
    assert (spammer.noise_px, careful.noise_px) == (3.5, 3.5)
    assert spammer == replace(KINDS["spammer"], noise_px=3.5)
    assert careful == replace(KINDS["careful"], noise_px=3.5)


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (("clumsy", "exact", "lazy"), "no workers called clumsy, lazy; there are exact, careful, usual"),
        ((), "names nobody; there are exact, careful, usual"),
    ],
)
def test_kinds_that_there_are_not_are_named_with_those_there_are(kinds, says):
    with pytest.raises(UsageError, match=says):
        Manner(kinds=kinds).each()
