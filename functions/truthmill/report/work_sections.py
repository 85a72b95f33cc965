"""The sections about work: who labeled and how well they agree, what it cost, where the time went."""

from truthmill.report import charts
from truthmill.report.blocks import chart, facts_list, section
from truthmill.report.durations import spoken
from truthmill.report.facts import Facts
from truthmill.report.markup import Markup, join, table, tag
from truthmill.report.workers import far_from_others

SHOWN = 50  # workers; those who are far from the others first, then who gave most answers


def worker_section(facts: Facts) -> Markup:
    """Agreement and pace."""
    workers = facts.staff.workers()
    parts: list[object] = []
    if facts.agreement.pictures:
        names = ["≤ 50%", "≤ 60%", "≤ 70%", "≤ 80%", "≤ 90%", "≤ 99%", "all"]
        agreement = chart(
            "Agreement",
            charts.columns("Pictures by agreement", names, facts.agreement.bins, "certainty of a box"),
            f" {facts.agreement.pictures:,} pictures with several workers; a box is certain to "
            f"{facts.agreement.mean:.0%} on average.",
            behind=table(
                "Pictures by the mean certainty of their boxes",
                ["certainty", "pictures"],
                [[n, f"{v:,}"] for n, v in zip(names, facts.agreement.bins, strict=True)],
            ),
        )
        parts.append(tag("div", agreement, class_="charts single"))
    if workers:
        far = far_from_others(workers)
        shown = sorted(workers, key=lambda worker: worker.name not in far)[:SHOWN]
        mark = tag("span", "far from the others", class_="why")
        rows: list[list[object]] = [
            [
                join(tag("code", worker.name), " ", mark if worker.name in far else ""),
                f"{worker.answers:,}",
                f"{worker.boxes / worker.answers:.1f}",
                f"{worker.pace_s:.1f} s",
                "–" if worker.agreement is None else f"{worker.agreement:.0%}",
            ]
            for worker in shown
        ]
        columns = ["worker", "answers", "boxes a picture", "time a picture", "agreement"]
        about = (
            f"From the answers to {facts.staff.objects:,} pictures"
            f"{' (a sample)' if facts.staff.objects < facts.count('labeled') else ''}. Time is the median; "
            "agreement is the share of boxes that a worker and the finished labels have in common, where "
            "several workers labeled a picture."
            f"{f' {len(shown)} of {len(workers):,} workers are listed.' if len(shown) < len(workers) else ''}"
        )
        parts += [tag("p", about, class_="quiet"), table("Workers", columns, rows)]
    return section("workers", "Workers", *parts)


def cost_section(facts: Facts) -> Markup:
    """Cost, estimated and actual, and time by state."""
    return section("cost", "Cost and time", facts_list(_costs(facts)), _times(facts))


COSTS = {
    "estimatedUsd": "Estimated, together",
    "serviceUsd": "Estimated, labeling service",
    "workersUsd": "Estimated, workers",
    "infrastructureUsd": "Estimated, Lambda, Step Functions and S3",
    "actualUsd": "Actual, together",
    "actualServiceUsd": "Actual, labeling service",
    "actualWorkersUsd": "Actual, workers",
}


def _costs(facts: Facts) -> list[tuple[str, object]]:
    cost = facts.run.cost
    told: list[tuple[str, object]] = [
        (name, _usd(float(cost[key]))) for key, name in COSTS.items() if cost.get(key) is not None
    ]
    if told and cost.get("book"):
        told.append(("Prices", str(cost["book"])))
    return told


def _usd(amount: float) -> str:
    return "less than 0.01 USD" if 0 < amount < 0.005 else f"{amount:,.2f} USD"


def _times(facts: Facts) -> Markup:
    if not facts.durations:
        return Markup()
    longest = max(seconds for _, seconds in facts.durations) or 1
    rows: list[list[object]] = [
        [state, join(charts.bar(seconds / longest, "main"), tag("span", spoken(seconds)))]
        for state, seconds in facts.durations
    ]
    return tag("div", table("Time by state", ["state", "time"], rows), class_="bars")
