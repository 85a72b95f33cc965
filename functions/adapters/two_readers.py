"""Work on a source's many files that a second process shares.

The second process is a copy of this one (a fork), so that it has all that the work needs, and nothing but
what comes out of it is handed over. Both take the next piece of work when they are done with theirs: this
process has also to use what comes out, the other one does nothing else.
"""

import fcntl
import marshal
import os
import select
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Generic, NoReturn, TypeVar, cast

Made = TypeVar("Made")

_ASKED = 4  # pieces that the other process has before it: enough while this one is busy
_ASKED_FIRST = 16  # of the first ones, while this process has something else to do yet
_WAITING = 8  # pieces that may wait here until it is their turn
_PIPE = 1 << 20  # bytes; as many as Linux gives without asking
_LENGTH = 8  # bytes before each answer that say how long it is
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which `fcntl` doesn't name everywhere


def in_order(count: int, make: Callable[[int], Made], *, apart: bool | None = None) -> Generator[Made]:
    """make(0), make(1) … up to count, of which another process makes some; it begins at once.

    make: answers the same whoever calls it, with what `marshal` takes. apart: whether there is another
    process; by itself there is where a second core is, and where a copy of this process is safe.
    Raises what make does, and OSError where the other process ends early.
    """
    if count < 2 or not (_is_worth_it() if apart is None else apart):
        return (make(number) for number in range(count))
    made = _by_two(count, make)
    next(made)
    return cast("Generator[Made]", made)


def _by_two(count: int, make: Callable[[int], Made]) -> Generator[Made | None]:
    """None first, when the other process is there; so it is ended whatever becomes of the rest."""
    other = _Other(make)
    try:
        begun = min(count, _ASKED_FIRST)
        for number in range(begun):
            other.ask(number)
        yield None
        yield from _shared(count, make, other, begun)
    finally:
        other.end()


def _is_worth_it() -> bool:
    """A process with threads can't be copied safely, and only Linux has copies that libraries count on."""
    is_linux = sys.platform == "linux"
    return is_linux and len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1


def _shared(count: int, make: Callable[[int], Made], other: "_Other[Made]", begun: int) -> Iterator[Made]:
    """begun: how many it has been asked for."""
    mine: dict[int, tuple[Made] | None] = {}
    wanted = 0
    while wanted < count:
        while begun < count and len(other.asked) < _ASKED and len(mine) < _WAITING:
            other.ask(begun)
            begun += 1
        if wanted in mine:
            answer = mine.pop(wanted)
        elif wanted < begun and (other.has_answered() or begun == count or len(mine) == _WAITING):
            answer = other.answer()
        else:
            mine[begun] = _tried(make, begun)
            begun += 1
            continue
        # What went wrong goes wrong again, now that it is its turn, and is told as if there were one process.
        yield make(wanted) if answer is None else answer[0]
        wanted += 1


def _tried(make: Callable[[int], Made], number: int) -> tuple[Made] | None:
    """None where it failed."""
    try:
        return (make(number),)
    except Exception:  # noqa: BLE001 - whatever it is, it comes again when it is its turn
        return None


class _Other(Generic[Made]):
    """The other process, which answers what it is asked one after the other. asked: and not answered yet."""

    def __init__(self, make: Callable[[int], Made]) -> None:
        self.asked: deque[int] = deque()
        asking, self._asking = os.pipe()
        self._answers, answers = os.pipe()
        with suppress(OSError):
            fcntl.fcntl(answers, _SET_PIPE_SIZE, _PIPE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads that NumPy's library keeps
            self._process = os.fork()
        if self._process == 0:
            os.close(self._asking)
            os.close(self._answers)
            _answer(make, asking, answers)
        os.close(asking)
        os.close(answers)

    def ask(self, number: int) -> None:
        with suppress(BrokenPipeError):  # `answer` tells that it has ended
            os.write(self._asking, number.to_bytes(_LENGTH, "big"))
        self.asked.append(number)

    def has_answered(self) -> bool:
        return bool(select.select([self._answers], [], [], 0)[0])

    def answer(self) -> tuple[Made] | None:
        """Of the first that it was asked; None where it failed. Raises OSError where it has ended."""
        content = _read(self._answers, int.from_bytes(_read(self._answers, _LENGTH), "big"))
        if not content:
            raise OSError(
                "The process that reads a part of the files ended early. If nobody ended it, the system was "
                "short of memory: close other programs and try again."
            )
        self.asked.popleft()
        found: tuple[Made] | None = marshal.loads(content)  # noqa: S302 - by our own process
        return found

    def end(self) -> None:
        os.close(self._asking)
        os.close(self._answers)
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _read(descriptor: int, length: int) -> bytes:
    """So many bytes, fewer where the other end is closed."""
    pieces = []
    while length and (piece := os.read(descriptor, length)):
        pieces.append(piece)
        length -= len(piece)
    return b"" if length else b"".join(pieces)


def _answer(make: Callable[[int], Made], asking: int, answers: int) -> NoReturn:
    """All that the other process does; none of what this one would do at its end is done there."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it tells it to end
        while number := _read(asking, _LENGTH):
            answer = _tried(make, int.from_bytes(number, "big"))
            # From version 3 on, it looks for what is there twice.
            content = marshal.dumps(answer, 2)  # type: ignore[arg-type]
            content = len(content).to_bytes(_LENGTH, "big") + content
            while content:
                content = content[os.write(answers, content) :]
    finally:
        os._exit(0)
