"""The images and the boxes of a COCO document in columns: some 20 bytes a box where they are whole and small.

What wants NumPy is here, since `coco` is imported by every BuildChannels, and writing needs none.
"""

from array import array
from collections.abc import Iterator
from itertools import chain, pairwise, repeat, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from truthmill.box_columns import DrawnSpan
from truthmill.channels.reading import NO_SCORE
from truthmill.channels.sound_boxes import drawn_spans

_AT_ONCE = 1 << 20  # boxes

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


_Packed: TypeAlias = list[tuple[str, bytes]]


def packed(annotations: "list[_Annotation]") -> tuple[list[int], _Packed]:
    """The image of each crowd region; and of all other annotations images, categories, sides, and scores
    where one has any: of each column the kind of its numbers, and its bytes.

    Raises OverflowError for an id beyond 64 bits.
    """
    crowds = [one.image_id for one in annotations if one.iscrowd]
    if crowds:
        annotations = [one for one in annotations if not one.iscrowd]
    count = len(annotations)
    scores = list(map(_score, annotations))
    if scores.count(None) == count:
        scores = []
    columns = (
        np.fromiter(map(_image_id, annotations), np.int64, count),
        np.fromiter(map(_category_id, annotations), np.int64, count),
        np.fromiter(chain.from_iterable(map(_bbox, annotations)), np.float64, 4 * count),
        np.array([NO_SCORE if score is None else score for score in scores], np.float64),
    )
    narrow = [*map(_narrow, columns[:3]), columns[3]]
    return crowds, [(column.dtype.str, column.tobytes()) for column in narrow]


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

    def add(self, columns: "_Packed") -> None:
        """As `packed` has them. Raises ValueError for a category that isn't among the numbers."""
        self.seen = True
        images, number, sides, scores = (np.frombuffer(data, kind) for kind, data in columns)
        count = len(images)
        if not count:
            return
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
        self._sides.extend(sides)
        if len(scores):
            self._scores.extend([NO_SCORE] * (self._added - len(self._scores)))
            self._scores.frombytes(scores.tobytes())
        elif self._scores:
            self._scores.extend([NO_SCORE] * count)
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

    def of(self, start: int, stop: int, widths: "array[int]", heights: "array[int]") -> Iterator[DrawnSpan]:
        """Of the images from start up to stop, one after the other.

        widths, heights: of all images.
        """
        chosen = self._chosen(start, stop)
        left, top, width, height = self._sides[chosen].T
        sizes = np.array([widths[start:stop], heights[start:stop]], np.int64).T
        counts = np.diff(self._ends[start : stop + 1])
        return drawn_spans(self._classes[chosen], (left, top, width, height), counts, sizes)

    def scores(self, start: int, stop: int) -> Iterator[tuple[float, ...]]:
        """Of the same boxes; nothing where no box of the document has one."""
        if self._scores is None:
            return repeat((), stop - start)
        found = tuple(self._scores[self._chosen(start, stop)].tolist())
        ends = self._ends[start : stop + 1]
        return (found[span] for span in starmap(slice, pairwise((ends - ends[0]).tolist())))

    def _chosen(self, start: int, stop: int) -> "Column | slice":
        """Where these images' boxes are in the columns."""
        boxes = slice(int(self._ends[start]), int(self._ends[stop]))
        return boxes if self._order is None else self._order[boxes]


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
