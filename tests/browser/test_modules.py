"""The page's own modules, run in the browser: geometry, undo, and reading what templates write."""

import json
from pathlib import Path

import pytest

from browser.sandbox import ORIGIN, Site

MODULES = (
    "drawing/geometry.js",
    "drawing/viewport.js",
    "drawing/drawing.js",
    "drawing/gestures.js",
    "drawing/pen.js",
    "drawing/colours.js",
    "elements/attributes.js",
    "elements/commands.js",
    "portal/password_rules.js",
    "portal/kept.js",
    "texts/language.js",
    "texts/portal.js",
    "texts/task_en.js",
    "texts/task_de.js",
    "texts/en.js",
    "texts/de.js",
)


@pytest.fixture(scope="module")
def run(chromium):
    """Runs a body of JavaScript that finds what the page's modules export in `m`."""
    context = chromium.new_context(locale="en-GB")
    site = Site()
    site.answers["/"] = ("<!doctype html><title>Modules</title>", "text/html", {})
    context.route("**/*", site.serve)
    page = context.new_page()
    page.goto(ORIGIN)
    own = "/page/"
    page.evaluate(
        """async (addresses) => {
          const found = await Promise.all(addresses.map((address) => import(address)));
          window.m = Object.assign({}, ...found);
        }""",
        [own + name for name in MODULES],
    )
    yield lambda body: page.evaluate(f"() => {{ const m = window.m; {body} }}")
    context.close()


@pytest.mark.parametrize(
    ("given", "box"),
    [
        ("[{x: 10.4, y: 5.6}, {x: 20.5, y: 8.4}]", [10, 6, 11, 2]),
        ("[{x: 20.5, y: 8.4}, {x: 10.4, y: 5.6}]", [10, 6, 11, 2]),
        ("[{x: -5, y: -5}, {x: 999, y: 999}]", [0, 0, 200, 100]),
        ("[{x: 7, y: 7}, {x: 7, y: 7}]", [7, 7, 1, 1]),
        ("[{x: 200, y: 100}, {x: 200, y: 100}]", [199, 99, 1, 1]),
        ("[{x: 50, y: 10}, {x: 20, y: 40}, {x: 55, y: 90}, {x: 80, y: 30}]", [20, 10, 60, 80]),
    ],
)
def test_a_box_around_points_has_whole_pixels_inside_the_picture(run, given, box):
    body = f"const b = m.boxAround({given}, {{width: 200, height: 100}});"
    assert run(body + "return [b.left, b.top, b.width, b.height];") == box


@pytest.mark.parametrize(
    ("handle", "to", "box"),
    [
        ("e", "{x: 61.4, y: 0}", [10, 20, 51, 40]),
        ("w", "{x: 500, y: 0}", [39, 20, 1, 40]),
        ("n", "{x: 0, y: -9}", [10, 0, 30, 60]),
        ("se", "{x: 999, y: 999}", [10, 20, 190, 80]),
    ],
)
def test_a_handle_moves_its_edges_and_no_other(run, handle, to, box):
    body = f"""const b = m.resized({{left: 10, top: 20, width: 30, height: 40}}, "{handle}", {to},
      {{width: 200, height: 100}}); return [b.left, b.top, b.width, b.height];"""
    assert run(body) == box


def test_zooming_keeps_what_is_under_the_pointer(run):
    body = """const v = new m.Viewport(); v.picture = {width: 400, height: 300};
      v.resize({width: 824, height: 624});
      const fitted = v.scale, at = {x: 300, y: 200}, before = v.toPicture(at);
      v.zoom(3, at); const after = v.toPicture(at);
      return [fitted, v.scale, Math.abs(before.x - after.x) + Math.abs(before.y - after.y) < 1e-9];"""
    assert run(body) == [2, 6, True]


def test_every_step_is_undone_and_done_again(run):
    body = """const d = new m.Drawing(); const box = {left: 1, top: 2, width: 3, height: 4};
      const id = d.add("cat", box); d.change(id, {left: 9}); d.change(id, {label: "dog"}); d.remove(id);
      const seen = []; const look = () => seen.push(d.boxes.map((b) => b.label + b.left).join());
      for (let i = 0; i < 5; i++) { d.undo(); look(); } for (let i = 0; i < 5; i++) { d.redo(); look(); }
      return seen;"""
    assert run(body) == ["dog9", "cat9", "cat1", "", "", "cat1", "cat9", "dog9", "", ""]


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ('["cat", "dog"]', ["cat", "dog"]),
        ("['cat', 'dog']", ["cat", "dog"]),
        ("['cat', \"dog's\",]", ["cat", "dog's"]),
        ("[1, 2]", ["1", "2"]),
        ("cat, dog", None),
        ("", None),
    ],
)
def test_labels_are_read_as_templates_write_them(run, written, labels):
    assert run(f"return m.readLabels({written!r});") == labels


