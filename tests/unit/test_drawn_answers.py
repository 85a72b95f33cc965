"""An object with its answers, drawn."""

import io
from xml.etree import ElementTree as ET

from PIL import Image

from truthmill_cli.drawn_answers import draw

SVG = "{http://www.w3.org/2000/svg}"


def drawing(email="ann@example.com", label="cat"):
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "PNG")
    box = {"label": label, "left": 1, "top": 2, "width": 3, "height": 4}
    shown = {
        "objectName": "a&b.png",
        "answers": [{"email": email, "member": "m", "boxes": [box]}],
        "merged": [box | {"confidence": 1.0}],
    }
    return ET.fromstring(draw(shown, out.getvalue()))  # noqa: S314 we wrote it


def test_boxes_lie_where_they_were_drawn_and_the_picture_is_inside():
    svg = drawing()
    assert svg.get("viewBox") == "0 0 40 30"
    assert svg.find(f"{SVG}image").get("href").startswith("data:image/png;base64,")
    rects = [rect.attrib for rect in svg.iter(f"{SVG}rect")]
    assert rects == [{"x": "1", "y": "2", "width": "3", "height": "4"}] * 2
    assert [group.get("stroke-dasharray") is not None for group in svg.iter(f"{SVG}g")] == [False, True]


def test_names_are_text():
    hostile = "</title><script>alert(1)</script>"
    svg = drawing(email=hostile, label=hostile)
    assert [each.tag for each in svg.iter(f"{SVG}script")] == []
    assert [title.text for title in svg.iter(f"{SVG}title")][:3] == ["a&b.png", hostile, hostile]
