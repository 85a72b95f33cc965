"""A labeled dataset is split anew: no one labels, whole groups move, earlier runs stay as they were."""

import json
import re

import pytest

from builders import archive, picture
from truthmill import Dataset
from truthmill.errors import FormatError, RequestError, SourceError, SplitError
from truthmill_cli.errors import UsageError
from truthmill_cli.pull import pull
from truthmill_cli.pull_format import pull_format
from truthmill_cli.run import again

URI = "s3://truthmill-test/datasets/pets"
CAT, DOG = ([{"class_id": kind, "left": 3, "top": 5, "width": 20, "height": 11}] for kind in (0, 1))


def labeled(cloud):
    """Twenty pictures with a cat each, but for two with a dog, on whichever side they are."""
    cloud.put("incoming/pets.zip", archive({f"s/{number}.jpg": picture(number) for number in range(20)}))
    return cloud.start("incoming/pets.zip").to_the_end({"-3.jpg": DOG, "-13.jpg": DOG})


def resplit(cloud, **request):
    return cloud.start("datasets/pets/", dataset="pets", resplit=True, **request).to_resplit()


def sides(where, **which):
    return {each.name: each.split for each in Dataset.open(where, **which)}


def test_a_new_share_moves_what_must_move_and_asks_no_one(cloud):
    labeled(cloud)
    before, jobs = sides(URI), set(cloud.labeling.jobs)
    run = resplit(cloud, split={"validation": 0.4})
    after = sides(URI)
    assert sorted(after.values()).count("validation") == 8
    assert set(cloud.labeling.jobs) == jobs
    assert run.counts["moved"] == sum(before[name] != after[name] for name in before)
    assert run.run_json["state"] == "SUCCEEDED"


def test_a_rare_class_is_on_both_sides_when_stratified(cloud):
    labeled(cloud)
    run = resplit(cloud, split={"validation": 0.2, "stratify": True})
    dogs = {each.split for each in Dataset.open(URI) for drawn in each.boxes if drawn.label == "dog"}
    assert dogs == {"train", "validation"}
    assert (run.counts["train"], run.counts["validation"]) == (16, 4)


def test_every_picture_lies_where_its_split_says_and_keeps_its_bytes(cloud):
    labeled(cloud)
    bytes_before = {each.name: each.read() for each in Dataset.open(URI)}
    resplit(cloud, split={"validation": 0.5})
    for each in Dataset.open(URI):
        assert f"/images/{each.split}/" in each.key
        assert each.read() == bytes_before[each.name]


def test_an_earlier_run_stays_as_it_was(cloud):
    first = labeled(cloud)
    before = sides(URI)
    channels = cloud.objects(first.channels)
    resplit(cloud, split={"validation": 0.5})
    assert sides(URI, run=first.run["run"]) == before
    assert cloud.objects(first.channels) == channels
    for each in Dataset.open(URI, run=first.run["run"]):
        assert each.read()


def test_a_pulled_folder_has_each_picture_on_one_side(cloud, store, tmp_path):
    labeled(cloud)
    run = resplit(cloud, split={"validation": 0.5})
    pull(store, "pets", "", tmp_path)
    files = [path.name for path in tmp_path.glob("images/*/*")]
    assert len(files) == len(set(files)) == 20
    assert len(list(tmp_path.glob("images/validation/*"))) == 10
    assert Dataset.open(tmp_path).run == run.run["run"]


def test_pictures_that_come_later_find_the_new_split(cloud):
    labeled(cloud)
    resplit(cloud, split={"validation": 0.5})
    after = sides(URI)
    cloud.put("incoming/more.zip", archive({f"s/{number}.jpg": picture(number) for number in range(15, 25)}))
    cloud.start("incoming/more.zip", dataset="pets", split={"validation": 0.5}).to_the_end()
    grown = sides(URI)
    assert len(grown) == 25
    assert {name: grown[name] for name in after} == after


def test_pictures_whose_workers_are_busy_stay(cloud):
    labeled(cloud)
    cloud.put("incoming/more.zip", archive({f"m/{number}.jpg": picture(number) for number in range(30, 40)}))
    waiting = cloud.start("incoming/more.zip", dataset="pets").to_jobs()
    keys = {line["key"] for line in waiting.ledger_lines if line["name"].startswith("m/")}
    between = resplit(cloud, split={"validation": 0.5})
    started_later = {**between.run_json, "startedAt": "2999-01-01T00:00:00Z"}
    cloud.put(between.prefix + "run.json", json.dumps(started_later).encode())
    between.notify()
    assert {line["key"] for line in waiting.ledger_lines if line["name"].startswith("m/")} == keys
    for job in waiting.jobs:
        cloud.label(job["name"])
    waiting.build()
    waiting.report()
    waiting.notify()
    assert len(sides(URI)) == 30


