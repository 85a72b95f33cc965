"""Conversions, labels only, beside the tools that one would use instead; and how they grow with the pictures.

python bench channels
"""

import tempfile
from pathlib import Path

from conversions import BOXES, COLUMNS, LIMIT_S, PICTURES, TENTH, Comparison, ours, write_coco
from report import Report, Table, Target

FROM_COCO = ("yolo", "pascal-voc", "coco", "augmented-manifest")
FROM_OTHERS = (("yolo", "coco"), ("yolo", "pascal-voc"), ("pascal-voc", "coco"), ("pascal-voc", "yolo"))
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
ABOUT = (
    f"Labels only, {BOXES} boxes a picture, {PICTURES:,} pictures. Each is a process of its own, measured "
    "from its start to its end with all that it imports: `truthmill convert`, and for a peer the script that "
    "its documentation shows (bench/peers.py). YOLO's and Pascal VOC's files are those that `truthmill "
    "convert` made of the COCO document. A peer that takes more than 12 s for a tenth of the pictures "
    f"is taken as ten times that; it is stopped after {LIMIT_S:.0f} s. No peer writes Ground Truth's "
    "manifests."
)


def run() -> Report:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coco = {count: write_coco(folder / f"coco-{count}", count) for count in (PICTURES, TENTH)}
        comparison = Comparison(folder)
        for to in FROM_COCO:
            comparison.add("coco", to, coco[PICTURES], coco[TENTH])
        for source_format, to in FROM_OTHERS:
            made = {count: folder / f"{source_format}-{count}" for count in coco}
            for count, source in coco.items():
                if not made[count].exists():
                    ours(source_format, source, made[count], with_pictures=True)
            comparison.add(source_format, to, made[PICTURES], made[TENTH])
        growth, most_mib = _growth(folder)
    return Report(
        "channels",
        "Conversions",
        ABOUT,
        1,
        [comparison.table("Its files alone: as many of the same lengths, by a bare loop."), growth],
        [
            comparison.target("conversions, 10⁵ pictures, 10⁶ boxes"),
            Target(
                "COCO to COCO, 10⁶ pictures, 10⁷ boxes: peak memory",
                "",
                "≤ 500 MiB",
                f"{most_mib:.0f} MiB",
                most_mib <= 500,
            ),
        ],
    )


def _growth(folder: Path) -> tuple[Table, float]:
    """COCO to COCO of ever more pictures, which holds the most; and its greatest memory, MiB."""
    rows, most_mib = [], 0.0
    for count in COUNTS:
        source = write_coco(folder / f"growth-{count}", count)
        found = ours("coco", source, folder / f"grown-{count}")
        most_mib = max(most_mib, found.mib)
        rows.append([f"{count:,}", f"{count * BOXES:,}", *found.cells()])
    caption = "COCO to COCO by number of pictures; it holds the names of all pictures and a document's boxes."
    return Table(caption, ["pictures", "boxes", *COLUMNS], rows), most_mib
