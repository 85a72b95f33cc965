"""The built-in worker templates: Liquid over crowd elements, with the request's words in them."""

import re
from html import escape

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
# PRE-VerificationBoundingBox hands over the boxes to show; the answer is one of the labels.
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


def html_of(markdown: str) -> str:
    """Markdown as HTML without script, raw tags or Liquid."""
    made: str = _MARKDOWN.render(markdown)
    return made.strip().translate(_BRACES)


def worker_template(request: Request, kind: JobKind) -> str:
    """The template of a job where the request brings none of its own."""
    words = request.instructions
    parts = {
        "header": escape(words.title).translate(_BRACES),
        "full": html_of(words.full),
        "short": html_of(words.short),
        "initial": _INITIAL if kind == "adjustment" else "",
    }
    page = _VERDICT if kind == "verification" else _BOXES
    return re.sub(r"@(\w+)", lambda found: parts[found[1]], page)
