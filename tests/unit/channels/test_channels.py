"""What holds for every format."""

import msgspec
import pytest
from hypothesis import given

from truthmill import request
from truthmill.boxes import Box
from truthmill.channels import CHANNELS
from truthmill.dataset import LabeledDataset, LabeledPicture
from unit.channels.labeled_datasets import BUFFALO, EMPTY, PETS, REX, datasets, opener, written


def _read_back(channel, dataset, chunk=1 << 16):
    files = opener(written(channel, dataset), chunk)
    return [picture for split in dataset.splits for picture in channel.read(files, split, dataset.labels)]


def test_a_request_may_ask_for_exactly_the_formats_there_are():
    assert tuple(CHANNELS) == request.CHANNELS


@pytest.mark.parametrize("name", CHANNELS)
@given(dataset=datasets())
def test_what_is_written_reads_back_to_the_pixel(name, dataset):
    pictures = [picture for split in dataset.splits for picture in dataset.pictures(split)]
    assert _read_back(CHANNELS[name], dataset) == pictures


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
@pytest.mark.parametrize("name", CHANNELS)
def test_reading_does_not_depend_on_the_chunks(name, chunk):
    without = [msgspec.structs.replace(picture, sha256="", name="") for picture in (REX, EMPTY, BUFFALO)]
    assert _read_back(CHANNELS[name], PETS, chunk) == without


@pytest.mark.parametrize("name", CHANNELS)
def test_any_file_can_be_written_alone_and_twice_the_same(name):
    together = written(CHANNELS[name], PETS)
    for wanted, text in together.items():
        chunks = next(
            chunks
            for file, chunks in CHANNELS[name].write(PETS, "datasets/pets/channels/r1/x/")
            if file == wanted
        )
        assert b"".join(chunks) == text


@pytest.mark.parametrize("name", CHANNELS)
def test_a_writer_holds_no_more_than_a_few_pictures(name):
    """A file is begun while all but the first of its pictures have not been asked for."""
    asked = []

    def pictures(split):
        for number in range(1_000):
            asked.append(number)
            yield LabeledPicture(
                key=f"i/{number}.jpg", split=split, width=9, height=9, boxes=(Box(0, 0, 0, 1, 1),)
            )

    dataset = LabeledDataset(bucket="b", labels=("a",), pictures=pictures, splits=("train",))
    _, chunks = next(CHANNELS[name].write(dataset, "p/"))
    text = b""
    while b"i/0.jpg" not in text:
        text += next(chunks)
    assert len(asked) <= 2


def test_a_picture_refuses_a_box_that_sticks_out():
    with pytest.raises(ValueError, match=r"k\.jpg.*not inside 10 x 10"):
        LabeledPicture(key="k.jpg", split="train", width=10, height=10, boxes=(Box(0, 5, 5, 6, 5),))


def test_a_picture_has_at_least_one_pixel():
    with pytest.raises(ValueError, match=r"k\.jpg: a picture of 0 x 10"):
        LabeledPicture(key="k.jpg", split="train", width=0, height=10)