def test_a_dataset_that_changes_meanwhile_is_not_split_over(cloud):
    from pipeline import build_channels, resplit_dataset

    labeled(cloud)
    run = cloud.start("datasets/pets/", dataset="pets", resplit=True, split={"validation": 0.5})
    run.prepare()
    resplit_dataset.handler({"run": run.run}, None)
    run.place()
    resplit(cloud, split={"validation": 0.3})
    with pytest.raises(SourceError, match="changed while it was split anew"):
        build_channels.handler({"run": run.run}, None)


def test_building_again_after_the_commit_changes_nothing(cloud):
    from pipeline import build_channels

    labeled(cloud)
    run = resplit(cloud, split={"validation": 0.5})
    before = cloud.objects("datasets/pets/")
    build_channels.handler({"run": run.run}, None)
    assert cloud.objects("datasets/pets/") == before


def test_resplit_of_an_archive_and_stratify_without_labels_are_refused(cloud):
    cloud.put("incoming/pets.zip", archive({"0.jpg": picture(0)}))
    with pytest.raises(RequestError, match="datasets/pets/"):
        cloud.start("incoming/pets.zip", resplit=True).prepare()
    with pytest.raises(RequestError, match="truthmill resplit"):
        cloud.start("incoming/pets.zip", split={"stratify": True}).prepare()


def test_the_report_of_a_new_split_tells_of_it_and_of_what_was_there(cloud):
    """No picture came in; the leakage check counts groups in what came out."""
    labeled(cloud)
    run = resplit(cloud, split={"validation": 0.4})
    assert run.run_json["split"]["straddlingGroups"] == 0
    assert run.run_json["split"]["largestGroup"] == 1
    page = cloud.get(f"datasets/pets/reports/{run.run['run']}.html").decode()
    rows = re.search(r"<caption>Where every input went</caption>.*?</table>", page)[0]
    assert re.findall(r"<th scope=\"row\">([^<]*)</th><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)<", rows) == [
        ("pictures of the dataset", "training", "12"),
        ("pictures of the dataset", "validation", "8"),
        ("training", "in the channels", "12"),
        ("validation", "in the channels", "8"),
    ]
    assert f"split anew; {run.counts['moved']} of them changed sides" in page
    assert "Groups on both sides (leakage)</dt><dd>none" in page


def test_a_mistake_in_the_command_is_told_before_anything_starts(cloud, store):
    labeled(cloud)
    with pytest.raises(UsageError, match=r"split\.validation"):
        again(store, "pets", None, {"resplit": True, "split.validation": 1.5})
    with pytest.raises(UsageError, match=r"\['foo'\]; choose from"):
        again(store, "pets", None, {"resplit": True, "channels": ["foo"]})
    assert again(store, "pets", None, {"resplit": True, "split.stratify": True})["split"] == {
        "stratify": True
    }
    assert again(store, "pets", None) == {
        "source": "s3://truthmill-test/datasets/pets/",
        "dataset": "pets",
        "trigger": "cli",
    }


def begun(cloud, **request):
    """A new split that is decided and whose copies are in place; the ledger is as it was."""
    from pipeline import resplit_dataset

    run = cloud.start("datasets/pets/", dataset="pets", resplit=True, **request)
    run.prepare()
    resplit_dataset.handler({"run": run.run}, None)
    run.place()
    return run


def test_a_drop_that_comes_meanwhile_is_not_parted_from_what_it_joined(cloud):
    """Its pictures joined the sides that the new split takes their groups away from."""
    from pipeline import build_channels

    labeled(cloud)
    run = begun(cloud, split={"validation": 0.5})
    cloud.put("incoming/more.zip", archive({"m/30.jpg": picture(30)}))
    drop = cloud.start("incoming/more.zip", dataset="pets", split={"onDegenerate": "continue"}).to_split()
    before = drop.ledger_lines
    with pytest.raises(SourceError, match=rf"pictures of run {drop.run['run']} came in"):
        build_channels.handler({"run": run.run}, None)
    assert drop.ledger_lines == before


def test_a_run_that_is_started_again_meanwhile_keeps_its_keys(cloud):
    """It has asked workers about pictures by the keys that the new split would change."""
    from pipeline import build_channels

    cloud.put("incoming/pets.zip", archive({f"s/{number}.jpg": picture(number) for number in range(20)}))
    first = cloud.start("incoming/pets.zip", onIncomplete="continue").to_the_end({"-3.jpg": None})
    run = begun(cloud, split={"validation": 0.5})
    relabeling = cloud.start("datasets/pets/", dataset="pets")
    assert relabeling.prepare() == "relabel"
    relabeling.plan()
    with pytest.raises(SourceError, match=rf"run {first.run['run']} came in or were worked on"):
        build_channels.handler({"run": run.run}, None)


