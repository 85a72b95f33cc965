"""Uploads of PlaceImages: many at once, within a limit, ended by the first error."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from adapters.storage import memory
from pipeline.place_images import IN_FLIGHT_BYTES, put_all

KEY = "datasets/pets/images/train/{:04d}.jpg".format


def test_every_picture_is_there_with_its_type():
    store = memory()
    contents = {KEY(number): bytes([number % 256]) * 1000 for number in range(100)}
    contents["datasets/pets/images/train/a.png"] = b"png"
    put_all(store, iter(contents.items()))
    assert {key: store.read(key) for key in contents} == contents


def test_the_first_error_ends_it_and_no_thread_goes_on():
    """A key with an empty part is one that no store takes; of the others there is no end."""
    before = threading.active_count()
    pictures = ((KEY(number) if number != 20 else "a//b.jpg", b"picture") for number in count())
    with pytest.raises(ValueError, match=r"a//b\.jpg"):
        put_all(memory(), pictures)
    assert threading.active_count() == before


def test_what_making_the_pictures_raises_goes_through_and_no_thread_goes_on():
    before = threading.active_count()

    def pictures() -> Iterator[tuple[str, bytes]]:
        yield KEY(1), b"picture"
        raise LookupError("the source")

    with pytest.raises(LookupError, match="the source"):
        put_all(memory(), pictures())
    assert threading.active_count() == before


def test_large_pictures_are_fewer_at_a_time():
    """Each is made only where all under way fit the limit with it; one alone may be larger than that."""
    store, size = memory(), IN_FLIGHT_BYTES // 2 + 1
    put_all(store, ((KEY(number), bytes(size)) for number in range(4)))
    assert [store.head(KEY(number)).size for number in range(4)] == [size] * 4
