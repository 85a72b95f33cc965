"""Annotations of Pascal VOC as most tools write them, read without an XML parser.

It takes less than half of the time. Whatever else there can be in XML (comments, references, attributes,
parts of objects, fractions) is left to the parser.
"""

import re
from typing import NamedTuple

_TEXT, _NUMBER = rb"[^<>&\r]+", rb"[0-9]+"


class Annotation(NamedTuple):
    """What an XML file says. called: the file's name. width, height: pixels, 0 where it doesn't say.

    objects: of each its class name, and xmin, ymin, xmax, ymax as they stand there.
    """

    called: str
    width: int
    height: int
    objects: list[tuple[str, float, float, float, float]]


def read_plain(content: bytes) -> Annotation | None:
    """None where a parser has to look."""
    if not (content.isascii() and (found := _document(content))):
        return None
    called, width, height, objects = found.groups()
    return Annotation(
        called.decode(),
        int(width),
        int(height),
        [(label.decode(), *map(int, sides)) for label, *sides in _objects(objects)],
    )


def _element(name: str, content: bytes) -> bytes:
    return rb"<%b>%b</%b>\s*" % (name.encode(), content, name.encode())


def _any_of(*names: str) -> bytes:
    """Elements whose texts don't matter."""
    return rb"(?:%b)*+" % rb"|".join(_element(name, rb"[^<>&\r]*") for name in names)


def _object(text: bytes, number: bytes) -> bytes:
    box = b"".join(_element(side, number) for side in ("xmin", "ymin", "xmax", "ymax"))
    details = _any_of("pose", "truncated", "difficult", "occluded")
    parts = (_element("name", text), details, _element("bndbox", rb"\s*" + box), details)
    return _element("object", rb"\s*" + b"".join(parts))


def _group(pattern: bytes) -> bytes:
    return rb"(%b)" % pattern


_SIZE = (_element("width", _group(_NUMBER)), _element("height", _group(_NUMBER)), _any_of("depth"))
_PARTS = (
    _any_of("folder"),
    _element("filename", _group(_TEXT)),
    _any_of("path"),
    _element("size", rb"\s*" + b"".join(_SIZE)),
    _any_of("segmented"),
    rb"((?:%b)*+)" % _object(_TEXT, _NUMBER),
)
_document = re.compile(_element("annotation", rb"\s*" + b"".join(_PARTS))).fullmatch
_objects = re.compile(_object(_group(_TEXT), _group(_NUMBER))).findall
