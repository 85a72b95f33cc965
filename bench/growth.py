"""How time and memory grow from a thousand pictures to a million: Prepare's plan, SplitDataset's decision.

    python bench/growth.py [largest, as a power of ten]

Each is a process of its own against a store on the disk (bench/disk_store.py). Prepare reads a real archive
of so many entries; SplitDataset reads synthetic inspections, whose fingerprints are random, a tenth of them
near another one and one in twenty an exact duplicate.
"""

import base64
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from archive_directory import write_archive
from disk_store import DiskStore
from report import Report, Table, Target
from stages import SOURCE, Pipeline, Step

POWERS = (3, 4, 5, 6)
BATCH = 400
WANTED_S, WANTED_MIB = 60, 2048
PREPARE_MIB = 512


def fingerprints(count: int, seed: int) -> Iterator[bytes]:
    """Rows as `truthmill.similarity` packs them, with as many marks as there may be."""
    from truthmill.marks import MARKS
    from truthmill.similarity import CELLS, LENGTH, LOW_BITS_AT, MARKS_AT

    dice = random.Random(seed)
    levels = [level for level, most in enumerate(MARKS, start=1) for _ in range(most)]
    row = b""
    for number in range(count):
        if number % 10 == 9:
            near = bytearray(row)
            near[2 + dice.randrange(CELLS * CELLS // 2)] ^= 0x10
            row = bytes(near)
        else:
            marks = b"".join(((dice.getrandbits(59) << 5) | level).to_bytes(8, "big") for level in levels)
            row = b"\x00\xff" + dice.randbytes(MARKS_AT - 2) + marks + dice.randbytes(LENGTH - LOW_BITS_AT)
        yield row


def inspections(count: int) -> Iterator[bytes]:
    """Lines of inspected/*.jsonl."""
    from truthmill.records import Entry, Inspection, to_lines

    def records() -> Iterator[Inspection]:
        digest = ""
        for number, row in enumerate(fingerprints(count, 1)):
            if number % 20 != 19:
                digest = sha256(b"%d" % number).hexdigest()
            name = f"frames/camera-{number % 16:02d}/2024-06-01/IMG_{number:08d}.jpg"
            yield Inspection(
                entry=Entry(name=name, offset=number * 200_100, compressed=200_000, size=200_000, crc=number),
                sha256=digest,
                pixels=digest[:32],
                fingerprint=base64.b64encode(row).decode(),
                width=1920,
                height=1080,
                format="jpeg",
                taken="2024-06-01T12:00:00",
            )

    return to_lines(records())


def write_inspections(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = None
    for number, line in enumerate(inspections(count)):
        if number % BATCH == 0:
            if target:
                target.close()
            target = (folder / f"{number // BATCH:06d}.jsonl").open("wb")
        assert target is not None  # noqa: S101 - opened in the first turn
        target.write(line)
    if target:
        target.close()


def measured(count: int) -> tuple[Step, Step]:
    """Prepare and SplitDataset of so many pictures."""
    with tempfile.TemporaryDirectory() as folder, DiskStore(Path(folder, "bucket")) as store:
        source = store.folder / SOURCE
        source.parent.mkdir(parents=True)
        write_archive(source, count)
        pipeline = Pipeline(store, {"onDegenerate": "continue"})
        prepare = pipeline.prepare()
        at = store.folder / "datasets" / "bench" / "runs" / pipeline.prepared["run"]["run"]
        write_inspections(at / "inspected", count)
        os.sync()
        return prepare, pipeline.step("split_dataset")


def run(rounds: int = 1, largest: int = POWERS[-1]) -> Report:
    """rounds: one; the steps between sizes say more than a second look at one of them."""
    del rounds
    found = {10**power: measured(10**power) for power in POWERS if power <= largest}
    rows = [
        [
            f"{count:,}",
            *(
                f"{number:.{digits}f}"
                for number, digits in ((prepare.s, 2), (prepare.cpu_s, 2), (prepare.mib, 0))
            ),
            *(f"{number:.{digits}f}" for number, digits in ((split.s, 2), (split.cpu_s, 2), (split.mib, 0))),
        ]
        for count, (prepare, split) in found.items()
    ]
    most = max(found)
    prepare, split = found[most]
    columns = ["pictures", "Prepare, s", "CPU, s", "peak, MiB", "SplitDataset, s", "CPU, s", "peak, MiB"]
    return Report(
        name="growth",
        title="Growth: a thousand to a million pictures",
        about=(
            "Handlers in processes of their own, one run each, against a store on the disk. SplitDataset is "
            "all of it: reading the inspections, near-duplicates, the split, and writing manifests, ledger, "
            "rejects and the plan for placing. Its inspections are synthetic (random fingerprints, a tenth "
            "near another, one in twenty an exact duplicate)."
        ),
        rounds=1,
        tables=[Table("One process each:", columns, rows)],
        targets=[
            Target(
                f"Prepare of {most:,} entries, peak memory",
                "",
                f"≤ {PREPARE_MIB} MiB",
                f"{prepare.mib:.0f} MiB",
                prepare.mib <= PREPARE_MIB,
            ),
            Target(
                f"SplitDataset of {most:,} pictures, peak memory, near-duplicates included",
                "",
                f"≤ {WANTED_MIB} MiB",
                f"{split.mib:.0f} MiB",
                split.mib <= WANTED_MIB,
            ),
        ],
        figures={
            "pictures": most,
            "prepare_s": prepare.s,
            "prepare_cpu_s": prepare.cpu_s,
            "prepare_mib": prepare.mib,
            "split_s": split.s,
            "split_cpu_s": split.cpu_s,
            "split_mib": split.mib,
        },
    )


if __name__ == "__main__":
    run(1, *(int(argument) for argument in sys.argv[1:])).show()