def test_pictures_of_a_run_that_failed_before_they_were_in_place_stay(cloud):
    labeled(cloud)
    cloud.put("incoming/more.zip", archive({f"m/{number}.jpg": picture(number) for number in range(30, 40)}))
    failed = cloud.start("incoming/more.zip", dataset="pets").to_split()
    before = {line["key"] for line in failed.ledger_lines if line["name"].startswith("m/")}
    failed.fail()
    resplit(cloud, split={"validation": 0.5})
    assert {line["key"] for line in failed.ledger_lines if line["name"].startswith("m/")} == before


def test_answers_of_a_run_that_was_stopped_are_not_paid_for_again_after_a_new_split(cloud):
    """Its job goes on without it; started again it finds the answers under the keys it had asked about."""
    labeled(cloud)
    cloud.put("incoming/more.zip", archive({f"m/{number}.jpg": picture(number) for number in range(30, 40)}))
    stopped = cloud.start("incoming/more.zip", dataset="pets").to_jobs()
    stopped.fail()
    resplit(cloud, split={"validation": 0.5})
    for job in stopped.jobs:
        cloud.label(job["name"])
    again = cloud.start("incoming/more.zip", dataset="pets")
    again.prepare()
    again.split()
    again.place()
    assert again.plan() == []
    assert again.counts["labeled"] == 10


def test_a_group_that_busy_pictures_keep_on_two_sides_ends_the_run_unless_it_is_accepted(cloud):
    labeled(cloud)
    files = {f"{side}/g/{number}.jpg": picture(30 + number) for number, side in enumerate(("train", "val"))}
    cloud.put("incoming/more.zip", archive(files))
    honour = {"folders": "honour", "onDegenerate": "continue"}
    busy = cloud.start("incoming/more.zip", dataset="pets", split=honour).to_jobs()
    rules = {"groupBy": {"pattern": "/(?P<group>g)/"}}
    run = cloud.start("datasets/pets/", dataset="pets", resplit=True, split=rules)
    with pytest.raises(SplitError, match=rf"1 groups would .* sides: pictures of {busy.run['run']}"):
        run.to_resplit()
    run.fail()
    accepted = resplit(cloud, split={**rules, "onDegenerate": "continue"})
    assert accepted.run_json["split"]["straddlingGroups"] == 1


def test_a_new_split_that_is_decided_anew_puts_its_copies_in_place_anew(cloud):
    """A drop came between; the copies that are there by then are others than those that are wanted now."""
    from pipeline import build_channels

    labeled(cloud)
    run = begun(cloud, split={"validation": 0.5})
    cloud.put("incoming/more.zip", archive({f"m/{number}.jpg": picture(number) for number in range(30, 40)}))
    drop = cloud.start("incoming/more.zip", dataset="pets", split={"onDegenerate": "continue"}).to_split()
    with pytest.raises(SourceError):
        build_channels.handler({"run": run.run}, None)
    run.fail()
    again = resplit(cloud, split={"validation": 0.5})
    assert again.run["run"] == run.run["run"]
    drop.place()
    keys = {line["key"] for line in again.ledger_lines}
    assert keys <= set(cloud.keys("datasets/pets/images/"))


def fingerprints_of_before(cloud):
    """The dataset as a version left it whose fingerprints had 338 bytes."""
    ledger = cloud.json("datasets/pets/ledger.json")
    for segment in ledger["segments"]:
        lines = [{**line, "fingerprint": "A" * 451 + "="} for line in cloud.lines(segment["key"])]
        cloud.put(segment["key"], "".join(json.dumps(line) + "\n" for line in lines).encode())


REFUSED = (
    r"s3://truthmill-test/datasets/pets/ledger\.json is of another version of Truthmill: 's/\d+\.jpg' has a "
    r"fingerprint of 452 characters there, .* Start a dataset of another name .* `truthmill pull "
)


def test_a_ledger_of_before_this_version_is_refused_with_what_to_do(cloud):
    labeled(cloud)
    fingerprints_of_before(cloud)
    with pytest.raises(FormatError, match=REFUSED):
        resplit(cloud, split={"validation": 0.4})
    cloud.put("incoming/more.zip", archive({"m/30.jpg": picture(30)}))
    with pytest.raises(FormatError, match=REFUSED):
        cloud.start("incoming/more.zip", dataset="pets").to_split()


def test_what_is_to_be_done_then_costs_nothing(cloud, store, tmp_path):
    """A pulled folder as a zip: the labels come along, and no worker is asked."""
    labeled(cloud)
    fingerprints_of_before(cloud)
    jobs = set(cloud.labeling.jobs)
    pull_format(store, "pets", "", tmp_path, "coco")
    files = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*") if path.is_file()}
    cloud.put("incoming/pets-2.zip", archive({name: path.read_bytes() for name, path in files.items()}))
    run = cloud.start("incoming/pets-2.zip", prelabels={"source": ".", "use": "trusted"}).to_the_end()
    assert set(cloud.labeling.jobs) == jobs
    assert run.counts["labeled"] == len(sides("s3://truthmill-test/datasets/pets-2")) == 20
