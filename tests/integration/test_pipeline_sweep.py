"""The scheduled sweep of a prefix: pictures that are new become one run, and none new makes none."""

import pytest

from builders import picture
from truthmill.errors import LabelingIncompleteError, NoPicturesError, SplitError

PREFIX = "incoming/cam/"


@pytest.fixture
def camera(cloud):
    for number in range(5):
        cloud.put(f"{PREFIX}{number}.jpg", picture(300 + number))
    return cloud


def sweep(cloud):
    return cloud.start(f"s3://{cloud.bucket}/{PREFIX}", trigger="schedule")


def test_the_first_sweep_takes_what_is_there(camera):
    run = sweep(camera).to_the_end()
    assert run.counts["labeled"] == 5
    assert camera.json("datasets/cam/swept.json")["run"] == run.run["run"]


def test_nothing_new_is_no_run_and_no_cost(camera):
    first = sweep(camera).to_the_end()
    before = camera.objects("datasets/")
    second = sweep(camera)
    assert second.prepare() == "nothing-new"
    assert camera.objects("datasets/") == before
    pointer = camera.json(f"executions/{second.arn.rpartition(':')[2]}.json")
    assert pointer == {"key": first.prefix + "run.json"}


def test_only_what_is_new_or_changed_is_looked_at(camera):
    """A picture that was replaced under its key is new; one that was removed is nothing."""
    sweep(camera).to_the_end()
    camera.put(f"{PREFIX}2.jpg", picture(399))
    camera.put(f"{PREFIX}9.jpg", picture(398))
    camera.delete(f"{PREFIX}0.jpg")
    second = sweep(camera).to_the_end()
    assert {entry["name"] for batch in camera.lines(second.state["plan"]) for entry in batch["entries"]} == {
        "2.jpg",
        "9.jpg",
    }
    assert (second.counts["inputs"], second.counts["labeled"]) == (2, 2)
    assert sweep(camera).prepare() == "nothing-new"


def test_what_a_failed_sweep_had_found_is_found_again(camera):
    first = sweep(camera).to_split()
    first.fail()
    second = sweep(camera)
    assert second.prepare() == "claimed"
    assert second.run["run"] == first.run["run"]


@pytest.mark.parametrize("before", [True, False], ids=["after a sweep", "the first sweep"])
def test_a_sweep_that_finds_no_picture_tells_so_once_and_is_made_again_when_one_comes(cloud, before):
    """Else every sweep would fail, and tell the topic, because of one file that is no picture."""
    if before:
        cloud.put(f"{PREFIX}0.jpg", picture(300))
        cloud.put(f"{PREFIX}1.jpg", picture(301))
        sweep(cloud).to_the_end()
    cloud.put(f"{PREFIX}notes.txt", b"no picture")
    failed = sweep(cloud)
    failed.prepare()
    failed.inspect()
    with pytest.raises(NoPicturesError):
        failed.split()
    failed.fail("NoPicturesError")
    again = sweep(cloud)
    assert again.prepare() == "nothing-new"
    assert cloud.json(f"executions/{again.arn.rpartition(':')[2]}.json") == {
        "key": failed.prefix + "run.json"
    }
    by_hand = cloud.start(f"s3://{cloud.bucket}/{PREFIX}")
    assert by_hand.prepare() == "claimed"
    by_hand.end()
    cloud.put(f"{PREFIX}8.jpg", picture(308))
    cloud.put(f"{PREFIX}9.jpg", picture(309))
    assert sweep(cloud).to_the_end().counts["inputs"] == 3
    assert sweep(cloud).prepare() == "nothing-new"


def test_a_sweep_asks_workers_no_second_time_for_what_they_did_not_answer(camera):
    """Somebody who starts the run does, and a sweep by another request, or with another picture."""
    first = sweep(camera).to_jobs()
    camera.label(first.jobs[0]["name"], {"-1.jpg": None})
    with pytest.raises(LabelingIncompleteError):
        first.keep()
    first.fail("LabelingIncompleteError")
    assert sweep(camera).prepare() == "nothing-new"
    for request in ({"trigger": "schedule", "onIncomplete": "continue"}, {"trigger": "console"}):
        again = camera.start(f"s3://{camera.bucket}/{PREFIX}", **request)
        assert again.prepare() == "claimed"
        assert again.run["run"] == first.run["run"]
        again.fail("LabelingIncompleteError")
    camera.put(f"{PREFIX}9.jpg", picture(398))
    second = sweep(camera).to_jobs()
    assert second.run["run"] != first.run["run"]
    assert second.jobs[0]["objects"] == 2


@pytest.mark.parametrize("more", [{"split": {"onDegenerate": "continue"}}, {}])
def test_a_sweep_of_too_few_pictures_to_split_fails_once(cloud, more):
    cloud.put(f"{PREFIX}0.jpg", picture(300))
    first = sweep(cloud)
    first.prepare()
    first.inspect()
    with pytest.raises(SplitError):
        first.split()
    first.fail("SplitError")
    assert sweep(cloud).prepare() == "nothing-new"
    if not more:
        for number in range(1, 5):
            cloud.put(f"{PREFIX}{number}.jpg", picture(300 + number))
    assert cloud.start(f"s3://{cloud.bucket}/{PREFIX}", trigger="schedule", **more).prepare() == "claimed"


def test_a_person_who_starts_a_run_means_all_that_is_there(camera):
    sweep(camera).to_the_end()
    asked = camera.start(f"s3://{camera.bucket}/{PREFIX}", channels=["coco"])
    asked.to_split()
    assert (asked.counts["inputs"], asked.counts["known"]) == (5, 5)


@pytest.mark.parametrize("cleared", ["listing.jsonl", "rejected.jsonl"])
def test_a_sweep_whose_lines_were_cleared_away_is_followed_by_one_that_knows_its_pictures(camera, cleared):
    first = sweep(camera).to_the_end()
    camera.delete(first.prefix + cleared)
    camera.put(f"{PREFIX}9.jpg", picture(398))
    second = sweep(camera).to_the_end()
    assert (second.counts["inputs"], second.counts["known"], second.counts["labeled"]) == (6, 5, 1)
