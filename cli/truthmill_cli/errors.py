"""What ends the command with another exit code than 0.

CommandError
├── UsageError     wrong usage or input: exit code 2
└── FailedError    the command, or the run it followed, failed: exit code 1

What the operating system refuses (OSError) ends it with 1, too.
"""

import errno

_WHAT_TO_DO = {
    errno.ENOSPC: "Make room there, or name another place.",
    errno.EDQUOT: "Make room there, or name another place.",
    errno.EFBIG: "Name a place that takes files of that size.",
    errno.EACCES: "Allow it, or name another place.",
    errno.EPERM: "Allow it, or name another place.",
    errno.EROFS: "Name a place that can be written to.",
    errno.EMFILE: "Allow more open files (ulimit -n).",
    errno.ENOMEM: "Close other programs, or take a machine with more memory.",
}


class CommandError(Exception):
    """Ends the command with one clear sentence."""

    exit_code = 1


class UsageError(CommandError):
    """Wrong usage or input."""

    exit_code = 2


class FailedError(CommandError):
    """What was asked for failed."""


def refused(error: OSError) -> str:
    """What the operating system refused, where, and what to do."""
    if error.errno is None or not error.strerror:
        return str(error) or type(error).__name__
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror}. {_WHAT_TO_DO.get(error.errno, '')}".rstrip()
