"""JSON that comes from outside, nested no deeper than whoever reads it later can follow.

A decoder goes as deep as the stack leaves it; called from deeper down it would fail on what the first
had taken, and a job could not be ended for one worker's answer.
"""

from typing import Any

import msgspec

MAX_DEPTH = 100


def decode(text: bytes | str) -> Any:
    """Raises msgspec.DecodeError, also for what is nested too deeply."""
    try:
        read = msgspec.json.decode(text)
    except RecursionError as error:
        raise _too_deep() from error
    if _deeper(read):
        raise _too_deep()
    return read


def decode_object(text: bytes | str) -> dict[str, Any]:
    """As `decode`, for an object and nothing else."""
    read = decode(text)
    return msgspec.convert(read, dict[str, Any])


def _too_deep() -> msgspec.DecodeError:
    return msgspec.DecodeError(f"it is nested more than {MAX_DEPTH} deep")


def _deeper(value: Any) -> bool:
    """Whether lists and objects lie in each other more than MAX_DEPTH deep; level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
