"""Drawing on a picture: pointer, keys, and what the page shows; each box to the pixel."""

import io
import re

import pytest
from PIL import Image

from browser.conftest import a_picture, draw, place
from browser.sandbox import area_of, wait_for

FIRST = (100, 60, 80, 60)


def drag(task, start, *points):
    """Press at a point of the picture, go through others, release at the last."""
    task.page.mouse.move(*place(task.frame, *start, task.size))
    task.page.mouse.down()
    for point in points:
        task.page.mouse.move(*place(task.frame, *point, task.size))
    task.page.mouse.up()


def click(task, x, y):
    task.page.mouse.click(*place(task.frame, x, y, task.size))


def wheel(task, by):
    """Turn it and wait until the picture has another size: nobody tells when a page has heard of it."""
    shown = task.frame.locator("img.picture")
    before = area_of(shown)["width"]
    task.page.mouse.wheel(0, by)
    wait_for(task.page, lambda: shown.bounding_box()["width"] != before, "the picture isn't zoomed")


@pytest.fixture
def task(open_task):
    """A task with one box drawn, which is selected."""
    opened = open_task()
    draw(opened.page, opened.frame, FIRST)
    assert opened.boxes() == [("cat", *FIRST)]
    return opened


HANDLES = {
    "nw": ((100, 60), (90, 50), (90, 50, 90, 70)),
    "n": ((140, 60), (150, 50), (100, 50, 80, 70)),
    "ne": ((180, 60), (190, 50), (100, 50, 90, 70)),
    "e": ((180, 90), (190, 99), (100, 60, 90, 60)),
    "se": ((180, 120), (190, 130), (100, 60, 90, 70)),
    "s": ((140, 120), (150, 130), (100, 60, 80, 70)),
    "sw": ((100, 120), (90, 130), (90, 60, 90, 70)),
    "w": ((100, 90), (90, 99), (90, 60, 90, 60)),
}


@pytest.mark.parametrize("handle", HANDLES)
def test_each_of_eight_handles_moves_its_edges_and_leaves_the_others(task, handle):
    start, end, box = HANDLES[handle]
    drag(task, start, end)
    assert task.boxes() == [("cat", *box)]


def test_the_other_edges_stay_to_the_bit_when_zoomed(task):
    task.page.mouse.move(*place(task.frame, 180, 90))
    wheel(task, -333)
    drag(task, (180, 90), (185, 40), (203, 95))
    assert task.boxes() == [("cat", 100, 60, 103, 60)]


def test_a_box_is_moved_and_stops_at_the_edge(task):
    drag(task, (140, 90), (150, 95))
    assert task.boxes() == [("cat", 110, 65, 80, 60)]
    drag(task, (150, 95), (310, 230))
    assert task.boxes() == [("cat", 240, 180, 80, 60)]


def test_a_box_drawn_beyond_the_picture_ends_at_its_edge(task):
    draw(task.page, task.frame, (250, 200, 80, 45))
    assert task.boxes()[1] == ("cat", 250, 200, 70, 40)


def test_shift_draws_inside_the_selected_box(task):
    task.page.keyboard.down("Shift")
    drag(task, (110, 70), (120, 80), (130, 95))
    task.page.keyboard.up("Shift")
    assert task.boxes() == [("cat", *FIRST), ("cat", 110, 70, 20, 25)]


def test_four_extreme_points_make_a_box(open_task):
    task = open_task()
    task.press("x")
    for point in [(150, 20), (90, 70), (140, 130), (210, 60)]:
        click(task, *point)
    assert task.boxes() == [("cat", 90, 20, 120, 110)]
    task.press("x")
    draw(task.page, task.frame, (10, 150, 30, 40))
    assert task.boxes()[1] == ("cat", 10, 150, 30, 40)


def test_escape_forgets_extreme_points_and_a_drag_under_way(open_task):
    task = open_task()
    task.press("x")
    click(task, 10, 10)
    task.press("Escape", "x")
    task.page.mouse.move(*place(task.frame, 50, 50))
    task.page.mouse.down()
    task.page.mouse.move(*place(task.frame, 90, 90))
    task.press("Escape")
    task.page.mouse.up()
    assert task.boxes() == []


