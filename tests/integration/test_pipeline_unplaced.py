"""Pictures that are kept and then can't be placed: none takes the run with it, none stays in the dataset."""

import io

import pytest
from PIL import Image

from builders import picture
from pipeline import plan_labeling
from truthmill.errors import NoPicturesError, SplitError
from workflow import without_times

PREFIX = "incoming/cam/"


@pytest.fixture
def camera(cloud):
    for number in range(6):
        cloud.put(f"{PREFIX}{number}.jpg", picture(400 + number))
    return cloud


def sweep(cloud):
    return cloud.start(PREFIX, trigger="schedule")


def to_placed(run):
    run.to_split()
    run.place()
    return run


def manifest_names(run, *names):
    """Of the pictures in manifests of the run, by the last part of their keys."""
    found = [line for name in names for line in run.cloud.lines(f"{run.prefix}manifests/{name}.manifest")]
    return sorted(line["source-ref"].rpartition("-")[2] for line in found)


def darker(content):
    made = io.BytesIO()
    Image.open(io.BytesIO(content)).point(lambda shade: 0.9 * shade).save(made, "PNG")
    return made.getvalue()


def snapshot(cloud):
    objects = cloud.objects("datasets/")
    return {key: without_times(content) for key, content in objects.items() if not key.endswith("/run.json")}


def test_a_picture_that_is_deleted_before_it_is_placed_is_rejected_and_the_rest_goes_on(camera):
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    run.on_to_the_end()
    rest = ["0.jpg", "1.jpg", "3.jpg", "4.jpg", "5.jpg"]
    assert run.rejected == {"2.jpg": "missing"}
    assert manifest_names(run, "train", "validation") == rest
    assert manifest_names(run, "labeling-000") == rest
    assert sorted(line["name"] for line in run.ledger_lines) == rest
    assert sorted(key.rpartition("-")[2] for key in camera.keys("datasets/cam/images/")) == rest
    counts = run.counts
    assert (counts["inputs"], counts["rejected"], counts["train"] + counts["validation"]) == (6, 1, 5)
    assert counts["labeled"] == 5
    (segment,) = camera.json("datasets/cam/ledger.json")["segments"]
    assert segment["pictures"] == 5


def test_what_is_in_place_is_not_put_there_again_and_keeps_its_side(camera, monkeypatch):
    monkeypatch.setattr("pipeline.placement.BATCH_COUNT", 2)
    run = sweep(camera).to_split()
    sides = run.side_by_name
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    for key in camera.keys("datasets/cam/images/"):
        camera.put(key, b"put before")
    run.plan()
    assert run.side_by_name == {name: side for name, side in sides.items() if name != "2.jpg"}
    assert {camera.get(key) for key in camera.keys("datasets/cam/images/")} == {b"put before"}
    numbers = [line["batch"] for line in camera.lines(run.state["place"])]
    assert numbers == [0, 1, 2]


def test_a_batch_of_which_everything_is_gone_leaves_its_number_free(camera, monkeypatch):
    monkeypatch.setattr("pipeline.placement.BATCH_COUNT", 2)
    run = camera.start(PREFIX, split={"onDegenerate": "continue"}).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    camera.delete(f"{PREFIX}3.jpg")
    run.place()
    run.plan()
    assert [line["batch"] for line in camera.lines(run.state["place"])] == [0, 2]
    assert run.rejected == {"2.jpg": "missing", "3.jpg": "missing"}
    assert run.jobs[0]["objects"] == 4


def test_the_copy_of_a_picture_that_is_gone_takes_its_place(camera):
    """It was left out for a picture that isn't there any more."""
    camera.put(f"{PREFIX}copy.jpg", picture(402))
    run = sweep(camera).to_split()
    (gone,) = {"2.jpg", "copy.jpg"} - set(run.rejected)
    (copy,) = {"2.jpg", "copy.jpg"} - {gone}
    side = run.side_by_name[gone]
    camera.delete(PREFIX + gone)
    run.place()
    run.on_to_the_end()
    assert run.rejected == {gone: "missing"}
    assert run.side_by_name[copy] == side
    assert (run.counts["duplicates"], run.counts["labeled"]) == (0, 6)


def test_the_copy_that_takes_its_place_is_on_the_side_that_its_folder_names(cloud):
    """Whichever of the two was kept first: its own side was the other one."""
    for number in range(6):
        cloud.put(f"{PREFIX}train/{number}.jpg", picture(400 + number))
    for number in range(4):
        cloud.put(f"{PREFIX}val/{number}.jpg", picture(400 + number))
    run = cloud.start(PREFIX, split={"folders": "honour", "onDegenerate": "continue"}).to_split()
    first = {name for name in run.side_by_name if name not in {"train/4.jpg", "train/5.jpg"}}
    for name in first:
        cloud.delete(PREFIX + name)
    run.place()
    run.plan()
    assert run.rejected == dict.fromkeys(first, "missing")
    second = {f"{folder}/{number}.jpg" for folder in ("train", "val") for number in range(4)} - first
    folder = {"train": "train", "validation": "val"}
    assert {name for name, side in run.side_by_name.items() if name.startswith(folder[side])} == {
        *second,
        "train/4.jpg",
        "train/5.jpg",
    }


