"""The sections about pictures: where inputs went, classes, the split, what was rejected, how to get them."""

from collections.abc import Iterator

from truthmill.layout import SPLITS, RunLayout
from truthmill.rejections import REASONS
from truthmill.report import charts
from truthmill.report.blocks import SPLIT_NAMES, command, facts_list, section, splits_of
from truthmill.report.facts import Facts
from truthmill.report.flow import Link, Node, flow
from truthmill.report.markup import Markup, join, short, table, tag
from truthmill.training import SAGEMAKER_FORMATS


def flow_section(facts: Facts) -> Markup:
    """Where every input went."""
    nodes, links = _flow_anew(facts) if facts.is_resplit else _flow(facts)
    drawn = flow("Flow of inputs to the training channels; the table below has its numbers.", nodes, links)
    by_name = {node.name: node for node in nodes}
    rows: list[list[object]] = [
        [by_name[link.source].label, by_name[link.target].label, f"{link.value:,}"]
        for link in links
        if link.value
    ]
    numbers = table("Where every input went", ["from", "to", "files"], rows, 2)
    scrolled = tag("div", drawn, class_="scroll", tabindex="0", role="group", aria_label="Flow of inputs")
    about = ""
    if facts.is_resplit:
        about = f"Pictures of earlier runs, split anew; {facts.count('moved'):,} of them changed sides."
    elif _earlier(facts):
        about = f"{_earlier(facts):,} labeled pictures of earlier runs are in the channels too."
    missing = _unlabeled(facts)
    return section(
        "flow",
        "From input to channels",
        tag("p", about) if about else "",
        tag("figure", scrolled, tag("details", tag("summary", "Numbers"), numbers), class_="chart wide"),
        missing,
    )


def _flow(facts: Facts) -> tuple[list[Node], list[Link]]:
    run, count = facts.measures.of_this_run, facts.count
    known = min(count("known"), count("duplicates"))
    kept = {split: count(split) for split in SPLITS}
    used = sum(kept.values())
    answered = {split: run[split, True] for split in SPLITS}
    missing = {split: run[split, False] for split in SPLITS}
    nodes = [
        Node("inputs", "inputs", count("inputs"), 0, "neutral"),
        Node("used", "pictures used", used, 1, "main"),
        Node("duplicates", "duplicates", count("duplicates") - known, 1, "muted"),
        Node("known", "known already", known, 1, "muted"),
        Node("rejected", "rejected", count("rejected"), 1, "bad"),
        Node("ignored", "ignored", count("ignored"), 1, "muted"),
        *(Node(split, SPLIT_NAMES[split].lower(), kept[split], 2, split) for split in SPLITS),
        Node("earlier", "of earlier runs", _earlier(facts), 2, "muted"),
        Node("channels", "in the channels", sum(answered.values()) + _earlier(facts), 3, "main"),
        Node("unlabeled", "without an answer", sum(missing.values()), 3, "bad"),
    ]
    links = [
        Link("inputs", "used", used),
        *(Link("inputs", node.name, node.value) for node in nodes[2:6]),
        *(Link("used", split, kept[split]) for split in SPLITS),
        *(Link(split, "channels", answered[split]) for split in SPLITS),
        *(Link(split, "unlabeled", missing[split]) for split in SPLITS),
        Link("earlier", "channels", _earlier(facts)),
    ]
    return nodes, links


def _flow_anew(facts: Facts) -> tuple[list[Node], list[Link]]:
    """Of a run that split anew what was there."""
    found = facts.measures.splits
    labeled = {split: found[split].pictures for split in splits_of(facts)}
    missing = {split: found[split].unlabeled for split in splits_of(facts)}
    every = {split: labeled[split] + missing[split] for split in labeled}
    nodes = [
        Node("dataset", "pictures of the dataset", sum(every.values()), 0, "main"),
        *(Node(split, SPLIT_NAMES[split].lower(), every[split], 1, split) for split in every),
        Node("channels", "in the channels", sum(labeled.values()), 2, "main"),
        Node("unlabeled", "without an answer", sum(missing.values()), 2, "bad"),
    ]
    links = [
        *(Link("dataset", split, every[split]) for split in every),
        *(Link(split, "channels", labeled[split]) for split in every),
        *(Link(split, "unlabeled", missing[split]) for split in every),
    ]
    return nodes, links


