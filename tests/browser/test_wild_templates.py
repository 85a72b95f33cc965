"""More templates in the shapes of Ground Truth's guide and of the wild: each answer is the documented one."""

import pytest

from browser.conftest import draw
from browser.test_templates import ANSWER, BOX, DRAWN, ELEMENT, LABELS, SCRIPT, SIZE, SRC

TALL = {"viewport": {"width": 1280, "height": 1600}}


def box_in(attributes="", inside="", after="", name="b"):
    element = f'<crowd-bounding-box name="{name}" {SRC} {LABELS} {attributes}>{inside}</crowd-bounding-box>'
    return f"{SCRIPT}<crowd-form>{element}{after}</crowd-form>"


EARLIER = {
    "manifestLine": {
        "first-pass": {"annotations": [{"class_id": 0, "left": 100, "top": 60, "width": 80, "height": 60}]},
        "first-pass-metadata": {"class-map": {"0": "cat"}},
    }
}
LOOP = """initial-value="[
 {% for box in task.input.manifestLine.first-pass.annotations %}
  {% capture number %}{{ box.class_id }}{% endcapture %}
  {% assign named = task.input.manifestLine.first-pass-metadata.class-map[number] %}
  { label: {{ named | to_json }}, left: {{ box.left }}, top: {{ box.top }}, width: {{ box.width }},
    height: {{ box.height }}, },
 {% endfor %}]\""""
LOGIC = """{%- comment -%} none of {{ this }} {%- endcomment -%}
{%- unless task.input.note -%}<p>no note</p>{%- endunless -%}
{% case task.input.kind %}{% when "day", "dusk" %}<p>light</p>{% else %}<p>dark</p>{% endcase %}
{% raw %}<p>{{ raw }}</p>{% endraw %}
{% assign parts = task.input.taskObject | split: "/" %}
<p>{{ parts.first }} {{ parts | last }} {{ parts.size }} {{ parts | join: "+" }}</p>
<p>{{ "abcdef" | slice: 1, 3 }} {{ "2024-03-01" | date: "%d.%m.%Y" }} {{ task.input.note | default: "-" }}</p>
{% if task.input.labels contains "cat" and task.input.deep.list[0].x == 1 %}<p>deep</p>{% endif %}
{% for each in task.input.labels reversed %}<p>{{ forloop.index }} {{ each | upcase }}</p>{% endfor %}
{% liquid
 assign three = 3
 echo three %}"""
WRITTEN = [
    "no note",
    "light",
    "{{ raw }}",
    "s3: picture.png 4 s3:++bucket+picture.png",
    "bcd 01.03.2024 -",
    "deep",
    "1 DOG",
    "2 CAT",
]
NATIVE = """<select name="weather"><option>sun<option selected>rain</select>
<select name="seen" multiple><option selected>leash<option selected>collar<option>bowl</select>
<input name="count" type="number" value="3"><input type="hidden" name="batch" value="7">
<input type="radio" name="time" value="day" checked><input type="radio" name="time" value="night">
<input type="checkbox" name="sharp" value="yes" checked><textarea name="more">a
b</textarea><input name="off" value="x" disabled><input type="submit" name="send" value="Submit">"""

