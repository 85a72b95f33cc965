"""Labeling jobs that don't complete: nothing that was answered is lost, nothing is paid for again."""

import pytest

from builders import archive, picture
from truthmill.errors import (
    LabelingConflictError,
    LabelingError,
    LabelingIncompleteError,
    NoPicturesError,
)

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
    assert again.jobs == first.jobs


def test_an_answer_for_another_size_is_no_answer(dropped):
    """Its boxes would lie elsewhere on the stored picture."""
    run = dropped.start("incoming/pets.zip").to_jobs()
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
    assert again.jobs[0]["name"] == name
    again.build()
    again.notify()
    assert dropped.labeling.created == [name]
    assert again.counts["labeled"] == 5
    assert labeled(again) == set(FIVE)


def test_a_job_of_that_name_with_another_manifest_is_somebody_elses(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    job = dropped.labeling.jobs[run.jobs[0]["name"]]
    job["InputConfig"] = {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bucket/other"}}}
    with pytest.raises(LabelingConflictError, match="another input manifest"):
        run.create_jobs()


def test_the_job_is_asked_for_with_what_lies_in_the_bucket(dropped):
    run = dropped.start("incoming/pets.zip").to_jobs()
    job = dropped.labeling.jobs[run.jobs[0]["name"]]
    assert dropped.json(f"{run.prefix}labeling/labels.json") == {
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
