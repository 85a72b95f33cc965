"""Pictures that a process dies of: told by name, and the others of the batch worked on as ever."""

import io
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from builders import picture
from pipeline.apart import SPARE_BYTES, Apart
from pipeline.inspect_images import inspected
from pipeline.inspection import inspection
from truthmill.errors import PictureError
from truthmill.images import Limits, stored_bytes
from truthmill.records import Entry
from truthmill.rejections import REASONS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def immense() -> bytes:
    """A small file of 100 megapixels, of which a decoder holds 381 MiB."""
    out = io.BytesIO()
    Image.new("RGB", (10_000, 10_000), (30, 60, 90)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def children() -> list[int]:
    own = os.getpid()
    return [int(number) for number in Path(f"/proc/{own}/task/{own}/children").read_text().split()]


def memory_of_this_process() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


CONTENTS = [
    (Entry(name="a.jpg"), picture(1)),
    (Entry(name="b.jpg"), picture(2)[:300]),
    (Entry(name="c.txt"), b"no picture"),
    (Entry(name="d.jpg"), PictureError("damaged-entry", "its checksum (CRC-32) is wrong")),
    (Entry(name="e.png"), picture(3, (40, 30), "PNG")),
]


def test_a_process_of_its_own_finds_the_same():
    with Apart() as process:
        found = list(inspected(CONTENTS, Limits(), process.inspection))
    assert found == list(inspected(CONTENTS, Limits(), inspection))
    assert [one.reason for one in found] == ["", "truncated", "not-a-picture", "damaged-entry", ""]


def test_a_picture_that_takes_more_memory_than_there_is_is_told_and_the_others_are_inspected(immense):
    contents = [CONTENTS[0], (Entry(name="immense.png"), immense), CONTENTS[-1]]
    memory = memory_of_this_process() + SPARE_BYTES + 200 * 1024 * 1024
    with Apart(memory) as process:
        first, killer, last = inspected(contents, Limits(), process.inspection)
    assert (first.reason, killer.reason, last.reason) == ("", "too-demanding", "")
    assert killer.detail == f"decoding takes more than {memory >> 20} MiB"
    assert killer.reason in REASONS


def test_a_picture_that_takes_too_long_is_told(immense):
    with Apart(patience_s=0) as process:
        found, _ = process.inspection(Entry(name="a.png"), immense, Limits())
    assert (found.reason, found.detail) == ("too-demanding", "decoding takes more than 0 s")


def test_a_process_that_the_system_ended_while_it_waited_is_begun_anew():
    """The picture that comes next has done nothing."""
    with Apart() as process:
        before = set(children())
        process.inspection(*CONTENTS[0], Limits())
        (child,) = set(children()) - before
        os.kill(child, signal.SIGKILL)
        found, _ = process.inspection(*CONTENTS[-1], Limits())
    assert found.reason == ""


class Crashing(Apart):
    """Its process dies of every picture, as of a decoder's crash."""

    def _wait(self, connection):
        assert self._process is not None
        self._process.kill()
        super()._wait(connection)


def test_a_picture_that_a_decoder_dies_of_each_time_is_told():
    with Crashing() as process:
        found, _ = process.inspection(*CONTENTS[0], Limits())
    assert (found.reason, found.detail) == ("too-demanding", "its decoder ended with -9")


def test_a_process_that_does_not_come_up_is_nobody_s_fault(monkeypatch):
    """Were it, each picture of the batch would be rejected for it."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Apart() as process, pytest.raises(RuntimeError, match="ended with 1"):
        process.inspection(*CONTENTS[0], Limits())


def test_a_process_of_its_own_makes_the_same_bytes_to_store():
    content = picture(3, (40, 30), "BMP")
    with Apart() as process:
        assert process.stored_bytes(content, "a.bmp", Limits()) == stored_bytes(content, "a.bmp", Limits())
        with pytest.raises(PictureError, match=r"damaged|truncated"):
            process.stored_bytes(content[:300], "a.bmp", Limits())


class Limited(Apart):
    """Its process gets a second of processor time; the system ends it after that (setrlimit(2))."""

    def _begun(self):
        connection = super()._begun()
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (1, 1))
        return connection


def test_a_picture_that_a_process_dies_of_while_it_is_made_fit_is_told(immense):
    """To scale so large a picture takes more than a second."""
    small = picture(3, (40, 30), "BMP")
    with Limited() as process:
        with pytest.raises(PictureError) as found:
            process.stored_bytes(immense, "immense.png", Limits(largest_side=5000))
        assert (found.value.reason, found.value.detail) == ("too-demanding", "its decoder ended with -9")
        assert process.stored_bytes(small, "a.bmp", Limits()) == stored_bytes(small, "a.bmp", Limits())