SHAPES = {
    "boxes of an earlier job, in a loop": (
        box_in(LOOP),
        {"more": EARLIER},
        {"b": {**ANSWER, "initialValueModified": False}},
    ),
    "an input without input isn't in the output": (
        box_in(
            after='<crowd-input name="one"></crowd-input><crowd-input name="two" value="x"></crowd-input>'
        ),
        {},
        {"b": ANSWER, "two": "x"},
    ),
    "checkboxes of one name and of their own": (
        box_in(
            after='<crowd-checkbox name="is" value="dark">Dark</crowd-checkbox><crowd-checkbox name="is" '
            'value="blurry" checked>Blurry</crowd-checkbox><crowd-checkbox name="sure">Sure</crowd-checkbox>'
        ),
        {},
        {"b": ANSWER, "is": {"dark": False, "blurry": True}, "sure": {"on": False}},
    ),
    "radio buttons of one name": (
        box_in(
            after='<crowd-radio-group><crowd-radio-button name="is" value="1">1</crowd-radio-button>'
            '<crowd-radio-button name="is" value="2" checked>2</crowd-radio-button></crowd-radio-group>'
        ),
        {},
        {"b": ANSWER, "is": {"1": False, "2": True}},
    ),
    "fields of HTML": (
        box_in(after=NATIVE),
        {},
        {
            "b": ANSWER,
            "weather": "rain",
            "seen": ["leash", "collar"],
            "count": "3",
            "batch": "7",
            "time": {"day": True, "night": False},
            "sharp": {"yes": True},
            "more": "a\nb",
        },
    ),
    "Windows line ends": (box_in(after="\n<p>x</p>\n").replace("\n", "\r\n"), {}, {"b": ANSWER}),
    "nothing is closed": (
        f'<crowd-form><crowd-bounding-box name="b" {SRC} {LABELS}><short-instructions>Draw',
        {},
        {"b": ANSWER},
    ),
    "elements that close themselves": (
        f'<crowd-form><crowd-bounding-box name="b" {SRC} {LABELS} /><crowd-checkbox name="c" /></crowd-form>',
        {},
        {"b": ANSWER, "c": {"on": False}},
    ),
    "100 kB of instructions": (
        box_in(inside=f"<full-instructions><p>{'as tight as can be ' * 5_400}</p></full-instructions>"),
        {},
        {"b": ANSWER},
    ),
    "in a form of HTML": (f'<form onsubmit="return false">{box_in()}</form>', {}, {"b": ANSWER}),
    "cards and tabs": (
        box_in(
            after="<crowd-tabs><crowd-tab header='One'><crowd-card>Look</crowd-card></crowd-tab></crowd-tabs>"
        ),
        {},
        {"b": ANSWER},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_answer_of_a_template_in_the_shape(open_task, shape):
    template, options, answer = SHAPES[shape]
    task = open_task(template, **TALL, **options)
    if "earlier" not in shape:
        draw(task.page, task.frame, BOX)
    assert task.frame.locator(".truthmill-lacking").count() == 0
    assert task.submit() == answer


def test_liquids_logic_and_filters(open_task):
    task = open_task(LOGIC + box_in(), **TALL, more={"deep": {"list": [{"x": 1}]}, "kind": "dusk"})
    assert task.frame.locator("body > p").all_inner_texts() == WRITTEN


def test_a_task_that_is_a_text_and_no_picture(open_task):
    said = '<p>{{ task.input.taskObject }}</p><crowd-text-area name="said"></crowd-text-area>'
    task = open_task(f"<crowd-form>{said}</crowd-form>", wait=False, more={"taskObject": "<b>Hello</b>"})
    task.frame.get_by_text("<b>Hello</b>").wait_for()
    task.frame.get_by_label("said").fill("a\nb")
    assert task.submit() == {"said": "a\nb"}


LISTENERS = """<script>window.heard = [];
const listen = (where, name) => where.addEventListener('all-crowd-elements-ready', () => heard.push(name));
listen(document, 'at once'); listen(window, 'at the window');
document.addEventListener('DOMContentLoaded', () => listen(document, 'late'));
window.onload = () => {
  listen(document, 'very late');
  const object = { handleEvent() { heard.push('object'); } };
  window.addEventListener('all-crowd-elements-ready', object, { once: true });
};</script><script type="module">listen(document, 'of a module');</script>"""


def test_scripts_that_listen_late_hear_that_the_elements_are_there(open_task):
    """Ground Truth's elements come long after the page; ours are there before its scripts of type module."""
    task = open_task(box_in() + LISTENERS)
    task.page.wait_for_timeout(100)
    heard = task.inside.evaluate("() => heard")
    assert sorted(heard) == ["at once", "at the window", "late", "object", "of a module", "very late"]


ODD = """[{"label": "cat", "left": "100", "top": "60", "width": "80", "height": "60"},
 {"label": "cat", "left": 10.6, "top": 10.4, "width": 20.5, "height": 20.5},
 {"label": "cat", "left": -5, "top": -5, "width": 20, "height": 20},
 {"label": "cat", "left": 50, "top": 50, "width": -20, "height": 20},
 {"label": 3, "left": 1, "top": 1, "width": 20, "height": 20},
 {"label": "cat", "left": 900, "top": 900, "width": 20, "height": 20},
 {"label": "cat", "left": -30, "top": 10, "width": 20, "height": 20},
 {"label": "cat", "left": null, "top": 1, "width": 20, "height": 20},
 {"label": "cat", "top": 1, "width": 20, "height": 20},
 {"label": null, "left": 1, "top": 1, "width": 20, "height": 20}, null, 7]"""


def test_of_odd_first_boxes_what_lies_on_the_picture_is_shown_and_nothing_is_made_up(open_task):
    task = open_task(box_in(f"initial-value='{ODD}'"))
    assert task.boxes() == [
        ("cat", *BOX),
        ("cat", 11, 10, 20, 21),
        ("cat", 0, 0, 15, 15),
        ("cat", 30, 50, 20, 20),
        ("3", 1, 1, 20, 20),
    ]
    assert task.submit()["b"]["initialValueModified"] is False


def submit(task):
    draw(task.page, task.frame, BOX)
    task.frame.get_by_role("button", name="Submit", exact=True).click()


REFUSED = {
    "an e-mail address": ('<crowd-input name="f" label="Field" type="email"></crowd-input>', "foo", "a@b.c"),
    "a pattern": ('<label>Field <input name="f" pattern="[a-z]+"></label>', "123", "abc"),
    "a range": ('<label>Field <input name="f" type="number" max="3"></label>', "9", "2"),
    "a least length": ('<crowd-input name="f" label="Field" min-length="3"></crowd-input>', "ab", "abc"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_field_that_is_filled_in_wrongly_holds_the_answer_back(open_task, kind):
    field, wrong, right = REFUSED[kind]
    task = open_task(box_in(after=field), **TALL)
    task.frame.get_by_label("Field").fill(wrong)
    submit(task)
    task.frame.locator(".truthmill-message:not(:empty)").wait_for()
    assert task.messages("answer") == []
    task.frame.get_by_label("Field").fill(right)
    assert task.submit() == {"b": ANSWER, "f": right}


PATTERNS = {"[a-z\\_]": ("a_B9", "a_"), "[0-9": ("1a", "1a"), "a|b": ("abc", "ab")}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("kind", ["crowd-input", "crowd-text-area"])
def test_characters_that_do_not_match_are_left_out_and_a_pattern_that_is_none_lets_all_through(
    open_task, kind, pattern
):
    typed, left = PATTERNS[pattern]
    field = f'<{kind} name="f" label="Field" auto-validate allowed-pattern="{pattern}"></{kind}>'
    task = open_task(box_in(after=field), **TALL)
    task.frame.get_by_label("Field").fill(typed)
    submit(task)
    assert task.await_message("answer")["answer"] == {"b": ANSWER, "f": left}


def test_a_text_area_counts_and_grows_up_to_its_most_rows(open_task):
    limits = 'char-counter max-length="50" rows="2" max-rows="4"'
    field = f'<crowd-text-area name="f" label="Field" {limits}></crowd-text-area>'
    task = open_task(box_in(after=field), **TALL)
    area = task.frame.get_by_label("Field")
    heights = [area.bounding_box()["height"]]
    for lines in (3, 4, 9):
        area.fill("\n".join("x" * lines))
        heights.append(area.bounding_box()["height"])
    assert heights[0] < heights[1] < heights[2] == heights[3]
    task.frame.get_by_text("17 / 50").wait_for()


def test_a_reset_button_puts_fields_and_boxes_back_and_undoing_brings_the_boxes(open_task):
    fields = """<crowd-input name="a" label="A" value="x"></crowd-input><textarea name="t">first</textarea>
      <crowd-checkbox name="q" checked>Q</crowd-checkbox>
      <select name="m" multiple><option selected>1<option>2</select>
      <crowd-button form-action="reset">Reset</crowd-button>"""
    task = open_task(box_in(after=fields), **TALL)
    task.frame.get_by_label("A", exact=True).fill("changed")
    task.frame.locator("textarea[name=t]").fill("other")
    task.frame.locator("select").select_option(["2"])
    task.frame.get_by_text("Q", exact=True).click()
    draw(task.page, task.frame, BOX)
    task.frame.get_by_role("button", name="Reset").click()
    assert task.boxes() == []
    task.frame.get_by_test_id("stage").press("Control+z")
    assert task.submit() == {"b": ANSWER, "a": "x", "t": "first", "q": {"on": True}, "m": ["1"]}


def test_several_choices_of_a_list_come_back_after_a_reload(open_task):
    field = '<select name="m" multiple><option>1<option>2<option>3</select>'
    task = open_task(box_in(after=field), first={"boxes": [DRAWN], "fields": ['["1","3"]']}, **TALL)
    assert task.submit() == {"b": ANSWER, "m": ["1", "3"]}


def test_a_button_says_its_icon_and_does_nothing_while_it_loads(open_task):
    buttons = """<crowd-button variant="icon" icon="search"></crowd-button>
      <crowd-button><iron-icon icon="question-answer"/></crowd-button>
      <crowd-icon-button icon="report-problem" title="Tell"></crowd-icon-button>
      <crowd-button id="busy" loading form-action="submit">Wait</crowd-button>"""
    task = open_task(box_in() + buttons, **TALL)
    for name in ("search", "question answer", "Tell"):
        assert task.frame.get_by_role("button", name=name, exact=True).is_visible()
    busy = task.frame.get_by_role("button", name="Wait")
    assert busy.is_disabled()
    draw(task.page, task.frame, BOX)
    task.press("Enter")
    assert task.messages("answer") == []
    task.inside.evaluate("() => busy.removeAttribute('loading')")
    busy.click()
    assert task.await_message("answer")["answer"] == {"b": ANSWER}


DOT = '<img src="data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/2000/svg\'/%3E" alt="">'


def test_full_instructions_bear_their_header_also_where_they_are_a_picture(open_task):
    task = open_task(box_in(inside=f'<full-instructions header="Read this">{DOT}</full-instructions>'))
    task.frame.get_by_role("button", name="Full instructions").click()
    task.frame.get_by_role("dialog", name="Read this").wait_for()


def test_good_examples_and_bad_ones_are_told_apart(open_task):
    parts = """<crowd-instructions link-text="More"><short-summary>s</short-summary>
      <detailed-instructions>d</detailed-instructions><positive-example>p</positive-example>
      <negative-example>n</negative-example></crowd-instructions>"""
    task = open_task(parts + box_in(), **TALL)
    task.frame.get_by_role("button", name="More").click()
    told = task.frame.get_by_role("dialog", name="More").locator("h3").all_inner_texts()
    assert told == ["Summary", "Detailed instructions", "Good example", "Bad example"]


def test_elements_that_are_not_known_are_named(open_task):
    task = open_task(box_in(after='<crowd-polygon name="p"></crowd-polygon>'), **TALL)
    task.frame.get_by_role("alert").filter(has_text="<crowd-polygon>").wait_for()


def test_a_page_without_a_form_says_so(open_task):
    task = open_task(ELEMENT)
    task.frame.get_by_role("alert").filter(has_text="no <crowd-form>").wait_for()


def test_scripts_that_keep_something_while_the_page_lasts_go_on(open_task):
    """A sandbox has no storage, and asking for it ends a script."""
    script = """<script>localStorage.setItem('a', 1); sessionStorage.b = 'x';
      localStorage.removeItem('none'); window.kept = [localStorage.getItem('a'), localStorage.getItem('z'),
      localStorage.length, localStorage.key(0), sessionStorage.b];</script>"""
    task = open_task(script + box_in())
    assert task.inside.evaluate("() => kept") == ["1", None, 1, "a", "x"]


ALERT = """<script>document.querySelector('crowd-form').onsubmit = function (e) {
  const box = document.querySelector('crowd-bounding-box');
  const boxes = box.value.boundingBoxes || box._submittableValue.boundingBoxes;
  if (boxes.length != 2) {
    e.preventDefault();
    told.innerHTML = '<crowd-alert type="error" dismissible>Two boxes, please.</crowd-alert>';
    told.scrollIntoView();
  }
};</script>"""


def test_an_alert_that_a_script_shows_can_be_closed(open_task):
    task = open_task(box_in(after='<div id="told"></div>') + ALERT, **TALL)
    submit(task)
    task.frame.get_by_role("alert").filter(has_text="Two boxes").wait_for()
    task.frame.get_by_role("button", name="Close message").click()
    draw(task.page, task.frame, (10, 10, 20, 20))
    assert len(task.submit()["b"]["boundingBoxes"]) == 2


OWN = """<short-instructions><crowd-input id="more" label="New"></crowd-input>
  <crowd-button id="add">Add</crowd-button></short-instructions>"""
ADDS = """<script>document.addEventListener('all-crowd-elements-ready', () => { annotator.labels = []; });
add.onclick = () => {
  annotator.labels = annotator.labels.concat([more.value]);
  more.value = null;
};</script>"""


def test_workers_may_add_labels_where_a_script_lets_them(open_task):
    task = open_task(box_in('id="annotator"', OWN) + ADDS, **TALL)
    task.frame.get_by_label("New").fill("cow")
    task.frame.get_by_role("button", name="Add").click()
    draw(task.page, task.frame, BOX)
    cow = {**DRAWN, "label": "cow"}
    assert task.submit() == {"b": {"boundingBoxes": [cow], "inputImageProperties": SIZE}}
