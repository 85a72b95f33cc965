"""Templates that bring scripts, buttons and fields of their own, as found in the wild."""

import json

import pytest

from browser.conftest import draw
from browser.sandbox import area_of
from browser.test_templates import ANSWER, BOX, DRAWN, ELEMENT, LABELS, SCRIPT, SIZE, SRC

ODD = ["it's", 'say "cheese"', "A & B <b>", "小猫 🐈", "كلب", "café"]
PICTURE = "{{ task.input.taskObject | grant_read_access }}"


def box_with(attributes, script="", name="b"):
    return (
        f'{SCRIPT}<crowd-form><crowd-bounding-box name="{name}" {attributes}></crowd-bounding-box>'
        f"</crowd-form><script>{script}</script>"
    )


LABELS_OF_A_KIND = {
    "objects": box_with(f"""{SRC} labels='[{{"label": "cat"}}, {{"label": "dog"}}]'"""),
    "no filter at all": box_with(f'{SRC} labels="{{{{ task.input.labels }}}}"'),
    "joined": box_with(f"{SRC} labels=\"{{{{ task.input.labels | join: ', ' }}}}\""),
    "JSON without escape, in double quotes": box_with(
        f'{SRC} labels="{{{{ task.input.labels | to_json }}}}"'
    ),
    "JSON as it is, in single quotes": box_with(
        f"{SRC} labels='{{{{ task.input.labels | to_json | skip_autoescape }}}}'"
    ),
    "a loop": box_with(
        f"""{SRC} labels="[{{% for label in task.input.labels %}}'{{{{ label }}}}',{{% endfor %}}]\""""
    ),
    "assigned and captured": '{% assign all = "cat,dog" | split: "," %}{% capture head %}{{ all | size }}'
    "{% endcapture %}" + box_with(f'{SRC} header="{{{{ head }}}}" labels="{{{{ all | to_json | escape }}}}"'),
    "none": box_with(f'{SRC} header="Draw"'),
    "set before the elements are ready": box_with(
        f'{SRC} labels="[]"', "document.querySelector('crowd-bounding-box').labels = ['cat', 'dog'];"
    ),
    "set once all is loaded": box_with(
        SRC, "onload = () => { document.querySelector('crowd-bounding-box').labels = ['cat', 'dog']; };"
    ),
}


@pytest.mark.parametrize("kind", LABELS_OF_A_KIND)
def test_labels_as_they_are_written_in_the_wild(open_task, kind):
    task = open_task(LABELS_OF_A_KIND[kind])
    assert task.frame.get_by_role("radio").all_inner_texts() == ["cat\n1", "dog\n2"]
    draw(task.page, task.frame, BOX)
    assert task.submit() == {"b": ANSWER}


def test_labels_of_every_script_come_back_as_they_are(open_task):
    task = open_task(labels=tuple(ODD))
    radios = task.frame.get_by_role("radio")
    assert [radios.nth(at).get_attribute("title") for at in range(len(ODD))] == ODD
    for number, key in enumerate("123456"):
        task.press(key)
        draw(task.page, task.frame, (10 + 40 * number, 10, 30, 30))
    assert [label for label, *_ in task.boxes()] == ODD


def test_without_any_label_nothing_is_drawn_and_the_page_says_why(open_task):
    task = open_task(box_with(f'{SRC} labels="[]"'))
    task.frame.get_by_text("This template's labels can't be read").wait_for()
    draw(task.page, task.frame, BOX)
    assert task.boxes() == []


SOURCES = {
    "before the elements are ready": f"document.querySelector('crowd-bounding-box').src = '{PICTURE}';",
    "when they are": "document.addEventListener('all-crowd-elements-ready', () => {"
    f"document.querySelector('crowd-bounding-box').src = '{PICTURE}'; }});",
}


@pytest.mark.parametrize("moment", SOURCES)
def test_the_picture_may_be_set_by_a_script(open_task, moment):
    task = open_task(box_with(LABELS, SOURCES[moment]))
    draw(task.page, task.frame, BOX)
    assert task.submit() == {"b": ANSWER}


