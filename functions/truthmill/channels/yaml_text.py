"""The little YAML that a data.yaml is made of: a mapping of texts, lists and one inner mapping.

PyYAML isn't among what runs in Lambda. Anchors and tags are refused, block texts passed over.
Source: YAML 1.2, chapters 6 to 8; the escapes are those of 5.7.
"""

import re
from collections.abc import Iterator

Scalar = str
Node = Scalar | list[str] | dict[str, str]
_ESCAPED = {'"': '\\"', "\\": "\\\\"}
_PAIR = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:'"\[\]{},&*!|>%@`-][^#:]*?|\d+)\s*:(?:\s+(?P<value>.*))?$"""
)
_BLOCK = re.compile(r":\s+[|>][0-9+-]*$")  # a text over the lines that follow (YAML 1.2, 8.1)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "b": "\b", "a": "\a", "f": "\f", "v": "\v"}


class YamlError(ValueError):
    """Not this little YAML. The text says which line."""


def quoted(text: str) -> str:
    """A text that every YAML reader takes for that very text; what doesn't print is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def read_yaml(text: str, wanted: frozenset[str]) -> dict[str, Node]:
    """The mapping, as far as it is wanted; what its values mean is left to the caller.

    Raises YamlError where a key that is wanted has another kind of value, or a line has none.
    """
    found: dict[str, Node] = {}
    key = ""
    for number, line in _joined(text):
        try:
            key = _read_line(line, key, found)
        except YamlError as error:
            key = _key_of(line) or key
            if not key or key in wanted:
                raise YamlError(f"line {number}: {error}: {line.strip()!r}") from error
            found.setdefault(key, "")
    return {key: value for key, value in found.items() if key in wanted}


def _key_of(line: str) -> str:
    """Of a line at the left edge its key; empty where it is none, or belongs to one before."""
    if line[0] in " \t-":
        return ""
    pair = _PAIR.match(line.strip())
    return pair["key"].strip().strip("\"'") if pair else ""


def _read_line(line: str, key: str, found: dict[str, Node]) -> str:
    """Put a line's content in; `key` is the one that the lines before are under. The key that is it now."""
    content = line.strip()
    if line[0] not in " \t-":
        key, value = _pair(content)
        found[key] = _value(value)
        return key
    if not key:
        raise YamlError("a key is wanted")
    under = found[key]
    if content.startswith("- "):
        items = under if isinstance(under, list) else []
        items.append(_scalar(content[2:].strip()))
        found[key] = items
    else:
        name, value = _pair(content)
        inner = under if isinstance(under, dict) else {}
        inner[name] = _scalar(value)
        found[key] = inner
    return key


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without comments; a [list] or {mapping} over several lines is one."""
    held, first = "", 0
    block: int | None = None
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and (not line.strip() or indent > block):
            continue
        shown = _without_comment(line)
        block = indent if _BLOCK.search(shown) else None
        shown = _BLOCK.sub(":", shown)
        if not shown.strip() or shown.strip() in ("---", "..."):
            continue
        held, first = (f"{held} {shown.strip()}", first) if held else (shown, number)
        if _open(held) <= 0:
            yield first, held
            held = ""
    if held:
        yield first, held


def _without_comment(line: str) -> str:
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote and line[at - 1] != "\\" else quote
        elif character in "\"'" and (at == 0 or line[at - 1] in " \t[{,:-"):
            quote = character
        elif character == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at].rstrip()
    return line.rstrip()


def _open(text: str) -> int:
    """Brackets that aren't closed, outside of quotes."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', "", text)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _pair(text: str) -> tuple[str, str]:
    found = _PAIR.match(text)
    if not found:
        raise YamlError("not `key: value`")
    return _scalar(found["key"].strip()), (found["value"] or "").strip()


def _value(text: str) -> Node:
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part) for part in _parts(text[1:-1])]
    if text.startswith("{") and text.endswith("}"):
        return {name: _scalar(value) for name, value in map(_pair, _parts(text[1:-1]))}
    return _scalar(text)


def _parts(text: str) -> list[str]:
    """What stands between commas outside of quotes."""
    found = re.findall(r"""((?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,])+)""", text)
    return [part.strip() for part in found if part.strip()]


def _scalar(text: str) -> str:
    if text[:1] == '"':
        if len(text) < 2 or text[-1] != '"':
            raise YamlError("the quotes aren't closed")
        return _ESCAPE.sub(_unescaped, text[1:-1])
    if text[:1] == "'":
        if len(text) < 2 or text[-1] != "'":
            raise YamlError("the quotes aren't closed")
        return text[1:-1].replace("''", "'")
    if text[:1] in tuple("&*!|>%@`[]{}"):
        raise YamlError("this kind of YAML isn't read here")
    return text


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if escape[0] in "xuU" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    return _SHORT.get(escape, escape)