def test_the_copy_may_be_gone_as_well(camera):
    camera.put(f"{PREFIX}copy.jpg", picture(402))
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    camera.delete(f"{PREFIX}copy.jpg")
    run.place()
    run.on_to_the_end()
    assert run.rejected == {"2.jpg": "missing", "copy.jpg": "missing"}
    assert (run.counts["rejected"], run.counts["duplicates"], run.counts["labeled"]) == (2, 0, 5)


def test_near_copies_stay_together_when_one_of_them_is_gone(camera):
    for number in range(6):
        camera.put(f"{PREFIX}dark-{number}.png", darker(picture(400 + number)))
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}3.jpg")
    run.place()
    run.plan()
    side = run.side_by_name
    assert len(side) == 11
    assert all(side[f"{number}.jpg"] == side[f"dark-{number}.png"] for number in (0, 1, 2, 4, 5))
    similar = camera.lines(f"{run.prefix}similar.jsonl")
    assert len(similar) == 5


def test_a_picture_that_comes_again_is_new_to_the_next_sweep(camera):
    """It has the key, the size and the ETag of before."""
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    run.on_to_the_end()
    assert sweep(camera).prepare() == "nothing-new"
    camera.put(f"{PREFIX}2.jpg", picture(402))
    second = sweep(camera).to_the_end()
    assert (second.counts["inputs"], second.counts["labeled"], second.counts["known"]) == (1, 1, 0)
    assert len(second.ledger_lines) == 6


def test_a_picture_that_was_replaced_is_rejected_and_its_successor_is_new_to_the_next_sweep(camera):
    run = sweep(camera).to_split()
    camera.put(f"{PREFIX}2.jpg", picture(77))
    run.place()
    run.on_to_the_end()
    assert run.rejected == {"2.jpg": "replaced"}
    second = sweep(camera).to_the_end()
    assert (second.counts["inputs"], second.counts["labeled"]) == (1, 1)
    assert sweep(camera).prepare() == "nothing-new"


def test_the_first_of_a_replaced_picture_that_is_put_back_is_new_to_the_next_sweep(camera):
    run = sweep(camera).to_split()
    camera.put(f"{PREFIX}2.jpg", picture(77))
    run.place()
    run.on_to_the_end()
    camera.put(f"{PREFIX}2.jpg", picture(402))
    second = sweep(camera).to_the_end()
    assert (second.counts["inputs"], second.counts["labeled"]) == (1, 1)


def test_a_picture_that_goes_to_cold_storage_is_rejected(camera):
    run = sweep(camera).to_split()
    cold = {"Bucket": camera.bucket, "Key": f"{PREFIX}2.jpg", "StorageClass": "GLACIER"}
    camera.s3.put_object(**cold, Body=picture(402))
    run.place()
    run.plan()
    assert run.rejected == {"2.jpg": "cold-storage"}
    assert run.jobs[0]["objects"] == 5


def test_where_everything_is_gone_the_run_ends_and_leaves_nothing_in_the_ledger(camera):
    run = sweep(camera).to_split()
    for number in range(6):
        camera.delete(f"{PREFIX}{number}.jpg")
    run.place()
    with pytest.raises(NoPicturesError, match="has 6 entries and none is a picture that can be used"):
        run.plan()
    run.fail("NoPicturesError")
    assert run.rejected == {f"{number}.jpg": "missing" for number in range(6)}
    assert run.counts == {"inputs": 6, "rejected": 6, "ignored": 0, **_none_kept(run)}
    assert "segments" not in camera.json("datasets/cam/ledger.json")


def _none_kept(run):
    return {name: 0 for name in run.counts if name not in {"inputs", "rejected", "ignored"}}


def test_where_a_whole_side_is_gone_the_rest_is_split_anew(camera):
    """Else the sides of the first decision would leave no split."""
    run = sweep(camera).to_split()
    gone = [name for name, side in run.side_by_name.items() if side == "validation"]
    for name in gone:
        camera.delete(PREFIX + name)
    run.place()
    run.on_to_the_end()
    assert run.rejected == dict.fromkeys(gone, "missing")
    assert (run.counts["train"], run.counts["validation"], run.counts["labeled"]) == (4, 1, 5)
    for line in run.ledger_lines:
        assert f"/images/{line['split']}/" in line["key"]
        assert camera.get(line["key"]) == camera.get(PREFIX + line["name"])


