"""What a file says about its picture before anything is decoded.

Bytes only; no decoder is involved. This decides what a decoder may see: one format of an allow-list, at most
so many pixels, and of JPEG, PNG and GIF only the parts that make up the first picture.
"""

import struct
from collections.abc import Callable

from truthmill import image_avif, image_colour, image_jpeg, image_png, image_tiff
from truthmill.errors import PictureError
from truthmill.image_container import FRAMES, PICTURE, Container
from truthmill.image_formats import sniff


def read(data: bytes, name: str) -> Container:
    """What a file is and holds. Raises PictureError where it is nothing that will be decoded."""
    found = sniff(data, name)
    try:
        container = _READERS[found](data)
    except (struct.error, IndexError, ValueError) as error:
        raise PictureError("truncated", f"the {found.upper()} ends within its header") from error
    container.profile = image_colour.usable(container.profile, container.channels)
    return container


# GIF (GIF89a specification, 20 to 27): blocks of sub-blocks.


def _read_gif(data: bytes) -> Container:
    found = Container("gif", frames=0)
    found.width, found.height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _colour_table(flags)
    found.add(PICTURE, 0, position)
    while position < len(data) and data[position] != 0x3B:
        start, introducer = position, data[position]
        if introducer == 0x2C:
            position = _gif_frame(found, data, position)
        elif introducer == 0x21:
            position = _after_sub_blocks(data, position + 2)
        else:
            raise PictureError("damaged", f"a GIF block of the unknown kind {introducer:02X}")
        first = found.frames == 0 or (found.frames == 1 and introducer == 0x2C)
        found.add(PICTURE if first else FRAMES, start, position)
    if not found.frames:
        raise PictureError("damaged", "a GIF without a picture")
    return found


def _gif_frame(found: Container, data: bytes, position: int) -> int:
    left, top, width, height, flags = struct.unpack_from("<HHHHB", data, position + 1)
    if not found.frames:  # decoders enlarge the screen to what the frame needs
        found.width, found.height = max(found.width, left + width), max(found.height, top + height)
        if (width, height) != (found.width, found.height):
            found.painted = left, top, left + width, top + height
    found.frames += 1
    return _after_sub_blocks(data, position + 11 + _colour_table(flags))


def _colour_table(flags: int) -> int:
    """Bytes of the colour table that a flag byte announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, position: int) -> int:
    while True:
        if position >= len(data):
            raise PictureError("truncated", "the GIF ends within a block")
        size = data[position]
        position += size + 1
        if not size:
            return position


# WebP (RFC 9649): RIFF chunks.


_MAX_CHUNKS = 100_000  # a long animation has thousands


def _read_webp(data: bytes) -> Container:
    end = int.from_bytes(data[4:8], "little") + 8
    if end > len(data):
        raise PictureError("truncated", "the WebP is shorter than its header says")
    width, height = _webp_size(data)
    chunks = _riff_chunks(data[:end], 12)  # what is behind the end is no part of the picture
    bodies = dict(reversed(chunks))  # the first one of a kind counts
    frame = bodies.get(b"ANMF", b"")
    # A frame has 16 bytes of header, then chunks of its own.
    kinds = {kind for kind, _ in _riff_chunks(frame, 16)} if frame else bodies.keys()
    return Container(
        "webp",
        width,
        height,
        exif=bodies.get(b"EXIF", b""),
        xmp=bodies.get(b"XMP ", b""),
        profile=bodies.get(b"ICCP", b""),
        lossy=b"VP8 " in kinds,
        channels=3,
        frames=sum(kind == b"ANMF" for kind, _ in chunks) or 1,
        changes=("metadata-removed",) if {b"EXIF", b"XMP "} & bodies.keys() else (),
    )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, by the first chunk (RFC 9649, 2.5 to 2.7)."""
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise PictureError("damaged", f"a WebP that begins with a chunk {kind!r}")


def _riff_chunks(data: bytes, position: int) -> list[tuple[bytes, bytes]]:
    """Name and body of each chunk from a position on."""
    chunks: list[tuple[bytes, bytes]] = []
    while position + 8 <= len(data):
        if len(chunks) == _MAX_CHUNKS:
            raise PictureError("damaged", f"the WebP consists of more than {_MAX_CHUNKS} chunks")
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        chunks.append((data[position : position + 4], data[position + 8 : position + 8 + size]))
        position += 8 + size + (size & 1)
    return chunks


# BMP
_PIXEL_BITS = frozenset((0, 1, 2, 4, 8, 16, 24, 32, 64))  # 0: those of a JPEG or PNG within
_BMP_COMPRESSIONS = frozenset((*range(7), 11, 12, 13))


def _read_bmp(data: bytes) -> Container:
    core = int.from_bytes(data[14:18], "little") == 12
    width, height, _, bits = struct.unpack_from("<HHHH" if core else "<iiHH", data, 18)
    compression = 0 if core else int(struct.unpack_from("<I", data, 30)[0])
    exists = width and height and bits in _PIXEL_BITS and compression in _BMP_COMPRESSIONS
    variety = f"a BMP of {bits} bits a pixel, compression {compression}" if exists else ""
    return Container("bmp", abs(width), abs(height), variety=variety)


# What is cut off is told by one of these (14496-12); behind the last one may be anything.
_BOXES = frozenset((b"ftyp", b"meta", b"moov", b"mdat", b"free", b"idat"))


def _read_avif(data: bytes) -> Container:
    if image_avif.ends_within(data, _BOXES):
        raise PictureError("truncated", "the AVIF ends within a box")
    said = image_avif.colours(data)
    return Container("avif", lossy=True, profile=said.profile, channels=1 if said.is_grey else 3)


_READERS: dict[str, Callable[[bytes], Container]] = {
    "jpeg": image_jpeg.read,
    "png": image_png.read,
    "gif": _read_gif,
    "webp": _read_webp,
    "bmp": _read_bmp,
    "tiff": image_tiff.read,
    "avif": _read_avif,
}
