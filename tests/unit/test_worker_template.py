"""The worker's page of a task."""

from html import unescape
from html.parser import HTMLParser

import pytest

from truthmill.worker_template import TemplateError, input_of, lacks, render

CROWD = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
    header="Draw" labels="{{ task.input.labels | to_json | escape }}">
    <short-instructions>{{ task.input.note }}</short-instructions>
  </crowd-bounding-box>
</crowd-form>"""


def link(uri):
    return f"https://pictures.example/{uri.rpartition('/')[2]}?a=1&b=2"


def attributes(html, tag):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda name, attrs: found.append(dict(attrs)) if name == tag else None
    parser.feed(html)
    return found[0]


def test_a_picture_becomes_a_link_and_labels_become_json_in_an_attribute():
    html = render(CROWD, input_of("s3://bucket/rex.jpg", ("cat", '"><script>alert(1)</script>')), link)
    found = attributes(html, "crowd-bounding-box")
    assert found["src"] == "https://pictures.example/rex.jpg?a=1&b=2"
    assert found["labels"] == '["cat","\\"><script>alert(1)</script>"]'
    assert html.count("<script") == 1


def test_values_are_escaped_unless_the_template_says_otherwise():
    given = {"note": "<b>&"}
    assert render("{{ task.input.note }}", given, link) == "&lt;b&gt;&amp;"
    assert render("{{ task.input.note | skip_autoescape }}", given, link) == "<b>&"


def test_json_in_a_single_quoted_attribute_is_read_back():
    html = render("<x labels='{{ task.input.labels | to_json }}'>", input_of("s3://b/k", ("it's",)), link)
    assert attributes(html, "x")["labels"] == '["it\'s"]'


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("one\n  {{ x | grant_access }}", "Line 2, column 10: unknown filter 'grant_access'."),
        ("{% for label in task.input.labels %}\nx", "Line 2, column 2: expected tag endfor, found end"),
        ("a\n\n{% if %}x{% endif %}", "Line 3, column 4: missing expression."),
        ("{% include 'secret' %}", "Line 1, column 12: template 'secret' can't be read"),
    ],
)
def test_a_broken_template_says_where_and_what_is_wrong(template, says):
    with pytest.raises(TemplateError) as caught:
        render(template, input_of("s3://b/k", ("cat",)), link)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("{{ x | grant_access }}", "filter"),
        ("{% include 'secret' %}", "files"),
        ("{% for a in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}", "limit"),
        ("{{ 1 | divided_by: 0 }}", "value"),
        ("{{ 'a' | slice }}", "value"),
        ("{% if %}x{% endif %}", "syntax"),
        ("{% no_such_tag %}", "syntax"),
    ],
)
def test_the_kind_of_mistake_is_told_for_pages_in_other_languages(template, rule):
    with pytest.raises(TemplateError) as caught:
        render(template, {}, link)
    details = caught.value.details
    assert (details["rule"], details["line"]) == (rule, 1)
    assert str(caught.value) == f"Line 1, column {details['column']}: {details['cause']}."


def test_a_template_cannot_read_files():
    with pytest.raises(TemplateError):
        render("{% include 'secret' %}", {}, link)


def test_a_template_that_loops_without_end_is_stopped():
    nested = "{% for a in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}"
    with pytest.raises(TemplateError):
        render(nested, {}, link)


TO_JSON = {
    '{% assign a = "x,y" | split: "," %}{{ a | to_json }}': '["x","y"]',
    '{% capture a %}<b> "q"{% endcapture %}{{ a | to_json }}': '"<b> \\"q\\""',
    '{{ task.input.labels | join: ", " | to_json }}': '"cat, o\'dog"',
    "{% assign a = (1..3) %}{{ a | to_json }}": "[1,2,3]",
    "{{ task.input.none | to_json }}": "null",
    '{{ task.input.labels | map: "x" | to_json }}': "[null,null]",
    "{{ 3 | divided_by: 2.0 | to_json }}": "1.5",
}


@pytest.mark.parametrize("template", TO_JSON)
def test_whatever_liquid_makes_of_a_value_has_its_json(template):
    shown = render(template.replace("to_json }}", "to_json | escape }}"), {"labels": ["cat", "o'dog"]}, link)
    assert unescape(shown) == TO_JSON[template]


@pytest.mark.parametrize("given", ["", "https://example.com/a.png", "s3://bucket", "s3://bucket/"])
def test_what_is_no_objects_uri_is_left_as_it_is(given):
    def no_link(uri):
        raise AssertionError(uri)

    assert render("{{ task.input.picture | grant_read_access }}", {"picture": given}, no_link) == given
    assert render("{{ task.input.nothing | grant_read_access }}", {}, no_link) == ""


def grown(change, times):
    return f"{{% assign a = 3 %}}{{% for i in (1..{times}) %}}{{% assign a = a | {change} %}}{{% endfor %}}"


GROWN = {
    "a number that squares itself": grown("times: a", 60),
    "a long range as JSON": "{{ (1..2000000000) | to_json }}",
    "a longer one": "{{ (1..99999999999999999999999999) | join: '' }}",
    "a text joined with itself": grown("append: a", 19) + "{{ a | split: '' | join: a }}",
    "a text in place of each of its letters": grown("append: a", 18) + "{{ a | replace: '3', a }}",
    "a text that grows for long": "{% for i in (1..99999) %}{% capture a %}{{ a }}{{ i }}{% endcapture %}"
    "{% endfor %}",
    "a long template that loops": "{% for i in (1..99999) %}"
    + "{% if i %}{% endif %}" * 5_000
    + "{% endfor %}",
}


@pytest.mark.parametrize("kind", GROWN)
def test_what_would_fill_the_memory_or_go_on_for_long_is_refused(kind):
    with pytest.raises(TemplateError) as caught:
        render(GROWN[kind], {}, link)
    assert caught.value.details["rule"] in ("limit", "value")


@pytest.mark.parametrize(
    "value",
    [
        "{{ '1e400' | ceil }}",
        "{{ '1999999999999999999999-01-01' | date: '%Y' }}",
        "{{ 'gICA' | base64_decode }}",
        "{{ task.input.labels | sum }}",
    ],
)
def test_a_value_that_a_filter_cannot_take_is_an_error_with_its_place(value):
    with pytest.raises(TemplateError) as caught:
        render(f"one\n{value}", {"labels": ["cat"]}, link)
    assert (caught.value.details["rule"], caught.value.details["line"]) == ("value", 2)


def test_the_mark_that_a_file_may_begin_with_is_no_part_of_the_page():
    assert render("\ufeff<p>{{ task.input.a }}", {"a": 1}, link) == "<p>1"


def test_a_loop_over_thousands_of_boxes_with_their_classes_is_no_long_one():
    given = {"boxes": [{"class_id": number % 50} for number in range(3_000)], "map": {"7": "cat"}}
    template = (
        "{% for box in task.input.boxes %}{% capture id %}{{ box.class_id }}{% endcapture %}"
        "{% assign label = task.input.map[id] %}{ label: {{ label | to_json }} },{% endfor %}" + " " * 20_000
    )
    assert render(template, given, link).count("cat") == 60


def test_elements_that_are_not_known_and_a_form_that_is_missing_are_told_with_their_place():
    assert [str(each) for each in lacks("<!-- <crowd-polyline> -->\n <crowd-polygon></crowd-polygon>")] == [
        "Line 2, column 2: <crowd-polygon> isn't known here, so that what it asks can't be answered.",
        "Line 2, column 33: there is no <crowd-form>, so that nothing can be answered.",
    ]
    assert lacks(CROWD) == []
    assert lacks("<script>document.body.append(document.createElement('crowd-form'))</script>") == []
