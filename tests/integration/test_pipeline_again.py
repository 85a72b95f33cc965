"""What comes twice is done once: a step, a drop, an execution."""

import json

import pytest

from builders import archive, picture
from truthmill.errors import BudgetExceededError
from truthmill_cli.runs import needs_labels
from workflow import WORKTEAM, without_times

FILES = {f"{number}.jpg": picture(number) for number in range(5)}


@pytest.fixture
def dropped(cloud):
    cloud.put("incoming/pets.zip", archive(FILES | {"again.jpg": picture(0), "notes.txt": b"hello"}))
    return cloud


def snapshot(cloud):
    """Every object but what holds moments: run.json's endedAt, and the source's own ETag."""
    objects = cloud.objects()
    return {key: without_times(content) for key, content in objects.items() if not key.endswith("/run.json")}


def run_jsons(cloud):
    found = {key: cloud.json(key) for key in cloud.keys("datasets/") if key.endswith("/run.json")}
    return {key: {**run, "endedAt": ""} for key, run in found.items()}


STEPS = ["prepare", "inspect", "split", "place", "plan", "create_jobs", "build", "report", "notify"]


def test_every_step_run_twice_leaves_the_same_bytes(dropped):
    run = dropped.start("incoming/pets.zip", onIncomplete="continue")
    for step in STEPS:
        if step == "build":
            dropped.label(run.jobs[0]["name"], {"-1.jpg": [], "-2.jpg": None})
        getattr(run, step)()
        before = snapshot(dropped), run_jsons(dropped)
        getattr(run, step)()
        assert (snapshot(dropped), run_jsons(dropped)) == before, step
    assert dropped.labeling.created == [run.jobs[0]["name"]]
    again = dropped.start("incoming/pets.zip", onIncomplete="continue")
    assert again.prepare() == "exists"


