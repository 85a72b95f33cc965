"""What a picture looks like, in a short text that survives re-encoding and scaling."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PIL import Image

from truthmill.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 16  # cells across and down
LENGTH = SIDE * SIDE  # bytes of a fingerprint, before base64


def fingerprint(image: Image.Image) -> str:
    """The fingerprint of an upright RGB picture: base64 of LENGTH bytes.

    Nothing but Pillow's integer arithmetic, so that every platform gives the same.
    """
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2).convert("L")
    return b64encode(small.tobytes()).decode()


def pack(fingerprints: Iterable[str]) -> "NDArray[np.uint8]":
    """Fingerprints as rows of bytes, in their order: LENGTH bytes a picture, read as a stream.

    Raises FormatError where one isn't a fingerprint of this version.
    """
    import numpy as np  # noqa: PLC0415 - workers that only make fingerprints must not pay for its import

    rows = bytearray()
    for number, text in enumerate(fingerprints):
        row = b64decode(text)
        if len(row) != LENGTH:
            raise FormatError(f"Fingerprint {number}: {len(row)} bytes instead of {LENGTH}.")
        rows += row
    return np.frombuffer(rows, dtype=np.uint8).reshape(-1, LENGTH)
