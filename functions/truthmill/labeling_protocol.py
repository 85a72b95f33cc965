"""SageMaker's wire protocol: a request against the service model's shapes, in SageMaker's own words.

The model is botocore's (`sagemaker/2017-07-24/service-2`), handed in as plain data: botocore itself checks
neither patterns nor enums, the real service does.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from truthmill.errors import ProtocolError

Shapes = Mapping[str, Mapping[str, Any]]

DEFAULT_PAGE = 10  # entries, where a request has no MaxResults

TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, float),
    "boolean": (bool,),
}
# The patterns of these operations that use Java's \p{…}, which Python's `re` hasn't, in Python's words.
PROPERTIES = {
    r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)": "[\\w \u00a0\u2000-\u200a\u202f\u205f\u3000.:/=+\\-@]*",
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+": r"[^\s\x00-\x1f\x7f]+",
}


def check(shape: str, value: Any, shapes: Shapes) -> None:
    """Raise ProtocolError (ValidationException) that names every member which breaks its shape.

    A member that the shape doesn't know is refused too: what would be ignored in silence is a mistake.
    """
    problems = list(_problems(shape, value, shapes, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise validation_error(count + "; ".join(problems[:10]))


def validation_error(message: str) -> ProtocolError:
    return ProtocolError("ValidationException", message)


def _problems(shape: str, value: Any, shapes: Shapes, path: str) -> Iterator[str]:
    given: Any = value  # its type is checked by the model
    model = shapes[shape]
    kind = model["type"]
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield _failed(path, value, f"be of type {kind}")
    elif kind == "structure":
        yield from _structure_problems(model, given, shapes, path)
    elif kind == "list":
        yield from _limit_problems(model, len(given), path, given, "have length")
        for number, member in enumerate(given, start=1):
            yield from _problems(model["member"]["shape"], member, shapes, f"{path}.{number}.member")
    elif kind == "string":
        yield from _string_problems(model, given, path)
    elif kind in ("integer", "long"):
        yield from _limit_problems(model, given, path, given, "have value")


def _structure_problems(
    model: Mapping[str, Any], value: Mapping[str, Any], shapes: Shapes, path: str
) -> Iterator[str]:
    members = model.get("members", {})
    given = {name: member for name, member in value.items() if member is not None}
    for name in model.get("required", ()):
        if name not in given:
            yield _failed(_below(path, name), None, "not be null")
    for name, member in given.items():
        if name in members:
            yield from _problems(members[name]["shape"], member, shapes, _below(path, name))
        else:
            yield _failed(_below(path, name), member, f"be one of the members {sorted(members)}")


def _string_problems(model: Mapping[str, Any], value: str, path: str) -> Iterator[str]:
    yield from _limit_problems(model, len(value), path, value, "have length")
    if "enum" in model and value not in model["enum"]:
        yield _failed(path, value, f"satisfy enum value set: {list(model['enum'])}")
    if "pattern" in model and not compiled(model["pattern"]).fullmatch(value):
        yield _failed(path, value, f"satisfy regular expression pattern: {model['pattern']}")


def _limit_problems(model: Mapping[str, Any], size: int, path: str, value: Any, having: str) -> Iterator[str]:
    if size < model.get("min", size):
        yield _failed(path, value, f"{having} greater than or equal to {model['min']}")
    if size > model.get("max", size):
        yield _failed(path, value, f"{having} less than or equal to {model['max']}")


def _failed(path: str, value: Any, rule: str) -> str:
    shown = "null" if value is None else f"{value!r:.200}"
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {rule}"


def _below(path: str, name: str) -> str:
    """SageMaker writes the members' paths in lower camel case."""
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the model as Python's."""
    return re.compile(PROPERTIES.get(pattern, pattern))


def page(
    operation: str, summaries: Iterable[Mapping[str, Any]], request: Mapping[str, Any], order: str
) -> tuple[list[Mapping[str, Any]], str | None]:
    """A page of a sorted list, ascending unless the request says otherwise, and the token of the next one.

    summaries: what the request's filters let through. order: the member to sort by where it names none;
    `Name`, which is unique, breaks ties. The token says after which summary to go on, so that what comes or
    goes in between moves nothing, and of which list: raises ProtocolError for one of another operation, other
    filters or another order. The page's size may change from page to page.
    """
    order = request.get("SortBy", order)
    descending = request.get("SortOrder") == "Descending"
    size = request.get("MaxResults", DEFAULT_PAGE)
    asked = _digest(operation, request)

    def place(summary: Mapping[str, Any]) -> list[Any]:
        return [summary[order], summary["Name"]]

    ordered = sorted(summaries, key=place, reverse=descending)
    if "NextToken" in request:
        after = _read_token(request["NextToken"], asked, order)
        ordered = [each for each in ordered if (place(each) < after if descending else place(each) > after)]
    chosen = ordered[:size]
    more = len(ordered) > size
    return chosen, _write_token(asked, place(chosen[-1])) if more else None


def _digest(operation: str, request: Mapping[str, Any]) -> str:
    """Of what decides which list is meant."""
    kept = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    encoded = msgspec.json.encode([operation, kept], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:16]


def _write_token(asked: str, place: list[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([asked, *place])).decode()


def _read_token(token: str, asked: str, order: str) -> list[Any]:
    try:
        read = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[str, str | float, str])
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise validation_error("Invalid NextToken: it isn't one that this operation gave out.") from error
    if read[0] != asked or isinstance(read[1], str) != (order in ("Name", "Status")):
        raise validation_error("Invalid NextToken: it belongs to a list with other filters or another order.")
    return list(read[1:])
