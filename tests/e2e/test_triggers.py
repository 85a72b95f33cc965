"""A run by each of the three triggers, from its sample event to channels that others' readers take."""

import contextlib
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from builders import archive, coco_truth, picture

EVENTS = Path(__file__).parents[2] / "events"
ODD = ["plain.jpg", "a b/with (space) + 100%.jpg", "ä/größe \"quoted\" 'it'.jpg", "😀/猫.jpg"]
BOXES = {"cat": (3, 4, 20, 10), "dog": (30, 12, 9, 30)}


def event(name):
    return json.loads((EVENTS / name).read_text())


@pytest.fixture
def pictures(request):
    """Ten pictures of this test alone, with odd names among them; a copy and a text beside them."""
    seed = sum(request.node.name.encode())
    names = [*ODD, *(f"p{number}.jpg" for number in range(6))]
    return {name: picture(seed * 100 + number) for number, name in enumerate(names)}


@pytest.fixture
def truth(pictures, tmp_path):
    """COCO file: a cat and a dog in each picture but the last, which has neither."""
    boxes = {name: [] if name == "p5.jpg" else list(BOXES.items()) for name in pictures}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(coco_truth(boxes, list(BOXES), (64, 48))))
    images = tmp_path / "images"
    for name, content in pictures.items():
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        (images / name).write_bytes(content)
    return path


def check_run(local_stack, execution, trigger):
    assert local_stack.ended(execution)["status"] == "SUCCEEDED", local_stack.run_of(execution)["error"]
    run = local_stack.run_of(execution)
    assert run["state"] == "SUCCEEDED"
    assert run["trigger"] == trigger
    counts = run["counts"]
    assert (counts["train"], counts["validation"], counts["labeled"]) == (8, 2, 10)
    placed = ("train", "validation", "test", "duplicates", "rejected", "ignored")
    assert counts["inputs"] == sum(counts[name] for name in placed)
    return run


def check_channels(local_stack, run, tmp_path):
    """Both channels, by readers that aren't ours."""
    target = tmp_path / "pulled"
    local_stack.truthmill("pull", run["dataset"], "--to", target)
    found = Counter()
    for split in ("train", "validation"):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(target / "channels/coco" / f"instances_{split}.json")
        assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["cat", "dog"]
        for image in coco.loadImgs(coco.getImgIds()):
            assert (target / "images" / split / image["file_name"]).is_file()
            names = {
                coco.cats[one["category_id"]]["name"]: tuple(one["bbox"])
                for one in coco.imgToAnns[image["id"]]
            }
            assert names in (BOXES, {})
            found[split, bool(names)] += 1
        lines = (target / "channels/augmented-manifest" / f"{split}.manifest").read_text().splitlines()
        for line in map(json.loads, lines):
            map_of = line["bounding-box-metadata"]["class-map"]
            drawn = {
                map_of[str(one["class_id"])]: (one["left"], one["top"], one["width"], one["height"])
                for one in line["bounding-box"]["annotations"]
            }
            assert drawn in (BOXES, {})
            assert line["bounding-box"]["image_size"] == [{"width": 64, "height": 48, "depth": 3}]
    assert sum(found.values()) == 10
    assert found["train", False] + found["validation", False] == 1


def test_a_zip_that_is_dropped_in_s3(local_stack, pictures, truth, tmp_path):
    """The key is the sample event's, with everything in it that has ever broken a transformer."""
    key = event("archive-dropped.json")["detail"]["object"]["key"]
    content = archive(
        {**pictures, "copy.jpg": pictures["plain.jpg"], "notes.txt": b"hello"}, {"labels": ["cat", "dog"]}
    )
    execution = local_stack.started_by(lambda: local_stack.drop(key, content))
    local_stack.label(truth, tmp_path / "images")
    run = check_run(local_stack, execution, "s3")
    assert run["counts"]["inputs"] == 13
    assert (run["counts"]["duplicates"], run["counts"]["rejected"], run["counts"]["ignored"]) == (1, 1, 1)
    check_channels(local_stack, run, tmp_path)

    again = local_stack.started_by(lambda: local_stack.drop(key, content))
    assert local_stack.ended(again)["status"] == "SUCCEEDED"
    assert local_stack.states(again)[-1] == "SameRunExists"
    assert local_stack.run_of(again)["execution"] == execution


def test_a_request_in_the_console(local_stack, pictures, truth, tmp_path):
    request = event("console-request.json")
    request["source"] = f"s3://{local_stack.deployed.bucket}/uploads/console.zip"
    request["workforce"]["workteamArn"] = local_stack.deployed.workteam
    request["dataset"] = "from-console"
    local_stack.drop("uploads/console.zip", archive(pictures))
    execution = local_stack.started_by(
        lambda: local_stack.step_functions.start_execution(
            stateMachineArn=local_stack.deployed.state_machine, input=json.dumps(request)
        )
    )
    local_stack.label(truth, tmp_path / "images")
    run = check_run(local_stack, execution, "console")
    assert run["cost"]["estimatedUsd"] == pytest.approx(10 * 0.036)
    check_channels(local_stack, run, tmp_path)


def test_the_schedule(local_stack, pictures, truth, tmp_path):
    """The deployed schedule itself, with its own role and target, set to fire once in a moment."""
    request = event("schedule-request.json")
    request["source"] = f"s3://{local_stack.deployed.bucket}/incoming/scheduled/"
    for name, content in pictures.items():
        local_stack.drop(f"incoming/scheduled/{name}", content)
    for odd in ("/odd.jpg", "slash.jpg/"):
        local_stack.drop(f"incoming/scheduled/{odd}", picture(90_300))
    scheduler = local_stack.client("scheduler")
    (name,) = [
        found["Name"] for found in scheduler.list_schedules()["Schedules"] if "Dataset" in found["Name"]
    ]
    deployed = scheduler.get_schedule(Name=name)
    assert deployed["State"] == "DISABLED"

    def fire():
        soon = datetime.now(UTC) + timedelta(seconds=3)
        scheduler.update_schedule(
            Name=name,
            State="ENABLED",
            ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow=deployed["FlexibleTimeWindow"],
            Target=deployed["Target"] | {"Input": json.dumps(request)},
        )

    execution = local_stack.started_by(fire)
    local_stack.label(truth, tmp_path / "images")
    run = check_run(local_stack, execution, "schedule")
    assert run["dataset"] == "scheduled"
    assert (run["counts"]["inputs"], run["counts"]["rejected"]) == (12, 2)
    check_channels(local_stack, run, tmp_path)

    again = local_stack.step_functions.start_execution(  # a schedule for one time fires once
        stateMachineArn=local_stack.deployed.state_machine, input=json.dumps(request)
    )["executionArn"]
    assert local_stack.ended(again)["status"] == "SUCCEEDED"
    assert local_stack.states(again)[-1] == "NothingNew"
