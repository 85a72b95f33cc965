"""Conversions of COCO, labels only, beside the tools that one would use instead.

python bench channels
"""

import tempfile
from pathlib import Path

from conversions import BOXES, PICTURES, TENTH, Comparison, write_coco
from report import Report

TARGETS = ("yolo", "pascal-voc", "coco", "augmented-manifest")
ABOUT = (
    f"Labels only, {BOXES} boxes a picture, {PICTURES:,} pictures. Each is a process of its own, measured "
    "from its start to its end with all that it imports: `truthmill convert`, and for a peer the script that "
    "its documentation shows (bench/peers.py). A peer that takes more than 12 s for a tenth of the pictures "
    "is taken as ten times that. "
)


def run() -> Report:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, tenth = (write_coco(folder / str(pictures), pictures) for pictures in (PICTURES, TENTH))
        comparison = Comparison(folder)
        for to in TARGETS:
            comparison.add("coco", to, source, tenth)
    return Report(
        "channels",
        "Conversions from COCO",
        ABOUT + "No peer writes Ground Truth's manifests.",
        1,
        [comparison.table("Its files alone: as many of the same lengths, by a bare loop.")],
        [comparison.target("conversions from COCO, 10⁵ pictures, 10⁶ boxes")],
    )
