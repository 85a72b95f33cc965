"""Format recordio, against an independent reading of the format; MXNet 1.9.1 itself needs an old NumPy."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.channels import CHANNELS
from truthmill.channels.recordio import MAGIC, pack, records
from truthmill.dataset import LabeledPicture
from unit.channels.labeled_datasets import EMPTY, content_of, dataset_of, written

PICTURE = LabeledPicture(
    key="i/a.jpg", split="train", width=8, height=4, boxes=(Box(1, 2, 1, 4, 2), Box(0, 0, 0, 8, 4))
)


def test_the_bytes_are_these():
    """Magic, length, then flag, a label that isn't used, id, id2; header width 2, object width 5."""
    files = written(CHANNELS["recordio"], dataset_of(PICTURE, EMPTY, splits=("train",)))
    label = [2, 5, 1, 0.25, 0.25, 0.75, 0.75, 0, 0, 0, 1, 1]
    payload = struct.pack("<IfQQ12f", 12, 0, 0, 0, *label) + content_of(PICTURE)
    first = struct.pack("<II", 0xCED7230A, len(payload)) + payload
    first += b"\0" * (-len(first) % 4)
    assert files["train.rec"].startswith(first)
    assert files["train.idx"] == f"0\t0\n1\t{len(first)}\n".encode()
    assert files["train.lst"].decode().splitlines()[0] == (
        "0\t2\t5\t1\t0.25\t0.25\t0.75\t0.75\t0\t0\t0\t1\t1\ta.jpg"
    )


def test_a_negative_has_a_row_of_no_class():
    """Its area isn't empty: MXNet's ImageDetIter says "no valid label" otherwise."""
    files = written(CHANNELS["recordio"], dataset_of(EMPTY, splits=("train",)))
    assert struct.unpack_from("<7f", files["train.rec"], 8 + 24) == (2, 5, -1, 0, 0, 1, 1)


@given(st.lists(st.sampled_from([MAGIC, b"a", b"bcd", b"\0"]), max_size=12), st.sampled_from([1, 7, 65_536]))
def test_a_picture_that_has_the_magic_number_in_it_reads_back(parts, chunk):
    content = b"".join(parts)
    packed = pack(b"head", [], content) + pack(b"next", [], b"")
    chunks = (packed[at : at + chunk] for at in range(0, len(packed), chunk))
    assert list(records(chunks, "x.rec")) == [b"head" + content, b"next"]
    # Nothing but the beginning of a part is the magic number at a multiple of 4.
    aligned = [at for at in range(0, len(packed), 4) if packed[at : at + 4] == MAGIC]
    at = 0
    for begin in aligned:
        assert begin == at
        length = int.from_bytes(packed[at + 4 : at + 8], "little") & 0x1FFFFFFF
        at += 8 + length + -length % 4
    assert at == len(packed)
