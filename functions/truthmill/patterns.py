"""Regular expressions that a user gives: RE2's, which takes time in proportion to a text's length.

Python's own can take hours for a name of fifty letters. What RE2 hasn't got (a look ahead or behind, a
reference back to a group) is refused by name. Its classes of digits and of letters, which are ASCII's, are
made those of all scripts, as Python has them.
"""

import re
from functools import lru_cache
from typing import Any

from truthmill.errors import RequestError

MAX_PATTERN = 500  # characters; what is longer is a program, not a rule

_ESCAPE = re.compile(r"\\(?:Q.*?(?:\\E|$)|.)|\[\^?\]?|\]", re.DOTALL)
_OF_ALL_SCRIPTS = {r"\d": r"\p{Nd}", r"\D": r"\P{Nd}", r"\w": r"\p{L}\p{N}_", r"\Z": r"\z"}


@lru_cache(maxsize=16)
def compiled(pattern: str) -> Any:
    """As `re.compile` gives it, for `search` and its groups by name. Raises RequestError."""
    import re2  # noqa: PLC0415 - takes some hundredths of a second, and few requests have a pattern

    if len(pattern) > MAX_PATTERN:
        raise RequestError(
            f'"groupBy" has a pattern of {len(pattern)} characters; at most {MAX_PATTERN} are taken. '
            "Shorten it."
        )
    options = re2.Options()
    options.log_errors = False
    try:
        made = re2.compile(_of_all_scripts(pattern), options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else str(error)
        raise RequestError(
            f'"groupBy" has the pattern {pattern!r}, which isn\'t a regular expression of RE2: {said}. It '
            "takes what Python's has but for looks ahead or behind (?=…), references back to a group, and "
            "more than 1,000 repetitions. Correct it."
        ) from error
    if "group" not in made.groupindex:
        raise RequestError(
            f'"groupBy" has the pattern {pattern!r}, which has no group named "group". Mark the part of '
            'the name that pictures of one group share, as in {"pattern": "(?P<group>scene\\\\d+)_"}.'
        )
    return made


def _of_all_scripts(pattern: str) -> str:
    """The pattern with the classes of characters that Python has, within brackets and without."""
    in_brackets = False

    def translated(found: re.Match[str]) -> str:
        nonlocal in_brackets
        sign = found[0]
        if sign[0] == "[" and not in_brackets:
            in_brackets = True
        elif sign.endswith("]") and sign[0] != "\\":
            in_brackets = False
        elif sign == r"\w" and not in_brackets:
            return rf"[{_OF_ALL_SCRIPTS[sign]}]"
        elif sign == r"\W" and not in_brackets:
            return r"[^\p{L}\p{N}_]"
        return _OF_ALL_SCRIPTS.get(sign, sign)

    return _ESCAPE.sub(translated, pattern)
