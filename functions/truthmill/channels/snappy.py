"""Snappy's raw format, to read only: what most writers of Parquet compress with.

Source: "Snappy compressed format description", format_description.txt in google/snappy.
"""


def decompress(data: bytes) -> bytes:
    """Raises ValueError where it isn't Snappy, or is cut off."""
    try:
        return _decompress(data)
    except IndexError:
        raise ValueError("a page is cut off within its compressed data.") from None


def _decompress(data: bytes) -> bytes:
    at = shift = length = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        kind, size = tag & 3, (tag >> 2) + 1
        if kind == 0:
            if size > 60:  # the length itself takes one to four bytes
                more = size - 60
                size = int.from_bytes(data[at : at + more], "little") + 1
                at += more
            out += data[at : at + size]
            at += size
            continue
        if kind == 1:
            size, offset = (tag >> 2 & 7) + 4, tag >> 5 << 8 | data[at]
            at += 1
        else:
            wide = 2 if kind == 2 else 4
            offset = int.from_bytes(data[at : at + wide], "little")
            at += wide
        repeat(out, offset, size)
    if len(out) != length:
        raise ValueError("a page's compressed data has another length than it says.")
    return bytes(out)


def repeat(out: bytearray, offset: int, size: int) -> None:
    """Copy what lies that far back; it may reach into what is being copied."""
    if not 0 < offset <= len(out):
        raise ValueError("a page's compressed data refers to what isn't there.")
    start = len(out) - offset
    pattern = bytes(out[start : start + size])
    out += (pattern * (size // len(pattern) + 1))[:size]
