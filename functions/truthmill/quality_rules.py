"""How a job is made better than one worker: what its tags ask for.

Ground Truth's protocol has no members for that, so a job's tags carry it: legal for any client, and without
effect in Ground Truth itself.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from truthmill.labeling_protocol import validation_error

PREFIX = "truthmill:"
MOST_WORKERS = 9  # for an object, as in Ground Truth


class QualityRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's tags ask for.

    max_workers: answers that an object gets at the most where workers disagree; 0 asks for no extra ones.
    agreement: certainty of every box, 0 to 1, from which nobody else is asked.
    gold_manifest: S3 URI of pictures with known boxes, empty for none. gold_share: how many of a worker's
    tasks are such. gold_feedback: whether the worker is told. gold_threshold: F1 below which a worker gets
    no more tasks; 0 stops nobody. gold_withdraw: whether their answers are taken back as well, and the
    objects asked again. max_answers: how many answers may be paid for, those withdrawn and those to gold
    tasks included; 0 for any number.
    """

    max_workers: int = 0
    agreement: float = 0.9
    gold_manifest: str = ""
    gold_share: float = 0.05
    gold_feedback: bool = False
    gold_threshold: float = 0.0
    gold_withdraw: bool = False
    max_answers: int = 0

    def tags(self) -> dict[str, str]:
        """The tags that say so; nothing for what is as usual."""
        usual = msgspec.to_builtins(QualityRules())
        return {
            PREFIX + name.replace("_", "-").replace("max-workers", "max-workers-per-object"): _text(value)
            for name, value in msgspec.to_builtins(self).items()
            if value != usual[name]
        }


_SHARE = re.compile(r"0|1|0?\.[0-9]{1,6}|[01]\.0{1,6}")


def from_tags(tags: Mapping[str, str]) -> QualityRules:
    """What the tags of a job ask for; other tags are somebody else's. Raises ProtocolError."""
    readers: dict[str, tuple[str, Any]] = {
        "max-workers-per-object": ("max_workers", _count),
        "agreement": ("agreement", _share),
        "gold-manifest": ("gold_manifest", _uri),
        "gold-share": ("gold_share", _share),
        "gold-feedback": ("gold_feedback", _truth),
        "gold-threshold": ("gold_threshold", _share),
        "gold-withdraw": ("gold_withdraw", _truth),
        "max-answers": ("max_answers", _answers),
    }
    found = {}
    for key, value in tags.items():
        if key.startswith(PREFIX) and key[len(PREFIX) :] in readers:
            name, read = readers[key[len(PREFIX) :]]
            found[name] = read(key, value)
    return QualityRules(**found)


def _text(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _count(key: str, value: str) -> int:
    if not re.fullmatch(r"[1-9]", value):
        raise validation_error(f"Tag {key!r} is {value!r}; it is a whole number from 1 to {MOST_WORKERS}.")
    return int(value)


def _answers(key: str, value: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,7}", value):
        raise validation_error(f"Tag {key!r} is {value!r}; it is a whole number from 1 to 99999999.")
    return int(value)


def _share(key: str, value: str) -> float:
    if not _SHARE.fullmatch(value):
        raise validation_error(f"Tag {key!r} is {value!r}; it is a number from 0 to 1, such as 0.8.")
    return float(value)


def _uri(key: str, value: str) -> str:
    if not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/.+", value):
        raise validation_error(f"Tag {key!r} is {value!r}; it is the S3 URI of a manifest with boxes.")
    return value


def _truth(key: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise validation_error(f"Tag {key!r} is {value!r}; it is true or false.")
    return value == "true"
