"""What two processes make of many files is what one would have made, in its order."""

import os
import signal
import time
from pathlib import Path

import pytest

from adapters.two_readers import in_order


def squares(number):
    return [number, str(number), (number**2, 1.5, b"\0")]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 300])
def test_everything_comes_in_order(count, apart):
    assert list(in_order(count, squares, apart=apart)) == [squares(number) for number in range(count)]


def test_both_processes_take_part():
    makers = list(in_order(100, lambda _: os.getpid(), apart=True))
    assert os.getpid() in makers
    assert len(set(makers)) == 2


def test_one_that_is_slow_holds_up_nothing_but_what_it_has(tmp_path):
    """The other process waits until this one has made all that may be made before its turn."""
    me = os.getpid()

    def make(number):
        if os.getpid() == me:
            (tmp_path / str(number)).touch()
        elif number == 0:
            while len(list(tmp_path.iterdir())) < 8:
                time.sleep(0.001)
        return number

    assert list(in_order(40, make, apart=True)) == list(range(40))


def test_an_answer_larger_than_a_pipe_comes_whole():
    sizes = [len(data) for data in in_order(12, lambda number: bytes(300_000 * number), apart=True)]
    assert sizes == [300_000 * number for number in range(12)]


@pytest.mark.parametrize("failing", [0, 1, 5, 19])
def test_an_error_comes_where_it_would_and_as_it_is(failing):
    def make(number):
        if number == failing:
            raise FileNotFoundError(2, "No such file", f"{number}.xml")
        return number

    made = []
    with pytest.raises(FileNotFoundError, match=rf"'{failing}\.xml'"):
        made.extend(in_order(20, make, apart=True))
    assert made == list(range(failing))


def test_a_process_that_is_ended_is_an_error():
    """As when the system is short of memory and ends one."""
    me = os.getpid()

    def make(number):
        if os.getpid() != me and number > 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(OSError, match="reads a part of the files ended early"):
        list(in_order(1_000, make, apart=True))


def test_no_process_is_left_when_nobody_wants_the_rest():
    made = in_order(1_000, lambda _: os.getpid(), apart=True)
    there = {next(made) for _ in range(50)} - {os.getpid()}
    made.close()
    assert there
    assert not any(Path(f"/proc/{process}").exists() for process in there)


def test_the_other_process_begins_before_anything_is_asked_for(tmp_path):
    me = os.getpid()

    def make(number):
        if os.getpid() != me:
            (tmp_path / str(number)).touch()
        return number

    made = in_order(40, make, apart=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "0").exists():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert list(made) == list(range(40))
