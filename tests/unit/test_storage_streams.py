"""Streams that are written while others are read, as SplitDataset does with a million pictures."""

from adapters.storage import PART, memory


def test_what_is_written_in_parts_may_come_from_an_object_that_is_read_meanwhile():
    store = memory()
    line = b"x" * 1023
    store.write("source", b"".join(line + b"\n" for _ in range(3 * PART // 1024)))
    store.write("copy", (bytes(chunk) for chunk in store.stream("source")))
    assert store.read("copy") == store.read("source")


def test_nothing_is_written_where_a_later_part_fails():
    store = memory()

    def failing():
        yield b"x" * (PART + 1)
        raise ValueError("the source is gone")

    try:
        store.write("copy", failing())
    except ValueError:
        assert not store.exists("copy")
    else:
        raise AssertionError("the error was lost")
