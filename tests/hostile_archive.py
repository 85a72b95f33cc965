"""An odd and hostile zip, with what is to become of each of its entries.

Its bytes are put together here, by PKWARE's APPNOTE.TXT 6.3.10 (4.3.7, 4.3.12, 4.3.16, 4.5.3, 4.6.9).
"""

import io
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import pack

from PIL import Image

from builders import picture

FULL = 0xFFFFFFFF
PAIRS = 4
SETTINGS = {"labels": ["cat"], "split": {"validation": 0.25, "onDegenerate": "continue"}}


def extra(identifier: int, data: bytes) -> bytes:
    return pack("<HH", identifier, len(data)) + data


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


class Zip:
    """Local headers and records; `here` and `there` say otherwise in the one or the other."""

    def __init__(self, before: bytes = b"") -> None:
        self.body, self.records = bytearray(before), []

    def add(self, name, content, *, method=0, packed=None, here=None, there=None, after=b"", attributes=0):
        packed = packed if packed is not None else raw_deflate(content) if method else content
        said = {"name": name, "flags": 0, "method": method, "crc": zlib.crc32(content), "extra": b""}
        said |= {"compressed": len(packed), "size": len(content)}
        own, listed = said | (here or {}), said | (there or {})
        start = len(self.body)
        self.body += pack(
            "<4sHHHLLLLHH", b"PK\x03\x04", 20, own["flags"], own["method"], 0, own["crc"],
            own["compressed"], own["size"], len(own["name"]), len(own["extra"]),
        ) + own["name"] + own["extra"] + packed + after  # fmt: skip
        self.records.append(
            pack(
                "<4sHHHHLLLLHHHHHLL", b"PK\x01\x02", 0x0314, 20, listed["flags"], listed["method"], 0,
                listed["crc"], listed["compressed"], listed["size"], len(listed["name"]),
                len(listed["extra"]), 0, 0, 0, attributes, listed.get("offset", start),
            ) + listed["name"] + listed["extra"]
        )  # fmt: skip

    def closed(self) -> bytes:
        directory, count = b"".join(self.records), len(self.records)
        end = pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(self.body), 4)
        return bytes(self.body) + directory + end + b"bye."


def usable(zip_: Zip) -> list[str]:
    """Entries that are only odd."""
    flagged = {"flags": 0x0008}
    zeros = flagged | {"crc": 0, "compressed": 0, "size": 0}
    content = [picture(90_000 + number) for number in range(9)]
    size = len(content[0])
    wide = {"compressed": FULL, "size": FULL, "extra": extra(1, pack("<QQ", size, size))}
    zip_.add(b"zip64.jpg", content[0], here=wide, there=wide)
    sums = pack("<LLL", zlib.crc32(content[1]), len(raw_deflate(content[1])), len(content[1]))
    zip_.add(b"late.jpg", content[1], method=8, here=zeros, there=flagged, after=b"PK\x07\x08" + sums)
    zip_.add("Käse.jpg".encode("cp437"), content[2])
    path = extra(0x7075, pack("<BL", 1, zlib.crc32(b"cat.jpg")) + "猫.jpg".encode())
    zip_.add(b"cat.jpg", content[3], here={"extra": path}, there={"extra": path})
    zip_.add("\u00fc.jpg".encode(), content[4])
    zip_.add("u\u0308.jpg".encode(), content[5])
    zip_.add(b"AUX.jpg.", content[6])
    zip_.add(b"twice.jpg", content[7])
    zip_.add(b"twice.jpg", content[8])
    return [
        "zip64.jpg",
        "late.jpg",
        "Käse.jpg",
        "猫.jpg",
        "\u00fc.jpg",
        "u\u0308.jpg",
        "AUX.jpg.",
        "twice.jpg",
    ]


