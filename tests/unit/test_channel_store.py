"""Channels in the bucket: what goes through a function and what doesn't."""

import pytest

from adapters.channel_store import write_channel
from adapters.storage import Storage, memory
from truthmill.channels import CHANNELS
from truthmill.dataset import Heading
from unit.channels.labeled_datasets import LABELS, PETS, content_of


class PicturesReadError(Exception):
    """A picture's bytes were asked for."""


class Watched(Storage):
    """A bucket whose pictures can be copied inside it and not be read."""

    def read(self, key):
        if "/images/" in key:
            raise PicturesReadError(key)
        return super().read(key)

    def stream(self, key):
        if "/images/" in key:
            raise PicturesReadError(key)
        return super().stream(key)


def built(name):
    """The channel's objects, by their names."""
    plain = memory()
    store = Watched(plain.store, plain.bucket)
    for picture in PETS.all:
        plain.write(picture.key, content_of(picture))
    heading = Heading(LABELS, bucket=store.bucket, prefix="channel/")
    write_channel(store, CHANNELS[name], heading, PETS.pictures, "pieces/")
    return {found.key.removeprefix("channel/"): plain.read(found.key) for found in plain.list("channel/")}


@pytest.mark.parametrize("name", [name for name in CHANNELS if CHANNELS[name].pictures == "copies"])
def test_copies_of_pictures_are_made_inside_the_store(name):
    """No byte of them passes through a function."""
    made = built(name)
    for picture in PETS.all:
        copies = [data for file, data in made.items() if file.endswith(f"/{picture.file}")]
        assert copies == [content_of(picture)]


@pytest.mark.parametrize("name", [name for name in CHANNELS if CHANNELS[name].pictures == "refers"])
def test_a_format_that_refers_to_pictures_has_none(name):
    made = built(name)
    assert not [file for file in made if file.endswith((".jpg", ".png"))]
    assert any(picture.file.encode() in data for data in made.values() for picture in PETS.all)


@pytest.mark.parametrize("name", [name for name in CHANNELS if CHANNELS[name].pictures == "embeds"])
def test_only_a_format_with_pictures_inside_reads_them(name):
    with pytest.raises(PicturesReadError):
        built(name)
