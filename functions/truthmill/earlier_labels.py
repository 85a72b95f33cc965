"""Boxes that a line of a manifest brings along from an earlier labeling job, by their labels' names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from truthmill.boxes import Box
from truthmill.manifest import BOX_TYPES


class NamedBox(NamedTuple):
    """A box in whole pixels of the stored picture."""

    label: str
    left: int
    top: int
    width: int
    height: int


def attribute(line: Mapping[str, Any]) -> str:
    """The attribute with the newest boxes; empty where there is none.

    Chained jobs leave several: the one whose metadata has the latest `creation-date` counts, of equal ones
    the last in the line.
    """
    found = [name for name in line if _has_boxes(line, name)]
    dated = [(str(line[f"{name}-metadata"].get("creation-date", "")), at) for at, name in enumerate(found)]
    return found[max(dated)[1]] if found else ""


def _has_boxes(line: Mapping[str, Any], name: str) -> bool:
    metadata, value = line.get(f"{name}-metadata"), line[name]
    return (
        isinstance(metadata, dict)
        and metadata.get("type") in BOX_TYPES
        and "failure-reason" not in metadata
        and isinstance(value, dict)
        and isinstance(value.get("annotations"), list)
    )


def boxes(line: Mapping[str, Any], name: str) -> list[NamedBox]:
    """The boxes of an attribute that `attribute` found; a class without a name in the map has its number."""
    names = line[f"{name}-metadata"].get("class-map", {})
    return [
        NamedBox(
            str(names.get(str(box.get("class_id")), box.get("class_id"))),
            *(box.get(edge, 0) for edge in ("left", "top", "width", "height")),
        )
        for box in line[name]["annotations"]
    ]


def adjusted(line: Mapping[str, Any], found: Iterable[Box], labels: Sequence[str]) -> bool:
    """Whether boxes are others than the line brought along; their order doesn't matter."""
    name = attribute(line)
    before = sorted(boxes(line, name)) if name else []
    after = [NamedBox(labels[box.class_id], box.left, box.top, box.width, box.height) for box in found]
    return sorted(after) != before