def test_where_the_rest_cannot_be_split_the_run_ends_and_leaves_nothing_in_the_ledger(camera):
    """One picture is left, and no split has a side that is empty."""
    run = sweep(camera).to_split()
    for number in range(5):
        camera.delete(f"{PREFIX}{number}.jpg")
    run.place()
    with pytest.raises(SplitError, match="The split would be"):
        run.plan()
    assert "segments" not in camera.json("datasets/cam/ledger.json")


def test_steps_that_are_repeated_come_to_the_same(camera):
    """Also where the picture is there again meanwhile: it was rejected, and that stays."""
    run = camera.start(PREFIX).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    run.plan()
    run.create_jobs()
    before, counts = snapshot(camera), run.counts
    camera.put(f"{PREFIX}2.jpg", picture(402))
    for step in ("prepare", "inspect", "split", "place", "plan"):
        getattr(run, step)()
        assert snapshot(camera) == before, step
        assert run.counts == counts


@pytest.mark.parametrize("lost", ["unplaced/000000.jsonl", "placed/000000.json"])
def test_a_batch_that_is_interrupted_at_its_end_comes_to_the_same(camera, lost):
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    before = snapshot(camera)
    camera.delete(f"{run.prefix}placed/000000.json")
    camera.delete(run.prefix + lost)
    run.place()
    assert snapshot(camera) == before


def test_a_picture_that_is_there_again_before_the_batch_is_done_stays_rejected(camera):
    """Else it would be placed, and stand in the list of what couldn't be."""
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    camera.delete(f"{run.prefix}placed/000000.json")
    camera.put(f"{PREFIX}2.jpg", picture(402))
    run.place()
    run.plan()
    assert run.rejected == {"2.jpg": "missing"}
    assert len(camera.keys("datasets/cam/images/")) == 5


def test_a_new_execution_goes_on_with_what_could_be_placed(camera):
    """The picture is there again, so the listing is the same, and so is the run."""
    first = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    first.place()
    first.fail()
    camera.put(f"{PREFIX}2.jpg", picture(402))
    second = to_placed(sweep(camera))
    assert second.run["run"] == first.run["run"]
    second.on_to_the_end()
    assert second.rejected == {"2.jpg": "missing"}
    assert second.counts["labeled"] == 5


def test_an_execution_that_ends_between_the_two_decisions_is_gone_on_with(camera):
    """split.json is of the second one, the ledger has the first one still."""
    run = sweep(camera).to_split()
    ledger = camera.get("datasets/cam/ledger.json")
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    run.split()
    camera.put("datasets/cam/ledger.json", ledger)
    run.split()
    run.place()
    run.plan()
    assert "2.jpg" not in run.side_by_name
    assert run.jobs[0]["objects"] == 5


def test_a_drop_that_took_the_rest_over_meanwhile_is_heeded(camera):
    """Pictures of a run that failed belong to whoever brings them next; the run then has what is left."""
    first = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    first.place()
    first.fail()
    camera.put("incoming/other/1.jpg", picture(401))
    camera.put("incoming/other/9.jpg", picture(409))
    other = camera.start("incoming/other/", dataset="cam", split={"onDegenerate": "continue"}).to_the_end()
    assert other.counts["labeled"] == 2
    camera.put(f"{PREFIX}2.jpg", picture(402))
    second = sweep(camera)
    second.to_split()
    second.place()
    second.on_to_the_end()
    assert second.rejected == {"1.jpg": "known", "2.jpg": "missing"}
    assert second.counts["labeled"] == 4
    assert len(second.ledger_lines) == len({line["pixels"] for line in second.ledger_lines}) == 6


def test_a_relabeling_asks_about_no_picture_that_was_never_placed(camera):
    """Its run failed before; workers would see nothing."""
    camera.start("incoming/cam/", split={"seed": "a"}).to_the_end()
    camera.put("incoming/more/7.jpg", picture(407))
    camera.put("incoming/more/8.jpg", picture(408))
    failed = camera.start("incoming/more/", dataset="cam", split={"onDegenerate": "continue"}).to_split()
    failed.fail()
    relabeling = camera.start("datasets/cam/", dataset="cam")
    assert relabeling.prepare() == "relabel"
    assert relabeling.plan() == []


def test_planning_says_so_once_only(camera):
    run = sweep(camera).to_split()
    camera.delete(f"{PREFIX}2.jpg")
    run.place()
    event = {"run": run.run, "ended": []}
    assert plan_labeling.handler(event, None) == {"counts": {}, "jobs": [], "unplaced": True}
    run.split()
    run.place()
    answer = plan_labeling.handler(event, None)
    assert (answer["unplaced"], len(answer["jobs"])) == (False, 1)
