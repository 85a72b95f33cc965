"""Conversions, labels only, beside the tools that one would use instead; and how they grow with the pictures.

python bench channels
"""

import shutil
import tempfile
from pathlib import Path

from conversions import (
    BOXES,
    COLUMNS,
    LIMIT_S,
    PICTURES,
    TENTH,
    WHOLE_LIMIT_S,
    Comparison,
    in_memory,
    ours,
    write_coco,
)
from report import Report, Table, Target

FROM_COCO = ("yolo", "pascal-voc", "coco", "augmented-manifest")
FROM_OTHERS = (("yolo", "coco"), ("yolo", "pascal-voc"), ("pascal-voc", "coco"), ("pascal-voc", "yolo"))
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
ABOUT = (
    f"Labels only, {BOXES} boxes a picture, {PICTURES:,} pictures. Each is a process of its own, measured "
    "from its start to its end with all that it imports: `truthmill convert`, and for a peer the script that "
    "its documentation shows (bench/peers.py), which writes the labels and no pictures either. The target is "
    "about elapsed time. Peers use one core (globox has threads, which take turns); ours uses a second one: "
    "a process decodes a part of COCO's annotations, or reads a part of YOLO's and Pascal VOC's files, "
    "another one makes such files while the next labels are converted, and CPU seconds are those of all. "
    "Everything lies on a file system in memory, where there is one: on ext4 one and the same loop that "
    "makes 100,000 files took 2.8 s of CPU, and 37 to 45 s where as many files had been deleted within the "
    "minute before, since it goes through the inodes that were freed lately one by one. YOLO's and Pascal "
    "VOC's files are those that `truthmill convert` made of the COCO document. Every peer converts a tenth "
    f"of the pictures, and is stopped after {LIMIT_S:.0f} s; all of them too, for at most "
    f"{WHOLE_LIMIT_S:.0f} s, where ten times that is less than what another peer took. No peer writes Ground "
    "Truth's manifests. What remains, COCO to YOLO, in CPU seconds of each stage by hand: the start and the "
    "list of files 0.4, decoding by msgspec 0.5 and boxes into columns 0.4 (both by two processes), looking "
    "for boxes that aren't sound 0.15, the lines' text 0.25, and some 1.0 picture by picture (paths, names, "
    "splits, counts, what is handed over); the files themselves 1.1 in the other process, by three calls of "
    "the system each (open, write, close), where the bare loop beside it takes 1.4: little more than half of "
    "the elapsed time is that floor. JSON comes out of msgspec's encoder, which is a seventh of COCO to COCO."
)


def run() -> Report:
    with tempfile.TemporaryDirectory(dir=in_memory()) as name:
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
        [comparison.table("By a bare loop: as many files of the same lengths, and nothing else."), growth],
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
        source, grown = write_coco(folder / f"growth-{count}", count), folder / f"grown-{count}"
        found = ours("coco", source, grown)
        for each in (source, grown):
            shutil.rmtree(each)
        most_mib = max(most_mib, found.mib)
        rows.append([f"{count:,}", f"{count * BOXES:,}", *found.cells()])
    caption = "COCO to COCO by number of pictures; it holds the names of all pictures and a document's boxes."
    return Table(caption, ["pictures", "boxes", *COLUMNS], rows), most_mib