@pytest.mark.parametrize(
    "written",
    [
        '[{"label": "a, ]b", "left": 1, "top": 2, "width": 3, "height": 4}]',
        "[{'label': 'a, ]b', 'left': 1, 'top': 2, 'width': 3, 'height': 4,}, ]",
        '[{label: "a, ]b", left: 1, top: 2, width: 3, height: 4,},\n ]',
    ],
)
def test_boxes_are_read_as_templates_write_them(run, written):
    box = {"label": "a, ]b", "left": 1, "top": 2, "width": 3, "height": 4}
    assert run(f"return m.readBoxes({written!r});") == [box]


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        ((0, 0, 1, 1), True),
        ((-5, -5, 6, 6), True),
        ((-5, 0, 5, 9), False),
        ((99, 49, 9, 9), True),
        ((100, 0, 9, 9), False),
        ((0, 50, 9, 9), False),
        ((5, 5, -9, 9), True),
        ((5, 5, 0, 0), True),
    ],
)
def test_a_box_is_seen_where_any_of_it_lies_on_the_picture(run, box, seen):
    left, top, width, height = box
    given = f"{{left: {left}, top: {top}, width: {width}, height: {height}}}"
    assert run(f"return m.isSeen({given}, {{width: 100, height: 50}});") is seen


def test_every_text_is_there_in_every_language_with_the_same_values(run):
    values = "Object.keys(of).sort().map((key) => [key, (of[key].match(/{\\w+}/g) ?? []).sort().join()])"
    for english, german in (("en", "de"), ("taskEn", "taskDe")):
        said, wanted = run(
            f"const listed = (of) => {values}; return [listed(m.{german}), listed(m.{english})];"
        )
        assert said == wanted


def test_every_label_has_a_colour_of_its_own(run):
    colours = run("return Array.from({length: 50}, (_, number) => m.colourOf(number));")
    assert len(set(colours)) == 50


def test_a_click_picks_the_smallest_box_and_then_the_next(run):
    body = """const d = new m.Drawing(), v = new m.Viewport(); v.picture = {width: 100, height: 100};
      v.resize({width: 124, height: 124});
      const large = d.add("a", {left: 0, top: 0, width: 90, height: 90});
      const small = d.add("a", {left: 10, top: 10, width: 20, height: 20});
      d.select(null);
      const g = new m.Gestures(d, v), at = v.toScreen({x: 20, y: 20}), seen = [];
      for (let i = 0; i < 3; i++) {
        g.press(at); g.lift(at); seen.push(d.selected === small ? "small" : "large");
      }
      return seen;"""
    assert run(body) == ["small", "large", "small"]


PEN = """const d = new m.Drawing(), v = new m.Viewport(); v.picture = {width: 1000, height: 800};
  v.resize({width: 524, height: 424}); // half a pixel for each of the picture's
  const g = new m.Gestures(d, v), pen = new m.Pen(g, v); g.label = "cat";
  const boxes = () => d.boxes.map((b) => [b.left, b.top, b.width, b.height]);
  pen.take(v.toScreen({x: 300, y: 200}));
"""


def test_a_crosshair_moves_by_pixels_of_the_screen_and_no_less_than_one_of_the_picture(run):
    body = """const seen = []; const look = () => seen.push([pen.at.x, pen.at.y]);
      pen.move([1, 0], false); look(); pen.move([0, -10], false); look();
      v.zoom(8, {x: 262, y: 212}); pen.move([-1, 0], false); look(); return seen;"""
    assert run(PEN + body) == [[302, 200], [302, 180], [301, 180]]


