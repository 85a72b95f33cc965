"""An object's picture with the workers' boxes drawn on it, as SVG."""

import base64
import io
from html import escape
from typing import Any

from PIL import Image

# Told apart by eyes of most kinds (Okabe and Ito, "Color Universal Design", 2008).
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
MERGED = "#ffffff"


def draw(shown: dict[str, Any], picture: bytes) -> str:
    """SVG in pixels of the picture, which is in it: a colour for each worker, the merged boxes dashed.

    shown: of `review.detail`. picture: as it is stored.
    """
    with Image.open(io.BytesIO(picture)) as opened:
        width, height = opened.size
        kind = Image.MIME.get(opened.format or "", "image/png")
    line = max(1.0, max(width, height) / 400)
    layers = [
        _boxes(answer["boxes"], COLOURS[number % len(COLOURS)], line, answer["email"] or answer["member"])
        for number, answer in enumerate(shown["answers"])
    ]
    layers.append(_boxes(shown["merged"], MERGED, line, "merged", dashed=True))
    embedded = base64.b64encode(picture).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}"><title>{escape(shown["objectName"])}</title>'
        f'<image width="{width}" height="{height}" href="data:{kind};base64,{embedded}"/>'
        f"{''.join(layers)}</svg>\n"
    )


def _boxes(boxes: list[dict[str, Any]], colour: str, line: float, who: str, *, dashed: bool = False) -> str:
    dashes = f' stroke-dasharray="{4 * line:g} {3 * line:g}"' if dashed else ""
    drawn = "".join(
        f'<rect x="{box["left"]}" y="{box["top"]}" width="{box["width"]}" height="{box["height"]}">'
        f"<title>{escape(box['label'])}</title></rect>"
        for box in boxes
    )
    return (
        f'<g fill="none" stroke="{colour}" stroke-width="{line:g}"{dashes}>'
        f"<title>{escape(who)}</title>{drawn}</g>"
    )
