"""What ends the command with another exit code than 0.

CommandError
├── UsageError     wrong usage or input: exit code 2
└── FailedError    the command, or the run it followed, failed: exit code 1
"""


class CommandError(Exception):
    """Ends the command with one clear sentence."""

    exit_code = 1


class UsageError(CommandError):
    """Wrong usage or input."""

    exit_code = 2


class FailedError(CommandError):
    """What was asked for failed."""
