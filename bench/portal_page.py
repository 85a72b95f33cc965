"""The portal's page in Chromium: actions, next and first picture, frames, weight; beside Label Studio's.

python bench/portal_page.py      deploys the stack, and removes what it made
"""

import gzip
from typing import TYPE_CHECKING

from hand import Hand, chromium
from page_measures import Tool, drawing, first_pictures, fluid, next_pictures
from portal_page_report import Measured, figures, report
from portal_stack import local_stack
from report import kept
from truthmill_page import TruthmillPage
from wanted_boxes import LARGE, SIZE, many, picture, scenes

if TYPE_CHECKING:
    from playwright.sync_api import Response
    from report import Report

ROUNDS = 3
PICTURES = 16
SECONDS = 3.0
FILES = ("document", "script", "stylesheet", "font", "image")


def weight(tool: Tool, job: str) -> dict[str, float]:
    """What the page loads of the tool's own for its first task, in kB as it comes and gzipped."""
    page = tool.context().new_page()
    responses: dict[str, Response] = {}
    page.on("response", lambda response: responses.setdefault(response.url.partition("?")[0], response))
    page.goto(tool.address(job))
    tool.await_picture(page)
    own = [each for each in responses.values() if each.ok and each.request.resource_type in FILES]
    own = [each for each in own if "/bench/" not in each.url and not each.url.endswith(".jpg")]
    found = {
        "sent_kb": sum(each.request.sizes()["responseBodySize"] for each in own) / 1000,
        "gzip_kb": sum(len(gzip.compress(each.body())) for each in own) / 1000,
    }
    page.context.close()
    return found


def measured(tool: Tool, variant: str, rounds: int) -> Measured:
    """Everything of a tool. variant: made part of the jobs' names."""
    pictures = [picture(number) for number in range(PICTURES)]
    wanted = scenes()
    drawn = [
        drawing(tool, f"{variant}-draw-{turn}", pictures[: len(wanted)], wanted) for turn in range(rounds)
    ]
    first = tool.job(f"{variant}-first", pictures[:2])
    large = tool.job(f"{variant}-large", [picture(4, LARGE)], many())
    return {
        "drawn": drawn,
        "next_ms": [1000 * one for one in next_pictures(tool, f"{variant}-next", pictures)],
        "first_s": first_pictures(tool, first, rounds),
        "fluid": fluid(tool, large, SECONDS),
        "weight": weight(tool, tool.job(f"{variant}-one", pictures[:1])),
    }


def extreme_actions(tool: TruthmillPage) -> float:
    """Actions a box by four extreme points: the first picture of the same set, one after the other."""
    wanted = scenes()
    page = tool.open(tool.job("extreme", [picture(number) for number in range(2)]))
    hand, before = Hand(page), ""
    hand.key("x")
    for label, left, top, width, height in wanted[0]:
        tool.choose(hand, label, before)
        before = label
        middle = (left + width / 2, top + height / 2)
        for point in [
            (middle[0], top),
            (left, middle[1]),
            (middle[0], top + height),
            (left + width, middle[1]),
        ]:
            hand.click(tool.place(page, SIZE, point))
    if tool.drawn(page) != len(wanted[0]):
        raise ValueError(f"{tool.drawn(page)} boxes came of {len(wanted[0])}")
    page.context.close()
    return float(hand.actions - 1) / len(wanted[0])


def run(rounds: int = ROUNDS) -> "Report":
    theirs = kept("label_studio_page")
    if theirs is None:
        raise SystemExit("There is no result of Label Studio yet: make bench ONLY=label_studio_page")
    with chromium() as browser, local_stack() as where:
        tool = TruthmillPage(browser, where)
        return report(figures(measured(tool, "ours", rounds)), theirs.figures, extreme_actions(tool), rounds)


if __name__ == "__main__":
    run().show()