def test_undo_and_redo_go_all_the_way(task):
    for number in range(30):
        task.press("ArrowRight" if number % 2 else "ArrowDown")
    after = task.boxes()
    for _ in range(31):
        task.press("Control+z")
    assert task.boxes() == []
    assert task.frame.get_by_role("button", name="undo", exact=True).is_disabled()
    for _ in range(31):
        task.press("Control+Shift+z")
    assert task.boxes() == after == [("cat", 115, 75, 80, 60)]


KEYS = {
    ("ArrowLeft",): ("cat", 99, 60, 80, 60),
    ("Shift+ArrowUp",): ("cat", 100, 50, 80, 60),
    ("Alt+ArrowRight",): ("cat", 100, 60, 81, 60),
    ("Alt+Shift+ArrowDown",): ("cat", 100, 60, 80, 70),
    ("Control+ArrowLeft",): ("cat", 99, 60, 81, 60),
    ("Control+Shift+ArrowDown",): ("cat", 100, 70, 80, 50),
    ("Alt+2",): ("dog", 100, 60, 80, 60),
    ("n", "2"): ("dog", 100, 60, 80, 60),
}


@pytest.mark.parametrize("keys", KEYS)
def test_keys_change_the_box(task, keys):
    task.press(*keys)
    assert task.boxes() == [KEYS[keys]]


def test_a_number_after_drawing_is_for_the_next_box(task):
    task.press("2")
    draw(task.page, task.frame, (10, 10, 20, 20))
    assert task.boxes() == [("cat", *FIRST), ("dog", 10, 10, 20, 20)]


COUNTED = """() => {
  window.actions = [];
  for (const kind of ["keydown", "pointerdown", "pointerup"]) {
    addEventListener(kind, () => window.actions.push(kind), true);
  }
}"""


def test_a_box_takes_two_actions_and_a_third_where_its_label_is_another(open_task):
    """Pressing and releasing the pointer are one each, as a key is; nothing is to be confirmed."""
    task = open_task()
    task.inside.evaluate(COUNTED)
    drag_ = ["pointerdown", "pointerup"]
    for keys, box in [("", (10, 10, 60, 50)), ("2", (100, 10, 40, 50)), ("", (200, 60, 70, 90))]:
        task.press(*keys)
        draw(task.page, task.frame, box)
    assert task.inside.evaluate("() => window.actions") == [*drag_, "keydown", *drag_, *drag_]
    assert task.submitted_boxes() == [
        ("cat", 10, 10, 60, 50),
        ("dog", 100, 10, 40, 50),
        ("dog", 200, 60, 70, 90),
    ]


def test_a_box_is_copied_and_deleted(task):
    task.press("c")
    assert task.boxes() == [("cat", *FIRST), ("cat", 108, 68, 80, 60)]
    task.press("Delete")
    assert task.boxes() == [("cat", *FIRST)]


def test_boxes_are_drawn_by_keyboard_alone(open_task):
    """Out from the middle of 320 x 240 pixels at 1:1; the second box begins where the first ended."""
    task = open_task()
    task.frame.get_by_test_id("stage").press("o")
    task.press("2", "b", "Control+ArrowLeft", "Enter", "Control+ArrowUp", *["Shift+ArrowRight"] * 4)
    task.frame.get_by_text("Arrow keys to the opposite corner, then Enter").wait_for()
    task.press("Enter", "1", "b", "ArrowDown", "ArrowDown", "Control+ArrowRight", "b")
    assert task.boxes() == [("dog", 60, 20, 40, 100), ("cat", 100, 20, 100, 2)]
    task.press("Enter", "ArrowLeft", "Escape", "Escape", "n", "Enter")
    (answer,) = task.await_message("answer")["answer"].values()
    assert len(answer["boundingBoxes"]) == 2


