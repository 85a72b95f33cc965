"""zlib-ng stands in for the standard library where entries and PNG chunks are unpacked; it says the same."""

import zlib
from types import ModuleType

from hypothesis import given, settings
from hypothesis import strategies as st
from zlib_ng import zlib_ng


def contents() -> st.SearchStrategy[bytes]:
    """What can't be packed, what packs well, and what repeats itself from afar, where windows end."""
    far = st.tuples(st.binary(min_size=1, max_size=60), st.integers(0, 33_000)).map(
        lambda drawn: drawn[0] + bytes(drawn[1]) + drawn[0]
    )
    repeated = st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 300)).map(
        lambda drawn: drawn[0] * drawn[1]
    )
    return st.one_of(st.binary(max_size=2000), far, repeated)


@st.composite
def streams(draw) -> tuple[bytes, int]:
    """A deflate stream of any kind, whole or damaged, and how many bytes of it are asked for at first."""
    content = draw(contents())
    level, strategy = draw(st.sampled_from((0, 1, 6, 9))), draw(st.integers(0, 4))
    packer = zlib.compressobj(level, zlib.DEFLATED, -draw(st.sampled_from((9, 12, 15))), 8, strategy)
    packed = bytearray(packer.compress(content) + packer.flush())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(packed)))
        change = draw(st.sampled_from(("bit", "cut", "end", "append", "set")))
        if change == "bit" and at < len(packed):
            packed[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "cut":
            del packed[at : at + draw(st.integers(1, 9))]
        elif change == "end":
            del packed[at:]
        else:
            new = draw(st.binary(min_size=1, max_size=20))
            packed[len(packed) if change == "append" else at :] = new
    size = len(content)
    return bytes(packed), draw(st.sampled_from((size + 1, max(size, 1), size // 2 + 1, 2 * size + 1, 7)))


def said(module: ModuleType, packed: bytes, limit: int) -> tuple[object, ...]:
    """All that `archive` and `image_png` look at: bytes, ends, what is left over, and the error's words."""
    inflater = module.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, limit)
        first = len(content), inflater.eof, inflater.unused_data, inflater.unconsumed_tail
        lengths = []
        while not inflater.eof and (piece := inflater.decompress(inflater.unconsumed_tail, 500)):
            lengths.append(len(piece))
            content += piece
    except module.error as error:
        return ("error", str(error))
    return content, first, lengths, inflater.eof, inflater.unused_data


@settings(max_examples=1000, deadline=None)
@given(streams())
def test_both_unpack_any_stream_alike_whole_or_damaged(stream):
    assert said(zlib_ng, *stream) == said(zlib, *stream)


@given(st.binary(max_size=400), st.integers(0, 50))
def test_both_have_the_same_checksum(content, skipped):
    assert zlib_ng.crc32(memoryview(content)[skipped:]) == zlib.crc32(content[skipped:])
