"""The file around a picture's pixels, and which of its bytes may stay."""

from dataclasses import dataclass, field

from truthmill.errors import PictureError

_MAX_PARTS = 250_000  # a JPEG has some dozens, a PNG of 40 MB some thousands, a long animation as many

# Bytes that may stay in a stored picture, or why they may not.
PICTURE, PROFILE, METADATA, FRAMES, TRAILER = "picture", "profile", "metadata", "frames", "trailer"

UNDEFINED_WHITE = "32-bit or signed samples have no defined white; export it with 8 or 16 bits"
UNUSABLE_PROFILE = b"unusable"  # stands for one that is there, but can't even be unpacked


@dataclass(slots=True)
class Container:
    """What a file's bytes say about its picture, before anything is decoded.

    format: one that `image_formats.sniff` answers.
    width, height: pixels as the file has them, before turning; 0 where only the decoder can tell.
    pieces: what each stretch of the file is, in order: (kind, first byte, byte after the last); empty where
    nothing can be left out.
    exif, xmp: blocks that may hold an orientation, or empty. profile: ICC profile, or empty; profile_name:
    what the file calls it.
    lossy: whether the pixels were compressed with loss. frames: pictures in it; 2 or more count alike.
    keeps: whether its pixel data can be stored as it is: three channels of 8 bits, coded as browsers know.
    bits: of a sample. changes: conversions that are already sure.
    adobe: whether a JPEG has Adobe's marker. gamma: PNG's gAMA in 1/100000, or 0.
    parts: how many pieces were added; neighbours of one kind are one piece.
    variety: of a format with many, which one it is; empty where that is none that exists.
    is_inverted: whether 0 is white in a TIFF. is_fax: whether it has CCITT's codes. is_planar: whether its
    channels lie apart.
    orientation: what exif and xmp come to, 1 to 8, once it was asked for.
    channels: of its colours, without alpha; 0 where only the decoder can tell.
    painted: of a GIF whose first frame leaves some of the screen free, the part that it paints: left, top,
    right, bottom.
    """

    format: str
    width: int = 0
    height: int = 0
    pieces: list[tuple[str, int, int]] = field(default_factory=list)
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    profile_name: bytes = b""
    lossy: bool = False
    frames: int = 1
    keeps: bool = False
    bits: int = 8
    changes: tuple[str, ...] = ()
    adobe: bool = False
    gamma: int = 0
    parts: int = 0
    variety: str = ""
    is_inverted: bool = False
    is_fax: bool = False
    is_planar: bool = False
    channels: int = 0
    orientation: int = 0
    painted: tuple[int, int, int, int] | None = None

    def add(self, kind: str, start: int, end: int) -> None:
        """Append a piece. Raises PictureError damaged where there are too many of them to be meant."""
        self.parts += 1
        if self.parts > _MAX_PARTS:
            raise PictureError(
                "damaged", f"the {self.format.upper()} consists of more than {_MAX_PARTS} parts"
            )
        if self.pieces and self.pieces[-1][0] == kind:
            start = self.pieces.pop()[1]
        self.pieces.append((kind, start, end))

    def has(self, kind: str) -> bool:
        """Whether there are bytes of that kind."""
        return any(kind == piece for piece, _, _ in self.pieces)

    def without(self, data: bytes, *kinds: str) -> bytes:
        """The file less the pieces of these kinds; the very same object where there are none."""
        if not any(self.has(kind) for kind in kinds):
            return data
        view = memoryview(data)
        return b"".join(view[start:end] for kind, start, end in self.pieces if kind not in kinds)
