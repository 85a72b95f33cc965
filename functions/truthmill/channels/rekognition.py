"""Format rekognition: a manifest for each split that Amazon Rekognition Custom Labels imports.

The lines are those of a bounding box job; a confidence of 1 is what the guide's own lines have. `labels.json`
has the class list. Limits: 250,000 lines, 2 to 250 labels, all pictures in one bucket.
Sources: Rekognition Custom Labels guide, "Object localization in manifest files", "Validation rules for
manifest files".
"""

from collections.abc import Iterator, Mapping

from truthmill.channels.augmented_manifest import label_categories, line_writer
from truthmill.channels.writing import Append, Counts, Event, Shard, Whole
from truthmill.dataset import Heading


def write(shard: Shard) -> Iterator[Event]:
    file = f"{shard.split}.manifest"
    if shard.number == 0:
        yield Append(file, b"")
    line = line_writer(shard.heading, confidence=1)
    for picture in shard.pictures:
        yield Append(file, line(picture))


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """labels.json."""
    del counts
    yield label_categories(heading)
