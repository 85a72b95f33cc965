"""What a worker holds in a job, and how far they got: pk WORKER#<worker>, sk JOB#<job>."""

from typing import Any

import msgspec

from adapters.table import Key, Table
from truthmill.gold import GoldResult


class Held(msgspec.Struct, frozen=True):
    """A lease of a worker: object number, since when and until when in milliseconds since 1970."""

    number: int
    since: int
    until: int


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker holds in a job, and where they got to in its queues.

    places: shard (as text) to the last place looked at. last: moment of their last answer. spent:
    milliseconds on all their answers. rewound: moment
    at which they last began from the front. gold: gold tasks they had, with what came of them.
    """

    worker: str
    job: str
    version: int = 0
    held: tuple[Held, ...] = ()
    places: dict[str, str] = {}
    answered: int = 0
    last: int = 0
    spent: int = 0
    rewound: int = 0
    gold: tuple[int, ...] = ()
    gold_result: GoldResult = GoldResult()


def desk_key(worker: str, job: str) -> Key:
    return f"WORKER#{worker}", f"JOB#{job}"


def put_desk(table: Table, desk: Desk, was: Desk) -> dict[str, Any]:
    """A write for `Table.write`, which fails where the desk isn't any more what it was."""
    pk, sk = desk_key(desk.worker, desk.job)
    item = {"pk": pk, "sk": sk, **msgspec.to_builtins(desk), "version": was.version + 1}
    return table.putting(item, "attribute_not_exists(#pk) OR #version = :was", {"was": was.version})