def test_enter_held_down_sets_one_corner(open_task):
    task = open_task()
    task.frame.get_by_test_id("stage").press("o")
    task.press("b")
    for key in ["Enter", "Enter", "Enter"]:
        task.page.keyboard.down(key)
    task.page.keyboard.up("Enter")
    task.press("Control+ArrowRight", "Shift+ArrowDown", "Enter")
    assert task.boxes() == [("cat", 160, 120, 100, 10)]


def test_extreme_points_are_set_by_keyboard(open_task):
    task = open_task()
    task.frame.get_by_test_id("stage").press("o")
    task.press("x", "b")
    for keys in [("Control+ArrowUp",), ("Control+ArrowLeft",), ("Control+ArrowDown",), ("Shift+ArrowRight",)]:
        task.press(*keys, "Enter")
    assert task.boxes() == [("cat", 60, 20, 100, 100)]


def test_each_of_overlapping_boxes_is_reached_by_keyboard(open_task):
    task = open_task()
    for box in [(20, 20, 200, 180), (40, 40, 120, 100), (60, 60, 60, 50)]:
        task.page.keyboard.down("Shift")
        draw(task.page, task.frame, box)
        task.page.keyboard.up("Shift")
    task.page.mouse.move(*place(task.frame, 80, 80))
    task.press("b")
    selected = []
    for _ in range(4):
        task.press("Enter", "Enter")
        pressed = task.frame.locator(".boxes [aria-pressed=true]")
        selected.append(pressed.get_attribute("aria-label").split(", ")[-1].removesuffix(" pixels"))
    assert selected == ["60 by 50", "120 by 100", "200 by 180", "60 by 50"]


def test_the_pointer_puts_the_crosshair_away(open_task):
    task = open_task()
    task.frame.get_by_test_id("stage").press("b")
    task.press("Enter", "ArrowLeft")
    draw(task.page, task.frame, FIRST)
    assert task.boxes() == [("cat", *FIRST)]
    task.press("Enter")
    task.await_message("answer")


def test_arrows_move_the_picture_where_nothing_is_selected(open_task):
    task = open_task()
    task.frame.get_by_test_id("stage").press("o")
    before = area_of(task.frame.locator("img.picture"))
    task.press("ArrowRight", "ArrowDown", "ArrowDown")
    after = area_of(task.frame.locator("img.picture"))
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (pytest.approx(-40), pytest.approx(-80))


def test_each_of_overlapping_boxes_is_reached_by_clicking_again(open_task):
    task = open_task()
    for box in [(20, 20, 200, 180), (40, 40, 120, 100), (60, 60, 60, 50)]:
        task.page.keyboard.down("Shift")
        draw(task.page, task.frame, box)
        task.page.keyboard.up("Shift")
    task.press("Escape")
    selected = []
    for _ in range(4):
        click(task, 80, 80)
        pressed = task.frame.locator(".boxes [aria-pressed=true]")
        selected.append(pressed.get_attribute("aria-label").split(", ")[-1].removesuffix(" pixels"))
    assert selected == ["60 by 50", "120 by 100", "200 by 180", "60 by 50"]


def test_zoom_goes_to_the_pointer_and_back_to_the_whole(open_task):
    task = open_task()
    shown = task.frame.locator("img.picture")
    fitted = area_of(shown)
    x, y = place(task.frame, 80, 60)
    task.page.mouse.move(x, y)
    wheel(task, -400)
    assert area_of(shown)["width"] > 2 * fitted["width"]
    assert place(task.frame, 80, 60) == (pytest.approx(x, abs=1.5), pytest.approx(y, abs=1.5))
    task.press("o")
    assert area_of(shown)["width"] == pytest.approx(320, abs=0.1)
    task.press("f")
    assert area_of(shown) == pytest.approx(fitted)


