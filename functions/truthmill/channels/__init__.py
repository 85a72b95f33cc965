"""The training channels: each format one module with its writer and its reader, named here.

A further format is a module with `write`, `read` and `detect` and a line in CHANNELS (and in
`request.CHANNELS`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from truthmill.channels import (
    augmented_manifest,
    coco,
    imagefolder,
    parquet,
    pascal_voc,
    recordio,
    rekognition,
    sagemaker_image,
    tensorflow,
    webdataset,
    yolo,
)
from truthmill.channels.reading import Files, Reader, WithoutPictures
from truthmill.channels.writing import Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError


def _nothing(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    del heading, counts
    return iter(())


Merge = tuple[str, Callable[[Iterable[tuple[bytes, int]]], Iterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Channel:
    """One format.

    write: from a shard to the pieces of its files, in one pass over the pictures. Shards can be written
    apart; `writing` says how they are put together.
    finish: the files that follow from the whole, once every shard has been counted.
    read: from the source's files, and the class list to use or None for the source's own. Raises FormatError
    with the file and the place in it. detect: whether the source looks like this format.
    one_folder: whether the pictures of all splits lie in one.
    merged: of files that aren't their shards' joined, by their ending: the ending of the file that they tell
    of, and the function that makes one from each shard's bytes and the length of its other file.
    pictures: whether its files refer to the stored pictures, or the channel has copies, or embeds the bytes.
    in_columns: whether `write` has a use for boxes that are a Span; else each picture has a tuple of them.
    """

    write: Callable[[Shard], Iterator[Event]]
    read: Reader
    detect: Callable[[Files], bool]
    pictures: Literal["refers", "copies", "embeds"]
    finish: Callable[[Heading, Mapping[str, Counts]], Iterator[Whole]] = _nothing
    one_folder: bool = False
    merged: Mapping[str, Merge] = field(default_factory=dict)
    in_columns: bool = False


CHANNELS = {
    "augmented-manifest": Channel(
        augmented_manifest.write,
        augmented_manifest.read,
        augmented_manifest.detect,
        "refers",
        augmented_manifest.finish,
    ),
    "sagemaker-image": Channel(
        sagemaker_image.write, sagemaker_image.read, sagemaker_image.detect, "copies", sagemaker_image.finish
    ),
    "recordio": Channel(
        recordio.write,
        recordio.read,
        recordio.detect,
        "embeds",
        recordio.finish,
        merged={".idx": (".rec", recordio.merge_index)},
    ),
    "tensorflow": Channel(tensorflow.write, tensorflow.read, tensorflow.detect, "copies", tensorflow.finish),
    "coco": Channel(coco.write, coco.read, coco.detect, "refers"),
    "imagefolder": Channel(
        imagefolder.write, imagefolder.read, imagefolder.detect, "copies", imagefolder.finish
    ),
    "yolo": Channel(yolo.write, yolo.read, yolo.detect, "copies", yolo.finish, in_columns=True),
    "pascal-voc": Channel(
        pascal_voc.write, pascal_voc.read, pascal_voc.detect, "copies", pascal_voc.finish, one_folder=True
    ),
    "webdataset": Channel(webdataset.write, webdataset.read, webdataset.detect, "embeds", webdataset.finish),
    "parquet": Channel(parquet.write, parquet.read, parquet.detect, "embeds"),
    "rekognition": Channel(
        rekognition.write, augmented_manifest.read, augmented_manifest.detect, "refers", rekognition.finish
    ),
}


# These read the same files; the first name stands for both.
_ALIKE = {"rekognition": "augmented-manifest"}


def detect(files: Files) -> str:
    """The format of a source. Raises FormatError where it is none of them, or could be several."""
    if not files.names:
        raise FormatError("The source has no file in it.")
    others = WithoutPictures(files)
    found = [name for name, channel in CHANNELS.items() if name not in _ALIKE and channel.detect(others)]
    if len(found) != 1:
        what = f"could be {' or '.join(found)}" if found else f"is none of {', '.join(CHANNELS)}"
        raise FormatError(f"The source {what}. Say which format it is.")
    return found[0]


def reader(name: str, first_pixel: int | None = None) -> Reader:
    """A format's reader.

    first_pixel: what pixels count from, 0 or 1; for pascal-voc only, which leaves it open. Raises FormatError
    where it is said for another format.
    """
    if first_pixel is None:
        return CHANNELS[name].read
    if name != "pascal-voc":
        raise FormatError(f"What pixels count from is open in pascal-voc only; the source is {name}.")
    return partial(pascal_voc.read, first=first_pixel)
