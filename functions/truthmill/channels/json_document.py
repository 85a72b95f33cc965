"""A large JSON object whose lists are read in pieces, so that the document is never held whole."""

import json
import re
from collections.abc import Iterable, Iterator
from types import GenericAlias
from typing import Any

import msgspec

HELD = 1 << 20  # bytes of a list that are decoded at a time
_BETWEEN = re.compile(rb"\}\s*,\s*(?=\{)")
_END = re.compile(rb"\}\s*\]")
_BLANK = b" \t\r\n"
_BEGIN = 1024  # bytes within which a list's first item begins
_skipped = msgspec.json.Decoder(list[msgspec.Raw]).decode
_SKIPPED = 64 * 1024 * 1024  # bytes of a value that nobody wants; more than that is no file of labels


def read_lists(
    chunks: Iterable[bytes], kinds: dict[str, Any], *, to_end: bool = True
) -> Iterator[tuple[str, list[Any]]]:
    """Items of the top-level lists that are named in `kinds`, some at a time, each decoded as its kind.

    kinds: from a key to the type of its list's items, which are JSON objects. Other keys are skipped.
    to_end: whether what comes behind the last of these lists is looked at, too.
    A list that is empty comes as one empty batch. Raises ValueError where it isn't such a document.
    """
    decoders = {key: msgspec.json.Decoder(GenericAlias(list, (kind,))).decode for key, kind in kinds.items()}
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
            for batch in reader.items(decoders[key]):
                yield key, batch
            missing.discard(key)
        elif reader.begins_objects():
            for _ in reader.items(_skipped):
                pass
        else:
            reader.value()
        if reader.take() != b"," or not (missing or to_end):
            return


class _Reader:
    """A window on the document that moves forward."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""
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

    def items(self, decode: Any) -> Iterator[list[Any]]:
        """The items of the list that begins here, in batches."""
        self.expect(b"[")
        if self.peek() == b"]":
            self.take()
            yield []
            return
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

    def _batch(self, decode: Any, at_end: bool) -> tuple[list[Any] | None, bool]:
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
