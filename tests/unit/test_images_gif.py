"""GIF: a first frame that doesn't paint all of the screen."""

import struct

from picture_bytes import opened
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()
RED, GREEN = bytes((255, 0, 0)), bytes((0, 255, 0))


def gif(screen_wh: tuple[int, int], place: tuple[int, int, int, int], background: int = 0) -> bytes:
    """One frame, all green, on a screen whose background is red. place: left, top, width, height."""
    head = b"GIF89a" + struct.pack("<HHBBB", *screen_wh, 0x81, background, 0) + RED + GREEN + bytes(6)
    codes = [code for _ in range(place[2] * place[3]) for code in (4, 1)] + [5]  # anew before each pixel
    bits = sum(code << 3 * number for number, code in enumerate(codes))
    packed = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    blocks = b"".join(
        bytes((len(packed[at : at + 255]),)) + packed[at : at + 255] for at in range(0, len(packed), 255)
    )
    return head + b"," + struct.pack("<HHHHB", *place, 0) + b"\x02" + blocks + b"\x00;"


def test_what_a_first_frame_leaves_free_is_white_as_browsers_show_it():
    """They don't know of the background colour, which Pillow takes."""
    data = gif((20, 160), (5, 4, 8, 130))
    found = inspect(data, "a.gif", LIMITS)
    assert found.conversions == ("alpha-over-white", "format:gif->png")
    assert (found.width, found.height) == (20, 160)
    shown = opened(stored_bytes(data, "a.gif", LIMITS))
    white, green = (255, 255, 255), (0, 255, 0)
    for x, y, expected in (
        (0, 0, white), (4, 4, white), (5, 3, white), (5, 4, green), (12, 133, green), (13, 4, white),
        (12, 134, white), (19, 159, white), (6, 70, green),
    ):  # fmt: skip
        assert shown.getpixel((x, y)) == expected, (x, y)


def test_a_frame_that_covers_the_screen_needs_no_alpha():
    assert inspect(gif((8, 6), (0, 0, 8, 6)), "a.gif", LIMITS).conversions == ("rgb", "format:gif->png")
