"""Pointers that misbehave: lost releases, palms, more fingers than two; odd screens, windows and pictures."""

import io

import pytest
from PIL import Image

from browser.conftest import a_picture, draw, place
from browser.sandbox import TEMPLATE, area_of, wait_for

BOX = (100, 60, 80, 60)
DISPATCH = """([kind, x, y, more]) => {
  const stage = document.querySelector('crowd-bounding-box').stage.root;
  const given = { bubbles: true, composed: true, cancelable: true, clientX: x, clientY: y, ...more };
  stage.dispatchEvent(new PointerEvent(kind, given));
}"""
MOUSE = {"pointerId": 1, "pointerType": "mouse", "isPrimary": True}


def pointer(task, kind, point, **given):
    """An event as the browser would send it; point: of the picture."""
    x, y = place(task.frame, *point, task.size)
    frame = task.page.locator("iframe.task").bounding_box()
    task.inside.evaluate(DISPATCH, [kind, x - frame["x"], y - frame["y"], given])


@pytest.fixture
def task(open_task):
    """Pointers that were not there can't be captured; so nothing is."""
    opened = open_task(has_touch=True)
    opened.inside.evaluate(
        "() => { document.querySelector('crowd-bounding-box').stage.root.setPointerCapture = () => {}; }"
    )
    return opened


def finger(number):
    return {"pointerId": 10 + number, "pointerType": "touch", "isPrimary": number == 0, "buttons": 1}


PEN = {"pointerId": 5, "pointerType": "pen", "isPrimary": True, "buttons": 1}


def test_a_release_that_nobody_told_of_ends_the_box_where_it_was(task):
    """The window was left while the button was down: the pointer comes back without a button."""
    pointer(task, "pointerdown", (100, 60), **MOUSE, buttons=1)
    pointer(task, "pointermove", (180, 120), **MOUSE, buttons=1)
    pointer(task, "pointermove", (20, 20), **MOUSE, buttons=0)
    assert task.boxes() == [("cat", *BOX)]
    pointer(task, "pointermove", (300, 200), **MOUSE, buttons=0)
    pointer(task, "pointerdown", (10, 10), **MOUSE, buttons=1)
    pointer(task, "pointermove", (40, 40), **MOUSE, buttons=1)
    pointer(task, "pointerup", (40, 40), **MOUSE)
    assert task.boxes() == [("cat", *BOX), ("cat", 10, 10, 30, 30)]


def test_a_capture_that_is_lost_ends_the_box_where_it_was(task):
    pointer(task, "pointerdown", (100, 60), **MOUSE, buttons=1)
    pointer(task, "pointermove", (180, 120), **MOUSE, buttons=1)
    pointer(task, "lostpointercapture", (180, 120), **MOUSE)
    assert task.boxes() == [("cat", *BOX)]
    pointer(task, "pointerup", (200, 200), **MOUSE)
    assert task.boxes() == [("cat", *BOX)]


def test_a_pointer_that_the_system_takes_away_draws_nothing(task):
    pointer(task, "pointerdown", (100, 60), **finger(0))
    pointer(task, "pointermove", (180, 120), **finger(0))
    pointer(task, "pointercancel", (180, 120), **finger(0))
    pointer(task, "lostpointercapture", (180, 120), **finger(0))
    assert task.boxes() == []


def test_the_palm_of_a_hand_does_not_draw_beside_its_pen(task):
    pointer(task, "pointerdown", (100, 60), **PEN)
    pointer(task, "pointermove", (140, 90), **PEN)
    pointer(task, "pointerdown", (300, 220), **finger(0))
    pointer(task, "pointermove", (310, 230), **finger(0))
    pointer(task, "pointermove", (180, 120), **PEN)
    pointer(task, "pointerup", (300, 220), **finger(0))
    pointer(task, "pointerup", (180, 120), **PEN)
    assert task.boxes() == [("cat", *BOX)]


