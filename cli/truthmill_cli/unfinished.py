"""The hidden folder that a conversion fills before it gets its name, and what killed conversions left of it.

Who fills one holds a lock on it, which the operating system takes back whenever a process ends: a folder
that nobody holds is left over. Where folders can't be locked, as on some network disks, none is removed.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = ".truthmill-convert-"


@contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """A new folder in there, which is gone afterwards unless it got another name."""
    made, descriptor = _locked(parent)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(descriptor)


def _locked(parent: Path) -> tuple[Path, int]:
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        descriptor = os.open(made, os.O_RDONLY)
        # Somebody who clears up may have come between: it is theirs then, and soon gone.
        if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
            return made, descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Whether it is ours now; None where folders can't be locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def clear(parent: Path) -> int:
    """Remove what killed conversions have left in there, and say how many folders that were."""
    cleared = 0
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if _lock(descriptor):
                    shutil.rmtree(left)
                    cleared += 1
            finally:
                os.close(descriptor)
    return cleared
