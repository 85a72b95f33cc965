"""Annotations of Pascal VOC as most tools write them, read without an XML parser.

It takes less than half of the time. Whatever else there can be in XML (comments, references, attributes,
parts of objects, fractions) is left to the parser.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

_TEXT, _NUMBER = r"[^<>&\r]+", r"[0-9]+"
_END = "</annotation>"

Side: TypeAlias = Sequence[float]
Objects: TypeAlias = tuple[Sequence[str], Side, Side, Side, Side]
"""In columns: class names, and xmin, ymin, xmax, ymax as they stand there."""
NONE: Objects = ((), (), (), (), ())


class Annotation(NamedTuple):
    """What an XML file says. called: the file's name. width, height: pixels, 0 where it doesn't say."""

    called: str
    width: int
    height: int
    objects: Objects


def read_plain(content: bytes) -> Annotation | None:
    """None where a parser has to look."""
    text = content.decode() if content.isascii() else ""
    head = _head(text)
    if head is None:
        return None
    called, width, height = head.groups()
    begin, end = head.end(), text.rfind(_END)
    if end < begin or text[end + len(_END) :].strip(" \t\r\n"):
        return None  # something else stands behind
    # Columns throughout: what is done with a column at once takes half of what its rows one by one do.
    wholes, labels, *sides = tuple(zip(*_objects(text, begin, end), strict=True)) or ((),) * 6
    if sum(map(len, wholes)) < end - begin:
        return None  # something else stands between them
    xmin, ymin, xmax, ymax = (tuple(map(int, side)) for side in sides)
    return Annotation(called, int(width), int(height), (labels, xmin, ymin, xmax, ymax))


def _element(name: str, content: str) -> str:
    return rf"<{name}>{content}</{name}>\s*"


def _any_of(*names: str) -> str:
    """Elements whose texts don't matter."""
    each = "|".join(_element(name, r"[^<>&\r]*") for name in names)
    return f"(?:{each})*+"


def _object(text: str, number: str) -> str:
    box = "".join(_element(side, number) for side in ("xmin", "ymin", "xmax", "ymax"))
    details = _any_of("pose", "truncated", "difficult", "occluded")
    parts = (_element("name", text), details, _element("bndbox", r"\s*" + box), details)
    return _element("object", r"\s*" + "".join(parts))


def _group(pattern: str) -> str:
    return f"({pattern})"


_SIZE = (_element("width", _group(_NUMBER)), _element("height", _group(_NUMBER)), _any_of("depth"))
_PARTS = (
    _any_of("folder"),
    _element("filename", _group(_TEXT)),
    _any_of("path"),
    _element("size", r"\s*" + "".join(_SIZE)),
    _any_of("segmented"),
)
_head = re.compile(r"<annotation>\s*" + "".join(_PARTS), re.ASCII).match
_objects = re.compile(_group(_object(_group(_TEXT), _group(_NUMBER))), re.ASCII).findall
