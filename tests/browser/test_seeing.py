"""What is painted over the picture: boxes in their colours, hidden, dimmed, crosshair; and instructions."""

import json

import pytest

from browser.conftest import draw, place
from browser.sandbox import wait_for

BOX = (100, 60, 80, 60)
ORANGE, BLUE = (255, 176, 0), (77, 195, 255)  # of the first label and of the second
NEAR = 70  # of 255: a line of 1.75 pixels may lie across two
PIXEL = """([x, y]) => {
  const { canvas } = document.querySelector("crowd-bounding-box").stage;
  const area = canvas.getBoundingClientRect();
  const scale = canvas.width / area.width;
  const at = [Math.round((x - area.left) * scale) - 2, Math.round((y - area.top) * scale) - 2];
  const { data } = canvas.getContext("2d").getImageData(...at, 5, 5);
  const pixels = Array.from({ length: 25 }, (_, number) => [...data.slice(4 * number, 4 * number + 4)]);
  const bright = ([red, green, blue, alpha]) => (red + green + blue + 1) * alpha;
  return pixels.sort((a, b) => bright(b) - bright(a))[0];
}"""


def painted(task, x, y):
    """Red, green, blue and how opaque: the brightest of the 25 pixels over a point of the picture."""
    frame = task.page.locator("iframe.task").bounding_box()
    at = place(task.frame, x, y)  # which waits until it is painted
    return tuple(task.inside.evaluate(PIXEL, [at[0] - frame["x"], at[1] - frame["y"]]))


@pytest.fixture
def task(open_task):
    """A box of each of two labels; none is selected, and the pointer is away from them."""
    opened = open_task()
    draw(opened.page, opened.frame, BOX)
    opened.press("2")
    draw(opened.page, opened.frame, (200, 150, 60, 50))
    opened.press("Escape")
    opened.page.mouse.move(*place(opened.frame, 10, 10))
    return opened


def test_each_box_has_its_labels_colour_and_the_crosshair_follows_the_pointer(task):
    assert painted(task, 140, 60) == pytest.approx((*ORANGE, 255), abs=NEAR)
    assert painted(task, 230, 150) == pytest.approx((*BLUE, 255), abs=NEAR)
    assert painted(task, 60, 180)[3] == 0
    assert painted(task, 60, 10)[3] > 0
    task.page.mouse.move(*place(task.frame, 20, 180))
    assert painted(task, 60, 180)[3] > 0
    assert painted(task, 60, 10)[3] == 0


def test_boxes_are_hidden_and_shown_again(task):
    task.press("h")
    assert painted(task, 140, 60)[3] == 0
    task.press("h")
    assert painted(task, 140, 60) == pytest.approx((*ORANGE, 255), abs=NEAR)


def test_all_but_the_selected_box_is_dimmed(task):
    task.press("d")
    assert painted(task, 60, 180)[3] == 0  # no box is selected
    task.press("n")
    assert painted(task, 60, 180) == (0, 0, 0, 153)
    assert painted(task, 140, 90)[3] < 100
    task.press("d")
    assert painted(task, 60, 180)[3] == 0


def test_short_instructions_are_always_there_and_full_ones_on_demand(open_task):
    task = open_task()
    task.frame.get_by_text("One box for each animal").wait_for()
    task.frame.get_by_text("Draw tightly.").wait_for(state="hidden")
    task.frame.get_by_role("button", name="Full instructions").click()
    shown = task.frame.get_by_role("dialog", name="Full instructions")
    shown.get_by_text("Draw tightly.").or_(task.frame.get_by_text("Draw tightly.")).first.wait_for()
    task.press("Escape")
    task.frame.get_by_text("Draw tightly.").wait_for(state="hidden")


SMALL = """<crowd-form><crowd-instructions link-text="How to"><p>Inside out.</p></crowd-instructions>
<crowd-alert type="warning" dismissible>Mind the shadows.</crowd-alert>
<crowd-input name="note" label="Note" value="a" allowed-pattern="[a-z]" auto-validate></crowd-input>
<crowd-checkbox name="sure" value="yes" required>Sure</crowd-checkbox>
<crowd-radio-group><crowd-radio-button name="time" value="day">Day</crowd-radio-button>
<crowd-radio-button name="time" value="night">Night</crowd-radio-button></crowd-radio-group>
<crowd-button form-action="reset">Reset</crowd-button></crowd-form>"""


def test_the_smaller_elements_do_what_they_are_for(open_task):
    task = open_task(SMALL, wait=False)
    frame = task.frame
    frame.get_by_role("button", name="How to").click()
    frame.get_by_text("Inside out.").wait_for()
    frame.get_by_role("dialog", name="How to").get_by_role("button", name="Close").click()
    frame.get_by_text("Inside out.").wait_for(state="hidden")
    frame.get_by_role("button", name="Close message").click()
    frame.get_by_text("Mind the shadows.").wait_for(state="detached")
    frame.get_by_label("Note").press_sequentially("B1c")
    wait_for(task.page, lambda: frame.get_by_label("Note").input_value() == "ac")
    frame.get_by_role("button", name="Reset").click()
    wait_for(task.page, lambda: frame.get_by_label("Note").input_value() == "a")
    frame.get_by_role("button", name="Submit").click()
    frame.get_by_role("alert").filter(has_text="Please fill in: sure").wait_for()
    frame.get_by_label("Sure").check()
    frame.get_by_label("Day").check()
    frame.get_by_label("Day").press("ArrowDown")
    assert task.submit() == {"note": "a", "sure": {"yes": True}, "time": {"day": False, "night": True}}


KEYS = [*"NPBCX/V+FOHDL?ES", "\u2212", "Del", "Ctrl+Z", "Ctrl+Y", "Esc", "\u21b5"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_command_is_in_the_list_of_keys(open_task, language):
    task = open_task(locale=language)
    task.frame.get_by_test_id("stage").press("?")
    listed = task.frame.get_by_role("dialog").locator("kbd").all_inner_texts()
    assert [each for each in KEYS if each not in listed] == []
    assert json.dumps(task.frame.get_by_role("dialog").inner_text()).count("key.") == 0
