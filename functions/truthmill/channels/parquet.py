"""Format parquet: `data/<split>-<number>.parquet` of at most 256 MB, which Hugging Face's `datasets` loads.

`datasets` decodes the column `image` and shows `objects` as `bbox` (rows of [left, top, width, height] in
pixels) and `category`, whose class names are in the file's own metadata.
Source: "Load", parquet, and "Features" in the documentation of `datasets`.
"""

from collections.abc import Iterator

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.imagefolder import checked
from truthmill.channels.parquet_file import Row, Writer, metadata_of, row_groups, rows_of
from truthmill.channels.reading import DrawnPicture, Files, Reading, split_of, whole
from truthmill.channels.writing import MAX_FILE, Append, Close, Event, Shard
from truthmill.errors import FormatError

GROUP_ROWS = 100  # what `datasets` writes for pictures, so that one can be had without reading many
GROUP_BYTES = 32 * 1024 * 1024


def write(shard: Shard) -> Iterator[Event]:
    """Files of a shard have numbers of their own, as those of `webdataset` have."""
    metadata = {"huggingface": _features(shard.heading.labels)}
    writer, number = Writer(metadata), shard.number * 1000
    file = f"data/{shard.split}-{number:06d}.parquet"
    for rows in row_groups(_rows(shard), GROUP_ROWS, GROUP_BYTES):
        if writer.rows and writer.size + sum(len(row.content) for row in rows) > MAX_FILE - GROUP_BYTES // 4:
            yield from _closed(file, writer)
            writer, number = Writer(metadata), number + 1
            file = f"data/{shard.split}-{number:06d}.parquet"
        yield Append(file, writer.group(rows))
    if writer.rows or shard.number == 0:
        yield from _closed(file, writer)


def _closed(file: str, writer: Writer) -> Iterator[Event]:
    yield Append(file, writer.footer())
    yield Close(file)


def _rows(shard: Shard) -> Iterator[Row]:
    for picture in shard.pictures:
        boxes = picture.boxes
        yield Row(
            shard.content(picture),
            picture.file,
            picture.width,
            picture.height,
            [(box.left, box.top, box.width, box.height) for box in boxes],
            [box.class_id for box in boxes],
        )


def _features(labels: tuple[str, ...]) -> str:
    """The columns' meaning, as `datasets` keeps it."""
    whole_number = {"dtype": "int32", "_type": "Value"}
    features = {
        "image": {"_type": "Image"},
        "width": whole_number,
        "height": whole_number,
        "objects": {"bbox": [[whole_number]], "category": [{"names": labels, "_type": "ClassLabel"}]},
    }
    return msgspec.json.encode({"info": {"features": features}}).decode()


def detect(files: Files) -> bool:
    """Whether there is a Parquet file."""
    return any(name.endswith(".parquet") for name in files.names)


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every file that was written in this shape. Holds one file."""
    names = [name for name in files.names if name.endswith(".parquet")]
    if not names:
        raise FormatError("There is no Parquet file.")
    listed = labels if labels is not None else _labels(whole(files, names[0]), names[0])
    return Reading(listed, _pictures(files, names, len(listed)))


def _labels(data: bytes, name: str) -> tuple[str, ...]:
    try:
        features = msgspec.json.decode(metadata_of(data)["huggingface"])["info"]["features"]
        return tuple(features["objects"]["category"][0]["names"])
    except (KeyError, IndexError, TypeError, ValueError, msgspec.DecodeError) as error:
        raise FormatError(
            f"{name} doesn't name its classes ({type(error).__name__} {error}); only files of this "
            "format are read. Say the labels."
        ) from error


def _pictures(files: Files, names: list[str], classes: int) -> Iterator[DrawnPicture]:
    for name in names:
        try:
            for row in rows_of(whole(files, name)):
                yield DrawnPicture(
                    path=row.path,
                    split=split_of(name.rpartition("/")[2]),
                    width=row.width,
                    height=row.height,
                    boxes=tuple(
                        DrawnBox(checked(class_id, classes), *box)
                        for box, class_id in zip(row.boxes, row.categories, strict=True)
                    ),
                    content=row.content,
                )
        except (KeyError, IndexError, ValueError) as error:
            raise FormatError(f"{name}: {error}") from error
