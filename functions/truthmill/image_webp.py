"""Large WebPs of one picture, decoded into one buffer.

Pillow decodes each WebP as an animation: two canvases, their bytes, and its own image, 16 bytes a pixel. The
library that it brings along has a function for a single picture, whose pixels are the same (a test holds it).
What that has any doubt about is left to Pillow, which decides; likewise where the function can't be found.
"""

import ctypes
from functools import lru_cache
from typing import TYPE_CHECKING

from truthmill.image_container import Container

if TYPE_CHECKING:
    from PIL import Image

LARGE = 12_000_000  # pixels; of fewer Pillow's way takes less than other formats of 100 million
_ABI = 0x0209  # WEBP_DECODER_ABI_VERSION of webp/decode.h, which the library compares
_BYTES = 4


class _Features(ctypes.Structure):
    """WebPBitstreamFeatures of webp/decode.h."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("has_alpha", ctypes.c_int),
        ("has_animation", ctypes.c_int),
        ("format", ctypes.c_int),
        ("pad", ctypes.c_uint32 * 5),
    )


@lru_cache(maxsize=1)
def _library() -> "ctypes.CDLL | None":
    """What Pillow decodes WebP with; its functions are found through the module that was linked with it."""
    try:
        from PIL import _webp  # noqa: PLC0415 (see `image_decoding`)

        library = ctypes.CDLL(_webp.__file__)
        features, decode = library.WebPGetFeaturesInternal, library.WebPDecodeRGBAInto
    except (ImportError, OSError, AttributeError):
        return None
    features.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(_Features), ctypes.c_int)
    features.restype = ctypes.c_int
    decode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    decode.restype = ctypes.c_void_p
    return library


def decoded(container: Container, data: bytes) -> "Image.Image | None":
    """All pixels; None where Pillow has to look at it.

    container: of a WebP of a size that was admitted.
    """
    from PIL import Image  # noqa: PLC0415 (see `image_decoding`)

    size, library = (container.width, container.height), _library()
    found = _Features()
    if library is None or library.WebPGetFeaturesInternal(data, len(data), ctypes.byref(found), _ABI):
        return None
    if found.has_animation or (found.width, found.height) != size:
        return None
    pixels = bytearray(_BYTES * size[0] * size[1])
    target = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    if not library.WebPDecodeRGBAInto(data, len(data), target, len(pixels), _BYTES * size[0]):
        return None
    if found.has_alpha:
        return Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
    return Image.frombytes("RGB", size, pixels, "raw", "RGBX", 0, 1)