@pytest.mark.parametrize("how", ["space", "middle"])
def test_the_picture_is_moved_and_nothing_drawn(open_task, how):
    task = open_task()
    x, y = place(task.frame, 100, 100)
    task.page.mouse.move(x, y)
    if how == "space":
        task.page.keyboard.down(" ")
    button = "left" if how == "space" else "middle"
    task.page.mouse.down(button=button)
    task.page.mouse.move(x + 40, y - 25)
    task.page.mouse.up(button=button)
    if how == "space":
        task.page.keyboard.up(" ")
    assert place(task.frame, 100, 100) == (pytest.approx(x + 40, abs=0.6), pytest.approx(y - 25, abs=0.6))
    assert task.boxes() == []


def test_what_the_view_does_is_not_an_answer(task):
    for key, name in [("h", "hide boxes"), ("d", "dim all but the box"), ("l", "loupe on or off")]:
        button = task.frame.get_by_role("button", name=name)
        before = button.get_attribute("aria-pressed")
        task.press(key)
        wait_for(task.page, lambda: button.get_attribute("aria-pressed") != before)  # noqa: B023 at once
    task.frame.get_by_label("Brightness").fill("180")
    task.frame.get_by_label("Contrast").fill("60")
    shown = task.frame.locator("img.picture").evaluate("img => img.style.filter")
    assert shown == "brightness(180%) contrast(60%)"
    assert task.boxes() == [("cat", *FIRST)]


def test_the_loupe_shows_the_pixels_at_the_pointer_while_drawing(open_task):
    """The picture is dark but for a bright square, under the pointer; the loupe is at the upper left."""
    task = open_task(picture=a_picture((200, 150, 40, 40)))
    loupe = task.frame.locator(".loupe")
    draw(task.page, task.frame, (10, 10, 30, 20))
    loupe.wait_for(state="hidden")
    task.page.mouse.move(*place(task.frame, 120, 150))
    task.page.mouse.down()
    task.page.mouse.move(*place(task.frame, 220, 170))
    loupe.wait_for()
    with Image.open(io.BytesIO(loupe.screenshot())) as shown:
        assert shown.convert("RGB").getpixel((28, 28)) == (230, 200, 60)


def test_the_chosen_label_is_in_sight_however_it_was_chosen(open_task):
    labels = [f"kind {number}" for number in range(14)]
    task = open_task(labels=labels, first={"label": "kind 12"})  # as in the task before

    def in_sight(label):
        row = task.inside.get_by_role("radio", name=re.compile(f"^{label}$")).bounding_box()
        around = task.inside.get_by_role("radiogroup").bounding_box()
        above, below = row["y"] - around["y"], around["y"] + around["height"] - row["y"] - row["height"]
        return above >= 0 and below >= 0

    wait_for(task.page, lambda: in_sight("kind 12"))
    task.press("1")
    wait_for(task.page, lambda: in_sight("kind 0"))
    task.press("/")
    task.page.keyboard.type("13")
    task.page.keyboard.press("Enter")
    wait_for(task.page, lambda: in_sight("kind 13"))


def test_labels_beyond_ten_are_searched(open_task):
    labels = [f"class {number}" for number in range(1, 15)]
    task = open_task(labels=labels)
    task.frame.get_by_label("Search labels").fill("s 13")
    radios = task.frame.get_by_role("radio")
    radios.nth(1).wait_for(state="detached")
    radios.click()
    draw(task.page, task.frame, FIRST)
    assert task.boxes() == [("class 13", *FIRST)]
    task.press("/", *"s 12", "Enter")
    draw(task.page, task.frame, (10, 10, 20, 20))
    assert task.boxes()[1] == ("class 12", 10, 10, 20, 20)


def test_labels_keep_their_colour_and_key_from_task_to_task(open_task):
    """A template that offers a part of the job's labels: the second stays the second."""
    whole, part = open_task(), open_task(labels=("dog",), first={"labels": ["cat", "dog"]})
    colour = "button => getComputedStyle(button).getPropertyValue('--label')"
    colours = [task.frame.get_by_role("radio", name="dog").evaluate(colour) for task in (whole, part)]
    assert colours[0] == colours[1]
    assert part.frame.get_by_role("radio").all_inner_texts() == ["dog\n2"]
    part.press("1", "2")
    draw(part.page, part.frame, FIRST)
    assert part.boxes() == [("dog", *FIRST)]