def test_a_palm_that_touches_while_the_pen_is_just_above_draws_nothing(task):
    """In one go, for it counts how long ago the pen was seen."""
    (x, y), (right, bottom) = (place(task.frame, *point) for point in ((20, 20), (60, 60)))
    frame = task.page.locator("iframe.task").bounding_box()
    x, y, right, bottom = x - frame["x"], y - frame["y"], right - frame["x"], bottom - frame["y"]
    steps = [
        ["pointermove", x, y, PEN | {"buttons": 0}],
        ["pointerdown", x, y, finger(0)],
        ["pointermove", right, bottom, finger(0)],
        ["pointerup", right, bottom, finger(0)],
    ]
    task.inside.evaluate(f"(steps) => steps.forEach({DISPATCH})", steps)
    assert task.boxes() == []


def test_a_pen_goes_before_the_palm_that_touched_first(task):
    pointer(task, "pointerdown", (300, 220), **finger(0))
    pointer(task, "pointermove", (250, 200), **finger(0))
    pointer(task, "pointerdown", (100, 60), **PEN)
    pointer(task, "pointermove", (180, 120), **PEN)
    pointer(task, "pointerup", (250, 200), **finger(0))
    pointer(task, "pointerup", (180, 120), **PEN)
    assert task.boxes() == [("cat", *BOX)]


def test_a_third_finger_draws_nothing_and_the_next_one_draws(task):
    for number, x in enumerate((100, 150, 200)):
        pointer(task, "pointerdown", (x, 100), **finger(number))
    pointer(task, "pointermove", (280, 180), **finger(2))
    for number in (2, 1):
        pointer(task, "pointerup", (200, 100), **finger(number))
    pointer(task, "pointermove", (30, 30), **finger(0))
    pointer(task, "pointerup", (30, 30), **finger(0))
    assert task.boxes() == []
    pointer(task, "pointerdown", (100, 60), **finger(0))
    pointer(task, "pointermove", (180, 120), **finger(0))
    pointer(task, "pointerup", (180, 120), **finger(0))
    assert task.boxes() == [("cat", *BOX)]


def test_what_is_being_drawn_belongs_to_the_answer(open_task):
    task = open_task()
    task.page.mouse.move(*place(task.frame, 100, 60))
    task.page.mouse.down()
    task.page.mouse.move(*place(task.frame, 140, 90))
    task.page.mouse.move(*place(task.frame, 180, 120))
    assert task.submitted_boxes() == [("cat", *BOX)]


@pytest.mark.parametrize("ratio", [1.25, 1.5, 3])
def test_boxes_are_right_on_screens_between_two_pixels(open_task, ratio):
    size, boxes = (640, 480), [(101, 57, 203, 151), (0, 0, 17, 480), (611, 333, 29, 147)]
    task = open_task(size=size, viewport={"width": 1003, "height": 717}, device_scale_factor=ratio)
    assert task.inside.evaluate("() => devicePixelRatio") == ratio
    for box in boxes:
        draw(task.page, task.frame, box, size)
    assert task.submitted_boxes() == [("cat", *box) for box in boxes]


def test_what_is_painted_lies_on_the_picture_to_the_pixel_of_the_screen(open_task):
    """At 1.25 pixels of the device for one of CSS, in a window whose columns end between two of them."""
    styled = f"<style>body {{ width: 901.3px }}</style>{TEMPLATE}"
    task = open_task(styled, viewport={"width": 1003, "height": 717}, device_scale_factor=1.25)
    canvas, shown = task.inside.evaluate(
        """() => {
          const { canvas } = document.querySelector('crowd-bounding-box').stage;
          const { width, height } = canvas.getBoundingClientRect();
          return [[canvas.width, canvas.height], [width * 1.25, height * 1.25]];
        }"""
    )
    assert canvas == [round(side) for side in shown]


def test_a_window_that_changes_while_a_box_is_drawn(open_task):
    task = open_task(viewport={"width": 1280, "height": 800})
    task.page.mouse.move(*place(task.frame, 100, 60))
    task.page.mouse.down()
    task.page.mouse.move(*place(task.frame, 120, 80))
    before = area_of(task.frame.locator("img.picture"))
    task.page.set_viewport_size({"width": 1000, "height": 640})
    wait_for(task.page, lambda: task.frame.locator("img.picture").bounding_box() != before)
    task.page.mouse.move(*place(task.frame, 180, 120))
    task.page.mouse.up()
    assert task.boxes() == [("cat", *BOX)]


