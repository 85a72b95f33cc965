"""`truthmill preview` in the browser."""

from PIL import Image

from browser.conftest import PATIENCE_MS
from browser.sandbox import wait_for
from integration.test_cli_preview import files, running

__all__ = ["files"]

EMPTY = {"boundingBoxes": [], "inputImageProperties": {"width": 200, "height": 100}}


def previewed(chromium, files):
    """The answer that there is nothing here, and what the portal would say to it."""
    answers = []
    with running(files, answers) as address:
        page = chromium.new_context(locale="en-GB").new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        page.locator("img.picture:not([hidden])").wait_for()
        page.get_by_role("button", name="Nothing here").click()
        page.get_by_text("The answer is fine").wait_for()
        page.context.close()
    (answer,) = answers
    return answer


def test_boxes_drawn_in_a_preview_come_back_as_the_portal_would_get_them(chromium, files):
    assert previewed(chromium, files) == ({"boundingBox": EMPTY}, "")


def test_a_photo_with_an_orientation_tag_is_previewed_as_it_is_stored(chromium, files):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (200, 100)).save(files[1], "JPEG", exif=exif)
    assert previewed(chromium, files) == ({"boundingBox": EMPTY}, "")


ELSEWHERE = (
    """<script src="https://code.jquery.com/jquery.js"></script><img src="https://example.com/good.png">"""
)


def test_what_the_portal_would_not_load_is_told_where_the_preview_was_begun(chromium, files):
    files[0].write_text(ELSEWHERE + files[0].read_text())
    troubles = []
    with running(files, [], troubles) as address:
        page = chromium.new_context(locale="en-GB").new_page()
        page.goto(address)
        page.locator("img.picture:not([hidden])").wait_for()
        wait_for(page, lambda: len(troubles) == 2, lambda: str(troubles))
        page.context.close()
    assert sorted(troubles) == [
        "Not loaded, nor would the portal: https://code.jquery.com/jquery.js (script-src-elem).",
        "Not loaded, nor would the portal: https://example.com/good.png (img-src).",
    ]