def _earlier(facts: Facts) -> int:
    """Labeled pictures that other runs brought in."""
    own = sum(number for (_, labeled), number in facts.measures.of_this_run.items() if labeled)
    return facts.measures.pictures - own


def _unlabeled(facts: Facts) -> Markup:
    if not facts.listed.unlabeled:
        return Markup()
    rows: list[list[object]] = [[reason, f"{n:,}"] for reason, n in facts.listed.unlabeled.most_common(8)]
    names = tag(
        "p", "For example: ", ", ".join(map(short, facts.listed.unlabeled_names)), class_="quiet names"
    )
    return join(
        tag("h3", "Without an answer"),
        table("Why pictures came back without an answer", ["reason", "pictures"], rows),
        names,
    )


MANY_CLASSES = 40  # from which on the whole list is opened on demand
FEWEST = 20


def class_section(facts: Facts) -> Markup:
    """Boxes of every class on every side, as bars in a table."""
    splits = splits_of(facts)
    totals = {split: max(1, facts.measures.splits[split].box_count) for split in splits}
    shares = {split: facts.measures.splits[split].boxes / totals[split] for split in splits}
    most = max((float(share.max()) for share in shares.values() if len(share)), default=0) or 1
    rows: list[list[object]] = []
    for number, label in enumerate(facts.labels):
        cells = [
            join(
                charts.bar(float(shares[split][number]) / most, split),
                tag("span", f"{int(facts.measures.splits[split].boxes[number]):,}"),
                tag("small", charts.percent(float(shares[split][number]))),
            )
            for split in splits
        ]
        pictures = sum(int(facts.measures.splits[split].pictures_of[number]) for split in splits)
        lacking = [
            SPLIT_NAMES[split].lower() for split in splits if not facts.measures.splits[split].boxes[number]
        ]
        mark = tag("span", f"no {' and no '.join(lacking)} box", class_="why") if lacking else ""
        rows.append(
            [
                join(charts.named(number, label), " ", mark),
                *cells,
                f"{facts.measures.of_class(number):,}",
                f"{pictures:,}",
            ]
        )
    columns = ["class", *(SPLIT_NAMES[split] for split in splits), "boxes", "pictures"]
    about = "Bars show a class's share of its side's boxes: equal bars in a row mean a balanced split."
    made = tag("div", table("Boxes of each class on each side of the split", columns, rows), class_="bars")
    if len(rows) > MANY_CLASSES:
        made = join(
            _fewest(facts, columns, rows), tag("details", tag("summary", f"All {len(rows):,} classes"), made)
        )
    return section("classes", "Classes", tag("p", about, class_="quiet"), made)


def _fewest(facts: Facts, columns: list[str], rows: list[list[object]]) -> Markup:
    """The classes that a reader of a long list would look for."""
    order = sorted(range(len(rows)), key=lambda number: (_least(facts, number), number))
    return tag(
        "div",
        table(
            f"The {FEWEST} classes with the fewest boxes on a side",
            columns,
            [rows[at] for at in order[:FEWEST]],
        ),
        class_="bars",
    )


def _least(facts: Facts, class_id: int) -> int:
    """The class's boxes on the side that has the fewest of it."""
    return min((int(facts.measures.splits[split].boxes[class_id]) for split in splits_of(facts)), default=0)


def split_section(facts: Facts) -> Markup:
    """What was wanted, what came out, and whether the sides are apart."""
    splits = splits_of(facts)
    wanted = facts.run.split.get("wanted", {})  # pictures of each side
    of_all = sum(wanted.values()) or 1
    total = max(1, facts.measures.pictures)
    rows: list[list[object]] = [
        [
            SPLIT_NAMES[split],
            f"{facts.measures.splits[split].pictures:,}",
            join(
                charts.bar(facts.measures.splits[split].pictures / total, split),
                charts.percent(facts.measures.splits[split].pictures / total),
            ),
            charts.percent(wanted[split] / of_all) if split in wanted else "–",
            f"{facts.measures.splits[split].box_count:,}",
            f"{facts.measures.splits[split].negatives:,}",
            f"{facts.measures.splits[split].unlabeled:,}",
        ]
        for split in splits
    ]
    columns = ["side", "labeled pictures", "share", "wanted", "boxes", "without a box", "not labeled"]
    made = table("The sides of the split", columns, rows)
    return section("split", "Split", tag("div", made, class_="bars"), _groups(facts))