def test_an_element_may_be_made_by_a_script(open_task):
    script = f"""document.addEventListener('all-crowd-elements-ready', () => {{
      const box = document.createElement('crowd-bounding-box');
      Object.assign(box, {{ name: 'b', labels: ['cat', 'dog'], header: 'Made', src: '{PICTURE}' }});
      document.querySelector('crowd-form').append(box);
    }});"""
    task = open_task(f"{SCRIPT}<crowd-form></crowd-form><script>{script}</script>")
    task.frame.get_by_role("heading", name="Made").wait_for()
    task.frame.get_by_role("button", name="Nothing here").click()
    empty = {"boundingBoxes": [], "inputImageProperties": SIZE}
    assert task.await_message("answer")["answer"] == {"b": empty}


def test_the_value_is_nothing_before_the_elements_are_ready_and_boxes_after_every_change(open_task):
    script = """const box = document.querySelector('crowd-bounding-box');
      window.early = String(box.value);
      window.counts = [];
      box.addEventListener('change', () => counts.push(box.value.boundingBoxes.length));"""
    task = open_task(box_with(f"{SRC} {LABELS}", script))
    draw(task.page, task.frame, BOX)
    task.press("Delete", "Control+z")
    assert task.inside.evaluate("() => [window.early, window.counts.at(0), window.counts.at(-1)]") == [
        "undefined",
        1,
        1,
    ]


def test_a_question_is_answered_by_submitting_again(open_task):
    """In a sandbox `confirm` shows nothing and says no, so that such a template could never be submitted."""
    task = open_task(
        f"""<crowd-form>{ELEMENT}</crowd-form><script>
        document.querySelector('crowd-form').onsubmit = (event) => {{
          if (!confirm('Only one box?')) event.preventDefault();
        }};</script>"""
    )
    submit = task.frame.get_by_role("button", name="Submit", exact=True)
    asked = task.frame.get_by_role("alert").filter(has_text="Only one box? Submit again if so.")
    draw(task.page, task.frame, BOX)
    submit.click()
    asked.wait_for()
    draw(task.page, task.frame, (10, 10, 20, 20))  # asked anew: it is another answer
    submit.click()
    asked.wait_for()
    task.press("Control+z")
    submit.click()
    asked.wait_for()
    assert task.messages("answer") == []
    assert task.submit() == {"boundingBox": ANSWER}


def test_a_submit_button_that_a_script_holds_back_is_held_back_for_keys_too(open_task):
    task = open_task(
        f"""<crowd-form>{ELEMENT}</crowd-form>
        <crowd-button form-action="submit" variant="primary" disabled>Done</crowd-button><script>
        document.querySelector('crowd-bounding-box').addEventListener('change', (event) => {{
          document.querySelector('crowd-button').disabled = event.target.value.boundingBoxes.length < 2;
        }});</script>""",
        viewport={"width": 1280, "height": 1000},
    )
    button = task.frame.get_by_role("button", name="Done")
    assert button.is_disabled()
    draw(task.page, task.frame, (10, 10, 20, 20))
    task.press("Enter")
    assert task.messages("answer") == []
    draw(task.page, task.frame, BOX)
    button.click()
    boxes = task.await_message("answer")["answer"]["boundingBox"]["boundingBoxes"]
    assert boxes == [{**DRAWN, "left": 10, "top": 10, "width": 20, "height": 20}, DRAWN]


def test_fields_keep_to_what_their_attributes_ask_for(open_task):
    task = open_task(
        f"""<crowd-form>{ELEMENT}
        <crowd-input name="code" label="Code" min-length="3" error-message="Three letters at least">
        </crowd-input>
        <crowd-text-area name="more" label="More" value="as written" auto-focus></crowd-text-area>
        </crowd-form>""",
        viewport={"width": 1280, "height": 1100},
    )
    draw(task.page, task.frame, BOX)
    task.frame.get_by_label("Code").fill("ab")
    task.frame.get_by_role("button", name="Submit", exact=True).click()
    task.frame.get_by_role("alert").filter(has_text="Three letters at least").wait_for()
    task.frame.get_by_label("Code").fill("abc")
    assert task.submit() == {"boundingBox": ANSWER, "code": "abc", "more": "as written"}


def test_the_forms_onsubmit_attribute_holds_the_answer_back(open_task):
    task = open_task(
        f"""<crowd-form onsubmit="return enough()">{ELEMENT}</crowd-form><script>
        function enough() {{
          return document.querySelector('crowd-bounding-box').value.boundingBoxes.length > 1;
        }}</script>"""
    )
    draw(task.page, task.frame, (10, 10, 20, 20))
    task.press("Enter")
    assert task.messages("answer") == []
    draw(task.page, task.frame, BOX)
    assert len(task.submit()["boundingBox"]["boundingBoxes"]) == 2


