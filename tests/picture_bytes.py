"""Pictures made for tests, and the parts of their files that Pillow can't write, byte by byte."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, GREEN, BLUE, YELLOW = (230, 20, 20), (20, 200, 20), (20, 20, 230), (230, 220, 20)
SUFFIX = {"JPEG": "jpg", "TIFF": "tif"}

# Where the stored pixels' first row and first column lie in the upright picture (TIFF 6.0, page 36).
LAID = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def corners(width: int = 48, height: int = 32) -> Image.Image:
    """Upright: red top left, green top right, blue bottom left, yellow bottom right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def noise(width: int = 40, height: int = 30, seed: int = 1) -> Image.Image:
    """Every pixel another colour, always the same."""
    values = bytes((i * i * 31 + i * 7 + seed * 13 + (i >> 3)) & 255 for i in range(width * height * 3))
    return Image.frombytes("RGB", (width, height), values)


def laid(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a file with that orientation tag has to hold, by the tag's definition."""
    row_side, column_side = LAID[orientation]
    width, height = upright.size
    quarter = row_side in ("left", "right")
    stored = Image.new(upright.mode, (height, width) if quarter else (width, height))
    for row in range(stored.height):
        for column in range(stored.width):
            across, down = (row, column) if quarter else (column, row)
            x = across if "left" in (row_side, column_side) else width - 1 - across
            y = down if "top" in (row_side, column_side) else height - 1 - down
            stored.putpixel((column, row), upright.getpixel((x, y)))
    return stored


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


def exif(orientation: int = 0, taken: str = "", serial: bytes = b"", order: str = "<") -> bytes:
    """An EXIF block (without JPEG's identifier) of at most those three tags."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "I", 8)
    details = []
    if taken:
        details.append((0x9003, 2, taken.encode() + b"\x00"))
    if serial:
        details.append((0xA431, 2, serial + b"\x00"))
    entries = [(0x0112, 3, struct.pack(order + "H", orientation))] if orientation else []
    if details:
        second = 8 + 2 + 12 * (len(entries) + 1) + 4
        return head + _directory(entries, order, 8, second) + _directory(details, order, second)
    return head + _directory(entries, order, 8)


def _directory(entries: list[tuple[int, int, bytes]], order: str, at: int, details: int = 0) -> bytes:
    sizes = {2: 1, 3: 2, 4: 4}
    entries = [*entries, (0x8769, 4, struct.pack(order + "I", details))] if details else entries
    data_at = at + 2 + 12 * len(entries) + 4
    table, data = struct.pack(order + "H", len(entries)), b""
    for tag, kind, value in entries:
        inline = value.ljust(4, b"\x00")
        if len(value) > 4:
            inline = struct.pack(order + "I", data_at + len(data))
            data += value
        table += struct.pack(order + "HHI", tag, kind, len(value) // sizes[kind]) + inline
    return table + struct.pack(order + "I", 0) + data


def xmp(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
        b'tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>' % orientation
    )


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG marker segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Put in right behind the start of image."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\x00\x00" + block)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its right CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Put in right behind the header."""
    return png[:33] + b"".join(chunks) + png[33:]


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *before: bytes) -> bytes:
    """A PNG of packed rows, each with its filter byte. before: chunks in front of the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + pixels + chunk(b"IEND", b"")


def tiff(data: bytes = b"", bits: int = 8, samples: int = 3, **said: int) -> bytes:
    """A TIFF of 4 x 4 pixels in one strip. said: photometric, compression, sample_format, a tile's side."""
    kind = "<" + str(samples) + "H"
    content = data or bytes(4 * 4 * samples * bits // 8)
    tile = said.get("tile", 0)
    fields = {
        256: (3, 1, struct.pack("<H", 4)),
        257: (3, 1, struct.pack("<H", 4)),
        258: (3, samples, struct.pack(kind, *[bits] * samples)),
        259: (3, 1, struct.pack("<H", said.get("compression", 1))),
        262: (3, 1, struct.pack("<H", said.get("photometric", 2 if samples == 3 else 1))),
        277: (3, 1, struct.pack("<H", samples)),
        339: (3, samples, struct.pack(kind, *[said.get("sample_format", 1)] * samples)),
    }
    sides = {322: tile, 323: tile} if tile else {278: 4}
    fields |= {tag: (4, 1, struct.pack("<L", side)) for tag, side in sides.items()}
    start, count = (324, 325) if tile else (273, 279)
    fields |= {start: (4, 1, bytes(4)), count: (4, 1, struct.pack("<L", len(content)))}
    after = 8 + 2 + 12 * len(fields) + 4
    outside = b"".join(raw for _, (_, _, raw) in sorted(fields.items()) if len(raw) > 4)
    fields[start] = (4, 1, struct.pack("<L", after + len(outside)))
    out, at = struct.pack("<2sHLH", b"II", 42, 8, len(fields)), after
    for tag, (code, values, raw) in sorted(fields.items()):
        inside = raw if len(raw) <= 4 else struct.pack("<L", at)
        out += struct.pack("<HHL4s", tag, code, values, inside)
        at += len(raw) if len(raw) > 4 else 0
    return out + bytes(4) + outside + content


def bmp(bits: int, compression: int, masks: bytes = b"") -> bytes:
    """A BMP of 4 x 4 pixels, all of them zeros."""
    head = struct.pack("<LLLHHLLLLLL", 40, 4, 4, 1, bits, compression, 256, 0, 0, 0, 0)
    start = 14 + len(head) + len(masks)
    return b"BM" + struct.pack("<LHHL", start + 256, 0, 0, start) + head + masks + bytes(256)
