"""The page as a whole: verdict first, then what it rests on. One file, nothing from elsewhere, no script."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from truthmill.report import sections, work_sections
from truthmill.report.blocks import section
from truthmill.report.box_section import box_section
from truthmill.report.charts import percent
from truthmill.report.concerns import Concern
from truthmill.report.facts import Facts
from truthmill.report.judge import Judgement, judge
from truthmill.report.markup import Markup, tag, void
from truthmill.report.sheets import (
    DRAWN,
    Album,
    Sheet,
    Tile,
    contact_sheet,
    definitions,
    duplicate_pairs,
    figure,
    sheets,
    similar_pairs,
)

MOST_BYTES = 2_000_000
MOST_TEXT = 700_000  # of it without the pictures; fewer boxes are drawn where there are too many
RESERVE = 30_000  # for what changes with the pictures that fit: their elements

Pack = Callable[[list[Tile], int], Mapping[str, str]]


@cache
def style() -> Markup:
    return Markup(Path(__file__).with_name("page.css").read_text(encoding="utf-8"))


def page(facts: Facts, pack: Pack) -> str:
    """The page as HTML, at most MOST_BYTES.

    pack: fetches the tiles' pictures and answers as many as fit so many characters, as `data:` URIs by the
    tile's name; the tiles come in the order of their worth.
    """
    shown = sheets(facts)
    tiles = _tiles(facts, shown)
    for most in DRAWN:
        bare = len(_page(facts, shown, tiles, Album(facts.labels, dict.fromkeys(tiles, ""), most)).encode())
        if bare <= MOST_TEXT:
            break
    packed = pack(list(tiles.values()), MOST_BYTES - bare - RESERVE)
    return _page(facts, shown, tiles, Album(facts.labels, packed, most))


def _tiles(facts: Facts, shown: tuple[Sheet, ...]) -> dict[str, Tile]:
    """Every picture of the page by its name; the first of each sheet, then the second of each, and so on."""
    groups = [sheet.tiles for sheet in shown]
    groups.append(tuple(kept for kept, _ in duplicate_pairs(facts)))
    groups.append(tuple(tile for pair in similar_pairs(facts) for tile in pair[:2]))
    longest = max(map(len, groups), default=0)
    ordered = [group[at] for at in range(longest) for group in groups if at < len(group)]
    return {tile.name: tile for tile in ordered}


def _page(facts: Facts, shown: tuple[Sheet, ...], tiles: Mapping[str, Tile], album: Album) -> str:
    judgement = judge(facts)
    parts = [
        sections.flow_section(facts),
        sections.class_section(facts),
        sections.split_section(facts),
        box_section(facts),
        *(_sheet(sheet, album) for sheet in shown),
        _duplicates(facts, album),
        sections.rejected_section(facts),
        work_sections.worker_section(facts),
        work_sections.cost_section(facts),
        sections.channel_section(facts, f"s3://{facts.bucket}"),
    ]
    body = tag(
        "body",
        tag("a", "Skip to the verdict", href="#verdict", class_="skip"),
        definitions(album.packed, tiles),
        _header(facts),
        tag("main", _verdict(facts, judgement), _contents(parts), *parts),
        tag("footer", tag("p", "Written by Truthmill. Everything on this page is in the page itself.")),
    )
    return f"<!doctype html>\n{tag('html', _head(facts), body, lang='en')}\n"


def _head(facts: Facts) -> Markup:
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=policy),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        tag("title", f"{facts.run.dataset} · run {facts.run.run} · Truthmill report"),
        tag("style", style()),
    )


def _header(facts: Facts) -> Markup:
    run = facts.run
    source = str(run.request.get("source", ""))
    begun = run.started_at.replace("T", " ").rstrip("Z")
    told = [f"Run {run.run}", f"started {begun} UTC" if begun else "", f"by {run.trigger}", f"from {source}"]
    return tag(
        "header",
        tag("p", "Truthmill report", class_="kicker"),
        tag("h1", run.dataset),
        tag("p", " · ".join(part for part in told if part), class_="quiet names"),
    )


def _verdict(facts: Facts, judgement: Judgement) -> Markup:
    concerns = tag("ol", *map(_concern, judgement.concerns), class_="concerns") if judgement.concerns else ""
    passed = (
        tag(
            "details",
            tag("summary", f"{len(judgement.passed)} checks found nothing"),
            tag("ul", *(tag("li", name) for name in judgement.passed), class_="passed"),
        )
        if judgement.passed
        else ""
    )
    return tag(
        "section",
        tag(
            "div",
            tag("h2", judgement.headline, id="verdict-title"),
            tag("p", _because(judgement)),
            class_=f"banner {judgement.level}",
        ),
        _figures(facts),
        concerns,
        passed,
        id="verdict",
        aria_labelledby="verdict-title",
        tabindex="-1",
    )


def _because(judgement: Judgement) -> str:
    """The verdict's reason in a sentence."""
    gravest = [concern.title for concern in judgement.concerns if concern.level == judgement.level]
    if not gravest:
        checks = len(judgement.passed)
        return f"All {checks} checks passed." if not judgement.concerns else "Nothing speaks against it."
    more = f" – and {len(gravest) - 3} more" if len(gravest) > 3 else ""
    return "; ".join(gravest[:3]) + more + "."


