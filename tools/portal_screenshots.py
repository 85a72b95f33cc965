"""Screenshots of each page of the portal, for the documentation, small enough to keep.

Usage: python tools/portal_screenshots.py [folder]
"""

import io
import sys
from pathlib import Path

import system_chromium
from PIL import Image
from playwright.sync_api import sync_playwright

from browser.portal_pages import PORTAL_PAGES, show, site_of
from browser.sandbox import ORIGIN

WINDOW = {"width": 1180, "height": 720}
COLOURS = 96
# name of the file: page, and what differs from an English browser with a light theme
SHOTS = {name: (name, {}) for name in PORTAL_PAGES} | {
    "task-dark": ("task", {"color_scheme": "dark"}),
    "task-narrow-german": ("task", {"locale": "de-DE", "viewport": {"width": 720, "height": 620}}),
    "jobs-dark-german": ("jobs", {"color_scheme": "dark", "locale": "de-DE"}),
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=system_chromium.PATH, args=system_chromium.ARGUMENTS
        )
        for file, (name, options) in SHOTS.items():
            context = browser.new_context(**{"locale": "en-GB", "viewport": WINDOW, **options})
            context.route("**/*", site_of(PORTAL_PAGES[name]).serve)
            page = context.new_page()
            show(page, name, ORIGIN)
            picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
            picture.quantize(COLOURS).save(folder / f"{file}.png", optimize=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
