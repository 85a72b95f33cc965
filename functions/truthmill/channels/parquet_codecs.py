"""What pages of Parquet are compressed with.

Snappy and LZ4 are read here. What is large is a library's, which what runs in Lambda doesn't have:
`backports.zstd` is the standard library's own module of later Pythons, `brotli` its authors'.
Source: Compression.md in apache/parquet-format.
"""

import zlib
from importlib import import_module

from truthmill.channels import lz4, snappy

_NAMES = ("none", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4_raw")  # CompressionCodec
_MODULES = {"brotli": ("brotli",), "zstd": ("compression.zstd", "backports.zstd")}


def unpacked(body: bytes, codec: int) -> bytes:
    """A page's bytes. Raises ValueError."""
    name = _NAMES[codec] if 0 <= codec < len(_NAMES) else str(codec)
    if name == "none":
        return body
    if name == "snappy":
        return snappy.decompress(body)
    if name == "gzip":
        return zlib.decompress(body, wbits=31)
    if name == "lz4_raw":
        return lz4.decompress(body)
    if name in _MODULES:
        return _by_library(body, name)
    raise ValueError(f"it is compressed with {name}, which isn't read here; zstd, lz4_raw and snappy are.")


def _by_library(body: bytes, name: str) -> bytes:
    for module in _MODULES[name]:
        try:
            library = import_module(module)
        except ImportError:
            continue
        try:
            found: bytes = library.decompress(body)
        except Exception as error:  # each library has errors of its own
            raise ValueError(f"a page isn't {name}: {error}") from error
        return found
    raise ValueError(f"it is compressed with {name}. Install the package {_MODULES[name][-1]} to read it.")
