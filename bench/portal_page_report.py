"""What was measured of a page, as figures, tables and targets."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from report import Report, Table, Target

Measured = dict[str, Any]  # what portal_page.measured answers
Figures = Mapping[str, float]

WORKER = (
    "A scripted worker in Chromium without a window, painting in software, 1280 x 800. An action is a key, a "
    "press, a release after a drag, or a click; the key that sends a picture's answer is counted too. 30 "
    "boxes, five on each of six pictures of 12 megapixels, label by label; their milliseconds are what the "
    "page needs for input as fast as it takes it, not a person's. The next picture's time runs from the key "
    "to the first frame on the screen that shows it, the first one's from opening the job's address, signed "
    "in and with nothing kept, in a window that has been there for a second. Frames are "
    "requestAnimationFrame's, with 200 boxes on a picture of 100 megapixels."
)
ROWS: list[tuple[str, str, int, Callable[[Measured], list[float]]]] = [
    ("actions", "actions a box", 2, lambda found: [one["actions"] for one in found["drawn"]]),
    ("box_ms", "a box, ms", 0, lambda found: [1000 * one["seconds"] for one in found["drawn"]]),
    (
        "off_px",
        "the edge that is farthest off, pixels",
        0,
        lambda found: [one["off_px"] for one in found["drawn"]],
    ),
    ("next_ms", "the next picture, ms", 0, lambda found: found["next_ms"]),
    ("first_s", "the first picture, s", 2, lambda found: found["first_s"]),
    ("sent_kb", "its own files as sent, kB", 1, lambda found: [found["weight"]["sent_kb"]]),
    ("gzip_kb", "its own files gzipped, kB", 1, lambda found: [found["weight"]["gzip_kb"]]),
]
FRAMES = ("drawing a box", "moving a box", "zooming", "panning")


def figures(measured: Measured) -> dict[str, float]:
    """Median, least and greatest of each row; of each gesture frames a second and the longest wait."""
    found: dict[str, float] = {}
    for key, _, digits, read in ROWS:
        numbers = read(measured)
        named = {"": median(numbers), "_least": min(numbers), "_most": max(numbers)}
        found |= {key + end: round(number, digits + 1) for end, number in named.items()}
    for gesture, frames in measured["fluid"].items():
        found[f"fps, {gesture}"] = round(frames["fps"], 1)
        found[f"longest_ms, {gesture}"] = round(frames["longest_ms"], 1)
    return found


def alone(own: Figures, tool: str) -> list[Table]:
    """Of one tool."""
    rows = [[what, _cell(own, key, digits)] for key, what, digits, _ in ROWS]
    frames = [[f"frames a second, {gesture}", _frames(own, gesture)] for gesture in FRAMES]
    caption = "Median (least to greatest); of frames, in brackets the longest wait for one, ms."
    return [Table(caption, ["what", tool], rows + frames)]


def report(own: Figures, theirs: Figures, extreme: float, rounds: int) -> Report:
    """Ours beside Label Studio's. extreme: actions a box by four extreme points."""
    rows = [
        [what, _cell(own, key, digits), _cell(theirs, key, digits), _ratio(own[key], theirs[key])]
        for key, what, digits, _ in ROWS
    ]
    frames = [[gesture, _frames(own, gesture), _frames(theirs, gesture)] for gesture in FRAMES]
    return Report(
        name="portal_page",
        title="The portal's page",
        about=(
            f"{WORKER} Ours runs on the deployed local stack. Label Studio is used as it comes, with its own "
            "server (`make bench ONLY=label_studio_page`, above, says when); with its setting that keeps the "
            f"label chosen it takes {theirs['actions_kept']:.2f} actions a box. Ours by four extreme "
            f"points takes {extreme:.2f}: four clicks, and a key where the label is another one."
        ),
        rounds=rounds,
        tables=[
            Table(
                "Median (least to greatest); ratios are of the medians.",
                ["what", "Truthmill", "Label Studio", "ratio"],
                rows,
            ),
            Table(
                "Frames a second; in brackets the longest wait for one, ms.",
                ["while", "Truthmill", "Label Studio"],
                frames,
            ),
        ],
        targets=targets(own, theirs),
        figures=dict(own),
    )


def targets(own: Figures, theirs: Figures) -> list[Target]:
    """Each at its worst, but the first picture at its median."""

    def most(what: str, key: str, unit: str, wanted: float, digits: int) -> Target:
        shown, against = f"{own[key]:.{digits}f}{unit}", f"Label Studio {theirs[key]:.{digits}f}{unit}"
        return Target(what, against, f"≤ {wanted:g}{unit}", shown, own[key] <= wanted)

    slowest, theirs_slowest = (min(side[f"fps, {gesture}"] for gesture in FRAMES) for side in (own, theirs))
    return [
        most("Pointer and key actions a box", "actions_most", "", 3, 2),
        most("Drawn boxes in the output: the edge farthest off", "off_px_most", " pixels", 0, 0),
        most("The next picture of 12 megapixels, worst", "next_ms_most", " ms", 100, 0),
        most("The first picture of a job", "first_s", " s", 1, 2),
        most("The page's own files, compressed", "sent_kb", " kB", 60, 1),
        Target(
            "200 boxes on 100 megapixels, frames a second of the slowest gesture",
            f"Label Studio {theirs_slowest:.0f}",
            "≥ 30",
            f"{slowest:.0f}",
            slowest >= 30,
        ),
    ]


def _cell(side: Figures, key: str, digits: int) -> str:
    middle, least, most = (f"{side[key + end]:.{digits}f}" for end in ("", "_least", "_most"))
    return middle if least == most else f"{middle} ({least} to {most})"


def _frames(side: Figures, gesture: str) -> str:
    return f"{side[f'fps, {gesture}']:.0f} ({side[f'longest_ms, {gesture}']:.0f})"


def _ratio(own: float, theirs: float) -> str:
    return f"{own / theirs:.3g}" if theirs else "-"
