"""What ten and a hundred million pictures take, from what was measured and what AWS documents.

    python bench/scale.py

Every number is a measurement (bench/results), a quota or a price with its source, or follows from these by
the arithmetic below. Nothing of it was run at that size.
"""

import math
from dataclasses import dataclass

from report import Table, kept

COUNTS = (1_000_000, 10_000_000, 100_000_000)
KILOBYTES = 200  # of a picture; batches are cut by count below 240 kB, by bytes above


@dataclass(frozen=True, slots=True)
class Fact:
    """A price or a quota. source: where AWS says so."""

    value: float
    what: str
    source: str


S3_GUIDE = "S3 user guide, Optimizing performance"
PRICE = "us-east-1, looked up 2026-11 in quotations of the page"
FACTS = {
    "put_usd": Fact(0.005 / 1000, "a PUT, POST or LIST, USD", f"aws.amazon.com/s3/pricing; {PRICE}"),
    "get_usd": Fact(0.0004 / 1000, "a GET or HEAD, USD", f"aws.amazon.com/s3/pricing; {PRICE}"),
    "lambda_gib_s_usd": Fact(
        0.0000133334, "a GB-second on arm64, USD", f"aws.amazon.com/lambda/pricing; {PRICE}"
    ),
    "lambda_call_usd": Fact(0.20 / 1e6, "an invocation, USD", f"aws.amazon.com/lambda/pricing; {PRICE}"),
    "transition_usd": Fact(
        0.025 / 1000, "a state transition, USD", f"aws.amazon.com/step-functions/pricing; {PRICE}"
    ),
    "puts_s": Fact(3500, "PUTs a second on a partitioned prefix", S3_GUIDE),
    "gets_s": Fact(5500, "GETs a second on a partitioned prefix", S3_GUIDE),
    "put_s": Fact(0.1, "seconds of a small request to S3, the guide's 100 to 200 ms", S3_GUIDE),
    "read_s": Fact(1 / 85e6, "seconds a byte of one ranged GET, the guide's 85 to 90 MB/s", S3_GUIDE),
    "concurrency": Fact(1000, "functions at the same time, by default", "Lambda developer guide, Quotas"),
    "children": Fact(
        10_000, "children of a Distributed Map at the same time", "Step Functions guide, Distributed mode"
    ),
    "events": Fact(25_000, "history events of an execution", "Step Functions guide, Quotas"),
    "payload": Fact(256 * 1024, "bytes between states", "Step Functions guide, Quotas"),
    "timeout_s": Fact(900, "seconds of an invocation", "Lambda developer guide, Quotas"),
    "memory_mib": Fact(10_240, "MiB of a function", "Lambda developer guide, Quotas"),
    "job_objects": Fact(100_000, "objects of a labeling job", "Ground Truth guide, Quotas"),
}
FUNCTION_MIB = 1769  # template.yaml: one whole processor
SPLIT_MIB = 3008  # template.yaml: SplitDataset
CONCURRENCY = 200  # template.yaml: MapConcurrency
BATCH_COUNT = 400  # pipeline/prepare.py and pipeline/placement.py
IN_FLIGHT = 16  # pipeline/place_images.py
TRAIN_SHARE = 0.8  # of the pictures, below one prefix
CHILD_TRANSITIONS = 2  # a child's start, and its one state
JOB_TRANSITIONS = 6  # a labeling job's states, each once


@dataclass(frozen=True, slots=True)
class Measured:
    """What this machine's measurements say of one picture, and of a million.

    inspect_s, place_s: seconds of a processor. start_s: of a child that starts cold. puts, gets: requests.
    split_s, split_mib, prepare_s, prepare_mib: at `pictures`; base_mib: of either with next to none.
    """

    inspect_s: float
    place_s: float
    start_s: float
    puts: float
    gets: float
    pictures: float
    split_s: float
    split_mib: float
    prepare_s: float
    prepare_mib: float
    base_mib: float = 60.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """For so many pictures. Times in seconds, money in USD.

    puts_s: PUTs a second that would be made while placing, if S3 took them.
    """

    pictures: int
    children: int
    prepare_s: float
    prepare_mib: float
    inspect_s: float
    split_s: float
    split_mib: float
    place_s: float
    puts_s: float
    s3_usd: float
    lambda_usd: float
    states_usd: float
    jobs: int

    @property
    def total_s(self) -> float:
        return self.prepare_s + self.inspect_s + self.split_s + self.place_s

    @property
    def total_usd(self) -> float:
        return self.s3_usd + self.lambda_usd + self.states_usd


