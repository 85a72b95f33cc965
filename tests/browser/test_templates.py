"""Templates in the shapes found in the wild, and the answers they give; and what a malicious one can't do."""

import json

import pytest

from browser.conftest import draw
from browser.sandbox import PICTURES

BOX = (100, 60, 80, 60)
DRAWN = {"label": "cat", "left": 100, "top": 60, "width": 80, "height": 60}
SIZE = {"width": 320, "height": 240}
ANSWER = {"boundingBoxes": [DRAWN], "inputImageProperties": SIZE}
SRC = 'src="{{ task.input.taskObject | grant_read_access }}"'
LABELS = 'labels="{{ task.input.labels | to_json | escape }}"'
ELEMENT = f'<crowd-bounding-box name="boundingBox" {SRC} header="Draw" {LABELS}></crowd-bounding-box>'
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'

SHAPES = {
    "the console's": (f"{SCRIPT}<crowd-form>{ELEMENT}</crowd-form>", {"boundingBox": ANSWER}),
    "no script at all": (f"<crowd-form>{ELEMENT}</crowd-form>", {"boundingBox": ANSWER}),
    "labels in single quotes": (
        f"""{SCRIPT}<crowd-form><crowd-bounding-box name="animals" {SRC} header="Draw"
          labels="['cat', 'dog']"></crowd-bounding-box></crowd-form>""",
        {"animals": ANSWER},
    ),
    "a whole document with a form of its own, another name, styles": (
        f"""<!DOCTYPE html><html><head><title>Task</title><style>body {{ font-size: 15px }}</style></head>
          <body>{SCRIPT}<crowd-form answer-format="flatten-objects"><h2>Find them</h2>
          <crowd-bounding-box name="annotatedResult" {SRC} {LABELS} header="Find them"></crowd-bounding-box>
          </crowd-form></body></html>""",
        {"annotatedResult": ANSWER},
    ),
    "an initial value that is kept": (
        f"""<crowd-form><crowd-bounding-box name="boundingBox" {SRC} header="Adjust" {LABELS}
          initial-value='[{json.dumps(DRAWN)}]'></crowd-bounding-box></crowd-form>""",
        {"boundingBox": {**ANSWER, "initialValueModified": False}},
    ),
    "an initial value that is changed": (
        f"""<crowd-form><crowd-bounding-box name="boundingBox" {SRC} header="Adjust" {LABELS}
          initial-value='[{{"label": "dog", "left": 5, "top": 5, "width": 9, "height": 9}}]'>
          </crowd-bounding-box></crowd-form>""",
        {
            "boundingBox": {
                "boundingBoxes": [{"label": "dog", "left": 5, "top": 5, "width": 9, "height": 9}, DRAWN],
                "initialValueModified": True,
                "inputImageProperties": SIZE,
            }
        },
    ),
    "labels set when the elements are ready": (
        f"""{SCRIPT}<crowd-form><crowd-bounding-box id="box" name="boundingBox" {SRC} header="Draw"
          labels="[]"></crowd-bounding-box></crowd-form>
          <script>document.addEventListener('all-crowd-elements-ready', () => {{
            const box = document.querySelector('crowd-bounding-box');
            if (box.labels.length === 0) box.labels = ['cat', 'dog'];
          }});</script>""",
        {"boundingBox": ANSWER},
    ),
    "a hidden field filled in at submit": (
        f"""{SCRIPT}<crowd-form>{ELEMENT}<input type="hidden" name="count" id="count"></crowd-form>
          <script>document.querySelector('crowd-form').onsubmit = function () {{
            const box = document.querySelector('crowd-bounding-box');
            document.getElementById('count').value = box.value.boundingBoxes.length;
          }};</script>""",
        {"boundingBox": ANSWER, "count": "1"},
    ),
    "a submit button of its own": (
        f"""<crowd-form>{ELEMENT}
          <crowd-button form-action="submit" variant="primary">Submit</crowd-button></crowd-form>""",
        {"boundingBox": ANSWER},
    ),
    "a plain submit button": (
        f"""<crowd-form>{ELEMENT}<button type="submit">Submit</button></crowd-form>""",
        {"boundingBox": ANSWER},
    ),
    "questions beside the picture": (
        f"""<crowd-form>{ELEMENT}
          <crowd-input name="note" label="Note" value="dark" max-length="20"></crowd-input>
          <crowd-text-area name="more" label="More" rows="2"></crowd-text-area>
          <crowd-checkbox name="sure" value="sure" checked>Sure</crowd-checkbox>
          <crowd-radio-group>
            <crowd-radio-button name="day" value="day" checked>Day</crowd-radio-button>
            <crowd-radio-button name="night" value="night">Night</crowd-radio-button>
          </crowd-radio-group>
          <crowd-alert type="info" dismissible>Take care.</crowd-alert></crowd-form>""",
        {
            "boundingBox": ANSWER,
            "note": "dark",
            "more": "",
            "sure": {"sure": True},
            "day": {"day": True},
            "night": {"night": False},
        },
    ),
    "instructions in a link, comments, odd white space": (
        f"""<!-- a comment -->
          <crowd-form >
            <crowd-instructions link-text="View instructions"><short-summary>Draw.</short-summary>
            </crowd-instructions>
            <crowd-bounding-box
              name = "boundingBox"
              {SRC}
              header = "Draw"
              {LABELS}
            ><full-instructions header="F"><b>All</b></full-instructions>
             <short-instructions>Short</short-instructions></crowd-bounding-box>
          </crowd-form>""",
        {"boundingBox": ANSWER},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_answer_of_a_template_in_the_shape(open_task, shape):
    template, answer = SHAPES[shape]
    task = open_task(template, viewport={"width": 1280, "height": 1400})
    if "kept" not in shape:
        draw(task.page, task.frame, BOX)
    assert task.submit() == answer


def test_onsubmit_can_hold_the_answer_back(open_task):
    task = open_task(
        f"""<crowd-form>{ELEMENT}</crowd-form><script>
        document.querySelector('crowd-form').addEventListener('submit', (event) => {{
          const boxes = document.querySelector('crowd-bounding-box').value.boundingBoxes;
          if (boxes.some((box) => box.width < 10)) {{ event.preventDefault(); alert('Too small'); }}
        }});</script>"""
    )
    draw(task.page, task.frame, (10, 10, 5, 5))
    task.frame.get_by_role("button", name="Submit").click()
    task.frame.get_by_role("alert").filter(has_text="Too small").wait_for()
    assert task.messages("answer") == []
    task.press("Delete")
    draw(task.page, task.frame, BOX)
    assert task.submit() == {"boundingBox": ANSWER}


def test_a_required_field_is_asked_for(open_task):
    template = (
        f'<crowd-form>{ELEMENT}<crowd-input name="note" label="Note" required></crowd-input></crowd-form>'
    )
    task = open_task(template, viewport={"width": 1280, "height": 1100})
    draw(task.page, task.frame, BOX)
    task.frame.get_by_role("button", name="Submit").click()
    task.frame.get_by_text("Please fill in: Note").wait_for()
    task.frame.get_by_label("Note").fill("seen")
    assert task.submit() == {"boundingBox": ANSWER, "note": "seen"}


def test_what_was_filled_in_comes_back(open_task):
    template = f'<crowd-form>{ELEMENT}<crowd-input name="note" label="Note"></crowd-input></crowd-form>'
    task = open_task(template, first={"boxes": [DRAWN], "fields": ["seen"]})
    assert task.frame.get_by_label("Note").input_value() == "seen"
    assert task.submit() == {"boundingBox": ANSWER, "note": "seen"}


def test_nothing_here_is_asked_once_and_is_an_answer(open_task):
    task = open_task()
    task.frame.get_by_role("button", name="Submit").click()
    asked = task.frame.get_by_role("dialog", name="You have drawn no box.")
    asked.get_by_role("button", name="Go on drawing").click()
    assert task.messages("answer") == []
    task.frame.get_by_role("button", name="Nothing here").click()
    empty = {"boundingBoxes": [], "inputImageProperties": SIZE}
    assert task.await_message("answer")["answer"] == {"boundingBox": empty}


MALICIOUS = f"""<crowd-form>{ELEMENT}</crowd-form><p id="told"></p><script>
document.addEventListener('all-crowd-elements-ready', async () => {{
  const loads = (address) => new Promise((resolve, reject) => {{
    const image = new Image(); image.onload = resolve; image.onerror = reject; image.src = address;
  }});
  const tries = {{
    portal: () => parent.document.title,
    sibling: () => parent.frames[1].document.title,
    away: () => fetch('https://example.com/'),
    image: () => loads('https://example.com/x.png'),
    other: () => loads('{PICTURES}/other.png'),
    navigate: () => {{ top.location = 'https://example.com/'; throw 0; }},
    open: () => {{ if (!window.open('https://example.com/')) throw 0; }},
  }};
  const told = [];
  for (const name in tries) {{
    try {{ await tries[name](); told.push(name); }} catch {{ /* as it should be */ }}
  }}
  document.querySelector('#told').textContent = 'open: ' + told.join();
}});</script>"""


def test_a_malicious_template_reaches_nothing(open_task):
    task = open_task(MALICIOUS, wait=False)
    task.site.pictures["/other.png"] = task.site.pictures["/picture.png"]
    told = task.frame.locator("#told", has_text="open:")
    told.wait_for(state="attached")
    assert told.text_content() == "open: "
    assert task.site.refused == []
    assert task.page.title() == "Portal"


def test_labels_and_headers_are_only_ever_texts(open_task):
    evil = '<img src=x onerror="parent.hacked=1">'
    task = open_task(labels=(evil, "dog"))
    assert task.frame.get_by_role("radio").first.get_attribute("title") == evil
    draw(task.page, task.frame, BOX)
    assert task.boxes() == [(evil, *BOX)]
    assert task.frame.locator("crowd-bounding-box img:not(.picture, .loupe img)").count() == 0


def test_a_tasks_page_asks_for_nothing_but_its_picture(open_task):
    """A sandboxed frame's files would be fetched anew for each task: browsers keep nothing for it."""
    task = open_task()
    assert task.site.of_frames == [f"{PICTURES}/picture.png"]
