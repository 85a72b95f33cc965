"""Label Studio's page by the same scripted worker, for bench/portal_page.py to be compared with.

python bench/label_studio_page.py      installs and starts Label Studio, and removes what it kept
"""

from hand import chromium
from label_studio import label_studio, version
from page_measures import drawing
from portal_page import ROUNDS, measured
from portal_page_report import WORKER, alone, figures
from report import Report
from wanted_boxes import picture, scenes


def run(rounds: int = ROUNDS) -> Report:
    with chromium() as browser, label_studio(browser) as tool:
        found = figures(measured(tool, "theirs", rounds))
        tool.keeps_label = True
        kept = drawing(tool, "kept", [picture(number) for number in range(6)], scenes())
    found["actions_kept"] = round(kept["actions"], 2)
    return Report(
        name="label_studio_page",
        title="Label Studio's page",
        about=(
            f"{WORKER} Label Studio {version()} as it comes, with its own server and SQLite; it rounds a "
            "drag to whole pixels of the screen. With its setting that keeps the label chosen it takes "
            f"{kept['actions']:.2f} actions a box."
        ),
        rounds=rounds,
        tables=alone(found, "Label Studio"),
        figures=found,
    )


if __name__ == "__main__":
    run().show()
