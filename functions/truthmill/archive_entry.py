"""One record of a zip's central directory: its name, its sizes, and whether its entry can be used.

Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10.
"""

import re
import stat
import zlib
from struct import Struct
from typing import TypeAlias

from truthmill.records import Entry, Inspection

FIELDS = Struct("<4s4xHH4xLLLHHHH2xLL")  # 4.3.12
"""Signature, flags, method, crc, compressed, size; bytes of name, extra, comment; disk, attributes, start."""

Record: TypeAlias = tuple[tuple[bytes, int, int, int, int, int, int, int, int, int, int, int], bytes, int]
"""Fields, and a piece of the directory that holds the whole record, with the record's position in it."""

MAX_PICTURE_BYTES = 40_000_000
"""What Ground Truth takes (its quotas: 40 MB a file)."""

SETTINGS = "truthmill.json"

# Where an entry's bytes lie, as the survey of all records finds out.
APART, SHARED, OUTSIDE, BEYOND = range(4)

UNKNOWN = 0xFFFFFFFF
UNICODE_PATH = b"up"
"""What the extra field begins with that gives an entry another name (4.6.9)."""

_UTF8 = 0x0800  # 4.4.4, bit 11
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # bits 0, 6 (strong), 13 (masked headers)
# Flat pictures without compression of their own (BMP) reach 1,000:1 honestly, so that small ones are let
# through whatever their ratio: up to this size no harm is done.
_BOMB_BYTES, _BOMB_RATIO = 10_000_000, 250
_DEFLATE_OVERHEAD = 1024 * 1024  # more than any packer adds to what can't be compressed
_MAX_NAME_BYTES = 4096
# C0, DEL, C1, line separators, and what turns the direction of writing ("gpj.exe" shown backwards).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What most names look like, known at a glance: `_of_name` finds nothing wrong with any of them (a test holds
# it), but takes three times as long.
_PLAIN = re.compile(
    r"(?:[0-9A-Za-z][ -.0-9;-\[\]-~]*+/)*+[0-9A-Za-z][ -.0-9;-\[\]-~]*\.(?:[jJ][pP][eE]?[gG]|[pP][nN][gG])"
).fullmatch
_FILE_TYPES = frozenset({0, stat.S_IFREG >> 12})  # of Unix, in the attributes' highest bits
_DOS_FOLDER = 0x10  # of MS-DOS, in the attributes' lowest byte (4.4.15)
_FOLDER, _LEFT = "a folder", "left by an operating system"
_FOLDER_ICON = ("/Icon\r", "\\Icon\r")  # of Finder, with that control character
_LEFT_BY_SYSTEMS = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"})
_ARCHIVES = frozenset(
    {"zip", "7z", "rar", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "zst", "cab", "cbz", "cbr", "zipx"}
)
_METHODS = {
    1: "shrink",
    6: "implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    20: "Zstandard",
    93: "Zstandard",
    94: "MP3",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
    99: "AES",
}  # 4.4.5


def sizes(record: Record) -> tuple[int, ...]:
    """Unpacked size, compressed size, offset as stated."""
    fields = record[0]
    return widened((fields[5], fields[4], fields[11]), _name_and_extra(record)[1])


def _name_and_extra(record: Record) -> tuple[bytes, bytes]:
    fields, buffer, position = record
    name = position + FIELDS.size
    extra = name + fields[6]
    return buffer[name:extra], buffer[extra : extra + fields[7]]


def widened(stated: tuple[int, ...], extra: bytes) -> tuple[int, ...]:
    """Sizes and offset, those that don't fit 32 bits taken from the zip64 extra field, in this order (4.5.3).

    A value that the extra field should hold and doesn't stays 0xFFFFFFFF, which no check lets through.
    """
    if UNKNOWN not in stated:
        return stated
    wide = extra_field(extra, 0x0001)
    values = [int.from_bytes(wide[at : at + 8], "little") for at in range(0, len(wide) - 7, 8)]
    return tuple(values.pop(0) if short == UNKNOWN and values else short for short in stated)


def extra_field(extra: bytes, identifier: int) -> bytes:
    """Data of the first extra field with that identifier (4.5.1); empty where there is none."""
    at = 0
    while at + 4 <= len(extra):
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if int.from_bytes(extra[at : at + 2], "little") == identifier:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def decode_name(raw: bytes, extra: bytes, flags: int) -> str:
    """The name: of the Unicode path extra field where it fits (4.6.9), UTF-8 where it is that, else CP437.

    Finder writes UTF-8 without its flag; text in another code page is hardly ever valid UTF-8 by chance.
    """
    if not flags & _UTF8:
        path = extra_field(extra, 0x7075)
        if path[:1] == b"\x01" and int.from_bytes(path[1:5], "little") == zlib.crc32(raw):
            try:
                return path[5:].decode()
            except UnicodeDecodeError:  # it is to be UTF-8; what isn't says nothing
                return stated_name(raw)
    return stated_name(raw)


def stated_name(raw: bytes) -> str:
    """The name that a header has, whatever a Unicode path says: UTF-8 where it is that, else CP437."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def entry_of(record: Record, offset: int) -> Entry:
    """What the record says. offset: of the local header, bytes from the archive's first."""
    fields, buffer, position = record
    _, flags, method, crc, compressed, size, name_bytes, extra_bytes, _, _, _, _ = fields
    if UNKNOWN in (size, compressed):
        size, compressed, _ = sizes(record)
    at = position + FIELDS.size
    extra = at + name_bytes
    raw = buffer[at:extra]
    plain = raw.isascii() and buffer.find(UNICODE_PATH, extra, extra + extra_bytes) < 0  # its only other name
    if plain:
        name, stated = raw.decode(), ""
    else:
        name, stated = decode_name(*_name_and_extra(record), flags), stated_name(raw)
    return Entry(
        name=name,
        offset=offset,
        compressed=compressed,
        size=size,
        method=method,
        crc=crc,
        stated="" if stated == name else stated,
    )