def _concern(concern: Concern) -> Markup:
    level = {"stop": "Stop", "look": "Look", "note": "Note"}[concern.level]
    return tag(
        "li",
        tag("p", tag("span", level, class_="level"), " ", tag("strong", concern.title), class_="title"),
        tag("p", concern.found),
        tag(
            "p",
            tag("b", "Do: "),
            concern.advice,
            " ",
            tag("a", "See it", href=f"#{concern.where}", aria_label=f"See: {concern.title}"),
        ),
        class_=concern.level,
    )


def _figures(facts: Facts) -> Markup:
    """The few numbers that a decision needs, in large."""
    found = facts.measures
    pictures = found.pictures or 1
    validation = found.splits.get("validation")
    share = percent(validation.pictures / pictures) if validation else "0%"
    figures = [
        (f"{found.pictures:,}", "labeled pictures"),
        (f"{found.boxes:,}", "boxes"),
        (f"{found.boxes / pictures:.1f}", "boxes a picture"),
        (
            f"{sum(1 for n in range(len(facts.labels)) if found.of_class(n))} of {len(facts.labels)}",
            "classes seen",
        ),
        (share, "for validation"),
        (percent(found.negatives / pictures), "without a box"),
    ]
    if facts.agreement.pictures:
        figures.append((f"{facts.agreement.mean:.0%}", "agreement"))
    return tag(
        "dl",
        *(tag("div", tag("dt", name), tag("dd", value)) for value, name in figures),
        class_="figures",
    )


def _contents(parts: list[Markup]) -> Markup:
    """Links to the sections that are there."""
    links = [
        tag("li", tag("a", Markup(title), href=f"#{anchor}"))
        for anchor, title in (_titled(part) for part in parts if part)
    ]
    return tag("nav", tag("ul", *links), aria_label="Contents")


def _titled(part: Markup) -> tuple[str, str]:
    """Anchor and title, from the heading that `blocks.section` has made."""
    anchor = part.partition('<h2 id="')[2].partition("-title")[0]
    return anchor, part.partition("<h2")[2].partition(">")[2].partition("</h2>")[0]


def _sheet(sheet: Sheet, album: Album) -> Markup:
    about = tag("p", sheet.about, class_="quiet")
    tiles = _fitting(sheet.tiles, album.packed)
    return section(sheet.id, sheet.title, about, contact_sheet(tiles, album))


def _fitting(tiles: tuple[Tile, ...], packed: Mapping[str, str]) -> tuple[Tile, ...]:
    """Those whose picture is in the page, unless none is: then their boxes alone are better than nothing."""
    return tuple(tile for tile in tiles if tile.name in packed) or tiles[:2]


def _duplicates(facts: Facts, album: Album) -> Markup:
    """Copies, and pairs that look alike, side by side."""
    copies, pairs = duplicate_pairs(facts), similar_pairs(facts)
    parts: list[object] = []
    if copies:
        total = facts.count("duplicates")
        parts += [
            tag("h3", "Copies"),
            tag("p", f"{len(copies)} of {total:,}: the same pixels came under another name.", class_="quiet"),
            tag("ul", *(_copy(pair, album) for pair in copies), class_="pairs", role="list"),
        ]
    if pairs:
        total = facts.listed.similar_pairs
        parts += [
            tag("h3", "Pairs that look alike"),
            tag(
                "p",
                f"{len(pairs)} of {total:,}, the closest first. Both are kept, on one side.",
                class_="quiet",
            ),
            tag("ul", *(_pair(pair, album) for pair in pairs), class_="pairs", role="list"),
        ]
    return section("duplicates", "Duplicates", *parts)


def _copy(pair: tuple[Tile, Tile], album: Album) -> Markup:
    return tag("li", *(figure(tile, album) for tile in pair))


def _pair(pair: tuple[Tile, Tile, int], album: Album) -> Markup:
    one, other, distance = pair
    return tag(
        "li",
        figure(one, album),
        figure(other, album),
        tag("p", f"Distance {distance}", class_="quiet"),
    )
