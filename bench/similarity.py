"""Near-duplicates: copies found among look-alikes, beside PHash and DHash; time and memory up to a million.

python bench similarity
"""

import argparse
import io
import json
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from photographs import VARIANTS, draw, other_subject, other_view, scene
from PIL import Image
from real_photographs import HELD_OUT as HELD_OUT_PHOTOGRAPHS
from real_photographs import NAMES, photographs, with_subject
from report import Report, Table, Target, spread
from rounds import Clock, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

SCENES = 150
HELD_OUT = 90_000  # seed of the first scene: others, of 0, 5,000, 60,000 and 80,000 on, were looked at
POOL = 1_500  # drawn pictures from whose parts the million is put together
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 3
DISTANCE = 3  # the request's default
PRECISION = 0.99
_FIRST_SIGNS, _OTHER_SIGNS, _PLACE = (
    np.uint64(((1 << bits) - 1) << shift) for bits, shift in ((20, 44), (20, 24), (24, 0))
)
QUERIES = 1_000  # of a million, from which comparing all with all is extrapolated


def phash(image: Image.Image) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """PHash as in imagededup: the lowest 8 x 8 frequencies of 32 x 32 greys against their median."""
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), float)
    ticks = (np.arange(32) + 0.5) * np.pi / 32
    waves = np.cos(np.arange(8)[:, None] * ticks)
    strengths = (waves @ grey @ waves.T).ravel()
    return strengths >= np.median(strengths[1:])


def dhash(image: Image.Image) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """DHash: whether each of 8 x 8 greys is lighter than its left neighbour."""
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.LANCZOS), int)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def drawn() -> dict[str, list[tuple[tuple[int, str], Image.Image]]]:
    """By kind: pictures with the identity that only true copies share."""
    pictures: dict[str, list[tuple[tuple[int, str], Image.Image]]] = {"original": [], "look-alike": []}
    for number in range(HELD_OUT, HELD_OUT + SCENES):
        what = scene(number)
        original = draw(what)
        random = Random(number)
        pictures["original"].append(((number, ""), original))
        for kind, variant in VARIANTS.items():
            pictures.setdefault(kind, []).append(((number, ""), variant(original, random)))
        pictures["look-alike"].append(((number, "subject"), draw(other_subject(what, number + 10**6))))
        pictures["look-alike"].append(((number, "view"), draw(other_view(what, number + 10**6))))
    return pictures


def photographed(names: list[str]) -> dict[str, list[tuple[tuple[int, str], Image.Image]]]:
    """Likewise of real photographs, as far as they are at hand."""
    pictures: dict[str, list[tuple[tuple[int, str], Image.Image]]] = {"original": [], "look-alike": []}
    before = None
    for number, (name, original) in enumerate(photographs(names)):  # files of two packages may have one name
        pictures["original"].append(((number, ""), original))
        for kind, variant in VARIANTS.items():
            pictures.setdefault(kind, []).append(((number, ""), variant(original, Random(name))))
        for subject in ("one", "other"):
            random = Random(f"{name} {subject}")
            look_alike = with_subject(original, before or original, random)
            if look_alike:
                pictures["look-alike"].append(((number, subject), look_alike))
        before = original
    return pictures


def scores(same: "np.ndarray[Any, Any]", said: "np.ndarray[Any, Any]") -> tuple[float, float]:
    """Precision and recall over all pairs. same, said: whether each pair is one, and is said to be one."""
    upper = np.triu_indices(len(same), 1)
    same, said = same[upper], said[upper]
    hits = int((same & said).sum())
    return (hits / max(1, int(said.sum())) if said.any() else 1.0), hits / int(same.sum())


def best_of_hash(hashes: "np.ndarray[Any, Any]", same: "np.ndarray[Any, Any]") -> tuple[float, float]:
    """Precision and recall at the distance with the best recall whose precision is PRECISION at least."""
    distance = (hashes[:, None] != hashes[None]).sum(axis=2)
    found = [scores(same, distance <= most) for most in range(33)]
    return max(((p, r) for p, r in found if p >= PRECISION), key=lambda pair: pair[1], default=(1.0, 0.0))


