"""Labels that come with the pictures, a job that is stopped, and what it left asked again by the command."""

import json

from builders import archive, coco_truth, picture
from local_stack import wait_for

PICTURES = {f"r{number}.jpg": picture(10_000 + number) for number in range(5)}


def truth_of(names):
    return json.dumps(coco_truth({name: [("cat", (1, 2, 30, 20))] for name in names}, ["cat"], (64, 48)))


def test_only_what_has_no_labels_is_asked_and_what_was_left_is_asked_again(local_stack, tmp_path):
    """Four of five pictures bring trusted labels; the fifth one's job is stopped, then relabeled."""
    path, truth, request = tmp_path / "rounds.zip", tmp_path / "truth.json", tmp_path / "request.json"
    path.write_bytes(archive(PICTURES | {"labels.json": truth_of(list(PICTURES)[:4]).encode()}))
    truth.write_text(truth_of(PICTURES))
    request.write_text(
        json.dumps(
            {
                "dataset": "asked-again",
                "prelabels": {"source": "labels.json", "use": "trusted"},
                "onIncomplete": "continue",
            }
        )
    )
    first = local_stack.started_by(
        lambda: local_stack.truthmill("run", path, "--labels", "cat", "--request", request, "--json")
    )
    jobs = local_stack.client("sagemaker", endpoint_url=local_stack.deployed.labeling_endpoint)

    def open_job():
        found = jobs.list_labeling_jobs(NameContains="asked-again", StatusEquals="InProgress")
        return next((job for job in found["LabelingJobSummaryList"]), None)

    job = wait_for(open_job, "the job")
    assert job["LabelCounters"]["Unlabeled"] == 1
    jobs.stop_labeling_job(LabelingJobName=job["LabelingJobName"])
    assert local_stack.ended(first)["status"] == "SUCCEEDED"
    counts = local_stack.run_of(first)["counts"]
    assert (counts["prelabeled"], counts["labeled"], counts["unlabeled"]) == (4, 4, 1)

    placed = local_stack.keys("datasets/asked-again/images/")
    again = local_stack.started_by(lambda: local_stack.truthmill("relabel", "asked-again", "--json"))
    local_stack.label(truth)
    assert local_stack.ended(again)["status"] == "SUCCEEDED"
    run = local_stack.run_of(again)
    assert (run["counts"]["labeled"], run["counts"]["unlabeled"]) == (1, 0)
    assert "InspectImages" not in local_stack.states(again)
    assert local_stack.keys("datasets/asked-again/images/") == placed
    documents = [
        json.loads(
            local_stack.read(f"datasets/asked-again/channels/{run['run']}/coco/instances_{split}.json")
        )
        for split in ("train", "validation")
    ]
    assert sum(len(document["annotations"]) for document in documents) == 5