def test_a_zoomed_picture_stays_in_sight_when_the_window_gets_smaller(open_task):
    task = open_task(viewport={"width": 1600, "height": 1000})
    task.page.mouse.move(*place(task.frame, 320, 240))
    task.frame.get_by_test_id("stage").press("o")
    task.press(*["ArrowLeft"] * 12)  # to the right edge
    picture, stage = task.frame.locator("img.picture"), task.frame.get_by_test_id("stage")
    before = area_of(picture)
    task.page.set_viewport_size({"width": 820, "height": 500})
    wait_for(task.page, lambda: picture.bounding_box() != before)
    shown, around = area_of(picture), area_of(stage)
    assert shown["x"] < around["x"] + around["width"] - 40
    assert shown["y"] < around["y"] + around["height"] - 40


@pytest.mark.parametrize("size", [(1, 1), (20000, 50), (50, 9000)])
def test_pictures_of_odd_sizes_are_drawn_on_to_their_edges(open_task, size):
    task = open_task(picture=a_picture(size=size), size=size)
    width, height = size
    shown = task.frame.locator("img.picture").bounding_box()
    x, y = shown["x"], shown["y"]
    task.page.mouse.move(x - 5, y - 5)
    task.page.mouse.down()
    task.page.mouse.move(x + shown["width"] / 2, y + shown["height"] / 2)
    task.page.mouse.move(x + shown["width"] + 5, y + shown["height"] + 5)
    task.page.mouse.up()
    assert task.submitted_boxes() == [("cat", 0, 0, width, height)]
    answer = task.messages("answer")[0]["answer"]["boundingBox"]
    assert answer["inputImageProperties"] == {"width": width, "height": height}


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def test_a_picture_with_an_orientation_tag_is_shown_and_measured_as_it_is_stored(open_task):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    picture = saved(Image.new("RGB", (320, 240), (70, 90, 80)), "JPEG", exif=exif)
    task = open_task(picture=picture)
    draw(task.page, task.frame, BOX)
    task.press("Enter")
    answer = task.await_message("answer")["answer"]["boundingBox"]
    assert answer["inputImageProperties"] == {"width": 320, "height": 240}
    assert answer["boundingBoxes"][0] == {"label": "cat", "left": 100, "top": 60, "width": 80, "height": 60}


@pytest.mark.parametrize("size", [(333, 251), (1021, 767), (3, 7), (4999, 3331)])
def test_a_picture_has_its_pixels_at_any_zoom_of_the_browser(open_task, size):
    """At 1.1 pixels of the device for one of CSS no such side is a whole number of them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = saved(Image.new("RGB", size), "JPEG", exif=exif)
    task = open_task(picture=picture, size=size, device_scale_factor=1.1)
    task.frame.get_by_role("button", name="Nothing here").click()
    answer = task.await_message("answer")["answer"]["boundingBox"]
    assert answer["inputImageProperties"] == {"width": size[0], "height": size[1]}


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16", "P"])
def test_pictures_of_other_kinds_than_colour_are_drawn_on(open_task, mode):
    task = open_task(picture=saved(Image.new(mode, (320, 240)), "PNG"))
    draw(task.page, task.frame, BOX)
    assert task.boxes() == [("cat", *BOX)]


@pytest.mark.parametrize("broken", [b"", b"not a picture", a_picture()[:200][:40]])
def test_a_broken_picture_says_so_and_offers_two_ways_out(open_task, broken):
    task = open_task(picture=broken, wait=False)
    task.frame.get_by_text("The picture can't be loaded.").wait_for()
    task.frame.locator("img.picture").wait_for(state="hidden")
    task.frame.get_by_role("button", name="Try again").click()
    task.await_message("reload")
    task.frame.get_by_role("alert").get_by_role("button", name="Skip…").click()
    asked = task.frame.get_by_role("dialog", name="Skip this task")
    chosen = asked.get_by_label("The picture is broken or doesn't load")
    wait_for(task.page, chosen.is_checked)


def test_a_link_that_runs_out_while_one_draws_takes_nothing_away(open_task):
    task = open_task()
    del task.site.pictures["/picture.png"]
    draw(task.page, task.frame, BOX)
    task.press("+", "+", "-", "o", "f", "d", "h", "h")
    draw(task.page, task.frame, (10, 10, 30, 30))
    assert task.submitted_boxes() == [("cat", *BOX), ("cat", 10, 10, 30, 30)]
