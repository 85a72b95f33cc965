"""What fails ends FAILED, says why, and can be gone on with."""

import json

from builders import archive, coco_truth, picture
from local_stack import wait_for

PICTURES = {f"f{number}.jpg": picture(7_000 + number) for number in range(5)}


def start(local_stack, request):
    return local_stack.started_by(
        lambda: local_stack.step_functions.start_execution(
            stateMachineArn=local_stack.deployed.state_machine, input=json.dumps(request)
        )
    )


def test_labels_from_nowhere(local_stack):
    """A sentence that a user understands, in the console and in run.json; the ending may be in upper case."""
    execution = local_stack.started_by(lambda: local_stack.drop("incoming/UNLABELED.ZIP", archive(PICTURES)))
    ended = local_stack.ended(execution)
    sentence = (
        "Label list is empty: neither the execution's input, nor truthmill.json in UNLABELED.ZIP, nor the "
        'stack\'s parameter DefaultLabels names one. Add "labels": ["cat", "dog"] to any of them.'
    )
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "LabelsMissingError", sentence)
    assert local_stack.states(execution)[-2:] == ["RecordFailure", "Failed"]
    run = local_stack.run_of(execution)
    assert run["error"] == {"name": "LabelsMissingError", "message": sentence}
    assert run["state"] == "FAILED"


def test_the_commands_exit_code_tells_a_failed_run(local_stack, tmp_path):
    path = tmp_path / "empty.zip"
    path.write_bytes(archive({"notes.txt": b"no picture"}))
    said = local_stack.truthmill("run", path, "--labels", "cat", "--wait", "--json", exit_code=1)
    run = json.loads(said)
    assert run["error"]["name"] == "NoPicturesError"
    assert run["counts"] == {"inputs": 1, "rejected": 1, "ignored": 0}


def test_a_run_that_failed_goes_on_where_it_ended(local_stack, tmp_path):
    """A work team that isn't there; then the same request with the right one takes the pictures over."""
    local_stack.drop("uploads/team.zip", archive(PICTURES))
    request = {
        "source": f"s3://{local_stack.deployed.bucket}/uploads/team.zip",
        "dataset": "wrong-team",
        "labels": ["cat"],
        "workforce": {"workteamArn": local_stack.deployed.workteam + "-gone"},
    }
    failed = start(local_stack, request)
    ended = local_stack.ended(failed)
    assert (ended["status"], ended["error"]) == ("FAILED", "LabelingIncompleteError")
    assert "annotators-gone" in ended["cause"]
    placed = local_stack.keys("datasets/wrong-team/images/")
    assert len(placed) == 5

    request["workforce"]["workteamArn"] = local_stack.deployed.workteam
    right = start(local_stack, request)
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(coco_truth({name: [("cat", (1, 2, 30, 20))] for name in PICTURES}, ["cat"], (64, 48)))
    )
    local_stack.label(truth)
    assert local_stack.ended(right)["status"] == "SUCCEEDED"
    assert local_stack.keys("datasets/wrong-team/images/") == placed
    assert local_stack.run_of(right)["counts"]["labeled"] == 5


def test_an_aborted_execution_stops_its_job_and_is_started_again(local_stack, tmp_path):
    """Nobody labels for nobody; nothing is inspected or placed a second time."""
    pictures = {f"g{number}.jpg": picture(8_000 + number) for number in range(5)}
    local_stack.drop("uploads/abort.zip", archive(pictures))
    request = {
        "source": f"s3://{local_stack.deployed.bucket}/uploads/abort.zip",
        "dataset": "aborted",
        "labels": ["cat"],
    }
    first = start(local_stack, request)
    wait_until_waiting(local_stack, first)
    local_stack.step_functions.stop_execution(executionArn=first)
    jobs = local_stack.client("sagemaker", endpoint_url=local_stack.deployed.labeling_endpoint)

    def listed():
        return {
            job["LabelingJobName"][-3:]: job["LabelingJobStatus"]
            for job in jobs.list_labeling_jobs(NameContains="aborted")["LabelingJobSummaryList"]
        }

    wait_for(lambda: listed() == {"000": "Stopped"}, "the job to be stopped")
    before = {
        key: local_stack.s3.head_object(Bucket=local_stack.deployed.bucket, Key=key)["LastModified"]
        for key in local_stack.keys("datasets/aborted/images/") + local_stack.keys("datasets/aborted/runs/")
        if "/inspected/" in key or "/images/" in key or "/manifests/" in key
    }
    second = start(local_stack, request)
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(coco_truth({name: [("cat", (1, 2, 30, 20))] for name in pictures}, ["cat"], (64, 48)))
    )
    local_stack.label(truth)
    assert local_stack.ended(second)["status"] == "SUCCEEDED"
    for key, modified in before.items():
        assert (
            local_stack.s3.head_object(Bucket=local_stack.deployed.bucket, Key=key)["LastModified"]
            == modified
        )
    assert listed() == {"000": "Stopped", "001": "Completed"}
    assert local_stack.run_of(second)["counts"]["labeled"] == 5


