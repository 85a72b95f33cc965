"""Lines of gold pictures: nothing tells them from a job's own."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.task_page import task_page
from labeling_builders import BUILT_IN, a_request
from truthmill.boxes import Box, iou
from truthmill.gold import compare
from truthmill.gold_lines import first_boxes, gold_line
from truthmill.gold_manifest import KnownPicture
from truthmill.job_answers import template_input
from truthmill.labeling_jobs import Job
from truthmill.manifest import boxes_to_review
from truthmill.matching import SAME, likeness

LABELS = ("cat", "dog")
SIZE = (200, 100)


TEMPLATE = """<crowd-form><crowd-bounding-box name="boundingBox"
  src="{{ task.input.taskObject | grant_read_access }}" labels="{{ task.input.labels | to_json | escape }}"
  initial-value="{{ task.input.initialValue | to_json | escape }}"></crowd-bounding-box>
  {{ task.input.manifestLine | to_json }}</crowd-form>"""


def page(job, line, uri):
    """The task's whole page; a link is the object's key and what would be its signature."""
    given = template_input(job.kinds, line, uri, LABELS)
    return task_page(TEMPLATE, given, lambda uri: f"https://{uri.removeprefix('s3://')}?signature").html


def a_job(kind=""):
    request = a_request(**{"HumanTaskConfig.PreHumanTaskLambdaArn": f"{BUILT_IN}PRE-{kind}BoundingBox"})
    request["HumanTaskConfig"]["AnnotationConsolidationConfig"] = {
        "AnnotationConsolidationLambdaArn": f"{BUILT_IN}ACS-{kind}BoundingBox"
    }
    known = {"arn": "a", "reference": "r", "created": 0, "modified": 0, "objects": 5, "gold": 1}
    return Job(name="j", request=request, labels=LABELS, secret="s", **known)


def own_line(boxes, number=3):
    labels = boxes_to_review(boxes, LABELS, SIZE, "2026-11-01T00:00:00Z", "first")
    return msgspec.json.encode({"source-ref": f"s3://b/{number}.png", "split": "train", **labels}).decode()


def test_a_job_without_first_boxes_shows_gold_pictures_without_too():
    known = KnownPicture("s3://b/gold.png", (Box(0, 1, 2, 30, 40),), SIZE)
    assert gold_line(a_job(), known, own_line([])) == '{"source-ref":"s3://b/gold.png"}'


def test_what_a_template_gets_of_a_gold_task_differs_from_a_task_of_the_same_boxes_in_its_name_only():
    """The job's own object has the first boxes of the gold picture: byte for byte the same beside the key."""
    job = a_job("Adjustment")
    known = KnownPicture("s3://b/gold.png", (Box(1, 20, 20, 50, 50), Box(0, 100, 10, 30, 20)), SIZE)
    boxes = first_boxes(known, "s")
    gold = gold_line(job, known, own_line([Box(0, 1, 1, 9, 9)], 4))
    own = own_line(boxes, 7)
    assert gold == own.replace("s3://b/7.png", "s3://b/gold.png")
    assert page(job, gold, known.uri) == page(job, own, "s3://b/7.png").replace("b/7.png", "b/gold.png")
    shown = template_input(job.kinds, gold, known.uri, LABELS)
    assert shown["initialValue"] == [
        {
            "label": LABELS[box.class_id],
            "left": box.left,
            "top": box.top,
            "width": box.width,
            "height": box.height,
        }
        for box in boxes
    ]


boxes = st.builds(
    Box, st.integers(0, 1), st.integers(0, 99), st.integers(0, 49), st.integers(8, 100), st.integers(8, 50)
)


@given(st.lists(boxes, min_size=1, max_size=8).map(tuple))
def test_who_sends_first_boxes_unchanged_is_not_right_and_they_are_the_same_each_time(known):
    picture = KnownPicture("s3://b/gold.png", known, SIZE)
    first = first_boxes(picture, "s")
    assert first == first_boxes(picture, "s")
    assert all(box.fits(*SIZE) for box in first)
    assert 1 <= len(first) <= len(known)
    assert likeness(known[0], first[0]) < SAME or iou(known[0], first[0]) < SAME
    if len(known) == 1:
        assert compare(first, known).hits == 0
