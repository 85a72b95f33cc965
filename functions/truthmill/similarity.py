"""What a picture looks like, in a short text that survives what happens to copies of it.

A fingerprint has three parts. Its cells are the picture in 16 x 16 greys and 8 x 8 colours: with them two
pictures are laid over each other. Its marks find the pictures worth comparing: up to 18 spots that stand out
from their surroundings (see `marks`). Its fine part makes 32 x 32 greys and 16 x 16 colours of the cells (see
`fine`): with them two pictures are compared.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from PIL import Image

from truthmill import fine
from truthmill.errors import FormatError
from truthmill.marks import MARKS, SIDE, marks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS = 16  # across and down
TINTS = 8  # cells across and down of its colours
TINT_STEP, TINT_STEPS = 4, 64  # of Cb and Cr; so many of them are told apart, all there are
STEPS = 32  # greys that are told apart, from the darkest cell to the lightest
TINTS_AT = 2 + CELLS * CELLS // 2  # bytes before the colours: darkest and lightest grey, cells of 4 bits
MARKS_AT = TINTS_AT + TINTS * TINTS  # bytes before the marks: the colours have 4 bits for Cb and 4 for Cr
LOW_BITS_AT = MARKS_AT + 8 * sum(MARKS)  # bytes before the bits below: of greys one, of Cb and of Cr two
FINE_AT = LOW_BITS_AT + (CELLS * CELLS + 4 * TINTS * TINTS) // 8  # bytes before what `fine` says of each
FINE_LENGTHS = (1 + CELLS * CELLS, 1 + TINTS * TINTS, 1 + TINTS * TINTS)
LENGTH = FINE_AT + sum(FINE_LENGTHS)  # bytes of a fingerprint
TEXT_LENGTH = (LENGTH + 2) // 3 * 4  # characters of it in base64
TOGETHER = 24  # squares: what NumPy takes for a call is shared, and some 6 MB are held

_LEAST_CONTRAST = 2.0  # shades by which a cell stands out
_LEAST_SHARE = 0.1  # of what stands out most
_LEAST_ROUGH = 8  # cells that stand out; fewer is a flat picture
_LEAST_SAMPLES, _MOST_SAMPLES = 3, 6  # pixels, across and down, that are looked at for each of the square
_A_SAMPLE = 2  # pixels of the smaller side, at least, of which one is looked at


def fingerprint(image: Image.Image) -> str:
    """The fingerprint of an upright RGB picture: base64 of LENGTH bytes, or "" where the picture is flat.

    A flat picture (a clear sky, a black frame) has nothing by which another could be told from it, so nothing
    but equal pixels makes it a duplicate. What is smooth over the whole frame doesn't count as contrast.
    """
    return fingerprints([square(sampled(image))])[0]


def sampled(image: Image.Image) -> Image.Image:
    """Of a picture in any mode all that `square` needs: a grid of its pixels, at most 384 x 384 of them.

    Of a side of fewer pixels than 384 all are taken, else 3 to 6 for each of the square.
    """
    return image.resize(sample_size(image.size), Image.Resampling.NEAREST)


def sample_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of that grid, for a picture of that width and height."""
    least = SIDE * _LEAST_SAMPLES * _A_SAMPLE
    samples = max(_LEAST_SAMPLES, min(min(size) // _A_SAMPLE // SIDE, _MOST_SAMPLES))
    width, height = (side if side < least else SIDE * samples for side in size)
    return width, height


def square(sample: Image.Image) -> bytes:
    """What a fingerprint is made of: SIDE x SIDE pixels of Y, Cb and Cr, the picture's proportions given up.

    sample: upright, RGB, or RGBX, as `sampled` gives it.
    """
    across, down = (side // SIDE for side in sample.size)
    if (across * SIDE, down * SIDE) == sample.size:
        small = sample.reduce((across, down))  # much faster
    else:
        small = sample.resize((SIDE, SIDE), Image.Resampling.BOX)
    return small.convert("RGB").convert("YCbCr").tobytes()


def fingerprints(squares: Sequence[bytes]) -> list[str]:
    """The fingerprint of each square. Best given TOGETHER of them, for which it takes half of the time."""
    import numpy as np  # noqa: PLC0415 - it takes longer to import than the rest of a handler

    pixels = np.frombuffer(b"".join(squares), dtype=np.uint8).reshape(-1, SIDE * SIDE, 3)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32).reshape(-1, SIDE, SIDE)
    grey, tints = planes[: len(pixels)], planes[len(pixels) :]  # of all Cb, then of all Cr
    fine_greys, fine_tints = _means(grey, 2 * CELLS), _means(tints, 2 * TINTS)
    cells, tinted = _means(_squares(fine_greys), CELLS), _means(_squares(fine_tints), TINTS)
    low, high = np.floor(cells.min(axis=1)), np.ceil(cells.max(axis=1))
    steps = (cells - low[:, None]) * ((STEPS - 1) / np.maximum(high - low, 1))[:, None] + 0.5
    greys, colours = steps.astype(np.uint8), np.split((tinted // TINT_STEP).astype(np.uint8), 2)
    found = marks(grey)
    rows = np.hstack(
        [
            np.stack([low, high], axis=1).astype(np.uint8),
            _packed(greys[:, ::2] // 2, greys[:, 1::2] // 2),
            _packed(*(colour // 4 for colour in colours)),
            found.astype(">u8").view(np.uint8),
            np.packbits(np.hstack([greys, *colours, *(colour // 2 for colour in colours)]) & 1, axis=1),
            fine.encoded(fine_greys, fine.GREYS),
            *np.split(fine.encoded(fine_tints, fine.TINTS), 2),
        ]
    )
    is_shown = _is_rough(cells) & found.any(axis=1)
    return [b64encode(row).decode() if shown else "" for row, shown in zip(rows, is_shown, strict=True)]


def pack(fingerprints: Iterable[str]) -> "NDArray[np.uint8]":
    """Fingerprints as rows of LENGTH bytes, in their order, read as a stream; a flat picture's row is zero.

    Raises FormatError where one isn't a fingerprint of this version.
    """
    import numpy as np  # noqa: PLC0415 - as above

    rows = bytearray()
    for number, text in enumerate(fingerprints):
        try:
            row = b64decode(text, validate=True) if text else bytes(LENGTH)
        except (Base64Error, ValueError):
            row = b""
        if len(row) != LENGTH:
            raise FormatError(
                f"Picture {number} has the fingerprint {text[:40]!r} of {len(text)} characters, which is "
                "none of this version. Remove what the run has below inspected/, and start it again."
            )
        rows += row
    return np.frombuffer(rows, dtype=np.uint8).reshape(-1, LENGTH)


def _means(planes: "NDArray[Any]", count: int) -> "NDArray[Any]":
    """Of P squares the means of count x count cells, a row each."""
    cells = _means_of(count, planes.shape[-1])
    means: NDArray[Any] = (cells @ planes @ cells.T).reshape(len(planes), -1)
    return means


@cache
def _means_of(count: int, side: int) -> "NDArray[Any]":
    """A matrix from so many pixels, or cells, in a line to the means of fewer cells."""
    import numpy as np  # noqa: PLC0415 - as above

    step = side // count
    return np.repeat(np.eye(count, dtype=np.float32), step, axis=1) / step


def _squares(cells: "NDArray[Any]") -> "NDArray[Any]":
    """Rows of cells as squares."""
    side = round(cells.shape[1] ** 0.5)
    return cells.reshape(-1, side, side)


def _packed(high: "NDArray[np.uint8]", low: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """Two numbers of four bits in a byte."""
    return high * 16 + low


def _is_rough(cells: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Whether there is more than a smooth surface of the fourth degree: than a sky, with a bird in it."""
    import numpy as np  # noqa: PLC0415 - as above

    smooth = smooth_surfaces()
    rough = np.abs(cells - cells @ smooth @ smooth.T)
    # The surface gives way a little to whatever stands out, all over: hence the share.
    least = np.maximum(_LEAST_CONTRAST, _LEAST_SHARE * rough.max(axis=1))
    enough: NDArray[np.bool_] = np.count_nonzero(rough >= least[:, None], axis=1) >= _LEAST_ROUGH
    return enough


@cache
def smooth_surfaces() -> "NDArray[np.float64]":
    """An orthonormal basis of the surfaces of the fourth degree over the cells, one a column."""
    import numpy as np  # noqa: PLC0415 - as above

    y, x = np.mgrid[0:CELLS, 0:CELLS].reshape(2, -1) - (CELLS - 1) / 2
    terms = [x**across * y**down for across in range(5) for down in range(5 - across)]
    return np.linalg.qr(np.stack(terms, axis=1))[0]
