"""The worker's page of a task."""

from html import unescape
from html.parser import HTMLParser

import pytest

from truthmill.worker_template import TemplateError, input_of, render

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