def test_a_key_that_is_held_moves_it_faster_up_to_sixty_pixels_of_the_screen(run):
    body = """v.picture = {width: 9000, height: 800}; v.fit(); v.scale = 0.5;
      const steps = []; let was = 0; pen.take(v.toScreen({x: 0, y: 0}));
      for (let i = 0; i < 26; i++) { pen.move([1, 0], i > 0); steps.push(pen.at.x - was); was = pen.at.x; }
      pen.move([-1, 0], false); return [...steps, was - pen.at.x];"""
    first, *others, last, afresh = run(PEN + body)
    assert (first, last, afresh) == (2, 120, 2)
    assert others == sorted(others)


def test_two_presses_make_a_box_of_whole_pixels_inside_the_picture(run):
    body = """pen.press(); pen.move([60, 0], false); pen.move([0, 45], false); pen.press();
      pen.press(); for (let i = 0; i < 9; i++) pen.move([0, 100], false);
      pen.move([-50, 0], false); pen.press(); return [boxes(), pen.at];"""
    assert run(PEN + body) == [[[300, 200, 120, 90], [320, 290, 100, 510]], {"x": 320, "y": 800}]


def test_it_stays_in_sight(run):
    body = """v.zoom(4, {x: 262, y: 212}); for (let i = 0; i < 30; i++) pen.move([100, 0], false);
      const {x, y} = v.toScreen(pen.at); return [pen.at.x, x <= 516 && x >= 8, y <= 416 && y >= 8];"""
    assert run(PEN + body) == [1000, True, True]


def test_a_key_that_is_held_is_one_step_to_undo(run):
    body = """const id = d.add("cat", {left: 1, top: 2, width: 3, height: 4});
      for (let i = 1; i <= 5; i++) d.change(id, {left: 1 + i}, i > 1);
      for (let i = 1; i <= 5; i++) d.change(id, {top: 2 + i}, i > 1);
      const seen = [boxes()]; d.undo(); seen.push(boxes()); d.undo(); seen.push(boxes());
      d.change(id, {left: 9}, true); d.undo(); seen.push(boxes()); return seen.flat();"""
    begun = [1, 2, 3, 4]
    assert run(PEN + body) == [[6, 7, 3, 4], [6, 2, 3, 4], begun, begun]


def test_kept_work_is_read_again_by_its_own_worker_only(run):
    body = """const all = new Map(), storage = {
        getItem: (k) => all.get(k) ?? null, setItem: (k, v) => all.set(k, v),
        removeItem: (k) => all.delete(k), key: (n) => [...all.keys()][n], get length() { return all.size; }};
      const ann = new m.Kept(storage, "ann"), ben = new m.Kept(storage, "ben"), task = {job: "j", task: "1"};
      ann.write(task, {boxes: [1], fields: ["x"]});
      const seen = [ann.read(task).boxes, ann.read(task).fields, ben.read(task)];
      ann.forget(task);
      return [...seen, ann.read(task)];"""
    assert run(body) == [[1], ["x"], None, None]


@pytest.mark.parametrize(
    ("event", "command"),
    [
        ({"key": "3", "code": "Digit3"}, {"name": "label", "digit": 2}),
        ({"key": "0", "code": "Digit0"}, {"name": "label", "digit": 9}),
        ({"key": "#", "code": "Digit3", "altKey": True}, {"name": "relabel", "digit": 2}),
        ({"key": "ArrowUp", "shiftKey": True}, {"name": "nudge", "by": [0, -10]}),
        ({"key": "ArrowLeft", "ctrlKey": True}, {"name": "growBack", "by": [-1, 0]}),
        ({"key": "ArrowLeft", "repeat": True}, {"name": "nudge", "by": [-1, 0], "held": True}),
        ({"key": "Z", "ctrlKey": True, "shiftKey": True}, {"name": "redo"}),
        ({"key": "z", "metaKey": True}, {"name": "undo"}),
        ({"key": "?", "shiftKey": True}, {"name": "help"}),
        ({"key": "q"}, None),
    ],
)
def test_keys_ask_for_commands(run, event, command):
    none = dict.fromkeys(("ctrlKey", "metaKey", "altKey", "shiftKey"), False)
    assert run(f"return m.commandOf({json.dumps(none | event)});") == command


def test_the_documentation_lists_every_key(run):
    written = (Path(__file__).parents[2] / "docs" / "portal.md").read_text(encoding="utf-8")
    rows = run("return m.keyList().flatMap(([, keys]) => keys);")
    assert len(rows) > 25
    assert [f"| {key} | {does} |" for key, does in rows if f"| {key} | {does} |\n" not in written] == []
