"""The lines of YOLO's text files, of many pictures at once: the same bytes as `yolo` writes box by box."""

from itertools import pairwise

import numpy as np

from truthmill.box_columns import BoxColumns, Column

_ONE = 10**9  # the share of the whole, in the last of 9 decimals
_WORDS = 4  # of a number: its beginning, then three times three decimals


def _words(texts: list[bytes]) -> Column:
    """Each text in four bytes, of which those that it doesn't need are 0."""
    return np.array([text.ljust(4, b"\0") for text in texts], "S4").view(np.uint32)


_BEGINNINGS = _words([b" 0.", b" 1."])
_DECIMALS = _words([b"%03d" % number for number in range(1000)])
_LAST = _words([b"%03d\n" % number for number in range(1000)])


def lines(columns: BoxColumns) -> list[bytes]:
    """Each picture's text: `class cx cy w h` for each box, with 9 decimals."""
    across, down = np.repeat(columns.sizes_wh, columns.counts, axis=0).astype(np.float64).T
    left, top, width, height = columns.sides
    shares = (2 * left + width) / (2 * across), (2 * top + height) / (2 * down), width / across, height / down
    texts = [b"%d" % number for number in range(int(columns.class_ids.max(initial=0)) + 1)]
    first = -(-len(texts[-1]) // 4)
    of_classes = np.array(texts, f"S{4 * first}").view(np.uint32).reshape(-1, first)
    rows = np.empty((len(left), first + len(shares) * _WORDS), np.uint32)
    rows[:, :first] = of_classes[columns.class_ids]
    for number, share in enumerate(shares):
        start = first + number * _WORDS
        _write(rows[:, start : start + _WORDS], share, is_last=number == len(shares) - 1)
    content = rows.tobytes().translate(None, b"\0")
    lengths = np.array([len(text) + 12 * len(shares) + 1 for text in texts])[columns.class_ids]
    before = np.concatenate([[0], np.cumsum(lengths)])
    return [content[start:end] for start, end in pairwise(before[columns.ends].tolist())]


def _write(words: Column, share: Column, *, is_last: bool) -> None:
    """As " 0.123456789", the last one of a line with its end."""
    billionths = _billionths(share)
    thousands = billionths // 1000
    millions = thousands // 1000
    whole = millions // 1000
    words[:, 0] = _BEGINNINGS[whole]
    words[:, 1] = _DECIMALS[millions - 1000 * whole]
    words[:, 2] = _DECIMALS[thousands - 1000 * millions]
    words[:, 3] = (_LAST if is_last else _DECIMALS)[billionths - 1000 * thousands]


def _billionths(share: Column) -> Column:
    """Shares in the last of 9 decimals, rounded as Python writes a float: the exact value of its 53 bits, one
    half-way between two texts to the even one.

    The product is rounded itself, by less than 1e-6, so what is as near to half-way is left to Python, unless
    the product is exact: of a share of few bits.
    """
    product = share * _ONE
    found = np.rint(product)
    near = np.abs(np.abs(product - found) - 0.5) < 1e-6
    if near.any():
        bits = share * (1 << 31)
        near &= bits != np.floor(bits)
        several, index = np.unique(share[near], return_inverse=True)
        found[near] = np.array([int(f"{one:.9f}".replace(".", "")) for one in several.tolist()])[index]
    billionths: Column = found.astype(np.uint32)
    return billionths
