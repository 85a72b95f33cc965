"""A large JSON object whose lists are read in pieces, so that the document is never held whole."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import pairwise
from types import GenericAlias
from typing import Any

import msgspec

from truthmill.channels.reading import Parts

HELD = 1 << 20  # bytes of a list that are decoded at a time
_BETWEEN = re.compile(rb"\}\s*,\s*(?=\{)")
_END = re.compile(rb"\}\s*\]")
_BLANK = b" \t\r\n"
_BEGIN = 1024  # bytes within which a list's first item begins
_skipped = msgspec.json.Decoder(list[msgspec.Raw]).decode
_CUT = 1 << 16  # bytes within which a place is looked for where a list can be cut
_FEW = 8  # pieces for which it isn't worth to start another process
_SKIPPED = 64 * 1024 * 1024  # bytes of a value that nobody wants; more than that is no file of labels


def read_lists(
    chunks: Iterable[bytes],
    kinds: dict[str, Any],
    *,
    to_end: bool = True,
    packing: Mapping[str, Callable[[list[Any]], Any]] | None = None,
    parts: Parts | None = None,
) -> Iterator[tuple[str, Any]]:
    """Items of the top-level lists that are named in `kinds`, some at a time, each decoded as its kind.

    kinds: from a key to the type of its list's items, which are JSON objects. Other keys are skipped.
    to_end: whether what comes behind the last of these lists is looked at, too.
    packing: from a key to what is made of a batch, instead of the list of its items: `Parts.in_order` says of
    what. parts: of the document; some batches of these keys are made by another process then.
    A list that is empty comes as one empty batch. Raises ValueError where it isn't such a document.
    """
    packing = packing or {}
    decoders = {key: _decoder(kind, packing.get(key)) for key, kind in kinds.items()}
    missing = set(kinds)
    reader = _Reader(chunks)
    reader.expect(b"{")
    if reader.peek() == b"}":
        return
    while True:
        key = str(reader.value())
        reader.expect(b":")
        if reader.peek() != b"[":
            reader.value()
        elif key in kinds:
            for batch in reader.items(decoders[key], parts if key in packing else None):
                yield key, batch
            missing.discard(key)
        elif reader.begins_objects():
            for _ in reader.items(_skipped):
                pass
        else:
            reader.value()
        if reader.take() != b"," or not (missing or to_end):
            return


def _decoder(kind: Any, packed: Callable[[list[Any]], Any] | None) -> Callable[[bytes], Any]:
    decode = msgspec.json.Decoder(GenericAlias(list, (kind,))).decode
    return (lambda data: packed(decode(data))) if packed else decode


class _Reader:
    """A window on the document that moves forward."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held, self._behind = b"", 0  # what is held, and where in the document it ends
        if self._more() and self._held.startswith(b"\xef\xbb\xbf"):
            self._held = self._held[3:]

    def _more(self) -> bool:
        """Hold one chunk more; False at the end."""
        chunk = next(self._chunks, None)
        while chunk is not None and not chunk:
            chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._held += bytes(chunk)
        self._behind += len(chunk)
        return True

    def peek(self) -> bytes:
        """The next character that isn't blank. Raises ValueError at the end."""
        while not (held := self._held.lstrip(_BLANK)):
            if not self._more():
                raise ValueError("the document ends in the middle.")
        self._held = held
        return held[:1]

    def take(self) -> bytes:
        found = self.peek()
        self._held = self._held[1:]
        return found

    def expect(self, wanted: bytes) -> None:
        if (found := self.take()) != wanted:
            raise ValueError(f"{found.decode(errors='replace')!r} stands where {wanted.decode()!r} belongs.")

    def begins_objects(self) -> bool:
        """Whether the list that comes now has an object in it, as far as the next bytes tell."""
        while len(self._held) < _BEGIN and self._more():
            pass
        return self._held[1:].lstrip(_BLANK).startswith(b"{")

    def value(self) -> Any:
        """A value that is held whole."""
        self.peek()
        while True:
            text = self._held.decode("utf-8", errors="surrogateescape")
            try:
                found, end = json.JSONDecoder().raw_decode(text)
            except json.JSONDecodeError as error:
                if len(self._held) > _SKIPPED or not self._more():
                    raise ValueError(str(error)) from error
                continue
            # A number may go on in what isn't held yet.
            if end < len(text) or not self._more():
                self._held = text[end:].encode("utf-8", errors="surrogateescape")
                return found

    def items(self, decode: Callable[[bytes], Any], parts: Parts | None = None) -> Iterator[Any]:
        """The items of the list that begins here, in batches. parts: of the document, some of which another
        process may decode.
        """
        self.expect(b"[")
        if self.peek() == b"]":
            self.take()
            yield decode(b"[]")
            return
        if parts:
            yield from self._shared(decode, parts)
        wanted = HELD
        while True:
            while len(self._held) < wanted and self._more():
                pass
            at_end = len(self._held) < wanted
            batch, ended = self._batch(decode, at_end)
            if batch is None:
                wanted = 2 * len(self._held)
                continue
            wanted = HELD
            yield batch
            if ended:
                return

    def _shared(self, decode: Callable[[bytes], Any], parts: Parts) -> Iterator[Any]:
        """Batches up to the first that can't be decoded, from where it goes on as usual: the list may end
        there, be cut in a wrong place (`_batch` says how that is noticed), or have an item that is wrong.
        """
        starts = list(_cuts(parts, self._behind - len(self._held)))
        pieces = list(pairwise(starts))
        if len(pieces) < _FEW:
            return

        def make(number: int) -> Any:
            items = parts.read(*pieces[number]).rstrip(_BLANK).removesuffix(b",")
            return decode(b"[%b]" % items)

        done = 0
        with (
            closing(parts.in_order(len(pieces), make)) as batches,
            suppress(msgspec.DecodeError, ValueError, OverflowError),
        ):
            for batch in batches:
                yield batch
                done += 1
        at = starts[done]
        self._chunks = (parts.read(start, start + HELD) for start in range(at, parts.size, HELD))
        self._held, self._behind = b"", at

    def _batch(self, decode: Callable[[bytes], Any], at_end: bool) -> tuple[Any, bool]:
        """The items up to the last place where the list can be cut, and whether it ended there.

        A cut within a text or an inner list leaves brackets open, so that decoding tells a right one.
        """
        held = self._held
        cut = _last(_BETWEEN, held)
        problem: Exception | None = None
        if cut is not None and not _END.search(held, cut.start()):
            try:
                batch = decode(b"".join((b"[", memoryview(held)[: cut.start() + 1], b"]")))
            except msgspec.ValidationError:
                raise
            except msgspec.DecodeError as error:
                problem = error
            else:
                self._held = held[cut.end() :]
                return batch, False
        for found in _END.finditer(held):
            try:
                batch = decode(b"[" + held[: found.end()])
            except msgspec.ValidationError:
                raise
            except msgspec.DecodeError as error:
                problem = error
            else:
                self._held = held[found.end() :]
                return batch, True
        if at_end:
            raise ValueError(str(problem or "the list isn't closed."))
        return None, False


def _cuts(parts: Parts, first: int) -> Iterator[int]:
    """Where a list's items may begin, from the first one on, at least HELD bytes apart."""
    yield first
    at = first + HELD
    while at < parts.size:
        if found := _BETWEEN.search(parts.read(at, at + _CUT)):
            at += found.end()
            yield at
        at += HELD


def _last(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """The pattern's last place, looked for from the end in growing steps."""
    step = 4096
    while True:
        start = max(0, len(text) - step)
        found = None
        for found in pattern.finditer(text, start):  # noqa: B007 - the last one is wanted
            pass
        if found is not None or not start:
            return found
        step *= 16
