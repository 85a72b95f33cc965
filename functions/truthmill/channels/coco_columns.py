"""The images and the boxes of a COCO document in columns: some 20 bytes a box where they are whole and small.

What wants NumPy is here, since `coco` is imported by every BuildChannels, and writing needs none.
"""

from array import array
from collections.abc import Iterator
from itertools import chain, pairwise, repeat, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.box_check import Drawn, DrawnBox
from truthmill.boxes import Box
from truthmill.channels.reading import NO_SCORE

_AT_ONCE = 1 << 20  # boxes
_ODD, _ODD_TOO = 0x9E3779B97F4A7C1 | 1, 0xC2B2AE3D27D4EB4 | 1  # spread neighbours far from each other

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from truthmill.channels.coco import _Annotation

    Column = NDArray[Any]

_image_id, _category_id = attrgetter("image_id"), attrgetter("category_id")
_bbox, _score = attrgetter("bbox"), attrgetter("score")


class Images:
    """Their ids, names and sizes (pixels), in the document's order."""

    def __init__(self) -> None:
        self.ids, self.widths, self.heights = array("q"), array("i"), array("i")
        self.names: list[str] = []


class Boxes:
    """Boxes are added in batches, then told apart by their images. seen: whether there was a batch at all."""

    seen = False

    def __init__(self, indices: dict[int, int]) -> None:
        """indices: from a category's number to its class id."""
        ordered = sorted(indices.items())
        self._numbers = np.array([number for number, _ in ordered], np.int64)
        self._class_ids = np.array([class_id for _, class_id in ordered], np.int64)
        self._images, self._classes, self._sides = _Growing(), _Growing(), _Growing()
        self._added, self._scores = 0, array("d")  # no scores where no box has one

    def add(self, annotations: "list[_Annotation]") -> None:
        """Raises ValueError for a category that isn't among the numbers, OverflowError for an id beyond 64
        bits.
        """
        self.seen = True
        count = len(annotations)
        if not count:
            return
        images = np.fromiter(map(_image_id, annotations), np.int64, count)
        number = np.fromiter(map(_category_id, annotations), np.int64, count)
        place = np.searchsorted(self._numbers, number)
        strange = np.ones(len(number), bool)
        if len(self._numbers):
            place = np.minimum(place, len(self._numbers) - 1)
            strange = self._numbers[place] != number
        if strange.any():
            first = int(strange.argmax())
            raise ValueError(
                f"an annotation of image {images[first]} has category {number[first]}, "
                "which is not among the categories."
            )
        self._images.extend(images)
        self._classes.extend(self._class_ids[place])
        sides = chain.from_iterable(map(_bbox, annotations))
        self._sides.extend(np.fromiter(sides, np.float64, 4 * count))
        scores = list(map(_score, annotations))
        if self._scores or scores.count(None) < count:
            self._scores.extend([NO_SCORE] * (self._added - len(self._scores)))
            self._scores.extend([NO_SCORE if score is None else score for score in scores])
        self._added += count

    def of_images(self, ids: "array[int]") -> "Sorted":
        """The boxes by the images with these ids.

        Raises ValueError where an id is there twice, or a box is of no image.
        """
        at, counts = self._at(np.frombuffer(ids, np.int64))
        in_order = bool((at[1:] >= at[:-1]).all())
        order = None if in_order else np.argsort(at, kind="stable").astype(np.int32)
        ends = np.concatenate([[0], np.cumsum(counts)])
        scores = np.frombuffer(self._scores, np.float64) if self._scores else None
        return Sorted(ends, order, self._classes.whole(), self._sides.whole().reshape(-1, 4), scores)

    def _at(self, known: "Column") -> "tuple[Column, Column]":
        """Of each box the index of its image, written over its id; and how many boxes each image has."""
        by_id = np.argsort(known, kind="stable")
        ordered = known[by_id]
        if (ordered[1:] == ordered[:-1]).any():
            raise ValueError("two images have one id.")
        images = self._images.whole()
        if len(known) > np.iinfo(images.dtype).max:
            images = images.astype(np.int32)
        counts = np.zeros(len(known), np.int64)
        for start in range(0, len(images), _AT_ONCE):
            some = images[start : start + _AT_ONCE]
            place = np.minimum(np.searchsorted(ordered, some), max(len(known) - 1, 0))
            lost = some if not len(known) else some[ordered[place] != some]
            if len(lost):
                raise ValueError(f"annotations of image {lost[0]}, which is not among the images.")
            index = by_id[place]
            some[:] = index
            counts += np.bincount(index, minlength=len(known))
        return images, counts