def ours(texts: list[str], same: "np.ndarray[Any, Any]") -> tuple[float, float]:
    """Of the groups that SplitDataset keeps together: links closed transitively."""
    from truthmill.grouping import union
    from truthmill.similarity import pack
    from truthmill.similarity_search import near_duplicates

    groups = union(len(texts), near_duplicates(pack(texts), DISTANCE).links)
    return scores(same, groups[:, None] == groups[None])


def _hashes(items: list[Any], same: "np.ndarray[Any, Any]") -> list[tuple[float, float]]:
    """Of PHash and DHash. items: what was made of each picture, behind its identity."""
    return [best_of_hash(np.array([made[name] for _, made in items]), same) for name in ("PHash", "DHash")]


def quality(pictures: dict[str, Any], which: str, about: str) -> tuple[Table, list[Target]]:
    """which: the pictures' kind, for the targets; about: them, for the table."""
    from truthmill.similarity import fingerprint

    known: dict[str, list[Any]] = {}
    makers: dict[str, Callable[[Image.Image], Any]] = {"ours": fingerprint, "PHash": phash, "DHash": dhash}
    for kind, items in pictures.items():
        known[kind] = [
            (identity, {name: make(image) for name, make in makers.items()}) for identity, image in items
        ]
    rows, ahead, precise, mix = [], True, 1.0, 0.0
    for kind in VARIANTS:
        items = known["original"] + known[kind] + known["look-alike"]
        same = np.array([[one == other for other, _ in items] for one, _ in items])
        precision, recall = ours([made["ours"] for _, made in items], same)
        hashes = _hashes(items, same)
        best = max(found for _, found in hashes)
        ahead &= recall > best or recall == 1.0
        precise = min(precise, precision)
        mix = recall if kind == "mix" else mix
        alone = len(items) - len(known["look-alike"])
        hashes += _hashes(items[:alone], same[:alone, :alone])
        rows.append(
            [kind, f"{recall:.2f}", f"{precision:.3f}", *(f"{found:.2f} ({p:.3f})" for p, found in hashes)]
        )
    table = Table(
        f"{about} Recall and precision at nearDuplicates "
        f"{DISTANCE} after transitive closure; of the hashes the recall at the distance that suits each row "
        f"best while precision is {PRECISION} or more (precision in brackets), and the same where there are "
        "no look-alikes.",
        ["kind of copy", "recall", "precision", "PHash", "DHash", "PHash, without", "DHash, without"],
        rows,
    )
    return table, [
        Target(
            f"near-duplicates, {which}: recall, each kind of copy",
            "PHash, DHash",
            "above both",
            "see table",
            ahead,
        ),
        Target(
            f"near-duplicates, {which}: least precision of a kind",
            "",
            f"≥ {PRECISION}",
            f"{precise:.3f}",
            precise >= PRECISION,
        ),
        Target(f"near-duplicates, {which}: recall of the mix", "", "≥ 0.5", f"{mix:.2f}", mix >= 0.5),
    ]


def rate_round(_: int) -> dict[str, float]:
    """CPU seconds of a fingerprint, decoding left out and included, of JPEG pictures of 640 x 480."""
    from truthmill.similarity import fingerprint

    files = []
    for number in range(40):
        file = io.BytesIO()
        draw(scene(number)).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    images = [Image.open(io.BytesIO(content)).convert("RGB") for content in files]
    fingerprint(images[0])
    clock = Clock()
    for image in images * 5:
        fingerprint(image)
    alone = clock.read()["cpu_s"] / 200
    clock = Clock()
    for content in files * 5:
        fingerprint(Image.open(io.BytesIO(content)).convert("RGB"))
    return {"fingerprint_s": alone, "with_decode_s": clock.read()["cpu_s"] / 200}


