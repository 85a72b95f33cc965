"""Which pictures belong together: keys of the request's `groupBy`, links between equals, closure.

A link is a pair of picture numbers, a grouping the array that `union` makes of all links. Memory: 16 bytes a
link, 8 bytes a picture; `link_equal` holds one entry for each different key besides.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill import layout, patterns
from truthmill.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMED_RULES = ("none", "folder", "capture-minute")
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

_FOLDERS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


def group_by(name: str, taken: str, rule: str | Mapping[str, str]) -> str:
    """The key under which a picture's group is known, or "" where the rule puts it in none.

    name: of the picture in its source, with folders. taken: EXIF capture time "YYYY-MM-DDTHH:MM:SS", or "".
    rule: one of NAMED_RULES, or {"pattern": regular expression with a group named "group"}, searched in name
    (`patterns`).
    One folder has one key, however packers write it: "./a/1.jpg" as bsdtar does, letters with their accents
    apart (NFD) as macOS does.
    Raises RequestError where the rule is none of these.
    """
    if rule == "none":
        return ""
    if rule == "capture-minute":
        return taken[:16]
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if rule == "folder":
        folders = name.replace("\\", "/").split("/")[:-1]
        return "/".join(folder for folder in folders if folder not in {"", "."})
    found = _pattern_of(rule).search(name)
    return (found["group"] or "") if found else ""


def regroup(name: str, taken: str, before: str, rule: str | Mapping[str, str]) -> str:
    """The key of an earlier picture's group by the rule of today.

    before: its key by the rule of its time; of ledgers that don't have `taken`, all that is known of that.
    """
    if rule == "capture-minute" and not taken:
        return before if _MINUTE.fullmatch(before) else ""
    return group_by(name, taken, rule)


def check_rule(rule: str | Mapping[str, str]) -> None:
    """Raises RequestError where `group_by` could not follow the rule."""
    group_by("", "", rule)


def _pattern_of(rule: str | Mapping[str, str]) -> Any:
    pattern = rule.get("pattern") if isinstance(rule, Mapping) and len(rule) == 1 else None
    if not isinstance(pattern, str):
        raise RequestError(
            f'"groupBy" is {rule!r}; choose from {", ".join(NAMED_RULES)}, or give '
            '{"pattern": "…"} with a regular expression that has a group named "group".'
        )
    return patterns.compiled(pattern)


def folder_split(name: str) -> str:
    """The split that a folder of the name stands for, or "": train, val or validation, test, in any case.

    Where several folders do, the one nearest to the root counts: class folders lie within split folders.
    """
    folders = name.replace("\\", "/").split("/")[:-1]
    return next((_FOLDERS[folder.lower()] for folder in folders if folder.lower() in _FOLDERS), "")


def link_equal(keys: Iterable[str], further: Iterable[tuple[int, str]] = ()) -> "NDArray[np.int64]":
    """Links, 2 x M, between every picture and the first one with the same key; keys in the pictures' order.

    The empty key links nothing. further: keys that pictures have besides, with their numbers.
    """
    first: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    for number, key in chain(enumerate(keys), further):
        if key and (earlier := first.setdefault(key, number)) != number:
            links.append((earlier, number))
    return np.array(links, dtype=np.int64).reshape(-1, 2).T


def union(count: int, *links: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Each of `count` pictures' group, closed transitively over all links: its smallest member's number.

    links: 2 x M arrays of picture numbers.
    """
    forest = Forest(count)
    for part in links:
        forest.join(part[0], part[1])
    return forest.roots(np.arange(count, dtype=np.int64))


class Forest:
    """Groups that grow: each a tree of pictures, its root the smallest. 8 bytes a picture."""

    def __init__(self, count: int) -> None:
        """count: pictures, each alone at first."""
        self._parent = np.arange(count, dtype=np.int64)

    def roots(self, pictures: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """The smallest member of each of these pictures' groups."""
        root = self._parent[pictures]
        while not np.array_equal(above := self._parent[root], root):
            root = above
        self._parent[pictures] = root
        return root

    def join(self, ones: "NDArray[np.int64]", others: "NDArray[np.int64]") -> None:
        """Make the group of each one and that of its other the same.

        Roots are hooked onto smaller roots until no link joins two groups; after Shiloach and Vishkin, "An
        O(log n) parallel connectivity algorithm" (1982).
        """
        while len(ones):
            ones, others = self.roots(ones), self.roots(others)
            apart = ones != others
            ones, others = ones[apart], others[apart]
            np.minimum.at(self._parent, np.maximum(ones, others), np.minimum(ones, others))


def sides_of(names: Iterable[str]) -> "NDArray[np.int8]":
    """Numbers of splits in `layout.SPLITS`, -1 for "" (not decided): the form that `split.assign` takes."""
    numbers = {"": -1} | {name: number for number, name in enumerate(layout.SPLITS)}
    return np.fromiter((numbers[name] for name in names), dtype=np.int8)
