"""Which Chromium this machine has, and how it is started without a window.

The headless shell is the same engine without the whole browser's own pages, and a third quicker; that each
site and each sandboxed frame is a process of its own has to be asked of it.
"""

import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
PATH = next(filter(None, map(shutil.which, NAMES)), None)
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--site-per-process",
]