def judge(record: Record, offset: int, place: int) -> Entry | Inspection:
    """The entry, or why it isn't used.

    offset: of its local header, bytes from the archive's first. place: APART, SHARED, OUTSIDE or BEYOND.
    """
    entry = entry_of(record, offset)
    name_bytes, attributes = record[0][6], record[0][10]
    reason, detail = "", ""
    if name_bytes > _MAX_NAME_BYTES or attributes >> 28 not in _FILE_TYPES or not _PLAIN(entry.name):
        reason, detail = _of_name(entry.name, name_bytes, attributes)
        if detail == _FOLDER and entry.size and entry.compressed:
            reason, detail = "unsafe-name", f"it names a folder, and has {entry.size} bytes"
    elif attributes & _DOS_FOLDER and not entry.size:
        reason, detail = "ignored", _FOLDER
    if not reason:
        reason, detail = judge_packing(entry, record, place)
    return Inspection(entry=entry, reason=reason, detail=detail) if reason else entry


def _of_name(name: str, length: int, attributes: int) -> tuple[str, str]:
    """What name and attributes decide: reason and detail, both empty where nothing is wrong."""
    if name.endswith(_FOLDER_ICON) or name == _FOLDER_ICON[0][1:]:
        return "ignored", _LEFT
    if unsafe := _unsafe(name, length):
        return "unsafe-name", unsafe
    path = name.replace("\\", "/") if "\\" in name else name  # as Explorer and .NET wrote them
    kind = stat.S_IFMT(attributes >> 16)  # of Unix, in the upper half (4.4.15 leaves it to the system)
    if path.endswith("/") or kind == stat.S_IFDIR:
        return "ignored", _FOLDER
    reason, detail = judge_name(path)
    if reason == "ignored" or kind in (0, stat.S_IFREG):
        return reason, detail
    return "link", "a symbolic link" if kind == stat.S_IFLNK else "a special file"


def is_settings(path: str) -> bool:
    """Whether it is the request's settings, at the root; bsdtar and others begin every name with "./"."""
    return path.removeprefix("./") == SETTINGS


def judge_name(path: str) -> tuple[str, str]:
    """Why an input isn't looked at, going by its name: reason and detail, both empty where it is.

    path: with slashes, from the source's root.
    """
    last = path.rpartition("/")[2]
    if last.startswith("._") or path.startswith("__MACOSX/") or last.lower() in _LEFT_BY_SYSTEMS:
        return "ignored", _LEFT
    if is_settings(path):
        return "ignored", "the request's settings"
    extension = last.rpartition(".")[2].lower()
    return ("nested-archive", f".{extension}") if extension in _ARCHIVES and "." in last else ("", "")


def _unsafe(name: str, length: int) -> str:
    """What is unsafe about a name; empty where nothing is. Both slashes part folders, as on Windows."""
    if not name:
        return "it is empty"
    if control := control_character(name):
        return control
    if name[0] in "/\\" or (name[1:2] == ":" and name[0].isascii() and name[0].isalpha()):
        return "it is absolute"
    if ".." in name and ".." in re.split(r"[/\\]", name):
        return "it climbs out of its folder with '..'"
    return f"it has {length} bytes, at most {_MAX_NAME_BYTES} are taken" if length > _MAX_NAME_BYTES else ""


def control_character(name: str) -> str:
    """The first control character of a name, as a detail; empty where there is none."""
    found = None if name.isprintable() else _CONTROL.search(name)
    return f"it has the control character U+{ord(found[0]):04X}" if found else ""


def judge_packing(entry: Entry, record: Record, place: int) -> tuple[str, str]:
    """What all but the name decides: reason and detail, both empty where nothing is wrong."""
    flags, disk = record[0][1], record[0][9]
    if flags & _ENCRYPTED:
        return "encrypted", ""
    if entry.method not in (0, 8):
        method = _METHODS.get(entry.method, "unknown")
        return "unsupported-compression", f"method {entry.method} ({method})"
    if disk not in (0, 0xFFFF):
        return "header-mismatch", f"the directory says it begins in part {disk + 1} of a split archive"
    if UNKNOWN in (entry.size, entry.compressed):
        return "header-mismatch", "it refers to a zip64 extra field for its size, and has none"
    return _PLACES[place] if place else _of_sizes(entry.size, entry.compressed, entry.method)


def _of_sizes(size: int, compressed: int, method: int) -> tuple[str, str]:
    if size > _BOMB_BYTES and size > _BOMB_RATIO * compressed:
        return "bomb", f"{size} bytes from {compressed}"
    if size > MAX_PICTURE_BYTES:
        return "too-large", f"{size} bytes"
    if size != compressed and (not method or compressed > size + _DEFLATE_OVERHEAD):
        return "size-mismatch", f"packed in {compressed} bytes, unpacked {size}"
    return "", ""


_PLACES = {
    SHARED: ("overlap", "its bytes are another entry's, too"),
    OUTSIDE: ("header-mismatch", "its header would lie within or behind the directory"),
    BEYOND: ("overlap", "its bytes would run into the directory"),
}