def estimate(pictures: int, found: Measured, concurrency: int = CONCURRENCY) -> Estimate:
    """What so many pictures take, with so many children at the same time.

    Children are rounds of `concurrency`, all alike, each on one processor. Placing is as fast as one prefix
    of S3 takes most pictures, while S3 has not divided it. SplitDataset and Prepare grow with their number
    (a little more than linearly, for their sorting, which is left out).
    """
    children = math.ceil(pictures / BATCH_COUNT)
    waves = math.ceil(children / concurrency)
    share = pictures / found.pictures
    inspect_s, free_s = child_s(found)
    # S3 takes so many a second: where children would put more, all of them wait.
    place_s = max(free_s, TRAIN_SHARE * pictures / FACTS["puts_s"].value / waves)
    split_s, prepare_s = found.split_s * share, found.prepare_s * share
    busy_mib_s = (children * (inspect_s + place_s) + prepare_s) * FUNCTION_MIB + split_s * SPLIT_MIB
    jobs = math.ceil(pictures / FACTS["job_objects"].value)
    calls = 2 * children + 2
    return Estimate(
        pictures=pictures,
        children=children,
        prepare_s=prepare_s,
        prepare_mib=found.base_mib + (found.prepare_mib - found.base_mib) * share,
        inspect_s=waves * inspect_s,
        split_s=split_s,
        split_mib=found.base_mib + (found.split_mib - found.base_mib) * share,
        place_s=waves * place_s,
        puts_s=min(concurrency, children) * BATCH_COUNT / free_s,
        s3_usd=pictures * (found.puts * FACTS["put_usd"].value + found.gets * FACTS["get_usd"].value),
        lambda_usd=busy_mib_s / 1024 * FACTS["lambda_gib_s_usd"].value
        + calls * FACTS["lambda_call_usd"].value,
        states_usd=(2 * children * CHILD_TRANSITIONS + jobs * JOB_TRANSITIONS)
        * FACTS["transition_usd"].value,
        jobs=jobs,
    )


def child_s(found: Measured) -> tuple[float, float]:
    """Seconds of an InspectImages child and of a PlaceImages child, of a whole batch each.

    One GET reads a batch, before it is worked on; the PUTs go beside the work: a PUT takes what S3 takes,
    16 at a time, or the processor, whichever is longer.
    """
    read_s = KILOBYTES * 1000 * FACTS["read_s"].value + FACTS["put_s"].value / BATCH_COUNT
    put_s = max(found.place_s, FACTS["put_s"].value / IN_FLIGHT)
    inspect_s, place_s = (found.start_s + BATCH_COUNT * (read_s + work) for work in (found.inspect_s, put_s))
    return inspect_s, place_s


def bounds(found: Measured) -> dict[str, int]:
    """The number of pictures from which on each quota is passed, the lowest first."""
    split_mib = (found.split_mib - found.base_mib) / found.pictures
    prepare_mib = (found.prepare_mib - found.base_mib) / found.pictures
    limits = {
        "SplitDataset's memory, as the template sets it": (SPLIT_MIB - found.base_mib) / split_mib,
        "SplitDataset's memory, at Lambda's most": (FACTS["memory_mib"].value - found.base_mib) / split_mib,
        "SplitDataset's time, one invocation": FACTS["timeout_s"].value / found.split_s * found.pictures,
        "Prepare's memory, as the template sets it": (FUNCTION_MIB - found.base_mib) / prepare_mib,
        "Prepare's time, one invocation": FACTS["timeout_s"].value / found.prepare_s * found.pictures,
        "history events, at about 100 a labeling job": FACTS["events"].value
        / 100
        * FACTS["job_objects"].value,
    }
    return {name: math.floor(limit) for name, limit in sorted(limits.items(), key=lambda item: item[1])}


