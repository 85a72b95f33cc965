"""Datasets for the channels' tests: one written out by hand, and any that there can be."""

from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.dataset import LabeledDataset, LabeledPicture

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


def dataset_of(*pictures, labels=LABELS, splits=("train", "validation")):
    return LabeledDataset(
        bucket="bucket",
        labels=labels,
        pictures=lambda split: (picture for picture in pictures if picture.split == split),
        splits=splits,
        job="pets-1",
        created="2026-11-23T10:00:00.000000",
    )


PETS = dataset_of(REX, EMPTY, BUFFALO)


def written(channel, dataset, prefix="datasets/pets/channels/r1/x/"):
    """Every file of a channel, whole, by its name."""
    return {name: b"".join(chunks) for name, chunks in channel.write(dataset, prefix)}


def opener(files, chunk=1 << 16):
    """Hands a file out in chunks of that many bytes."""
    return lambda name: (files[name][at : at + chunk] for at in range(0, len(files[name]), chunk))


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


@st.composite
def datasets(draw):
    """Labels of any text, negatives, boxes from one pixel to the whole picture, either split empty."""
    texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
    labels = tuple(draw(st.lists(texts, min_size=1, max_size=6, unique=True)))
    pictures = []
    for number in range(draw(st.integers(0, 5))):
        width, height = draw(st.integers(1, 9000)), draw(st.integers(1, 9000))
        split = draw(st.sampled_from(["train", "validation"]))
        some = draw(st.lists(boxes(width, height, len(labels)), max_size=4))
        key = f"datasets/d/images/{split}/{number:08x}-p.jpg"
        pictures.append(LabeledPicture(key=key, split=split, width=width, height=height, boxes=tuple(some)))
    return dataset_of(*pictures, labels=labels)
