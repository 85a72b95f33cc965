"""What TIFF's decoder says beside its answer, and the ways that it is asked.

Of CCITT's codes that it can't read libtiff says so, leaves the rest of a row white and goes on. Pillow hands
on what it answers only, and leaves what it says to the process's error output.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@lru_cache(maxsize=1)
def _library() -> "ctypes.CDLL | None":
    """What Pillow decodes TIFF with; its functions are found through the module that was linked with it."""
    try:
        from PIL import _imaging  # noqa: PLC0415 (see `image_decoding`)

        library = ctypes.CDLL(_imaging.__file__)
        set_handler = library.TIFFSetErrorHandler
    except (ImportError, OSError, AttributeError):
        return None
    set_handler.argtypes, set_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
    return library


@contextmanager
def listening() -> Iterator[list[str]]:
    """What it says meanwhile, without the numbers in it; nothing where it can't be heard.

    It is one for all threads, so they have to take turns.
    """
    said: list[str] = []
    library = _library()
    if library is None:
        yield said
        return
    handler = _HANDLER(lambda _, text, __: said.append((text or b"").decode("ascii", "replace")))
    before = library.TIFFSetErrorHandler(ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield said
    finally:
        library.TIFFSetErrorHandler(before)


@contextmanager
def by_library(*, wanted: bool) -> Iterator[None]:
    """Pillow reads uncompressed pixels by itself, those of 16 bits in planes wrongly; the library is right.

    It is one setting for all threads, so they have to take turns.
    """
    from PIL import TiffImagePlugin  # noqa: PLC0415 (see `image_decoding`)

    before = TiffImagePlugin.READ_LIBTIFF
    TiffImagePlugin.READ_LIBTIFF = wanted or before
    try:
        yield
    finally:
        TiffImagePlugin.READ_LIBTIFF = before
