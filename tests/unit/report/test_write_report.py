"""The state on what a run has left: older runs, hostile names, sizes."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from pipeline.write_report import write_report
from report_builders import AT, REFERENCE, ReportRun, an_answer
from truthmill.report.page import MOST_BYTES

BOXES = [(0, 20, 20, 60, 50), (1, 150, 100, 80, 60)]


def pictures(number=12):
    return [(f"p{n}.png", "validation" if n % 4 == 0 else "train", BOXES) for n in range(number)]


def page_of(store):
    write_report(REFERENCE, store)
    return store.read(AT.report).decode()


def headings(page):
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)


def test_the_page_tells_all_that_a_run_has_left():
    run = ReportRun(pictures=[*pictures(), ("late.png", "train", None)])
    run.rejected = [
        {"name": "copy.png", "reason": "duplicate", "of": run.key("p1.png"), "distance": 0},
        {"name": "broken.jpg", "reason": "truncated", "detail": "ends after 60 %"},
    ]
    run.similar = [{"key": run.key("p2.png"), "of": run.key("p3.png"), "distance": 2}]
    run.findings = [{"key": run.key("p5.png"), "reason": "two-labels", "kept": True}]
    run.confidences = {"p6.png": [0.5, 1.0], "p7.png": [1.0, 1.0]}
    drawn = [("cat", 20, 20, 60, 50)]
    run.responses = {7: [an_answer("ann", 12, drawn), an_answer("ben", 14, drawn)]}
    page = page_of(run.write())
    assert headings(page)[1:] == [
        "From input to channels",
        "Classes",
        "Split",
        "Boxes",
        "Random pictures",
        "Least agreed",
        "Suspicious",
        "Smallest boxes",
        "Largest boxes",
        "Most crowded",
        "Duplicates",
        "Rejected files",
        "Workers",
        "Cost and time",
        "Get the data",
    ]
    for said in (
        "copy.png",
        "Distance 2",
        "ends after 60 %",
        "one box is certain to 50%",
        "Nobody came.",
        "3.20 USD",
        "truthmill pull pets --run 0123456789ab",
    ):
        assert said in page, said


def test_what_was_wanted_of_the_split_is_told_as_a_share():
    """run.json has it in pictures."""
    split = {"wanted": {"train": 9, "validation": 3, "test": 0}}
    page = page_of(ReportRun(pictures=pictures(12), more={"split": split}).write())
    rows = re.search(r'aria-label="The sides of the split".*?</table>', page, re.DOTALL)[0]
    assert re.findall(r"(Training|Validation)<.*?</svg>(\d+%)</td><td[^>]*>(\d+%)</td>", rows) == [
        ("Training", "75%", "75%"),
        ("Validation", "25%", "25%"),
    ]


def test_a_copy_is_shown_beside_what_was_kept():
    run = ReportRun(pictures=pictures())
    run.rejected = [
        {"name": "copy.png", "reason": "duplicate", "of": run.key("p1.png"), "distance": 0},
    ]
    page = page_of(run.write())
    pair = re.search(r'<h3>Copies</h3>.*?<ul class="pairs"[^>]*>(.*?)</ul>', page, re.DOTALL)[1]
    assert re.findall(r'class="name">([^<]*)<.*?class="why">([^<]*)<', pair) == [
        ("p1.png", "kept"),
        ("copy.png", "dropped"),
    ]
    first, second = re.findall(r'<use href="(#p\d+)"', pair)
    assert first == second
    assert "no boxes" not in pair


def test_every_part_of_the_cost_is_told():
    cost = {"estimatedUsd": 3.2, "serviceUsd": 0, "infrastructureUsd": 0.0002, "actualUsd": 3.1}
    page = page_of(ReportRun(pictures=pictures(), more={"cost": cost}).write())
    assert re.findall(r"<dt>((?:Estimated|Actual)[^<]*)</dt><dd>([^<]*)<", page) == [
        ("Estimated, together", "3.20 USD"),
        ("Estimated, labeling service", "0.00 USD"),
        ("Estimated, Lambda, Step Functions and S3", "less than 0.01 USD"),
        ("Actual, together", "3.10 USD"),
    ]


def test_a_run_of_earlier_days_is_told_as_far_as_it_goes():
    """Neither lists nor jobs nor answers, and a run.json with little in it."""
    run = ReportRun(pictures=pictures(), more={"split": {}, "cost": {}, "jobs": [], "counts": {}})
    store = run.write()
    for key in (AT.rejected, AT.similar, AT.boxes_checked, AT.unlabeled):
        store.delete(key)
    assert headings(page_of(store))[1:] == [
        "From input to channels",
        "Classes",
        "Split",
        "Boxes",
        "Random pictures",
        "Smallest boxes",
        "Largest boxes",
        "Most crowded",
        "Get the data",
    ]


def test_a_dataset_of_negatives_only_has_a_report():
    page = page_of(ReportRun(pictures=[(f"p{n}", "train", []) for n in range(3)]).write())
    assert "There is no validation picture" in page
    assert "100% of the pictures have no box" in page


def test_writing_again_writes_the_same():
    store = ReportRun(pictures=pictures()).write()
    assert page_of(store) == page_of(store)


def test_a_picture_that_is_gone_is_left_out():
    run = ReportRun(pictures=pictures())
    store = run.write()
    store.delete(run.key("p1.png"))
    store.write(run.key("p2.png"), b"not a picture any more")
    page = page_of(store)
    assert "p3.png" in page
    assert 'class="name">p1.png' not in page


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


def test_hostile_texts_are_text():
    run = ReportRun(labels=(HOSTILE, "dog"), pictures=[(HOSTILE, "train", BOXES), *pictures(4)])
    run.rejected = [{"name": f"r{HOSTILE}", "reason": "damaged", "detail": HOSTILE}]
    run.responses = {0: [an_answer(HOSTILE, 3, ())]}
    page = page_of(run.write())
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&quot;&gt;&lt;script&gt;alert(1)") > 5


def test_the_policy_forbids_everything_but_the_pages_own_style():
    page = page_of(ReportRun(pictures=pictures()).write())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src &#x27;none&#x27;; img-src data:; style-src &#x27;sha256-")
    assert " style=" not in page
    assert re.findall(r'(?:href|src)="(?!#|data:image/jpeg)[^"]*"', page) == []


@pytest.mark.parametrize("crowd", [1, 300])
def test_the_page_stays_below_its_bound(crowd):
    """Noise that JPEG can't pack, 300 classes with long names, and crowds of boxes."""
    grain = np.random.default_rng(1).integers(0, 255, (150, 200, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(grain).save(out, "PNG")
    run = ReportRun(labels=tuple(f"class {n} {'x' * 200}" for n in range(300)))
    run.pictures = [
        (
            f"picture-{n}-{'y' * 150}.png",
            "train",
            [((n + b) % 300, b % 200, b % 150, 3 + n % 90, 9 + b % 80) for b in range(crowd)],
        )
        for n in range(100)
    ]
    run.similar = [
        {"key": run.key(run.pictures[n][0]), "of": run.key(run.pictures[n + 1][0]), "distance": 1}
        for n in range(90)
    ]
    store = run.write(with_pictures=False)
    for name, _, _ in run.pictures:
        store.write(run.key(name), out.getvalue())
    page = page_of(store).encode()
    assert len(page) <= MOST_BYTES
    assert page.count(b"data:image/jpeg") > 40


def dotted(page):
    return re.findall(r'd="([^"]*)" class="box c\d as-drawn"', page)


def test_boxes_that_were_cut_or_dropped_are_drawn_as_they_came():
    """Also a box beyond the edge, one of no area, and one that the picture has too; its own stay."""
    run = ReportRun(pictures=pictures())
    drawn = {"cut": (1, 300, 200, 40, 50), "too-small": (0, 50, 60, 0, 9), "double": (0, 20, 20, 60, 50)}
    run.findings = [
        {
            "key": run.key(f"p{number}.png"),
            "reason": reason,
            "kept": reason == "cut",
            "box": dict(zip(("class_id", "left", "top", "width", "height"), box, strict=True)),
        }
        for number, (reason, box) in enumerate(drawn.items())
    ]
    page = page_of(run.write())
    assert sorted(dotted(page)) == ["M20 20h60v50h-60z", "M300 200h40v50h-40z", "M50 60h0v9h-0z"]
    assert "Reached over the edge and was cut" in page
    assert "Dropped: it is there twice" in page


def test_a_box_outside_of_its_picture_is_told_beside_the_whole_picture():
    run = ReportRun(pictures=pictures())
    box = {"class_id": 0, "left": 900.5, "top": 20, "width": 9, "height": 9}
    run.findings = [{"key": run.key("p1.png"), "reason": "outside", "kept": False, "box": box}]
    page = page_of(run.write())
    tile = page[page.index("Dropped: outside of the picture") - 1500 :]
    assert 'viewBox="0 0 320 240"' in tile[:1500]


def test_a_box_whose_sides_are_no_numbers_is_told_without_being_drawn():
    run = ReportRun(pictures=pictures())
    box = {"class_id": 0, "left": None, "top": 20, "width": 9, "height": 9}
    run.findings = [{"key": run.key("p1.png"), "reason": "not-a-number", "kept": False, "box": box}]
    page = page_of(run.write())
    assert "Dropped: a side is no number" in page
    assert dotted(page) == []


def test_the_remedy_for_uneven_classes_is_a_command():
    """Nobody has to label again for it."""
    run = ReportRun(pictures=[("a.png", "train", BOXES), ("b.png", "validation", BOXES[:1])])
    page = page_of(run.write())
    assert "truthmill resplit pets --stratify puts it on both sides where it can" in page
    assert '<span class="why">no validation box</span>' in page


def test_of_a_pair_that_looks_alike_the_one_without_an_answer_says_so():
    run = ReportRun(pictures=[*pictures(), ("late.png", "train", None)])
    run.similar = [{"key": run.key("p2.png"), "of": run.key("late.png"), "distance": 2}]
    assert '<span class="legend">not labeled</span>' in page_of(run.write())


def test_of_many_classes_those_with_the_fewest_boxes_come_first_and_all_on_demand():
    """The whole list keeps its order, which is that of the class ids."""
    labels = tuple(f"class {number}" for number in range(41))
    boxes = [[(number, 5, 5, 9, 9)] * (60 - number) for number in range(41)]
    run = ReportRun(labels=labels)
    run.pictures = [
        (f"{side}{n}.png", side, each) for n, each in enumerate(boxes) for side in ("train", "validation")
    ]
    page = page_of(run.write(with_pictures=False))
    classes = page[page.index('<section id="classes"') : page.index('<section id="split"')]
    assert "<summary>All 41 classes</summary>" in classes
    few, every = (re.findall(r"class \d+", part) for part in classes.split("<details>"))
    assert (few, every) == ([f"class {number}" for number in range(40, 20, -1)], list(labels))


def test_a_worker_who_is_far_from_the_others_leads_the_list_and_a_cut_list_says_so():
    """The warning links there, so the worker has to be in it, however few answers they gave."""
    run = ReportRun(pictures=pictures(60))
    right, wrong = [("cat", 20, 20, 60, 50)], [("cat", 250, 20, 60, 50)]
    many = [an_answer(f"worker-{number}", 12, right) for number in range(55)]
    run.responses = {
        number: [*many, *([an_answer("odd", 12, wrong)] if number < 6 else [])] for number in range(7)
    }
    page = page_of(run.write(with_pictures=False))
    listed = page[page.index('<section id="workers"') :]
    assert re.findall(r"<code>([^<]+)</code>", listed)[0] == "odd"
    assert '<code>odd</code> <span class="why">far from the others</span>' in listed
    assert "50 of 56 workers are listed." in listed


@pytest.mark.parametrize("channels", [["coco"], ["augmented-manifest", "yolo"], ["webdataset"]])
def test_every_command_that_starts_a_training_is_one_that_works(channels):
    """SageMaker's needs a channel for it; the folders are those that the commands above make."""
    run = ReportRun(pictures=pictures())
    run.more = {"request": run.run_json()["request"] | {"channels": channels}}
    page = page_of(run.write())
    printed = re.findall(r"<code>(truthmill train-config [^<]+)</code>", page)
    begin = "truthmill train-config pets --run 0123456789ab"
    assert (begin in printed) == ("augmented-manifest" in channels)
    assert f"{begin} --for ultralytics --folder pets-yolo" in printed
    assert (f"{begin} --for torchvision --folder pets-coco" in printed) == ("coco" in channels)
    for folder in re.findall(r"--folder (\S+)", " ".join(printed)):
        assert f"--to {folder}</code>" in page