def test_what_channels_say_of_their_time_is_the_runs_not_the_clocks(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    dropped.label(run.jobs[0]["name"])
    then = {**run.run_json, "startedAt": "2001-02-03T04:05:06Z"}
    dropped.put(run.prefix + "run.json", json.dumps(then).encode())
    run.build()
    lines = dropped.lines(f"{run.channels}augmented-manifest/train.manifest")
    assert {line["bounding-box-metadata"]["creation-date"] for line in lines} == {"2001-02-03T04:05:06"}


def test_the_whole_run_repeated_by_its_own_execution_leaves_the_same_bytes(dropped):
    run = dropped.start("incoming/pets.zip").to_the_end()
    before = snapshot(dropped)
    ended = run.run_json["state"]
    for step in STEPS:
        getattr(run, step)()
    assert snapshot(dropped) == before
    assert run.run_json["state"] == ended == "SUCCEEDED"


@pytest.mark.parametrize(
    ("step", "written"),
    [
        ("prepare", ["inspected/prepare.jsonl", "plan.jsonl"]),
        ("inspect", ["inspected/000000.jsonl"]),
        (
            "split",
            [
                "place.jsonl",
                "manifests/train.manifest",
                "manifests/validation.manifest",
                "rejected.jsonl",
                "similar.jsonl",
                "split.json",
            ],
        ),
        ("place", ["placed/000000.json"]),
        ("create_jobs", ["labeling/labels-000.json", "labeling/template-000.liquid.html"]),
        ("build", ["unlabeled.jsonl", "boxes.jsonl"]),
    ],
)
def test_a_step_interrupted_after_any_of_its_writes_comes_to_the_same(dropped, step, written):
    """What a step writes after the interruption is missing: from all of it down to the last object."""
    run = dropped.start("incoming/pets.zip")
    for name in STEPS[: STEPS.index(step)]:
        getattr(run, name)()
    if step == "build":
        dropped.label(run.jobs[0]["name"])
    getattr(run, step)()
    before = snapshot(dropped)
    for first in range(len(written)):
        for name in written[first:]:
            dropped.delete(run.prefix + name)
        getattr(run, step)()
        assert snapshot(dropped) == before, written[first:]


@pytest.mark.parametrize("missing", range(6))
def test_placing_that_was_interrupted_is_completed(dropped, missing):
    run = dropped.start("incoming/pets.zip").to_split()
    run.place()
    before = snapshot(dropped)
    dropped.delete(run.prefix + "placed/000000.json")
    for key in dropped.keys("datasets/pets/images/")[:missing]:
        dropped.delete(key)
    run.place()
    assert snapshot(dropped) == before


def test_a_second_drop_while_the_first_is_under_way_makes_no_second_run(dropped):
    first = dropped.start("incoming/pets.zip").to_jobs()
    second = dropped.start("incoming/pets.zip")
    assert second.prepare() == "exists"
    assert second.run["run"] == first.run["run"]
    assert first.run_json["execution"] == first.arn
    pointer = dropped.json(f"executions/{second.arn.rpartition(':')[2]}.json")
    assert pointer == {"key": first.prefix + "run.json"}


def test_a_second_drop_of_what_is_done_makes_no_second_run(dropped):
    first = dropped.start("incoming/pets.zip").to_the_end()
    done = dropped.get(first.prefix + "run.json")
    assert dropped.start("incoming/pets.zip").prepare() == "exists"
    assert dropped.get(first.prefix + "run.json") == done


def test_the_same_bytes_under_another_key_are_the_same_run(dropped):
    first = dropped.start("incoming/pets.zip").to_the_end()
    dropped.put("incoming/copy of pets.zip", dropped.get("incoming/pets.zip"))
    second = dropped.start("incoming/copy of pets.zip", dataset="pets", budget={"maxCost": 7}, trigger="s3")
    assert second.prepare() == "exists"
    assert second.run["run"] == first.run["run"]


@pytest.mark.parametrize(
    "other", [{"dataset": "others"}, {"labels": ["cat"]}, {"split": {"seed": "x"}}, {"channels": ["coco"]}]
)
def test_the_same_bytes_with_other_settings_are_another_run(dropped, other):
    first = dropped.start("incoming/pets.zip")
    second = dropped.start("incoming/pets.zip", **other)
    assert (first.prepare(), second.prepare()) == ("claimed", "claimed")
    assert second.run["run"] != first.run["run"]


def test_a_failed_run_is_taken_over_and_goes_on_where_it_ended(dropped):
    first = dropped.start("incoming/pets.zip").to_jobs()
    first.fail()
    assert first.run_json["state"] == "FAILED"
    second = dropped.start("incoming/pets.zip").to_the_end()
    assert second.run["run"] == first.run["run"]
    assert second.run_json["state"] == "SUCCEEDED"
    assert second.run_json["execution"] == second.arn
    assert second.run_json.get("error") is None
    assert second.run_json["startedAt"] == first.run_json["startedAt"]
    assert dropped.labeling.created == [first.jobs[0]["name"]]


@pytest.mark.parametrize("how", ["stopped", "unknown"])
def test_a_run_whose_execution_is_gone_is_taken_over(dropped, how):
    first = dropped.start("incoming/pets.zip")
    if how == "unknown":
        first.arn = first.arn.replace(":e0", ":long-forgotten")
    assert first.prepare() == "claimed"
    if how == "stopped":
        first.end()
    second = dropped.start("incoming/pets.zip")
    assert second.prepare() == "claimed"
    assert second.run_json["execution"] == second.arn


def test_a_failed_run_is_taken_over_by_one_only(dropped):
    first = dropped.start("incoming/pets.zip").to_split()
    first.fail()
    decisions = [dropped.start("incoming/pets.zip").prepare() for _ in range(2)]
    assert decisions == ["claimed", "exists"]


def test_a_retry_of_the_same_execution_goes_on(dropped):
    run = dropped.start("incoming/pets.zip")
    assert run.prepare() == "claimed"
    assert run.prepare() == "claimed"
    run.inspect()
    assert run.prepare() == "claimed"
    run.split()
    assert run.counts["inputs"] == 7


def test_another_budget_is_enough_to_go_on(dropped):
    price = {
        "workteamArn": WORKTEAM,
        "pricePerTask": "0.5",
    }
    first = dropped.start("incoming/pets.zip", workforce=price, budget={"maxCost": 1})
    with pytest.raises(BudgetExceededError):
        first.to_split()
    first.fail("BudgetExceededError")
    second = dropped.start("incoming/pets.zip", workforce=price, budget={"maxCost": 3}).to_split()
    assert second.run["run"] == first.run["run"]
    assert second.run_json["cost"]["estimatedUsd"] == 2.5


def test_a_run_started_again_needs_labels_although_its_jobs_of_before_have_ended(dropped, store):
    """Else simulated workers go home between two executions, or two rounds, of a run."""

    def looked(execution):
        return needs_labels(store, execution.arn.rpartition(":")[2])

    first = dropped.start("incoming/pets.zip", onIncomplete="fail").to_jobs()
    stopped = first.jobs[0]["name"]
    assert looked(first)
    dropped.label(stopped, {"-1.jpg": None}, status="Stopped")
    first.end()

    second = dropped.start("incoming/pets.zip", onIncomplete="fail")
    assert looked(second)
    second.prepare()
    assert looked(second)
    assert [job["name"] for job in second.plan()] != [stopped]
    assert looked(second)
    second.create_jobs()
    dropped.label(second.jobs[0]["name"])
    assert looked(second)
    second.build()
    assert not looked(second)
    second.report()
    second.notify()
    assert not looked(second)