def test_the_label_chosen_last_is_chosen_in_the_next_task(open_task):
    task = open_task(first={"label": "dog"})
    draw(task.page, task.frame, FIRST)
    assert task.boxes() == [("dog", *FIRST)]


def test_boxes_of_the_picture_before_are_taken_over_as_one_step(open_task):
    previous = [
        {"label": "dog", "left": 5, "top": 6, "width": 70, "height": 80},
        {"label": "cat", "left": 300, "top": 200, "width": 50, "height": 60},
        {"label": "gone", "left": 1, "top": 1, "width": 5, "height": 5},
    ]
    task = open_task(first={"previous": previous})
    task.press("v")
    assert task.boxes() == [("dog", 5, 6, 70, 80), ("cat", 300, 200, 20, 40)]
    task.press("Control+z")
    assert task.boxes() == []


def test_the_list_of_keys_is_one_key_away(open_task):
    task = open_task()
    task.press("?")
    shown = task.frame.get_by_role("dialog", name="Keys")
    shown.get_by_text("take over the boxes of the picture before").wait_for()
    task.press("Escape")
    shown.wait_for(state="hidden")


def test_a_finger_draws_and_two_zoom(open_task):
    task = open_task(has_touch=True)
    session = task.page.context.new_cdp_session(task.page)

    def touch(kind, *points):
        at = [dict(zip("xy", place_, strict=True), id=number) for number, place_ in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", place(task.frame, 100, 60))
    touch("touchMove", place(task.frame, 150, 100))
    touch("touchMove", place(task.frame, 180, 120))
    touch("touchEnd")
    assert task.boxes() == [("cat", *FIRST)]
    before = area_of(task.frame.locator("img.picture"))["width"]
    (x, y) = place(task.frame, 250, 180)
    touch("touchStart", (x - 20, y), (x + 20, y))
    touch("touchMove", (x - 40, y), (x + 40, y))
    touch("touchEnd")
    assert area_of(task.frame.locator("img.picture"))["width"] == pytest.approx(2 * before, rel=0.02)
    assert task.boxes() == [("cat", *FIRST)]


def test_a_pen_draws(open_task):
    task = open_task()
    session = task.page.context.new_cdp_session(task.page)
    steps = [("mousePressed", (100, 60)), ("mouseMoved", (180, 120)), ("mouseReleased", (180, 120))]
    for kind, point in steps:
        x, y = place(task.frame, *point)
        given = {"type": kind, "x": x, "y": y, "pointerType": "pen", "button": "left", "clickCount": 1}
        session.send("Input.dispatchMouseEvent", given | {"buttons": int(kind != "mouseReleased")})
    assert task.boxes() == [("cat", *FIRST)]


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("window", [(1280, 800), (1000, 700), (700, 560)])
def test_boxes_are_right_in_every_window_on_every_screen(open_task, window, ratio):
    viewport = {"width": window[0], "height": window[1]}
    size = (640, 480)
    task = open_task(size=size, viewport=viewport, device_scale_factor=ratio)
    assert task.inside.evaluate("() => devicePixelRatio") == ratio
    for box in [(101, 57, 203, 151), (0, 0, 17, 480), (611, 333, 29, 147)]:
        draw(task.page, task.frame, box, size)
    assert task.submitted_boxes() == [
        ("cat", 101, 57, 203, 151),
        ("cat", 0, 0, 17, 480),
        ("cat", 611, 333, 29, 147),
    ]


def test_a_box_of_one_pixel_can_be_drawn_when_zoomed(open_task):
    task = open_task()
    task.page.mouse.move(*place(task.frame, 200, 150))
    for _ in range(3):
        wheel(task, -400)
    draw(task.page, task.frame, (200, 150, 1, 1))
    assert task.boxes() == [("cat", 200, 150, 1, 1)]
