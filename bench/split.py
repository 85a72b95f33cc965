"""The split alone: time, memory and exactness from a thousand to a million pictures, in groups of all sizes.

python bench split
"""

import argparse
import json

import numpy as np
from report import Report, Table, Target, spread
from rounds import Clock, fresh

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 3
KINDS = {
    "alone": "each picture alone",
    "mixed": "groups of a few, some large",
    "sevens": "groups of 7 and 11",
}


def group_sizes(kind: str, pictures: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Sizes of groups with so many pictures in all, or a little less."""
    numbers = np.random.default_rng(pictures)
    if kind == "alone":
        return np.ones(pictures, dtype=np.int64)
    if kind == "sevens":
        return numbers.choice([7, 11], pictures // 9)
    sizes = np.minimum(numbers.zipf(1.8, pictures), max(2, pictures // 20))
    return sizes[: max(2, int(np.searchsorted(np.cumsum(sizes), pictures)))]


def one_round(kind: str, pictures: int) -> dict[str, float]:
    from truthmill.split import assign

    sizes = group_sizes(kind, pictures)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    digests = np.random.default_rng(1).integers(0, 256, (len(groups), 32), dtype=np.uint8)
    clock = Clock()
    outcome = assign(groups, digests, {"validation": 0.2, "test": 0.1}, "bench")
    return {
        **clock.read(),
        "off": sum(map(abs, outcome.off_by.values())),
        "groups": len(sizes),
        "pictures": len(groups),
    }


def run() -> Report:
    rows = []
    worst_s, worst_mib, worst_off = 0.0, 0.0, 0.0
    for kind, words in KINDS.items():
        for count in SIZES:
            found = [fresh(__file__, kind, count) for _ in range(ROUNDS)]
            worst_s = max(worst_s, *(one["cpu_s"] for one in found))
            worst_mib = max(worst_mib, *(one["mib"] for one in found))
            worst_off = max(worst_off, found[0]["off"])
            rows.append(
                [
                    words,
                    f"{found[0]['pictures']:,}",
                    f"{found[0]['groups']:,}",
                    spread(one["cpu_s"] for one in found),
                    spread((one["mib"] for one in found), 0),
                    f"{found[0]['off']:.0f}",
                ]
            )
    return Report(
        "split",
        "The split",
        "Train, a fifth for validation, a tenth for test, by whole groups; "
        "each round in a process of its own.",
        ROUNDS,
        [
            Table(
                "By kind and number of groups.",
                ["groups", "pictures", "number of groups", "CPU s", "MiB at most", "pictures off"],
                rows,
            )
        ],
        [
            Target(
                "split of 10⁶ pictures: CPU, memory, pictures off",
                "",
                "≤ 10 s, ≤ 1 GiB, 0",
                f"{worst_s:.1f} s, {worst_mib:.0f} MiB, {worst_off:.0f}",
                worst_s <= 10 and worst_mib <= 1024 and not worst_off,
            )
        ],
        {"split_alone_s_1e6": worst_s},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--round", action="store_true")
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("pictures", type=int)
    asked = parser.parse_args()
    print(json.dumps(one_round(asked.kind, asked.pictures)))
