"""Thrift's compact protocol, as far as Parquet's headers and footers need it.

A struct is a dict from a field's number to its value. Writing wants each value's type beside it, reading
tells what it found: numbers, bytes, lists, dicts.
Source: "Thrift Compact protocol encoding" in Apache Thrift's documentation.
"""

from typing import Any

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
_TRUE, _FALSE, _BYTE, _I16, _DOUBLE = 1, 2, 3, 4, 7

Field = tuple[int, int, Any]  # number, type, value; of a list the value is (type of its items, items)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def struct(*fields: Field) -> bytes:
    """A struct's bytes; its fields in the order of their numbers."""
    found = bytearray()
    before = 0
    for number, kind, value in fields:
        found.append((number - before) << 4 | kind)
        found += _value(kind, value)
        before = number
    return bytes(found + b"\0")


def _value(kind: int, value: Any) -> bytes:
    if kind in (I32, I64):
        return varint(value << 1 if value >= 0 else (-value << 1) - 1)
    if kind == BINARY:
        text = value.encode() if isinstance(value, str) else value
        return varint(len(text)) + text
    if kind == LIST:
        item, items = value
        size = len(items)
        begin = bytes([size << 4 | item]) if size < 15 else bytes([0xF0 | item]) + varint(size)
        return begin + b"".join(_value(item, one) for one in items)
    data: bytes = value  # a struct that is bytes already
    return data


class Reader:
    """Reads from `data`; at: the next byte. Raises IndexError where it is cut off."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while kind := self._byte():
            number = number + (kind >> 4) if kind >> 4 else self.signed()
            found[number] = self._value(kind & 15)
        return found

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def signed(self) -> int:
        number = self.varint()
        return number >> 1 ^ -(number & 1)

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_I16, I32, I64):
            return self.signed()
        if kind == STRUCT:
            return self.struct()
        if kind == LIST:
            begin = self._byte()
            size = begin >> 4 if begin >> 4 < 15 else self.varint()
            return [self._value(begin & 15) for _ in range(size)]
        size = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self.varint()
        self.at += size
        return self.data[self.at - size : self.at]
