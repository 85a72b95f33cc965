"""Labeling jobs that don't complete: nothing that was answered is lost, nothing is paid for again."""

import json

import pytest

from builders import archive, picture
from truthmill.errors import (
    BudgetExceededError,
    LabelingConflictError,
    LabelingError,
    LabelingIncompleteError,
    NoPicturesError,
)
from workflow import WORKTEAM

FIVE = {f"{number}.jpg": picture(number) for number in range(5)}


@pytest.fixture
def dropped(cloud):
    cloud.put("incoming/pets.zip", archive(FIVE))
    return cloud


def labeled(run):
    return {line["name"] for line in run.ledger_lines if line.get("boxes") is not None}


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_ends_early_fails_the_run_and_keeps_what_was_answered(dropped, status):
    run = dropped.start("incoming/pets.zip").to_jobs()
    dropped.label(run.jobs[0]["name"], status=status, without=("-1.jpg", "-4.jpg"))
    with pytest.raises(LabelingIncompleteError, match=rf"-000: {status} why\..*unlabeled\.jsonl"):
        run.build()
    assert labeled(run) == {"0.jpg", "2.jpg", "3.jpg"}
    assert run.counts["labeled"] == 3
    assert {line["name"] for line in dropped.lines(f"{run.prefix}unlabeled.jsonl")} == {"1.jpg", "4.jpg"}
    assert run.run_json["jobs"][0]["status"] == status
    assert dropped.keys(run.channels) == []