def full_prefix(found: Measured) -> int:
    """Children at the same time whose PUTs fill one prefix of images/."""
    _, place_s = child_s(found)
    return math.floor(FACTS["puts_s"].value / (BATCH_COUNT / place_s))


def measured() -> Measured:
    """From the kept results. Raises SystemExit where one is missing."""
    figures: dict[str, dict[str, float]] = {}
    for name in ("inspect_images", "place_images", "requests_per_picture", "imports", "growth"):
        report = kept(name)
        if report is None:
            raise SystemExit(f"There is no result of {name} yet: make bench ONLY={name}")
        figures[name] = report.figures
    grown, requests = figures["growth"], figures["requests_per_picture"]
    return Measured(
        inspect_s=figures["inspect_images"]["cpu_s_per_picture"],
        place_s=figures["place_images"]["cpu_s_per_picture"],
        start_s=figures["imports"]["cold_import_s"],
        puts=requests["puts_per_picture"],
        gets=requests["gets_per_picture"],
        pictures=grown["pictures"],
        split_s=grown["split_cpu_s"],
        split_mib=grown["split_mib"],
        prepare_s=grown["prepare_cpu_s"],
        prepare_mib=grown["prepare_mib"],
    )


def duration(seconds: float) -> str:
    """For people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def growth_table(found: Measured) -> Table:
    estimates = [estimate(count, found) for count in COUNTS]
    lines = {
        "children of each Map": [f"{each.children:,}" for each in estimates],
        "Prepare": [duration(each.prepare_s) for each in estimates],
        "InspectImages": [duration(each.inspect_s) for each in estimates],
        "SplitDataset": [duration(each.split_s) for each in estimates],
        "PlaceImages": [duration(each.place_s) for each in estimates],
        "all of it, before labeling": [duration(each.total_s) for each in estimates],
        "Prepare's memory, MiB": [f"{each.prepare_mib:,.0f}" for each in estimates],
        "SplitDataset's memory, MiB": [f"{each.split_mib:,.0f}" for each in estimates],
        "PUTs a second, if S3 took them": [f"{each.puts_s:,.0f}" for each in estimates],
        "S3 requests, USD": [f"{each.s3_usd:,.2f}" for each in estimates],
        "Lambda, USD": [f"{each.lambda_usd:,.2f}" for each in estimates],
        "Step Functions, USD": [f"{each.states_usd:,.2f}" for each in estimates],
        "together, USD, before labeling": [f"{each.total_usd:,.2f}" for each in estimates],
        "labeling jobs": [f"{each.jobs:,}" for each in estimates],
    }
    rows = [[name, *cells] for name, cells in lines.items()]
    caption = (
        f"Pictures of {KILOBYTES} kB, {CONCURRENCY} children at the same time (MapConcurrency's default):"
    )
    return Table(caption, ["", *(f"{count:,} pictures" for count in COUNTS)], rows)


def tables(found: Measured) -> str:
    """The page's tables, in its order."""
    broken = [[name, f"{count:,}"] for name, count in bounds(found).items()]
    facts = [
        [fact.what, f"{fact.value:.10f}".rstrip("0").rstrip("."), fact.source] for fact in FACTS.values()
    ]
    parts = [
        growth_table(found),
        Table("What breaks first, and from how many pictures on:", ["limit", "pictures"], broken),
        Table(
            "Children at the same time whose PUTs fill one prefix (3,500 a second):",
            ["limit", "children"],
            [
                ["S3's request rate", f"{full_prefix(found):,}"],
                ["Lambda's concurrency", "1,000"],
                ["a Map", "10,000"],
            ],
        ),
        Table("Quotas and prices:", ["what", "value", "source"], facts),
    ]
    return "\n\n".join(part.markdown() for part in parts)


if __name__ == "__main__":
    print(tables(measured()))
