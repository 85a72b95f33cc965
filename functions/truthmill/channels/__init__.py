"""The training channels: each format one module with its writer and its reader, named here.

A further format is a module with these two functions and a line in CHANNELS (and in `request.CHANNELS`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from truthmill.channels import augmented_manifest, coco
from truthmill.dataset import LabeledDataset, LabeledPicture


@dataclass(frozen=True, slots=True)
class Channel:
    """One format.

    write: from the dataset and the key prefix that the files will have, to each file's name below that prefix
    and its bytes in chunks. Chunks are made as they are asked for; each file can be asked for alone.
    read: from the opener of a file (its name to its bytes in chunks), a split, and the dataset's labels, to
    the split's pictures. Raises FormatError with the file and the place in it.
    """

    write: Callable[[LabeledDataset, str], Iterator[tuple[str, Iterator[bytes]]]]
    read: Callable[[Callable[[str], Iterable[bytes]], str, tuple[str, ...]], Iterator[LabeledPicture]]


CHANNELS = {
    "augmented-manifest": Channel(augmented_manifest.write, augmented_manifest.read),
    "coco": Channel(coco.write, coco.read),
}
