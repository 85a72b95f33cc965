"""LZ4's block format, to read only.

Source: "LZ4 Block Format Description", lz4_Block_format.md in lz4/lz4.
"""

from truthmill.channels.snappy import repeat


def decompress(data: bytes) -> bytes:
    """Raises ValueError where it isn't LZ4, IndexError where it is cut off."""
    out, at = bytearray(), 0
    while True:
        token = data[at]
        size, at = _length(data, at + 1, token >> 4)
        if at + size > len(data):
            raise IndexError("a page is cut off")
        out += data[at : at + size]
        at += size
        if at == len(data):  # the last sequence has nothing to repeat
            return bytes(out)
        offset = data[at] | data[at + 1] << 8
        size, at = _length(data, at + 2, token & 15)
        repeat(out, offset, size + 4)


def _length(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    """What half a byte says, or it with the bytes that follow; and where these end."""
    if nibble < 15:
        return nibble, at
    more = 255
    while more == 255:
        more = data[at]
        nibble += more
        at += 1
    return nibble, at
