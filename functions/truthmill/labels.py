"""What a class name may be, whoever gives it: a request, or a file that is converted."""

import unicodedata

# Controls, halves of surrogate pairs, separators of lines and paragraphs.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_NOT_IN_XML = "\ufffe\uffff"  # XML 1.0, production 2


def problem_of(label: str) -> str:
    """Why a format couldn't hold a class name; empty where all of them can.

    XML has no way to write most control characters, and lists with a name a line end it at a line break.
    """
    if not label.strip():
        return "is empty or blank"
    for character in label:
        if unicodedata.category(character) in _FORBIDDEN or character in _NOT_IN_XML:
            return f"has the character U+{ord(character):04X}, which formats such as Pascal VOC can't hold"
    return ""
