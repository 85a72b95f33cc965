"""Which picture format a file's first bytes are, and which formats are decoded at all."""

from truthmill.errors import PictureError

_EXTENSIONS = {
    "jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "png": ("png", "apng"),
    "webp": ("webp",),
    "bmp": ("bmp", "dib"),
    "tiff": ("tif", "tiff"),
    "gif": ("gif",),
    "avif": ("avif", "avifs"),
    # Not decoded, yet known: a file of another format isn't one of these.
    "heic": ("heic", "heif", "hif"),
    "psd": ("psd", "psb"),
    "svg": ("svg",),
    "jpeg-xl": ("jxl",),
    "jpeg-2000": ("jp2", "j2k", "j2c", "jpx", "jpf"),
    "ico": ("ico", "cur"),
}
_FORMAT_OF = {extension: name for name, extensions in _EXTENSIONS.items() for extension in extensions}
_RAW_EXTENSIONS = frozenset(
    (
        "3fr",
        "arw",
        "cr2",
        "cr3",
        "crw",
        "dcr",
        "dng",
        "erf",
        "iiq",
        "kdc",
        "mef",
        "mos",
        "mrw",
        "nef",
        "nrw",
        "orf",
    )
) | {"pef", "raf", "raw", "rw2", "rwl", "sr2", "srw", "x3f"}
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_MAGICS: dict[str, bytes | tuple[bytes, ...]] = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": b"RIFF",
    "bmp": b"BM",
    "tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_BMP_HEADERS = frozenset((12, 16, 40, 52, 56, 64, 108, 124))  # bytes of each version's
_ARCHIVES = (
    (b"PK\x03\x04", "a zip"),
    (b"PK\x05\x06", "a zip"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
)
_UNSUPPORTED = (
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc", "JPEG XR"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"IIU\x00", "a camera's raw file"),
    (b"IIRO", "a camera's raw file"),
    (b"IIRS", "a camera's raw file"),
    (b"MMOR", "a camera's raw file"),
    (b"FOVb", "a camera's raw file"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "a DirectDraw surface (DDS)"),
    (b"qoif", "QOI"),
    (b"P4\n", "a portable bitmap (PBM)"),
    (b"P5\n", "a portable graymap (PGM)"),
    (b"P6\n", "a portable pixmap (PPM)"),
    (b"P7\n", "a portable anymap (PAM)"),
    (b"\x00\x00\x02\x00", "a cursor (CUR)"),
    (b"gimp xcf", "a GIMP document (XCF)"),
    (b"\x8aMNG\r\n\x1a\n", "MNG"),
    (b"\x8bJNG\r\n\x1a\n", "JNG"),
    (b"SIMPLE  =", "FITS"),
)


def sniff(data: bytes, name: str) -> str:
    """The format by the first bytes: jpeg, png, webp, bmp, tiff, gif or avif, nothing else is ever decoded.

    name: as in the source; only its extension matters, and only where it is a picture format's.
    Raises PictureError: empty, unsupported-format, not-a-picture, or wrong-extension.
    """
    if not data:
        raise PictureError("empty")
    extension = name.rsplit("/", 1)[-1].rpartition(".")[2].lower() if "." in name else ""
    found = _format(data, extension)
    said = _FORMAT_OF.get(extension, found)
    if said != found:
        raise PictureError("wrong-extension", f"named .{extension}, but its bytes are {found.upper()}")
    return found


def _format(data: bytes, extension: str) -> str:
    found = next((known for known, magics in _MAGICS.items() if data.startswith(magics)), "")
    if found == "tiff" and extension in _RAW_EXTENSIONS:
        raise PictureError("unsupported-format", f"a camera's raw file (.{extension}); export it as JPEG")
    if not found and data[4:8] == b"ftyp":
        return _iso_format(data)
    not_webp = found == "webp" and data[8:12] != b"WEBP"
    not_bmp = found == "bmp" and int.from_bytes(data[14:18], "little") not in _BMP_HEADERS
    if not found or not_webp or not_bmp:  # the first bytes of those two alone are nothing special
        raise _refusal(data, extension)
    return found


def _iso_format(data: bytes) -> str:
    """Of a file in ISO's base media format (14496-12, 4.3): by its brands."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[at : at + 4] for at in (8, *range(16, size, 4))}
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIC_BRANDS:
        raise PictureError(
            "unsupported-format",
            "HEIC; export it as JPEG (macOS: Preview, File, Export), or let the iPhone take JPEGs "
            "(Settings, Camera, Formats, Most Compatible)",
        )
    if b"crx " in brands:
        raise PictureError("unsupported-format", "a camera's raw file; export it as JPEG")
    raise PictureError("not-a-picture", "a video or another media file")


def _refusal(data: bytes, extension: str) -> PictureError:
    for magic, what in _UNSUPPORTED:
        if data.startswith(magic):
            return PictureError("unsupported-format", what)
    plain = not extension or extension in _FORMAT_OF  # else a document, or a program, packed as a zip
    for magic, what in _ARCHIVES:
        if plain and data.startswith(magic):
            return PictureError("nested-archive", f"{what} by its bytes")
    if b"<svg" in data[:1024].lower():
        return PictureError("unsupported-format", "SVG")
    if extension in _FORMAT_OF or extension in _RAW_EXTENSIONS:
        start = data[:8].hex(" ")
        return PictureError("not-a-picture", f"named .{extension}, but its bytes ({start} …) are no picture")
    return PictureError("not-a-picture")
