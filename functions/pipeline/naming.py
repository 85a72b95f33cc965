"""A run's name, and what of the source it hangs on: the content, as far as a directory tells."""

import hashlib
from collections.abc import Iterator

from adapters.storage import Storage
from pipeline.source import Source
from truthmill.layout import RunLayout
from truthmill.records import Inspection, Rejected
from truthmill.request import Request
from truthmill.run import Run, run_name

_OF_BYTES = frozenset({"damaged-entry", "header-mismatch", "size-mismatch"})
"""Reasons that a damaged copy of an archive has, and a whole one with the same directory hasn't."""
_OF_THE_MOMENT = frozenset({"missing", "replaced", "cold-storage"})
"""Reasons that a loose object may no longer have, though it is listed as before."""


def name_of(source: Source, asked: Request, store: Storage) -> str:
    """The same for the same bytes, whichever way they come.

    An archive's directory stands for its bytes: it has their checksums. But a copy that was damaged on the
    way has the whole one's directory, too: whoever brings the archive once more gets a run of its own then.
    So does whoever starts a run of a prefix of which objects couldn't be read: the listing doesn't tell
    whether they can by now.
    """
    digest, etag = source.digest, str(source.described().get("etag", ""))
    name = run_name(digest, asked)
    if etag and _had_damage(store, RunLayout(asked.dataset, name), etag):
        return run_name(hashlib.sha256(f"{digest} {etag}".encode()).hexdigest(), asked)
    while not etag and _lacked_objects(store, RunLayout(asked.dataset, name)):
        digest = hashlib.sha256(f"{digest} again".encode()).hexdigest()
        name = run_name(digest, asked)
    return name


def _lacked_objects(store: Storage, at: RunLayout) -> bool:
    """Whether the run of that name is over, and objects of its prefix couldn't be read when it was on."""
    try:
        run = store.read_json(at.run_json, Run)[0]
    except FileNotFoundError:
        return False
    is_over = run.state == "SUCCEEDED" or run.had_no_picture
    return is_over and not _OF_THE_MOMENT.isdisjoint(_reasons(store, at))


def _had_damage(store: Storage, at: RunLayout, etag: str) -> bool:
    """Whether the run of that name was, or is, of another copy, of which entries couldn't be unpacked."""
    try:
        before = store.read_json(at.run_json, Run)[0].source.get("etag")
    except FileNotFoundError:
        return False
    return before != etag and not _OF_BYTES.isdisjoint(_reasons(store, at))


def _reasons(store: Storage, at: RunLayout) -> Iterator[str]:
    """Of all inputs that aren't used; of a run that isn't so far, of those that were looked at."""
    if store.exists(at.rejected):
        yield from (line.reason for line in store.read_lines(at.rejected, Rejected))
        return
    for part in store.list(at.inspected):
        yield from (found.reason for found in store.read_lines(part.key, Inspection))
