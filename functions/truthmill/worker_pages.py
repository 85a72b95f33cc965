"""The built-in worker templates: Liquid over crowd elements, with the request's words in them."""

import re
from html import escape

import msgspec
from markdown_it import MarkdownIt

from truthmill.request import Request
from truthmill.run import JobKind

# "js-default" is CommonMark with tables, and without raw HTML: what looks like a tag is shown as text.
_MARKDOWN = MarkdownIt("js-default")
_BRACES = str.maketrans({"{": "&#123;", "}": "&#125;"})  # or a user's words would be Liquid

_BOXES = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box
    name="boundingBox"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="@header"
    labels="{{ task.input.labels | to_json | escape }}"@initial
  >
    <full-instructions header="@header">@full</full-instructions>
    <short-instructions>@short</short-instructions>
  </crowd-bounding-box>
</crowd-form>
"""
# As in Ground Truth's own templates for adjustment: what PRE-AdjustmentBoundingBox hands over.
_INITIAL = """
    initial-value="{{ task.input.initialValue | to_json | escape }}\""""
# Ground Truth's ACS-VerificationBoundingBox reads the answer of crowd-image-classifier.
_VERDICT = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier
    name="crowd-image-classifier"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="@header"
    categories="{{ task.input.labels | to_json | escape }}"
    overlay="{{ task.input.initialValue | to_json | escape }}"
  >
    <full-instructions header="@header">@full</full-instructions>
    <short-instructions>@short</short-instructions>
  </crowd-image-classifier>
</crowd-form>
"""


# Truthmill's portal shows the boxes in their own element, and takes the verdict from beside it.
_OWN_VERDICT = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box
    name="boundingBox"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="@header"
    labels="@labels"
    initial-value="{{ task.input.initialValue | to_json | escape }}"
  >
    <full-instructions header="@header">@full</full-instructions>
    <short-instructions>@short</short-instructions>
  </crowd-bounding-box>
  {% for label in task.input.labels %}
  <label><input type="radio" name="verdict" value="{{ label }}" required> {{ label }}</label>
  {% endfor %}
</crowd-form>
"""


def html_of(markdown: str) -> str:
    """Markdown as HTML without script, raw tags or Liquid."""
    made: str = _MARKDOWN.render(markdown)
    return made.strip().translate(_BRACES)


def worker_template(request: Request, kind: JobKind, *, own_service: bool) -> str:
    """The template of a job where the request brings none of its own.

    own_service: for Truthmill's own labeling service, not Ground Truth.
    """
    words = request.instructions
    parts = {
        "header": escape(words.title).translate(_BRACES),
        "full": html_of(words.full),
        "short": html_of(words.short),
        "labels": escape(msgspec.json.encode(request.labels).decode()).translate(_BRACES),
        "initial": _INITIAL if kind == "adjustment" else "",
    }
    page = _BOXES
    if kind == "verification":
        page = _OWN_VERDICT if own_service else _VERDICT
    return re.sub(r"@(\w+)", lambda found: parts[found[1]], page)