def _groups(facts: Facts) -> Markup:
    """Groups that stay together, and the check that none is on both sides."""
    said = facts.run.split
    told: list[tuple[str, object]] = []
    if "straddlingGroups" in said:
        straddling = int(said["straddlingGroups"] or 0)
        found = "none" if not straddling else f"{straddling:,}"
        told.append(("Groups on both sides (leakage)", found))
    if "largestGroup" in said:
        told.append(("Pictures in the largest group", f"{said['largestGroup']:,}"))
    if "similarPairs" in said:
        told.append(("Pairs that look alike, kept on one side", f"{said['similarPairs']:,}"))
    if said.get("offBy"):
        off = ", ".join(f"{name} {by:+,.0f}" for name, by in said["offBy"].items())
        told.append(("Off from what was wanted, pictures", off))
    return facts_list(told)


def rejected_section(facts: Facts) -> Markup:
    """Every reason with what to do, and some of the files."""
    listed = facts.listed.rejected
    reasons = [(reason, n) for reason, n in listed.most_common() if reason not in {"duplicate", "known"}]
    parts = []
    for reason, number in reasons:
        examples = facts.listed.examples.get(reason, [])
        rows: list[list[object]] = [[short(line.name), short(line.detail, 200)] for line in examples]
        more = f", {len(examples)} of them shown" if len(examples) < number else ""
        parts.append(
            tag(
                "details",
                tag("summary", tag("strong", reason), f" {number:,} file{'' if number == 1 else 's'}{more}"),
                tag("p", REASONS.get(reason, "")),
                table(f"Files rejected as {reason}", ["file", "what was found"], rows, 9),
            )
        )
    if not parts:
        return Markup()
    place = tag("code", RunLayout(facts.run.dataset, facts.run.run).rejected)
    return section("rejected", "Rejected files", tag("p", "All of them are in ", place, "."), *parts)


def _trainings(dataset: str, run: str, channels: tuple[str, ...]) -> Iterator[str]:
    """SageMaker's where a channel is for it; programs for folders that the commands before made."""
    print_it = f"truthmill train-config {dataset} --run {run}"
    if set(channels) & set(SAGEMAKER_FORMATS):
        yield print_it
    yield f"{print_it} --for ultralytics --folder {dataset}-yolo"
    if "coco" in channels:
        yield f"{print_it} --for torchvision --folder {dataset}-coco"


def channel_section(facts: Facts, uri: str) -> Markup:
    """How to get at each channel. uri: of the bucket."""
    run, at = facts.run, RunLayout(facts.run.dataset, facts.run.run)
    pull = f"truthmill pull {run.dataset} --run {run.run} --to {run.dataset}"
    images = f"aws s3 sync {uri}/datasets/{run.dataset}/images/ {run.dataset}/images/"
    channels = run.channels or tuple(str(name) for name in run.request.get("channels", ()))
    return section(
        "channels",
        "Get the data",
        tag(
            "p",
            "Everything in a folder, ready for a trainer (for a stack in AWS add ",
            tag("code", "--stack-name"),
            "):",
        ),
        command(pull),
        tag(
            "p",
            "Or one format alone, built by the run or not, with the pictures where a trainer looks for them:",
        ),
        *(
            command(f"truthmill pull {run.dataset} --run {run.run} --format {name} --to {run.dataset}-{name}")
            for name in dict.fromkeys((*channels, "yolo"))
        ),
        tag("p", "What starts a training on it, printed:"),
        *map(command, _trainings(run.dataset, run.run, channels)),
        tag("p", "Or as it lies in the bucket, with the AWS command line:"),
        command(images),
        *(
            command(f"aws s3 sync {uri}/{at.channel(name)} {run.dataset}/channels/{name}/")
            for name in channels
        ),
    )