def test_a_job_that_left_no_output_fails_the_run(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    name = run.jobs[0]["name"]
    dropped.labeling.end(name, "Failed", f"s3://{dropped.bucket}/nowhere/output.manifest", "why")
    with pytest.raises(LabelingIncompleteError):
        run.build()
    assert labeled(run) == set()
    assert run.counts["unlabeled"] == 5


def test_a_job_that_could_not_be_created_says_so(dropped):
    run = dropped.start("incoming/pets.zip").to_split()
    run.place()
    run.plan()
    dropped.labeling.refuse_with = "You have reached your limit."
    with pytest.raises(LabelingError, match=r"refused job pets-.*You have reached your limit\."):
        run.create_jobs()
    with pytest.raises(LabelingIncompleteError, match="NotCreated the reason"):
        run.build({"name": run.jobs[0]["name"], "status": "NotCreated", "reason": "the reason"})
    assert labeled(run) == set()
    run.fail()
    dropped.labeling.refuse_with = ""
    again = dropped.start("incoming/pets.zip").to_the_end()
    assert again.run["run"] == run.run["run"]
    assert again.counts["labeled"] == 5


@pytest.mark.parametrize("status", ["Failed", "Stopped", "Completed"])
def test_who_goes_on_without_gets_channels_of_what_was_answered(dropped, status):
    run = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(run.jobs[0]["name"], status=status, without=("-1.jpg",))
    run.build()
    run.notify()
    names = []
    for split in ("train", "validation"):
        document = dropped.json(f"{run.channels}coco/instances_{split}.json")
        names += [image["file_name"][9:] for image in document["images"]]
    assert sorted(names) == ["0.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert run.run_json["state"] == "SUCCEEDED"


def test_a_run_whose_job_failed_goes_on_with_what_came(dropped):
    """The same run, started again with more patience: no second job, no second picture."""
    first = dropped.start("incoming/pets.zip").to_jobs()
    dropped.label(first.jobs[0]["name"], status="Failed", without=("-1.jpg",))
    with pytest.raises(LabelingIncompleteError, match="onIncomplete"):
        first.build()
    first.fail("LabelingIncompleteError")
    again = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    again.build()
    again.notify()
    assert again.run["run"] == first.run["run"]
    assert (again.counts["labeled"], again.counts["unlabeled"]) == (4, 1)
    assert again.jobs == []


def test_an_answer_for_another_size_is_no_answer(dropped):
    """Its boxes would lie elsewhere on the stored picture."""
    run = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(run.jobs[0]["name"])
    described = dropped.labeling.jobs[run.jobs[0]["name"]]
    key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix(f"s3://{dropped.bucket}/")
    dropped.put(key, dropped.get(key).replace(b'"width": 64', b'"width": 48', 1))
    run.build()
    assert (run.counts["labeled"], run.counts["unlabeled"]) == (4, 1)
    (line,) = dropped.lines(run.prefix + "unlabeled.jsonl")
    assert line["reason"] == "The answer is for 48 x 48 pixels, the stored picture has 64 x 48."


def test_a_run_without_a_single_answer_is_no_dataset(dropped):
    run = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(run.jobs[0]["name"], dict.fromkeys(f"-{n}.jpg" for n in range(5)))
    with pytest.raises(NoPicturesError, match=r"no labeled picture.*unlabeled\.jsonl"):
        run.build()


def test_a_job_that_was_not_followed_to_its_end_is_used_when_the_run_starts_again(dropped):
    """The first execution gave up while workers went on; no second job is made of the same pictures."""
    first = dropped.start("incoming/pets.zip").to_jobs()
    name = first.jobs[0]["name"]
    with pytest.raises(LabelingIncompleteError):
        first.build({"name": name, "status": "NotFollowed", "reason": "States.Timeout"})
    first.fail("LabelingIncompleteError")
    dropped.label(name)
    again = dropped.start("incoming/pets.zip").to_jobs()
    assert again.jobs == []
    again.build()
    again.notify()
    assert dropped.labeling.created == [name]
    assert again.counts["labeled"] == 5
    assert labeled(again) == set(FIVE)


def test_a_job_of_that_name_with_another_manifest_is_somebody_elses(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    job = dropped.labeling.jobs[run.jobs[0]["name"]]
    job["InputConfig"] = {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bucket/other"}}}
    with pytest.raises(LabelingConflictError, match=r"other settings \(InputConfig\)"):
        run.create_jobs()


def test_the_job_is_asked_for_with_what_lies_in_the_bucket(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    job = dropped.labeling.jobs[run.jobs[0]["name"]]
    assert dropped.json(f"{run.prefix}labeling/labels-000.json") == {
        "document-version": "2018-11-28",
        "labels": [{"label": "cat"}, {"label": "dog"}],
    }
    template = job["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"]
    assert b"<crowd-bounding-box" in dropped.get(template.split("/", 3)[3])
    manifest = job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    lines = dropped.lines(manifest.split("/", 3)[3])
    stored = dropped.keys("datasets/pets/images/")
    assert sorted(line["source-ref"] for line in lines) == [f"s3://{dropped.bucket}/{key}" for key in stored]
    assert run.run_json["jobs"][0]["arn"] == job["LabelingJobArn"]
    assert run.run_json["jobs"][0]["objects"] == 5


@pytest.mark.parametrize("status", ["Failed", "Stopped", "Completed"])
def test_what_came_back_without_an_answer_is_asked_again_when_the_run_starts_again(dropped, status):
    """Never what has been answered: the second job has the two pictures that the first one left."""
    first = dropped.start("incoming/pets.zip").to_jobs()
    dropped.label(first.jobs[0]["name"], status=status, without=("-1.jpg", "-4.jpg"))
    with pytest.raises(LabelingIncompleteError):
        first.build()
    first.fail("LabelingIncompleteError")
    again = dropped.start("incoming/pets.zip").to_jobs()
    assert [job["objects"] for job in again.jobs] == [2]
    assert again.jobs[0]["name"].endswith("-001")
    dropped.label(again.jobs[0]["name"])
    again.build()
    again.notify()
    assert labeled(again) == set(FIVE)
    assert (again.counts["labeled"], again.counts["unlabeled"]) == (5, 0)
    assert dropped.lines(f"{again.prefix}unlabeled.jsonl") == []
    assert sorted(sent(dropped)) == sorted([*FIVE, "1.jpg", "4.jpg"])


def sent(cloud):
    """Name of every picture sent to labeling, once for each time."""
    names = []
    for job in cloud.labeling.jobs.values():
        key = job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"].split("/", 3)[3]
        names += [line["source-ref"].rpartition("-")[2] for line in cloud.lines(key)]
    return names


def test_a_job_of_an_aborted_execution_is_gone_on_with_while_it_is_open(dropped):
    first = dropped.start("incoming/pets.zip").to_jobs()
    first.end()
    again = dropped.start("incoming/pets.zip").to_jobs()
    assert again.jobs[0]["name"] == first.jobs[0]["name"]
    assert len(dropped.labeling.created) == 1


def test_answers_of_a_job_that_was_stopped_with_its_execution_are_not_paid_for_again(dropped):
    first = dropped.start("incoming/pets.zip").to_jobs()
    first.end()
    dropped.label(first.jobs[0]["name"], status="Stopped", without=("-1.jpg",))
    again = dropped.start("incoming/pets.zip").to_jobs()
    assert [job["objects"] for job in again.jobs] == [1]
    dropped.label(again.jobs[0]["name"])
    again.build()
    assert labeled(again) == set(FIVE)


def test_a_picture_without_an_answer_is_not_known_for_ever(dropped):
    """The next drop that brings it has it labeled, on the side that it was on; the others stay known."""
    first = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(first.jobs[0]["name"], without=("-1.jpg",))
    first.build()
    first.notify()
    side = first.side_by_name
    files = {f"again/{name}": content for name, content in FIVE.items()}
    dropped.put("incoming/more.zip", archive(files | {"9.jpg": picture(9)}))
    second = dropped.start("incoming/more.zip", dataset="pets").to_the_end()
    assert (second.counts["known"], second.counts["labeled"]) == (4, 2)
    lines = second.ledger_lines
    assert len(lines) == len({line["pixels"] for line in lines}) == 6
    (line,) = [line for line in lines if line["name"] == "again/1.jpg"]
    assert line["split"] == side["1.jpg"]


def test_relabeling_asks_again_for_all_that_has_no_answer(dropped):
    """Nothing is uploaded or placed; answers that came late are not paid for again."""
    first = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(first.jobs[0]["name"], without=("-1.jpg", "-4.jpg"))
    first.build()
    first.notify()
    before = dropped.keys("datasets/pets/images/")
    again = dropped.start(f"s3://{dropped.bucket}/datasets/pets/")
    assert again.prepare() == "relabel"
    assert [job["objects"] for job in again.plan()] == [2]
    again.create_jobs()
    dropped.label(again.jobs[0]["name"], {"-4.jpg": []})
    again.build()
    again.report()
    again.notify()
    assert dropped.keys("datasets/pets/images/") == before
    assert (again.counts["labeled"], again.counts["unlabeled"]) == (2, 0)
    assert labeled(again) == set(FIVE)
    names = []
    for split in ("train", "validation"):
        document = dropped.json(f"{again.channels}coco/instances_{split}.json")
        names += [image["file_name"][9:] for image in document["images"]]
    assert sorted(names) == sorted(FIVE)


def test_a_relabeling_that_failed_is_gone_on_with(dropped):
    first = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(first.jobs[0]["name"], without=("-1.jpg", "-4.jpg"))
    first.build()
    first.notify()
    source = f"s3://{dropped.bucket}/datasets/pets/"
    second = dropped.start(source)
    second.prepare()
    second.plan()
    second.create_jobs()
    dropped.label(second.jobs[0]["name"], without=("-4.jpg",))
    second.end()
    third = dropped.start(source)
    assert third.prepare() == "relabel"
    assert third.run["run"] == second.run["run"]
    assert [job["objects"] for job in third.plan()] == [1]
    assert labeled(third) == set(FIVE) - {"4.jpg"}


def test_further_labels_are_asked_for_on_known_pictures_only_by_themselves(dropped):
    """Earlier boxes stay; the job's label list has the new one only."""
    dropped.start("incoming/pets.zip").to_the_end()
    more = dropped.start("incoming/pets.zip", labels=["cat", "dog", "bird"]).to_jobs()
    (job,) = more.jobs
    assert (job["objects"], job["firstLabel"]) == (5, 2)
    assert dropped.json(f"{more.prefix}labeling/labels-000.json")["labels"] == [{"label": "bird"}]
    bird = {"class_id": 0, "left": 40, "top": 1, "width": 9, "height": 9}
    dropped.label(
        job["name"],
        {key: [] for key in ("-0.jpg", "-1.jpg", "-2.jpg", "-3.jpg")} | {"-4.jpg": [bird]},
        classes=("bird",),
    )
    more.build()
    boxes = {line["name"]: [box["class_id"] for box in line["boxes"]] for line in more.ledger_lines}
    assert boxes == {"0.jpg": [0], "1.jpg": [0], "2.jpg": [0], "3.jpg": [0], "4.jpg": [0, 2]}
    assert dropped.json("datasets/pets/ledger.json")["labels"] == ["cat", "dog", "bird"]


def test_pictures_not_asked_for_a_further_label_are_in_no_channel_that_has_it(dropped):
    dropped.start("incoming/pets.zip").to_the_end()
    more = dropped.start(
        "incoming/pets.zip", labels=["cat", "dog", "bird"], onIncomplete="continue"
    ).to_jobs()
    dropped.label(more.jobs[0]["name"], {key: [] for key in FIVE}, classes=("bird",), without=("-3.jpg",))
    more.build()
    names = []
    for split in ("train", "validation"):
        document = dropped.json(f"{more.channels}coco/instances_{split}.json")
        names += [image["file_name"][9:] for image in document["images"]]
    assert sorted(names) == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]


def test_a_review_corrects_the_boxes_and_the_original_is_kept(dropped):
    moved = {"class_id": 1, "left": 4, "top": 5, "width": 20, "height": 11}
    run = dropped.start("incoming/pets.zip", review={"type": "adjustment"}).to_jobs()
    dropped.label(run.jobs[0]["name"])
    (job,) = run.keep()
    assert (job["kind"], job["objects"]) == ("adjustment", 5)
    run.create_jobs()
    manifest = dropped.lines(f"{run.prefix}manifests/labeling-001.manifest")
    assert manifest[0]["bounding-box"]["annotations"] == [
        {"class_id": 0, "left": 3, "top": 5, "width": 20, "height": 11}
    ]
    dropped.label(job["name"], {"-2.jpg": [moved]})
    run.build()
    line = {line["name"]: line for line in run.ledger_lines}
    assert (line["2.jpg"]["review"], line["0.jpg"]["review"]) == ("adjusted", "unadjusted")
    assert line["2.jpg"]["boxes"] == [moved]
    assert line["2.jpg"]["original"][0]["class_id"] == 0


def test_a_verification_takes_out_what_it_refuses(dropped):
    run = dropped.start(
        "incoming/pets.zip", review={"type": "verification"}, onIncomplete="continue"
    ).to_jobs()
    dropped.label(run.jobs[0]["name"])
    (job,) = run.keep()
    run.create_jobs()
    assert dropped.json(f"{run.prefix}labeling/labels-001.json")["labels"] == [
        {"label": "right"},
        {"label": "wrong"},
    ]
    dropped.verify(job["name"], wrong=("-3.jpg",))
    run.build()
    line = {line["name"]: line for line in run.ledger_lines}
    assert (line["3.jpg"]["review"], line["0.jpg"]["review"]) == ("refused", "verified")
    assert line["3.jpg"].get("boxes") is None
    assert line["3.jpg"]["original"][0]["left"] == 3
    assert (run.counts["labeled"], run.counts["unlabeled"]) == (4, 1)


def test_a_review_of_suspicious_pictures_has_only_those(dropped):
    over = {"class_id": 0, "left": 50, "top": 5, "width": 30, "height": 11}
    run = dropped.start("incoming/pets.zip", review={"of": "suspicious"}).to_jobs()
    dropped.label(run.jobs[0]["name"], {"-2.jpg": [over]})
    (job,) = run.keep()
    assert job["objects"] == 1


PRICED = {"workteamArn": WORKTEAM, "pricePerTask": "0.5"}


def test_what_was_answered_is_what_was_paid_for(dropped):
    """Five estimated, four answered: 4 x 0.50."""
    run = dropped.start("incoming/pets.zip", workforce=PRICED, onIncomplete="continue").to_jobs()
    assert run.run_json["cost"]["estimatedUsd"] == 2.5
    dropped.label(run.jobs[0]["name"], without=("-1.jpg",))
    run.build()
    cost = run.run_json["cost"]
    assert (cost["actualUsd"], cost["answered"], cost["book"]) == (2.0, 4, "truthmill 2026-11")


def test_every_answer_was_paid_for_also_those_of_further_workers(dropped):
    """Five pictures, nine answers as the service counted them: 9 x 0.50."""
    run = dropped.start("incoming/pets.zip", workforce=PRICED).to_jobs()
    name = run.jobs[0]["name"]
    told = {"job": name, "answers": 9, "workers": []}
    dropped.put(f"{run.prefix}labeling/{name}/truthmill/workers.json", json.dumps(told).encode())
    dropped.label(name)
    run.build()
    assert (run.run_json["cost"]["actualUsd"], run.run_json["jobs"][0]["answers"]) == (4.5, 9)


def test_a_run_that_fails_for_missing_answers_says_what_those_that_came_have_cost(dropped):
    run = dropped.start("incoming/pets.zip", workforce=PRICED).to_jobs()
    dropped.label(run.jobs[0]["name"], without=("-1.jpg",))
    with pytest.raises(LabelingIncompleteError):
        run.build()
    assert (run.run_json["cost"]["actualUsd"], run.run_json["cost"]["answered"]) == (2.0, 4)


def test_a_later_round_that_would_pass_the_budget_is_not_sent(dropped):
    """The first five cost 2.50; the review of the one doubtful picture would make it 3.00."""
    run = dropped.start(
        "incoming/pets.zip", workforce=PRICED, review={"of": "suspicious"}, budget={"maxCost": "2.9"}
    ).to_jobs()
    over = {"class_id": 0, "left": 50, "top": 5, "width": 30, "height": 11}
    dropped.label(run.jobs[0]["name"], {"-2.jpg": [over]})
    with pytest.raises(BudgetExceededError, match=r"Labeling 1 pictures .* 3\.00 USD.* 2\.50 USD of it"):
        run.keep()
    assert labeled(run) == set(FIVE)
    assert len(dropped.labeling.created) == 1


@pytest.mark.parametrize("quality", [{"maxWorkersPerObject": 5}, {"gold": {"share": 0.6}}])
def test_further_workers_and_gold_tasks_are_held_against_the_budget_before_there_is_a_job(dropped, quality):
    """Five pictures, two workers each; up to five, or three gold tasks beside two: 25 answers of 0.50."""
    quality = {
        name: {"manifest": "s3://b/gold", **gold} if name == "gold" else gold
        for name, gold in quality.items()
    }
    asked = {"workforce": {**PRICED, "workersPerObject": 2}, "quality": quality}
    short = dropped.start("incoming/pets.zip", budget={"maxCost": "12.4"}, **asked)
    with pytest.raises(BudgetExceededError, match=r"12\.50 USD"):
        short.to_split()
    short.fail("BudgetExceededError")
    run = dropped.start("incoming/pets.zip", budget={"maxCost": "12.5"}, **asked).to_jobs()
    assert run.run_json["cost"]["estimatedUsd"] == 12.5
    assert [job["maxAnswers"] for job in run.run_json["jobs"]] == [25]
    assert len(dropped.labeling.created) == 1


def test_a_relabeling_that_would_pass_its_budget_is_not_sent(dropped):
    first = dropped.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    dropped.label(first.jobs[0]["name"], without=("-1.jpg", "-4.jpg"))
    first.build()
    first.notify()
    again = dropped.start(
        f"s3://{dropped.bucket}/datasets/pets/", workforce=PRICED, budget={"maxCost": "0.9"}
    )
    again.prepare()
    with pytest.raises(BudgetExceededError, match=r"Labeling 2 pictures .* 1\.00 USD"):
        again.plan()
    assert len(dropped.labeling.created) == 1


def test_a_retry_counts_only_what_was_answered_before(dropped):
    """Four of five answered, one asked again: 2.50 in all, as much as the budget has."""
    first = dropped.start("incoming/pets.zip", workforce=PRICED, budget={"maxCost": "2.5"}).to_jobs()
    dropped.label(first.jobs[0]["name"], without=("-1.jpg",))
    with pytest.raises(LabelingIncompleteError):
        first.build()
    first.fail("LabelingIncompleteError")
    again = dropped.start("incoming/pets.zip", workforce=PRICED, budget={"maxCost": "2.5"}).to_jobs()
    dropped.label(again.jobs[0]["name"])
    again.build()
    assert again.run_json["cost"]["actualUsd"] == 2.5