def refused(zip_: Zip) -> dict[str, str]:
    """Entries that are not used, each with its reason."""
    good, png = picture(90_100), picture(90_101, form="PNG")
    zip_.add(b"link.jpg", b"/etc/passwd", attributes=0xA1FF << 16)
    zip_.add(b"locked.jpg", good, there={"flags": 1}, here={"flags": 1})
    zip_.add(b"../climbs.jpg", good)
    zip_.add(b"bomb.bmp", bytes(20_000_000), method=8)
    zip_.add(b"lies.jpg", bytes(41_000_000), method=8, here={"size": 999}, there={"size": 999})
    zip_.add(b"runs-over.jpg", good, here={"compressed": len(good) + 1, "size": len(good) + 1},
             there={"compressed": len(good) + 1, "size": len(good) + 1})  # fmt: skip
    zip_.add(b"run-over.jpg", good)
    zip_.add(b"other.jpg", good, here={"name": b"another.jpg"})
    zip_.add(b"sum.jpg", good, here={"crc": 1}, there={"crc": 1})
    zip_.add(b"short.jpg", good, method=8, packed=raw_deflate(good)[:-9])
    zip_.add(b"long.jpg", good, method=8, packed=raw_deflate(good) + b"..")
    zip_.add(b"lzma.jpg", good, method=0, here={"method": 14}, there={"method": 14})
    zip_.add(b"inner.zip", Zip().closed())
    zip_.add(b"inner", Zip().closed())
    zip_.add(b"a.gif", png)
    zip_.add(b"cut.jpg", good[: len(good) // 2])
    zip_.add(b"none.jpg", b"")
    zip_.add(b"notes.txt", b"hello")
    zip_.add(b"phone.heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    claim = png[12:16] + pack(">LL", 60_000, 60_000) + png[24:29]
    zip_.add(b"wide.png", png[:12] + claim + pack(">L", zlib.crc32(claim)) + png[33:])
    zip_.add(b"folder/", b"")
    zip_.add(b"x/Thumbs.db", b"x")
    zip_.add(b"./truthmill.json", json.dumps(SETTINGS).encode())
    return {
        "link.jpg": "link", "locked.jpg": "encrypted", "../climbs.jpg": "unsafe-name", "bomb.bmp": "bomb",
        "lies.jpg": "bomb", "runs-over.jpg": "overlap", "run-over.jpg": "overlap",
        "other.jpg": "header-mismatch", "sum.jpg": "damaged-entry", "short.jpg": "damaged-entry",
        "long.jpg": "size-mismatch", "lzma.jpg": "unsupported-compression", "inner.zip": "nested-archive",
        "inner": "nested-archive", "a.gif": "wrong-extension", "cut.jpg": "truncated", "none.jpg": "empty",
        "notes.txt": "not-a-picture", "phone.heic": "unsupported-format", "wide.png": "too-many-pixels",
        "folder/": "ignored", "x/Thumbs.db": "ignored", "./truthmill.json": "ignored",
    }  # fmt: skip


def near_copy(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content))
    image.putpixel((1, 1), (0, 0, 0))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


@dataclass(frozen=True)
class Hostile:
    """content: the zip. names: of what is kept, but for one copy of a pair. reasons: of the rest, by name."""

    content: bytes
    names: Sequence[str]
    reasons: Mapping[str, str]

    def check(self, rejected: list[dict[str, str]], kept: list[dict[str, str]], inputs: int) -> None:
        """Every entry is in one place, with its reason, and no pair straddles, as the run's objects say."""
        found = Counter((line["name"], line["reason"]) for line in rejected)
        [copy] = [name for name, reason in found if reason == "duplicate"]
        assert found == Counter([*self.reasons.items(), (copy, "duplicate")])
        assert Counter(line["name"] for line in kept) == Counter(self.names) - Counter([copy])
        assert len(rejected) + len(kept) == inputs == len(self.names) + len(self.reasons)
        side = {line["name"]: line["split"] for line in kept}
        for number in range(PAIRS):
            one = side.get(f"pair-{number}.jpg", side.get("copy.jpg"))
            assert one == side[f"pair-{number}.png"]


def hostile_archive() -> Hostile:
    """With pairs of near-duplicates, and a copy of a picture of the first."""
    made = Zip(b"MZ" * 40)
    kept, reasons = usable(made), refused(made)
    pairs = [picture(90_200 + number) for number in range(PAIRS)]
    for number, content in enumerate(pairs):
        made.add(b"pair-%d.jpg" % number, content)
        made.add(b"pair-%d.png" % number, near_copy(content))
    made.add(b"copy.jpg", pairs[0])
    paired = [f"pair-{number}.{kind}" for number in range(PAIRS) for kind in ("jpg", "png")]
    return Hostile(made.closed(), [*kept, "twice.jpg", *paired, "copy.jpg"], reasons)