class Sorted:
    """The boxes of each image."""

    def __init__(
        self,
        ends: "Column",
        order: "Column | None",
        classes: "Column",
        sides: "Column",
        scores: "Column | None",
    ) -> None:
        """ends: where each image's boxes end, from 0. order: the boxes by image; None: they lie so."""
        self._ends, self._order, self._classes, self._sides = ends, order, classes, sides
        self._scores = scores

    def of(self, start: int, stop: int) -> Iterator[Drawn]:
        """Of the images from start up to stop, one after the other."""
        chosen, spans = self._chosen(start, stop)
        drawn = self._drawn(chosen)
        return (drawn[span] for span in spans)

    def scores(self, start: int, stop: int) -> Iterator[tuple[float, ...]]:
        """Of the same boxes; nothing where no box of the document has one."""
        if self._scores is None:
            return repeat((), stop - start)
        chosen, spans = self._chosen(start, stop)
        found = tuple(self._scores[chosen].tolist())
        return (found[span] for span in spans)

    def sound(self, start: int, stop: int, widths: "array[int]", heights: "array[int]") -> list[bool]:
        """Of each image whether its boxes are whole, not empty, inside and each in a place of its own; False
        where it takes a closer look. widths, heights: of these images.
        """
        chosen, _ = self._chosen(start, stop)
        sides = self._sides[chosen]
        if sides.dtype != np.uint16 or not sides[:, 2:].all():
            return [False] * (stop - start)  # `_drawn` makes no boxes of these
        image = np.repeat(np.arange(stop - start), np.diff(self._ends[start : stop + 1]))
        left, top, width, height = sides.T.astype(np.int64)
        place = left | top << 16 | width << 32 | height << 48
        mixed = place * _ODD + image * _ODD_TOO
        ordered = np.sort(mixed)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        bad = left + width > np.frombuffer(widths, np.int32)[image]
        bad |= top + height > np.frombuffer(heights, np.int32)[image]
        if len(twice):
            bad |= np.isin(mixed, twice)
        seen: list[bool] = (np.bincount(image[bad], minlength=stop - start) == 0).tolist()
        return seen

    def _chosen(self, start: int, stop: int) -> "tuple[Column | slice, Iterator[slice]]":
        """Which boxes are these images' in the columns, and among those each image's."""
        ends = self._ends[start : stop + 1]
        boxes = slice(int(ends[0]), int(ends[-1]))
        spans = starmap(slice, pairwise((ends - ends[0]).tolist()))
        return boxes if self._order is None else self._order[boxes], spans

    def _drawn(self, chosen: "Column | slice") -> Drawn:
        """In whole pixels and not empty where all of them are."""
        sides = self._sides[chosen]
        columns = (self._classes[chosen].tolist(), *sides.T.tolist())
        is_whole = sides.dtype.kind in "iu" and (sides >= (0, 0, 1, 1)).all()
        return tuple(map(Box, *columns)) if is_whole else tuple(map(DrawnBox, *columns))


class _Growing:
    """A column that grows in its place, so that it is never there twice, as joined pieces would be.

    Its numbers have as few bytes as all of them need.
    """

    def __init__(self) -> None:
        self._held, self._length = np.empty(0, np.uint16), 0

    def extend(self, values: "Column") -> None:
        values = _narrow(values)
        end = self._length + len(values)
        kind = np.result_type(self._held, values)
        if kind != self._held.dtype:
            self._held = self._held.astype(kind)
        if end > len(self._held):
            self._held.resize(end + end // 32, refcheck=False)
        self._held[self._length : end] = values
        self._length = end

    def whole(self) -> "Column":
        return self._held[: self._length]


def _narrow(values: "Column") -> "Column":
    """The same numbers in as few bytes as they need, of which whole ones need 2 or 4."""
    if not values.size or (values != np.floor(values)).any():
        return values
    low, high = values.min(), values.max()
    for kind in (np.uint16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values
