"""HTML and SVG as text: whatever isn't markup already is escaped, so that no name can become a tag."""

from html import escape

_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # Unicode 15, 23.2: embeddings, overrides, isolates


class Markup(str):
    """Text that is markup; made by `tag` and `join` only, or from a literal."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as the text of an element, or of an attribute in quotes."""
    return value if isinstance(value, Markup) else Markup(_visible(escape(str(value))))


def short(value: str, most: int = 80) -> str:
    """A long name by its beginning and its end."""
    return value if len(value) <= most else f"{value[: most // 2]}…{value[-(most - most // 2 - 1) :]}"


def _visible(value: str) -> str:
    """Without what HTML doesn't allow, or what would turn the reading direction of the text around it."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unfit(letter) else letter for letter in value)


def _is_unfit(letter: str) -> bool:
    number = ord(letter)
    control = number < 0x20 and letter not in "\n\t"
    return control or 0x7F <= number < 0xA0 or 0xD800 <= number < 0xE000 or number in _TURNS


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """An element. attributes: `class_` is class, other underscores are hyphens; None, False are left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text("" if value is True else value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{given}>{join(*content)}</{name}>")


def void(name: str, /, **attributes: object) -> Markup:
    """An element without content and end, such as meta."""
    return Markup(tag(name, **attributes).removesuffix(f"</{name}>"))


def join(*content: object) -> Markup:
    """One after the other."""
    return Markup("".join(map(text, content)))


def table(caption: str, columns: list[str], rows: list[list[object]], numbers_from: int = 1) -> Markup:
    """A table that can be scrolled with the keyboard where it is too wide. numbers_from: that column on."""
    head = [
        tag("th", column, scope="col", class_="number" if at >= numbers_from else None)
        for at, column in enumerate(columns)
    ]
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(
                tag("td", cell, class_="number" if at >= numbers_from else None)
                for at, cell in enumerate(row[1:], start=1)
            ),
        )
        for row in rows
    ]
    made = tag("table", tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", made, class_="scroll", tabindex="0", role="group", aria_label=caption)