def rows_of(count: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Fingerprints put together from parts of drawn pictures' ones; a twentieth are slightly changed copies.

    A mark gets half of its signs from one, half from another, its place and direction from a third:
    there are far more different marks in a million pictures than in those that are drawn, yet
    some are as common. Likewise the cells are those of three pictures seen through each other, each some
    way round.
    """
    from truthmill.marks import MARKS
    from truthmill.similarity import LENGTH, LOW_BITS_AT, MARKS_AT, fingerprint, pack

    pool = pack(fingerprint(draw(scene(10**6 + number), (160, 120))) for number in range(min(POOL, count)))
    pool = pool[pool[:, 1] > 0]
    numbers = np.random.default_rng(count)
    different = count - count // 20
    rows = np.empty((count, LENGTH), dtype=np.uint8)
    for part in (slice(MARKS_AT), slice(LOW_BITS_AT, LENGTH)):
        rows[:different, part] = pool[numbers.integers(0, len(pool), different), part]
    for start in range(0, different, 10_000):
        block = rows[start : min(start + 10_000, different)]
        block[:, 2:130] = blended(pool[:, 2:130], len(block), numbers)
    marks = np.ascontiguousarray(pool[:, MARKS_AT:LOW_BITS_AT]).view(">u8").astype(np.uint64)
    column = 0
    for most in MARKS:
        there = marks[:, column : column + most]
        there = there[there > 0]
        signs, more, places = there[numbers.integers(0, len(there), (3, different, most))]
        mixed = (signs & _FIRST_SIGNS | more & _OTHER_SIGNS | places & _PLACE).astype(">u8")
        rows[:different, MARKS_AT + 8 * column : MARKS_AT + 8 * (column + most)] = mixed.view(np.uint8)
        column += most
    rows[different:] = rows[numbers.integers(0, different, count - different)]
    changed = np.ascontiguousarray(rows[different:, MARKS_AT:LOW_BITS_AT]).view(">u8").astype(np.uint64)
    flips = np.uint64(1) << numbers.integers(24, 64, changed.shape).astype(np.uint64)
    changed = np.where(numbers.random(changed.shape) < 0.5, changed ^ flips, changed)
    rows[different:, MARKS_AT:LOW_BITS_AT] = changed.astype(">u8").view(np.uint8)
    rows[different:, 5] ^= 1
    return rows


def blended(
    cells: "np.ndarray[Any, np.dtype[np.uint8]]", count: int, numbers: np.random.Generator
) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """So many times the mean of three pictures' cells, packed; of two, many would be the same two."""
    steps = np.stack([cells >> 4, cells & 15], axis=2).reshape(-1, 16, 16)
    ways = [np.rot90(side, turn, axes=(1, 2)) for side in (steps, steps[:, ::-1]) for turn in range(4)]
    turned = np.concatenate(ways)
    parts = turned[numbers.integers(0, len(turned), (3, count))].astype(np.uint16)
    mean = ((parts.sum(axis=0) + 1) // 3).astype(np.uint8).reshape(count, 128, 2)
    return mean[:, :, 0] << 4 | mean[:, :, 1]


def search_round(count: int) -> dict[str, float]:
    """Near-duplicates and split of so many pictures; and comparing hashes all with all, extrapolated."""
    from truthmill.grouping import union
    from truthmill.similarity_search import near_duplicates
    from truthmill.split import assign

    rows = rows_of(count)
    digests = np.random.default_rng(1).integers(0, 256, (count, 32), dtype=np.uint8)
    clock = Clock()
    pairs = near_duplicates(rows, DISTANCE)
    outcome = assign(union(count, pairs.links), digests, {"validation": 0.2}, "bench")
    taken = clock.read()
    hashes = np.random.default_rng(2).integers(0, 2**64, count, dtype=np.uint64)
    queries = hashes[: min(count, QUERIES)]
    clock = Clock()
    for query in queries:
        np.flatnonzero(np.bitwise_count(hashes ^ query) <= 10)
    brute_s = clock.read()["cpu_s"] / len(queries) * count
    found = pairs.links.shape[1] / (count // 20)
    return {**taken, "brute_s": brute_s, "found": found, "off": outcome.off_by["validation"]}


def run() -> Report:
    table, targets = quality(
        drawn(),
        "drawn",
        f"{SCENES} scenes, none of which was looked at while thresholds were chosen, one copy and two "
        "look-alikes each (another subject before the same background, another view of the same kind), all "
        "pairs counted.",
    )
    tables = [table]
    for names, which, about in (
        (NAMES, "photographs", "Thresholds were chosen with an eye on them."),
        (HELD_OUT_PHOTOGRAPHS, "held-out photographs", "No threshold was chosen by them."),
    ):
        real = photographed(names)
        if real["original"]:
            table, more = quality(
                real,
                which,
                f"{len(real['original'])} real photographs and tiles of some (bench/real_photographs.py), "
                "one copy and up to two look-alikes each (the same place with something else in it, an oval "
                f"out of another photograph), all pairs counted. {about}",
            )
            tables, targets = [*tables, table], [*targets, *more]
    rates = [fresh(__file__, "rate", number) for number in range(ROUNDS)]
    found = {count: fresh(__file__, "search", count) for count in SIZES}
    most = found[SIZES[-1]]
    alone = [1 / rate["fingerprint_s"] for rate in rates]
    ratio = most["brute_s"] / most["cpu_s"]
    scale = Table(
        "Near-duplicates and split together, by number of pictures, a twentieth of them copies. The last "
        "column is what it takes to compare 64-bit hashes all with all, each with every other as "
        f"imagededup's brute force does, by NumPy's popcount; extrapolated from {QUERIES:,} of them. CPU "
        "seconds on one core. The pictures are put together from parts of drawn ones' fingerprints.",
        ["pictures", "CPU s", "MiB at most", "copies found", "all with all, CPU s"],
        [
            [
                f"{count:,}",
                f"{one['cpu_s']:.1f}",
                f"{one['mib']:.0f}",
                f"{one['found']:.3f}",
                f"{one['brute_s']:.1f}",
            ]
            for count, one in found.items()
        ],
    )
    speed = Table(
        "Fingerprints a second on one core, pictures of 640 x 480.",
        ["decoding left out", "from a JPEG file"],
        [[spread(alone, 0), spread((1 / rate["with_decode_s"] for rate in rates), 0)]],
    )
    return Report(
        "similarity",
        "Near-duplicates",
        "Pictures are drawn by bench/photographs.py or real; PHash and DHash are written after imagededup's.",
        ROUNDS,
        [*tables, speed, scale],
        [
            *targets,
            Target("fingerprints a second on a core", "", "≥ 250", spread(alone, 0), min(alone) >= 250),
            Target(
                "near-duplicates and split of 10⁶ pictures: time",
                "",
                "≤ 60 s",
                f"{most['cpu_s']:.0f} s",
                most["cpu_s"] <= 60,
            ),
            Target(
                "near-duplicates and split of 10⁶ pictures: memory",
                "",
                "≤ 2 GiB",
                f"{most['mib']:.0f} MiB",
                most["mib"] <= 2048,
            ),
            Target(
                "near-duplicates and split of 10⁶ pictures",
                "all with all, extrapolated",
                "≥ 20 x",
                f"{ratio:.0f} x",
                ratio >= 20,
            ),
        ],
        {"near_duplicates_s_1e6": most["cpu_s"], "near_duplicates_mib_1e6": most["mib"]},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--round", action="store_true")
    parser.add_argument("what", choices=("rate", "search"))
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    print(json.dumps((rate_round if asked.what == "rate" else search_round)(asked.count)))
