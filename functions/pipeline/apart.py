"""Pictures worked on by a process of their own: one that it dies of is told by name.

A function that runs out of memory or time, or whose decoder crashes, leaves no word of which picture it was:
each retry would end the same way, and with it the run. So a batch that was left like that is worked on like
this.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from pipeline.inspection import inspection
from truthmill.errors import PictureError
from truthmill.images import Limits, stored_bytes
from truthmill.records import Entry, Inspection

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PATIENCE_S = 120.0  # for one picture; the slowest of 100 megapixels takes some seconds
_TRIES = 2  # the system may end a process that has only waited
WATCH_S = 0.02  # between two looks at its memory
SPARE_BYTES = 128 * 1024 * 1024  # that decoding may take between two looks
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Question(msgspec.Struct, frozen=True):
    """What the process is asked. to_store: for the bytes to store, else what the picture is."""

    entry: Entry
    content: bytes
    limits: Limits
    to_store: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What it answers. content: the bytes to store, or what a fingerprint is made of."""

    inspection: Inspection
    content: bytes


class Apart:
    """The process, begun when first needed, and anew after each picture that it died of.

    memory: bytes that it and this process may take together, 0: no limit.
    """

    def __init__(self, memory: int = 0, patience_s: float = PATIENCE_S) -> None:
        self.memory, self.patience_s = memory, patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @classmethod
    def in_function(cls) -> Self:
        """Within a function's memory (Lambda's guide, runtime variables)."""
        return cls(int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")) << 20)

    def inspection(
        self, entry: Entry, content: bytes | PictureError, limits: Limits
    ) -> tuple[Inspection, bytes]:
        """As `inspection.inspection`; a picture that the process can't cope with is too-demanding."""
        if isinstance(content, PictureError):
            return inspection(entry, content, limits)
        try:
            answer = self._answer(Question(entry, content, limits))
        except PictureError as error:
            return Inspection(entry=entry, reason=error.reason, detail=error.detail), b""
        return answer.inspection, answer.content

    def stored_bytes(self, content: bytes, name: str, limits: Limits) -> bytes:
        """As `images.stored_bytes`. Raises PictureError too-demanding likewise."""
        answer = self._answer(Question(Entry(name=name), content, limits, to_store=True))
        if answer.inspection.reason:
            raise PictureError(answer.inspection.reason, answer.inspection.detail)
        return answer.content

    def _answer(self, question: Question) -> Answer:
        """Raises PictureError where there is none."""
        detail = ""
        for _ in range(_TRIES):
            try:
                return self._asked(question)
            except (EOFError, ConnectionError):
                detail = f"its decoder ended with {self._end()}"
        raise PictureError("too-demanding", detail)

    def _asked(self, question: Question) -> Answer:
        """Raises EOFError or ConnectionError where the process dies, PictureError where it was ended."""
        connection = self._begun()
        connection.send_bytes(msgspec.msgpack.encode(question))
        self._wait(connection)
        return msgspec.msgpack.decode(connection.recv_bytes(), type=Answer)

    def _begun(self) -> "Connection":
        from multiprocessing.connection import Connection

        if self._connection is None:
            ours, theirs = socket.socketpair()
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                [sys.executable, "-m", "pipeline.apart", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            theirs.close()
            self._connection = Connection(ours.detach())
            self._greet(self._connection)
        return self._connection

    def _greet(self, connection: "Connection") -> None:
        """Raises RuntimeError where it doesn't come up, which is no picture's fault."""
        try:
            connection.recv_bytes()
        except (EOFError, ConnectionError):
            raise RuntimeError(f"The process for pictures ended with {self._end()}") from None

    def _wait(self, connection: "Connection") -> None:
        """Until there is an answer, or an end. Raises PictureError where it takes too much."""
        deadline = time.monotonic() + self.patience_s
        while not connection.poll(WATCH_S):
            if self.memory and self._taken() > self.memory - SPARE_BYTES:
                self._end()
                raise PictureError("too-demanding", f"decoding takes more than {self.memory >> 20} MiB")
            if time.monotonic() > deadline:
                self._end()
                raise PictureError("too-demanding", f"decoding takes more than {self.patience_s:.0f} s")

    def _taken(self) -> int:
        """Bytes of memory that both processes have; 0 where that can't be told."""
        assert self._process is not None  # noqa: S101 - for the type checker
        return sum(_resident(number) for number in (os.getpid(), self._process.pid))

    def _end(self) -> int:
        """Its exit code, negative where a signal ended it; killed where it goes on."""
        assert self._process is not None  # noqa: S101 - for the type checker
        assert self._connection is not None  # noqa: S101 - likewise
        self._connection.close()
        try:
            code = self._process.wait(1)  # it may be on its way out
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = self._connection = None
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._end()


def _resident(process: int) -> int:
    """Bytes of memory that a process has (proc(5)); 0 where that can't be told."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def serve(connection: "Connection") -> None:
    """Say that it is there, then answer until nobody asks."""
    connection.send_bytes(b"ready")
    while True:
        try:
            question = msgspec.msgpack.decode(connection.recv_bytes(), type=Question)
        except EOFError:
            return
        connection.send_bytes(msgspec.msgpack.encode(_worked_on(question)))


def _worked_on(question: Question) -> Answer:
    entry = question.entry
    if not question.to_store:
        return Answer(*inspection(entry, question.content, question.limits))
    try:
        return Answer(Inspection(entry=entry), stored_bytes(question.content, entry.name, question.limits))
    except PictureError as error:
        return Answer(Inspection(entry=entry, reason=error.reason, detail=error.detail), b"")


if __name__ == "__main__":
    from multiprocessing.connection import Connection

    serve(Connection(int(sys.argv[1])))
