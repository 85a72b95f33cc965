"""Pictures that two records of a source's labels tell of: taken once where they agree, an error where not.

Which of the two is right nobody can say, and to take both would put one picture in two places, maybe one of
them in training and the other in validation.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from truthmill.boxes import Box
from truthmill.channels.reading import DrawnPicture, is_picture
from truthmill.errors import FormatError

_FEW = 250_000  # pictures, whose marks may all be there once more


class _Record(NamedTuple):
    """What there is to compare of a record. answer: a hash of the picture's size and its boxes."""

    told_in: str
    split: str
    boxes: int
    answer: int

    def __str__(self) -> str:
        return f"{self.told_in or 'one'} has it in {self.split} with {self.boxes} boxes"


class Records:
    """The records of one pass over a source.

    The first pass only finds out which pictures may be told of twice, by 8 bytes a picture; should there be
    any, another pass compares the records of these, and leaves out what says the same again.
    Without the pictures a name counts within its file of labels only: each split may have a 0001.jpg.
    """

    def __init__(self, names: Sequence[str], suspects: frozenset[int] = frozenset()) -> None:
        """names: of the source's files. suspects: what `twice` of the first pass said."""
        self._suspects = suspects
        self._has_pictures = any(map(is_picture, names))
        self._there = {name for name in names if suspects and hash(name) in suspects}
        self._marks = array("q")
        self._known: dict[tuple[str, str], _Record] = {}
        self._again: list[str] = []

    def is_new(self, drawn: DrawnPicture, size_wh: tuple[int, int], boxes: Sequence[Box]) -> bool:
        """Whether it is to be taken. boxes: as they were checked.

        Pictures that are in their file of labels are each a picture of their own.
        Raises FormatError where an earlier record of the same picture says something else.
        """
        if drawn.content:
            return True
        mark = hash(drawn.path if self._has_pictures else (drawn.path, drawn.told_in))
        if not self._suspects:
            self._marks.append(mark)
            return True
        return mark not in self._suspects or self._is_first(drawn, size_wh, boxes)

    def _is_first(self, drawn: DrawnPicture, size_wh: tuple[int, int], boxes: Sequence[Box]) -> bool:
        record = _Record(drawn.told_in, drawn.split, len(boxes), hash((size_wh, frozenset(boxes))))
        place = "" if drawn.path in self._there else drawn.told_in
        earlier = self._known.setdefault((drawn.path, place), record)
        if earlier is record:
            return True
        if (earlier.split, earlier.answer) != (record.split, record.answer):
            raise FormatError(
                f"{drawn.path}: two records of labels tell of it and differ: {earlier}, {record}. Leave one."
            )
        self._again.append(drawn.path)
        return False

    def twice(self) -> frozenset[int]:
        """Marks of what may be told of twice, after the first pass; of later ones nothing."""
        if len(self._marks) < _FEW:
            counted = Counter(self._marks)
            return frozenset(mark for mark, count in counted.items() if count > 1)
        import numpy as np  # noqa: PLC0415 - to load it takes longer than to count these few

        ordered = np.sort(np.frombuffer(self._marks, np.int64))
        return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())

    def notes(self) -> list[str]:
        """What the user should know."""
        if not self._again:
            return []
        told = (
            f"{len(self._again)} records of labels say of a picture what another one has said: each picture "
            f"was taken once, {self._again[0]} the first of them."
        )
        return [told]