@pytest.mark.parametrize(("given", "drawn"), [([DRAWN], [("cat", *BOX)]), (None, [])])
def test_an_initial_value_of_the_task_or_none(open_task, given, drawn):
    value = json.dumps(given).replace('"', "&quot;") if given else "{{ task.input.none | to_json | escape }}"
    task = open_task(box_with(f'{SRC} {LABELS} initial-value="{value}"'))
    assert task.boxes() == drawn
    task.frame.get_by_role("button", name="Submit" if given else "Nothing here", exact=True).click()
    assert task.await_message("answer")["answer"]["b"]["initialValueModified"] is False


def test_a_script_may_have_variables_of_any_name(open_task):
    """`var name` is the window's name, by which the portal knows its frame."""
    names = "var name = 'boxes', status = 1, parent = null, length = 3, event = 0, labels = [], text = '';"
    task = open_task(f"<script>{names}</script><crowd-form>{ELEMENT}</crowd-form>")
    draw(task.page, task.frame, BOX)
    assert task.submit() == {"boundingBox": ANSWER}


TWO = f"{SCRIPT}<crowd-form>{ELEMENT}{ELEMENT.replace('boundingBox', 'second')}</crowd-form>"


def drawn_on(task, at, box):
    """Draw on one of several elements."""
    left, top, width, height = box
    shown = area_of(task.frame.locator("img.picture").nth(at))
    scale = shown["width"] / 320
    x, y = shown["x"] + left * scale, shown["y"] + top * scale
    task.page.mouse.move(x, y)
    task.page.mouse.down()
    task.page.mouse.move(x + width * scale, y + height * scale)
    task.page.mouse.up()


def test_two_elements_are_two_answers_and_keys_go_to_the_one_that_was_used_last(open_task):
    task = open_task(TWO, wait=False, viewport={"width": 1280, "height": 1200})
    task.frame.locator("img.picture:not([hidden])").nth(1).wait_for()
    drawn_on(task, 1, BOX)
    task.press("Alt+2")
    drawn_on(task, 0, BOX)
    assert task.submit() == {
        "boundingBox": ANSWER,
        "second": {**ANSWER, "boundingBoxes": [{**DRAWN, "label": "dog"}]},
    }


def test_what_was_drawn_on_two_elements_is_kept_and_comes_back(open_task):
    other = {**DRAWN, "label": "dog", "left": 7}
    task = open_task(TWO, wait=False, first={"boxes": [DRAWN], "others": [[other]]})
    task.frame.get_by_role("button", name="dog, left 7, top 60").wait_for()
    task.frame.get_by_role("button", name="cat, left 100, top 60").click()
    task.press("Delete")
    task.page.wait_for_function(
        "() => window.messages.some(each => each.type === 'draft' && !each.boxes.length)"
    )
    draft = task.messages("draft")[-1]
    assert (draft["boxes"], draft["others"], draft["blank"]) == ([], [[other]], False)


@pytest.mark.parametrize("how", ["link", "button", "script"])
def test_where_a_link_leads_is_left_to_the_portal(open_task, how):
    """The frame would leave the task, and a sandbox opens no page."""
    task = open_task(
        f"""<crowd-form>{ELEMENT}</crowd-form><a href="https://example.com/guide">link</a>
        <crowd-button href="https://example.com/guide">button</crowd-button>
        <button onclick="window.open('https://example.com/guide')">script</button>""",
        viewport={"width": 1280, "height": 1100},
    )
    task.frame.get_by_role("link" if how == "link" else "button", name=how).click()
    assert task.await_message("link")["address"] == "https://example.com/guide"
    assert task.site.refused == []
    task.frame.get_by_role("radio").first.wait_for()


def test_the_styles_of_a_template_leave_our_elements_alone(open_task):
    """A page from right to left with rules for everything: boxes are where the pointer draws."""
    styles = "* { margin: 3px } button { font-size: 40px } div, img { display: inline; width: 9px }"
    task = open_task(
        f'<html dir="rtl" lang="ar"><head><style>{styles}</style></head><body>'
        f"<crowd-form>{ELEMENT}</crowd-form></body></html>"
    )
    draw(task.page, task.frame, BOX)
    assert task.boxes() == [("cat", *BOX)]
    assert task.frame.locator("html").get_attribute("lang") == "ar"
