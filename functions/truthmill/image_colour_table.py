"""Colours of a profile that many pictures have, looked up rather than computed anew for each pixel.

The engine takes as long for a pixel of three channels as three decoders do; to look one up takes a fifth of
that. A table is filled by the engine itself once it has converted as many pixels as a table has colours, so
never twice the work is done; telephones give all of their pictures one profile.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Levels: TypeAlias = "NDArray[np.uint32]"  # red, green, blue, and a byte that is nothing

Convert: TypeAlias = Callable[["Image.Image"], "Image.Image"]

COLOURS = 1 << 24
_AT_ONCE = 1 << 18  # colours
_SIDE = 1 << 9  # of a picture of so many
_MOST_PROFILES = 8  # that are counted for; in a mixture of more none is met often


class Tables:
    """The table that is kept, of 64 MiB, and how many pixels of other profiles were met since it was made."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, Levels] | None = None
        self._met: dict[bytes, int] = {}

    def kept(self, profile: bytes) -> "Levels | None":
        """What becomes of every colour, where that table is at hand."""
        return self._kept[1] if self._kept and self._kept[0] == profile else None

    def convert(self, image: "Image.Image", profile: bytes, convert: Convert) -> "Image.Image":
        """What the function makes of an RGB picture, each pixel for itself, which is told by the profile."""
        table = self.kept(profile)
        if table is None:
            if len(self._met) == _MOST_PROFILES and profile not in self._met:
                self._met.clear()
            self._met[profile] = self._met.get(profile, 0) + image.width * image.height
            if self._met[profile] < COLOURS:
                return convert(image)
            self._met.clear()
            self._kept = None  # there is no need for memory for two
            table = _filled(convert)
            self._kept = profile, table
        return _picture(table.take(_levels(image) & (COLOURS - 1)), image.size)


def _filled(convert: Convert) -> "Levels":
    """What becomes of every colour; its number is what its levels are as one."""
    import numpy as np  # noqa: PLC0415 - it takes longer to import than the rest of a handler

    table = np.empty(COLOURS, dtype="<u4")
    for start in range(0, COLOURS, _AT_ONCE):
        some = np.arange(start, start + _AT_ONCE, dtype="<u4")
        table[start : start + _AT_ONCE] = _levels(convert(_picture(some, (_SIDE, _SIDE))))
    return table


def _levels(image: "Image.Image") -> "Levels":
    import numpy as np  # noqa: PLC0415 - as above

    return np.frombuffer(image.tobytes("raw", "RGBX"), dtype="<u4")


def _picture(levels: "Levels", size: tuple[int, int]) -> "Image.Image":
    """size: width and height."""
    from PIL import Image  # noqa: PLC0415 - as above

    return Image.frombuffer("RGBX", size, levels, "raw", "RGBX", 0, 1).convert("RGB")
