"""What holds for every format."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill import channels, request
from truthmill.box_check import check_boxes
from truthmill.boxes import Box
from truthmill.channels import CHANNELS, detect
from truthmill.channels.writing import Append, Shard
from truthmill.dataset import LabeledPicture
from truthmill.errors import FormatError
from unit.channels.labeled_datasets import (
    BUFFALO,
    EMPTY,
    PETS,
    REX,
    Sources,
    boxes,
    content_of,
    dataset_of,
    datasets,
    written,
)

# A letter, then any printable text: what each format makes of other labels is tested in its own module.
PRINTABLE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")), min_size=1, max_size=12
)


def essence(pictures):
    """What no format may change, by file name: the split, the size, the boxes in their order."""
    return {
        picture.file: (picture.split, picture.width, picture.height, picture.boxes) for picture in pictures
    }


def read_back(channel, files, labels=None, chunk=1 << 16):
    """The class list, and the pictures with checked boxes."""
    reading = channel.read(Sources(files, chunk), labels)
    pictures = []
    for drawn in reading.pictures:
        assert not drawn.unlabeled, drawn
        checked = check_boxes(drawn.boxes, drawn.width, drawn.height)
        assert [finding.reason for finding in checked.findings if not finding.kept] == []
        pictures.append(
            LabeledPicture(
                key=drawn.path,
                split=drawn.split,
                width=drawn.width,
                height=drawn.height,
                boxes=checked.kept,
                as_file=drawn.path.rpartition("/")[2],
            )
        )
    return reading.labels, pictures


def test_a_request_may_ask_for_exactly_the_formats_there_are():
    assert tuple(CHANNELS) == request.CHANNELS


def without_doubles(dataset):
    """An exact double is dropped on reading, as everywhere."""
    single = [
        msgspec.structs.replace(picture, boxes=tuple(dict.fromkeys(picture.boxes))) for picture in dataset.all
    ]
    return dataset_of(*single, labels=dataset.heading.labels)


@pytest.mark.parametrize("name", CHANNELS)
@settings(max_examples=25)
@given(dataset=datasets(PRINTABLE))
def test_what_is_written_reads_back_to_the_pixel(name, dataset):
    dataset = without_doubles(dataset)
    labels, pictures = read_back(CHANNELS[name], written(CHANNELS[name], dataset))
    assert labels == dataset.heading.labels
    assert essence(pictures) == essence(dataset.all)


@pytest.mark.parametrize("one", CHANNELS)
@pytest.mark.parametrize("other", CHANNELS)
@settings(max_examples=3)
@given(dataset=datasets(PRINTABLE))
def test_a_box_goes_from_any_format_to_any_other_and_is_the_same_to_the_pixel(one, other, dataset):
    dataset = without_doubles(dataset)
    labels, pictures = read_back(CHANNELS[one], written(CHANNELS[one], dataset))
    again = dataset_of(*pictures, labels=labels)
    # A format that embeds pictures reads them under other keys than they were stored by.
    files = written(CHANNELS[other], again)
    labels, pictures = read_back(CHANNELS[other], files)
    assert labels == dataset.heading.labels
    assert essence(pictures) == essence(dataset.all)


@pytest.mark.parametrize("name", CHANNELS)
def test_three_hundred_classes_keep_their_numbers_whichever_a_picture_has(name):
    labels = tuple(f"class {299 - number}" for number in range(300))
    pictures = [
        LabeledPicture(
            key=f"i/{class_id}.jpg", split="train", width=9, height=9, boxes=(Box(class_id, 0, 0, 9, 9),)
        )
        for class_id in (299, 7)
    ]
    found, read = read_back(CHANNELS[name], written(CHANNELS[name], dataset_of(*pictures, labels=labels)))
    assert found == labels
    assert essence(read) == essence(pictures)


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
@pytest.mark.parametrize("name", CHANNELS)
def test_reading_does_not_depend_on_the_chunks(name, chunk):
    labels, pictures = read_back(CHANNELS[name], written(CHANNELS[name], PETS), chunk=chunk)
    assert labels == PETS.heading.labels
    assert essence(pictures) == essence((REX, EMPTY, BUFFALO))


@pytest.mark.parametrize("name", CHANNELS)
def test_a_format_is_recognized(name):
    files = Sources(written(CHANNELS[name], PETS))
    assert detect(files) in {name, *SAME_FILES.get(name, ())}


# Rekognition reads the very lines that an augmented manifest has.
SAME_FILES = {"rekognition": ("augmented-manifest",)}


def test_a_folder_of_something_else_is_no_format():
    with pytest.raises(FormatError, match="is none of"):
        detect(Sources({"readme.md": b"hello"}))


@pytest.mark.parametrize("name", [name for name in CHANNELS if name not in {"webdataset", "parquet"}])
@settings(max_examples=10)
@given(dataset=datasets(PRINTABLE), sizes=st.lists(st.integers(0, 3), max_size=3))
def test_shards_that_are_joined_are_the_files_of_one(name, dataset, sizes):
    """So that children of a Map can write them apart."""
    assert written(CHANNELS[name], dataset, sizes=sizes) == written(CHANNELS[name], dataset)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_writer_holds_no_more_than_a_few_pictures(name):
    """Pieces come while all but the first pictures have not been asked for."""
    asked = []

    def pictures():
        for number in range(1_000):
            asked.append(number)
            yield LabeledPicture(
                key=f"i/{number}.jpg", split="train", width=9, height=9, boxes=(Box(0, 0, 0, 1, 1),)
            )

    heading = dataset_of(labels=("a",), splits=("train",)).heading
    for event in CHANNELS[name].write(Shard(heading, "train", pictures(), content=content_of)):
        if isinstance(event, Append) and b"0.jpg" in event.data:
            break
        if not isinstance(event, Append) and "0." in event.file:
            break
    assert len(asked) <= 101


def test_a_picture_refuses_a_box_that_sticks_out():
    with pytest.raises(ValueError, match=r"k\.jpg.*not inside 10 x 10"):
        LabeledPicture(key="k.jpg", split="train", width=10, height=10, boxes=(Box(0, 5, 5, 6, 5),))


def test_a_picture_has_at_least_one_pixel():
    with pytest.raises(ValueError, match=r"k\.jpg: a picture of 0 x 10"):
        LabeledPicture(key="k.jpg", split="train", width=0, height=10)


@pytest.mark.parametrize("name", CHANNELS)
@settings(max_examples=25)
@given(data=st.data())
def test_edges_of_pictures_of_30000_pixels_are_exact(name, data):
    """Shares have enough decimals, and single precision is enough."""
    width, height = data.draw(st.integers(29_000, 30_000)), data.draw(st.integers(29_000, 30_000))
    box = data.draw(boxes(width, height, 1))
    picture = LabeledPicture(key="i/p.jpg", split="train", width=width, height=height, boxes=(box,))
    _, read = read_back(CHANNELS[name], written(CHANNELS[name], dataset_of(picture, labels=("a",))))
    assert [one.boxes for one in read] == [(box,)]


@pytest.mark.parametrize("name", ["webdataset", "parquet"])
def test_a_file_with_pictures_inside_stays_below_the_limit_and_none_is_lost(name, monkeypatch):
    """256 MB in earnest; each file is whole by itself."""
    module = getattr(channels, name)
    monkeypatch.setattr(module, "MAX_FILE", 20_000)
    if name == "parquet":
        monkeypatch.setattr(module, "GROUP_BYTES", 16_000)
        monkeypatch.setattr(module, "GROUP_ROWS", 5)
    pictures = [
        LabeledPicture(
            key=f"i/{n}.jpg", split="train", width=9, height=9, boxes=(Box(0, 0, 0, 1, 1 + n % 9),)
        )
        for n in range(300)
    ]
    files = written(CHANNELS[name], dataset_of(*pictures, labels=("a",), splits=("train",)))
    large = {file: data for file, data in files.items() if "train" in file}
    assert len(large) > 1
    assert max(map(len, large.values())) <= 20_000
    assert min(map(len, list(large.values())[:-1])) > 10_000
    listed = {file: data for file, data in files.items() if file not in large}
    found = [read_back(CHANNELS[name], {**listed, file: data})[1] for file, data in large.items()]
    assert essence([picture for each in found for picture in each]) == essence(pictures)
