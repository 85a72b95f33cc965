"""The box around a COCO region that is written as run lengths, where an annotation has no bbox.

A mask's pixels are told column by column, from the top left, as the lengths of runs that are in turn outside
and inside. `counts` has them as numbers, or as pycocotools' text: each number in groups of five bits, the
lowest first, a character from "0" each, of which the sixth bit tells that more follow and the fifth of the
last one the sign; from the fourth number on it is the difference from the last but one.
"""

from typing import Any


def box_around(region: Any) -> tuple[int, int, int, int]:
    """Left, top, width and height in pixels; zeros for a region without a pixel. Raises ValueError."""
    try:
        height, width = (int(side) for side in region["size"])
        counts = region["counts"]
        lengths = _lengths(counts) if isinstance(counts, str) else [int(each) for each in counts]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"its run lengths can't be read ({error!r})") from error
    if min(height, width, *lengths) < 0 or sum(lengths) > height * width:
        raise ValueError(f"its run lengths don't fit into {width} x {height} pixels")
    return _box(lengths, height)


def _lengths(text: str) -> list[int]:
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - ord("0")
        if not 0 <= bits < 1 << 6:
            raise ValueError(f"{character!r} is no character of theirs")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("the text ends within a number")
    return found


def _box(lengths: list[int], height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = None, height, 0, 0
    at = 0
    for number, length in enumerate(lengths):
        if number % 2 and length:
            (first, above), (last, below) = divmod(at, height), divmod(at + length - 1, height)
            if first != last:  # over a column's end, so that it reaches both edges
                above, below = 0, height - 1
            left = first if left is None else left
            top, right, bottom = min(top, above), last + 1, max(bottom, below + 1)
        at += length
    return (0, 0, 0, 0) if left is None else (left, top, right - left, bottom - top)
