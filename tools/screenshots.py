"""The documentation's pictures: of the report that `make demo` left in out/demo."""

import io
from pathlib import Path

import system_chromium
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "out" / "demo" / "report.html"
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1160, "height": 1500}


def write_report_picture() -> Path:
    """The top of the page, as small a file as reads well."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=system_chromium.PATH, args=system_chromium.ARGUMENTS
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(REPORT.as_uri())
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / "report.png"
    shot.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    if not REPORT.is_file():
        raise SystemExit(f"{REPORT} isn't there. Run `make demo` first.")
    print(write_report_picture())