def test_a_picture_that_cannot_be_placed_does_not_take_the_others_with_it(local_stack, tmp_path):
    """An execution that its budget ended had inspected it; the next one finds it in cold storage."""
    names = [f"c{number}.jpg" for number in range(6)]
    pictures = {name: picture(12_000 + number) for number, name in enumerate(names)}
    for name, content in pictures.items():
        local_stack.drop(f"uploads/cold/{name}", content)
    request = {
        "source": f"s3://{local_stack.deployed.bucket}/uploads/cold/",
        "dataset": "cold",
        "labels": ["cat"],
        "workforce": {"workteamArn": local_stack.deployed.workteam, "pricePerTask": "0.5"},
        "budget": {"maxCost": 1},
    }
    assert local_stack.ended(start(local_stack, request))["error"] == "BudgetExceededError"
    cold = {"Bucket": local_stack.deployed.bucket, "Key": "uploads/cold/c3.jpg", "StorageClass": "GLACIER"}
    local_stack.s3.put_object(**cold, Body=pictures["c3.jpg"])

    execution = start(local_stack, request | {"budget": {"maxCost": 100}})
    wait_for(lambda: local_stack.keys("tokens/cold-"), "the run to wait for labels")
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(coco_truth({name: [("cat", (1, 2, 30, 20))] for name in names}, ["cat"], (64, 48)))
    )
    local_stack.label(truth)
    assert local_stack.ended(execution)["status"] == "SUCCEEDED"
    run = local_stack.run_of(execution)
    rejected = local_stack.read(f"datasets/cold/runs/{run['run']}/rejected.jsonl").splitlines()
    assert [(line["name"], line["reason"]) for line in map(json.loads, rejected)] == [
        ("c3.jpg", "cold-storage")
    ]
    assert (run["counts"]["inputs"], run["counts"]["rejected"], run["counts"]["labeled"]) == (6, 1, 5)
    assert len(local_stack.keys("datasets/cold/images/")) == 5
    states = local_stack.states(execution)
    assert [states.count(name) for name in ("SplitDataset", "PlaceImages")] == [2, 2]
    assert len(run["jobs"]) == 1


def wait_until_waiting(local_stack, execution):
    """Its token is stored once there is a job; before, only whose the job will be."""

    def looked():
        keys = [key for key in local_stack.keys("tokens/") if "aborted" in key]
        return any(json.loads(local_stack.read(key))["token"] for key in keys)

    wait_for(looked, f"{execution} to wait for labels")


def test_a_second_zip_pays_for_no_picture_again(local_stack, tmp_path):
    """Five known pictures and one new: one is labeled, the channels have six; a new split asks no one."""
    pictures = {f"h{number}.jpg": picture(9_000 + number) for number in range(6)}
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(coco_truth({name: [("cat", (1, 2, 30, 20))] for name in pictures}, ["cat"], (64, 48)))
    )
    runs = []
    for count in (5, 6):
        path = tmp_path / f"grow{count}.zip"
        path.write_bytes(archive(dict(list(pictures.items())[:count])))
        execution = local_stack.started_by(
            lambda path=path: local_stack.truthmill(
                "run", path, "--labels", "cat", "--dataset", "growing", "--json"
            )
        )
        local_stack.label(truth)
        assert local_stack.ended(execution)["status"] == "SUCCEEDED"
        runs.append(local_stack.run_of(execution))
    assert (runs[1]["counts"]["known"], runs[1]["counts"]["labeled"]) == (5, 1)
    assert [job["objects"] for job in runs[1]["jobs"]] == [1]
    prefix = f"datasets/growing/channels/{runs[1]['run']}/coco/"
    documents = [
        json.loads(local_stack.read(f"{prefix}instances_{split}.json")) for split in ("train", "validation")
    ]
    assert sum(len(document["images"]) for document in documents) == 6
    resplit = json.loads(
        local_stack.truthmill("resplit", "growing", "--validation", "0.5", "--stratify", "--wait", "--json")
    )
    assert (resplit["state"], resplit["counts"]["train"], resplit["counts"]["validation"]) == (
        "SUCCEEDED",
        3,
        3,
    )
    assert resplit["jobs"] == []
