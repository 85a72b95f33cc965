"""Datasets for the channels' tests: one written out by hand, and any that there can be."""

from dataclasses import replace

from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.channels.writing import Append, Copy, Counts, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError

LABELS = ("cat", 'the "big" dog', "Büffel 🐃")

REX = LabeledPicture(
    key="datasets/pets/images/train/3f9a2c1b-rex.jpg",
    split="train",
    width=640,
    height=480,
    boxes=(Box(1, 10, 20, 30, 40), Box(0, 0, 0, 640, 480)),
    sha256="3f9a2c1b",
    name="dogs/Rex.JPG",
)
EMPTY = LabeledPicture(
    key="datasets/pets/images/train/aa00bb11-meadow.png", split="train", width=300, height=200
)
BUFFALO = LabeledPicture(
    key="datasets/pets/images/validation/cc22dd33-b.jpg",
    split="validation",
    width=100,
    height=50,
    boxes=(Box(2, 99, 49, 1, 1),),
)


class LabeledDataset:
    """A heading with its pictures."""

    def __init__(self, heading, pictures):
        self.heading = heading
        self.all = pictures

    def pictures(self, split):
        return [picture for picture in self.all if picture.split == split]


def dataset_of(*pictures, labels=LABELS, splits=("train", "validation"), bucket="bucket"):
    heading = Heading(
        bucket=bucket,
        labels=labels,
        splits=splits,
        job="pets-1",
        created="2026-11-23T10:00:00.000000",
        prefix="datasets/pets/channels/r1/x/",
    )
    return LabeledDataset(heading, pictures)


PETS = dataset_of(REX, EMPTY, BUFFALO)


def content_of(picture):
    """Bytes that stand for a picture's file; of any length, for padding's sake."""
    return (f"{picture.width}x{picture.height}:" + picture.key).encode()


def shards_of(dataset, split, sizes=()):
    """A split in shards of these sizes and one of what is left."""
    pictures = dataset.pictures(split)
    first = box = 0
    for number, size in enumerate((*sizes, len(pictures))):
        part = pictures[first : first + size]
        yield Shard(
            dataset.heading, split, part, number, first_picture=first, first_box=box, content=content_of
        )
        first += len(part)
        box += sum(len(picture.boxes) for picture in part)


def written(channel, dataset, prefix="", sizes=()):
    """Every file of a channel, whole, by its name; a copied picture is its content."""
    if prefix:
        dataset = LabeledDataset(replace(dataset.heading, prefix=prefix), dataset.all)
    files, counts = {}, {}
    keys = {picture.key: picture for picture in dataset.all}
    for split in dataset.heading.splits:
        counts[split] = Counts()
        list(counts[split].of(dataset.pictures(split)))
        pieces = {}  # by file, section and shard
        for shard in shards_of(dataset, split, sizes):
            for event in channel.write(shard):
                match event:
                    case Append(file, data, section):
                        piece = pieces.setdefault(file, {})
                        piece[section, shard.number] = piece.get((section, shard.number), b"") + data
                    case Whole(file, data):
                        assert files.setdefault(file, data) == data, file
                    case Copy(key, file):
                        assert file not in files, file
                        files[file] = content_of(keys[key])
        for file, piece in pieces.items():
            assert file not in files
            files[file] = b"".join(merged(channel, file, piece, pieces))
    for event in channel.finish(dataset.heading, counts):
        files[event.file] = event.data
    return files


def merged(channel, file, piece, pieces):
    """The shards' pieces as one file, as the format says."""
    stem, dot, ending = file.rpartition(".")
    in_order = [data for _, data in sorted(piece.items())]
    if dot + ending not in channel.merged:
        return in_order
    other, merge = channel.merged[dot + ending]
    lengths = [len(data) for _, data in sorted(pieces[stem + other].items())]
    return merge(zip(in_order, lengths, strict=True))


class Sources:
    """Files in memory, handed out in chunks of that many bytes."""

    def __init__(self, files, chunk=1 << 16):
        self.files, self.chunk = files, chunk
        self.names = sorted(files)

    def chunks(self, name):
        data = self.files[name]
        return (data[at : at + self.chunk] for at in range(0, len(data), self.chunk))

    def parts(self, name):
        del name

    def in_order(self, count, make):
        return map(make, range(count))

    def size_wh(self, name):
        try:
            width, _, height = self.files[name].decode().partition(":")[0].partition("x")
            return int(width), int(height)
        except (KeyError, ValueError) as error:
            raise FormatError(f"{name}: no picture") from error


@st.composite
def boxes(draw, width, height, classes):
    left = draw(st.integers(0, width - 1))
    top = draw(st.integers(0, height - 1))
    return Box(
        draw(st.integers(0, classes - 1)),
        left,
        top,
        draw(st.integers(1, width - left)),
        draw(st.integers(1, height - top)),
    )


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


@st.composite
def datasets(draw, texts=TEXTS):
    """Labels of any text, negatives, boxes from one pixel to the whole picture, either split empty."""
    labels = tuple(draw(st.lists(texts, min_size=1, max_size=6, unique=True)))
    pictures = []
    for number in range(draw(st.integers(0, 5))):
        width, height = draw(st.integers(1, 65_535)), draw(st.integers(1, 30_000))
        split = draw(st.sampled_from(["train", "validation"]))
        some = draw(st.lists(boxes(width, height, len(labels)), max_size=4))
        key = f"datasets/d/images/{split}/{number:08x}-p.jpg"
        pictures.append(LabeledPicture(key=key, split=split, width=width, height=height, boxes=tuple(some)))
    return dataset_of(*pictures, labels=labels)
