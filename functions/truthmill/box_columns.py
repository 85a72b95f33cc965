"""Boxes of several pictures in columns: for readers that find all at once, and writers that write them so.

To make an object of each box takes longer than all else that is done with them; here it is done when somebody
asks for one. It imports no NumPy, which only readers need.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from truthmill.box_check import DrawnBox
from truthmill.boxes import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column: TypeAlias = "NDArray[Any]"
Sides: TypeAlias = tuple[Column, Column, Column, Column]
"""Left, top, width, height, pixels."""
Made = TypeVar("Made")
Rectangle = TypeVar("Rectangle", Box, DrawnBox)


class _Columns:
    """Of several pictures. counts: how many of the boxes each picture has, one picture after the other."""

    def __init__(self, class_ids: Column, sides: Sides, counts: Sequence[int]) -> None:
        self.class_ids, self.sides, self.counts = class_ids, sides, counts

    @cached_property
    def ends(self) -> list[int]:
        """Where each picture's boxes end, from 0."""
        return list(accumulate(self.counts, initial=0))

    def _rows(self) -> tuple[list[Any], ...]:
        return self.class_ids.tolist(), *(side.tolist() for side in self.sides)


class BoxColumns(_Columns):
    """Boxes of which each is whole, inside its picture, and alone in its place there.

    sizes_wh: of the pictures, pixels, a row for each.
    """

    def __init__(self, class_ids: Column, sides: Sides, counts: Sequence[int], sizes_wh: Column) -> None:
        super().__init__(class_ids, sides, counts)
        self.sizes_wh = sizes_wh
        self._made: dict[Callable[[BoxColumns], Sequence[Any]], Sequence[Any]] = {}

    @cached_property
    def sizes(self) -> list[list[int]]:
        """Each picture's width and height."""
        found: list[list[int]] = self.sizes_wh.tolist()
        return found

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        return tuple(map(Box, *self._rows()))

    def made(self, make: "Callable[[BoxColumns], Sequence[Made]]") -> Sequence[Made]:
        """What a function makes of each picture's boxes, all at once when it is asked for first."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


class DrawnColumns(_Columns):
    """Boxes as they came.

    whole: the same, rounded, but for those of pictures with a box that `BoxColumns` don't take.
    sound: of each picture whether it has none such.
    """

    def __init__(
        self, class_ids: Column, sides: Sides, counts: Sequence[int], whole: BoxColumns, sound: list[bool]
    ) -> None:
        super().__init__(class_ids, sides, counts)
        self.whole, self.sound = whole, sound

    @cached_property
    def boxes(self) -> tuple[DrawnBox, ...]:
        return tuple(map(DrawnBox, *self._rows()))


class _OfPicture(Sequence[Rectangle]):
    """One picture's boxes, equal to a tuple of them. columns: where they are; number: of the picture."""

    __slots__ = ("columns", "number")

    def __init__(self, columns: Any, number: int) -> None:
        self.columns, self.number = columns, number

    def _boxes(self) -> tuple[Rectangle, ...]:
        start, end = self.columns.ends[self.number : self.number + 2]
        found: tuple[Rectangle, ...] = self.columns.boxes[start:end]
        return found

    def __len__(self) -> int:
        count: int = self.columns.counts[self.number]
        return count

    def __iter__(self) -> Iterator[Rectangle]:
        return iter(self._boxes())

    @overload
    def __getitem__(self, index: int) -> Rectangle: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Rectangle, ...]: ...

    def __getitem__(self, index: int | slice) -> Rectangle | tuple[Rectangle, ...]:
        return self._boxes()[index]

    def __eq__(self, other: object) -> bool:
        return self._boxes() == (tuple(other) if isinstance(other, _OfPicture) else other)

    def __hash__(self) -> int:
        return hash(self._boxes())

    def __repr__(self) -> str:
        return repr(self._boxes())


class Span(_OfPicture[Box]):
    """In whole pixels, where they are in BoxColumns."""

    __slots__ = ()
    columns: BoxColumns

    def are_in(self, width: int, height: int) -> bool:
        """Whether they are known to lie inside a picture of that size."""
        across, down = self.columns.sizes[self.number]
        return across <= width and down <= height


class DrawnSpan(_OfPicture[DrawnBox]):
    """As they came, where they are in DrawnColumns."""

    __slots__ = ()
    columns: DrawnColumns

    @property
    def is_sound(self) -> bool:
        """Whether `check_boxes` has nothing to say of them."""
        return self.columns.sound[self.number]

    @property
    def whole(self) -> Span:
        """In whole pixels, each edge rounded for itself; none where the picture isn't sound."""
        return Span(self.columns.whole, self.number)
