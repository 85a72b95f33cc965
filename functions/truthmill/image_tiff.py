"""TIFF's container (TIFF 6.0, section 8): directories of fields, which say what the pixels are."""

from truthmill import image_metadata
from truthmill.errors import PictureError
from truthmill.image_container import UNDEFINED_WHITE, Container

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SUBDIRECTORIES = 254, 256, 257, 258, 259, 330
_PHOTOMETRIC, _SAMPLES, _SAMPLE_FORMAT, _SIGNED = 262, 277, 339, 2
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_XMP, _PROFILE, _DNG = 700, 34675, 0xC612
# ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, XMP, Copyright, IPTC, Photoshop,
# EXIF, GPS
_TIFF_METADATA = frozenset((270, 271, 272, 305, 306, 315, 316, _XMP, 33432, 33723, 34377, 34665, 34853))
_MAX_VALUES = 1_000_000  # 100 million pixels in the smallest tiles make 400,000
# Pixels; usual are 256 x 256. The decoder holds all of a tile, however little of it the picture shows.
_MAX_TILE = 4096 * 4096
_LOSSY_COMPRESSIONS = frozenset((6, 7, 34712, 50001))  # both JPEGs, JPEG 2000, WebP
# Of the specification, its supplements and libtiff's registry.
_COMPRESSIONS = frozenset((*range(1, 11), 32766, 32767, 32771, 32773, 32809, *range(32895, 32899))) | {
    *(32908, 32909, 32946, 32947, 34661, 34676, 34677, 34712, 34887, 34892, 34925, 34933, 34934),
    *(50000, 50001, 50002, 52546),
}
_FAX_COMPRESSIONS = frozenset((2, 3, 4, 32771))
_PLANES, _APART = 284, 2
_MOST_BITS, _MOST_SAMPLES = 64, 8
_CHANNELS = {0: 1, 1: 1, 2: 3, 3: 3, 5: 4, 6: 3}  # by photometric interpretation
_PHOTOMETRICS = frozenset((*range(7), 8, 9, 10, 32803, 32844, 32845, 34892))


def read(data: bytes) -> Container:
    directory = image_metadata.first_directory(data)
    fields = directory.fields
    if any(field.values > _MAX_VALUES for field in fields.values()):
        raise PictureError("damaged", f"a TIFF with more than {_MAX_VALUES} numbers in one tag")
    _check(directory)
    bits = directory.integer(_BITS, 1)
    changes = [
        word
        for word, done in (("8-bit", bits > 8), ("metadata-removed", fields.keys() & _TIFF_METADATA))
        if done
    ]
    return Container(
        "tiff",
        directory.integer(_WIDTH, 0),
        directory.integer(_HEIGHT, 0),
        exif=data,
        xmp=bytes(fields[_XMP].raw) if _XMP in fields else b"",
        profile=bytes(fields[_PROFILE].raw) if _PROFILE in fields else b"",
        lossy=directory.integer(_COMPRESSION, 1) in _LOSSY_COMPRESSIONS,
        frames=2 if directory.following else 1,
        bits=bits,
        changes=tuple(changes),
        variety=_variety(directory),
        is_inverted=directory.integer(_PHOTOMETRIC, 1) == 0,
        channels=_CHANNELS.get(directory.integer(_PHOTOMETRIC, 1), 0),
        is_fax=directory.integer(_COMPRESSION, 1) in _FAX_COMPRESSIONS,
        is_planar=directory.integer(_PLANES, 1) == _APART,
    )


def _check(directory: image_metadata.Directory) -> None:
    """Raise PictureError where it isn't to be decoded."""
    fields = directory.fields
    is_thumbnail = directory.integer(_SUBFILE_TYPE, 0) & 1
    if _DNG in fields or (is_thumbnail and _SUBDIRECTORIES in fields):
        raise PictureError("unsupported-format", "a camera's raw file; export it as JPEG")
    if is_thumbnail and directory.following:
        raise PictureError(
            "unsupported-format",
            "a TIFF whose first page is a small copy of another one; export that as PNG or JPEG",
        )
    if directory.integer(_SAMPLE_FORMAT, 1) == _SIGNED:
        raise PictureError("unsupported-format", UNDEFINED_WHITE)
    across, down = directory.integer(_TILE_WIDTH, 0), directory.integer(_TILE_HEIGHT, 0)
    if across * down > _MAX_TILE:
        raise PictureError("too-many-pixels", f"a TIFF in tiles of {across} x {down} pixels")


def _variety(directory: image_metadata.Directory) -> str:
    """Which of the many kinds of TIFF it is; empty where its numbers are none that exist."""
    bits, samples = directory.integer(_BITS, 1), directory.integer(_SAMPLES, 1)
    meaning, compression = directory.integer(_PHOTOMETRIC, -1), directory.integer(_COMPRESSION, 1)
    is_whole = samples == 1 or _BITS in directory.fields
    in_range = 0 < bits <= _MOST_BITS and 0 < samples <= _MOST_SAMPLES
    if not (is_whole and in_range and meaning in _PHOTOMETRICS and compression in _COMPRESSIONS):
        return ""
    return f"a TIFF of {samples} x {bits} bits a pixel, photometric {meaning}, compression {compression}"
