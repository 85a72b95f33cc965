"""Many small files, made by a process of their own.

To make a file takes the system about as long as to convert what is in it, and longer on a disk; a second core
does that meanwhile. A thread wouldn't: it waits for the interpreter's lock after each call of the system. Nor
would several processes: a folder takes one new file at a time.
"""

import marshal
import os
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import subprocess

BATCH = 1 << 18  # bytes of files that are handed over at once; fewer in all are written right here
_PER_FILE = 64  # bytes that one weighs besides, so that a batch of empty files isn't endless
_LENGTH = 8  # bytes before each batch that say how long it is


class FileWriter:
    """Writes files below a folder, of which none may be there; holds two batches and the pipe between.

    The other process is there from the first full batch to `close`, which has to be called.
    """

    def __init__(self, root: str, batch: int = BATCH) -> None:
        """root: the folder. batch: bytes."""
        self._root, self._limit = root, batch
        self._held: list[tuple[str, bytes]] = []
        self._weight = 0
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, name: str, data: bytes) -> None:
        """name: below the folder, whose own folder is there. Raises OSError, maybe for one added before."""
        self._held.append((name, data))
        self._weight += len(data) + _PER_FILE
        if self._weight >= self._limit:
            self._hand_over(self._process or self._started())

    def close(self) -> None:
        """Every file is written. Raises OSError."""
        if self._process is None:
            write_files(self._root, self._held)
        else:
            self._hand_over(self._process)
            self._finish(self._process)

    def stop(self) -> None:
        """Without what isn't written yet."""
        if self._process is not None:
            self._process.kill()
            self._ended(self._process)

    def _started(self) -> "subprocess.Popen[bytes]":
        import subprocess  # not for the other process, which runs this module

        command = [sys.executable, "-I", "-S", __file__, self._root]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self._process

    def _hand_over(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin  # noqa: S101 - as it was started
        content = marshal.dumps(self._held, 2)  # from version 3 on, it looks for what is there twice
        try:
            process.stdin.write(len(content).to_bytes(_LENGTH, "big"))
            process.stdin.write(content)
        except BrokenPipeError:
            self._finish(process)
        self._held, self._weight = [], 0

    def _finish(self, process: "subprocess.Popen[bytes]") -> None:
        found = self._ended(process)
        if found:
            raise OSError(*marshal.loads(found))  # noqa: S302 - by our own process
        if process.returncode:
            raise OSError(
                f"The process that writes the files ended with code {process.returncode}. "
                "If nobody ended it, the system was short of memory: close other programs and try again."
            )

    def _ended(self, process: "subprocess.Popen[bytes]") -> bytes:
        """What it answered."""
        self._process = None
        with process:
            return process.communicate()[0]


def write_files(root: str, files: list[tuple[str, bytes]]) -> None:
    """files: each its name and what is in it. Raises OSError, with the name."""
    for name, data in files:
        descriptor = os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            written = os.write(descriptor, data)
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except OSError as error:
            error.filename = f"{root}/{name}"
            raise
        finally:
            os.close(descriptor)


def _receive(root: str, received: BinaryIO) -> None:
    """Write what comes until the pipe is closed."""
    while length := int.from_bytes(received.read(_LENGTH), "big"):
        content = received.read(length)
        if len(content) < length:
            return  # who was sending it has ended
        write_files(root, marshal.loads(content))  # noqa: S302 - from our own process


def _main() -> None:
    """The other process. It answers with what went wrong, if anything did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it tells it to end
    try:
        _receive(sys.argv[1], sys.stdin.buffer)
    except OSError as error:
        sys.stdout.buffer.write(marshal.dumps((error.errno, error.strerror, error.filename)))


if __name__ == "__main__":
    _main()
