"""The built-in worker templates, rendered as workers see them."""

from html.parser import HTMLParser

import pytest

from truthmill.errors import RequestError
from truthmill.request_reading import parse
from truthmill.worker_pages import html_of, worker_template
from truthmill.worker_template import check, input_of, render


def asked(**words):
    return parse({"source": "s3://bucket/x.zip", "labels": ["cat"], "instructions": words}, {}, {})


def text_of(html):
    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(html)
    return "".join(found)


def page(kind="label", own_service=True, **words):
    given = input_of("s3://bucket/rex.jpg", ("cat",)) | {"initialValue": [{"label": "cat", "left": 1}]}
    return render(worker_template(asked(**words), kind, own_service=own_service), given, lambda uri: uri)


def test_markdown_becomes_html():
    assert html_of("Draw **one** box:\n\n- tight\n- whole") == (
        "<p>Draw <strong>one</strong> box:</p>\n<ul>\n<li>tight</li>\n<li>whole</li>\n</ul>"
    )


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))"]
)
def test_what_would_run_is_shown_as_text(evil):
    made = html_of(evil)
    assert "<script" not in made
    assert "<img" not in made
    assert "href" not in made


def test_braces_of_a_user_are_not_liquid():
    words = "{{ task.input.taskObject }} {% assign x = 1 %} @full @header"
    html = page(title=words, description="d", short=words, full=words)
    assert text_of(html).count(words) == 2


def test_a_title_stays_within_its_attribute():
    assert 'header="Cats &amp; &quot;dogs&quot; &lt;b&gt;"' in page(title='Cats & "dogs" <b>')


def test_an_adjustment_begins_with_the_boxes_that_are_there():
    assert "initial-value=" not in page()
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda _, attributes: found.append(dict(attributes).get("initial-value"))
    parser.feed(page("adjustment"))
    assert '[{"label":"cat","left":1}]' in found


def test_a_verification_shows_the_boxes_and_takes_a_verdict():
    assert '<input type="radio" name="verdict" value="cat" required>' in page("verification")
    assert 'labels="[&quot;cat&quot;]"' in page("verification")
    assert "<crowd-image-classifier" in page("verification", own_service=False)


def test_a_template_of_ones_own_must_be_liquid_that_workers_can_answer_with():
    check("<crowd-form>{{ task.input.taskObject | grant_read_access }}</crowd-form>", "t")
    with pytest.raises(RequestError, match="t isn't a Liquid template"):
        check("<crowd-form>{% if %}</crowd-form>", "t")
    with pytest.raises(RequestError, match="Line 2, column 29: unknown filter 'nope'"):
        check("<crowd-form>\n{% if task.input.x %}{{ 1 | nope }}{% endif %}</crowd-form>", "t")
    with pytest.raises(RequestError, match="t has no <crowd-form>"):
        check("<p>Look at {{ task.input.taskObject }}</p>", "t")
