"""What one picture is, or why it can't be used."""

from truthmill import images
from truthmill.errors import PictureError
from truthmill.records import Entry, Inspection


def inspection(
    entry: Entry, content: bytes | PictureError, limits: images.Limits
) -> tuple[Inspection, bytes]:
    """One picture but for its fingerprint, and what that is made of; why it can't be used is part of the
    answer, never an error.
    """
    try:
        if isinstance(content, PictureError):
            raise content
        picture = images.inspect(content, entry.name, limits)
    except PictureError as error:
        return Inspection(entry=entry, reason=error.reason, detail=error.detail), b""
    found = Inspection(
        entry=entry,
        sha256=picture.sha256,
        pixels=picture.pixels,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        conversions=picture.conversions,
        taken=picture.taken,
        orientation=picture.orientation,
    )
    return found, picture.square
