"""What `truthmill pull` lays out, and that pulling again downloads only what is missing."""

import os

import pytest

from adapters import storage
from truthmill.layout import RunLayout
from truthmill_cli import pull, runs
from truthmill_cli.errors import FailedError, UsageError

AT = RunLayout("pets", "0123456789ab")
LAID_OUT = {
    "run.json",
    "rejected.jsonl",
    "report.html",
    "ledger.jsonl",
    "manifests/train.manifest",
    "channels/coco/instances_train.json",
    "channels/coco/instances_validation.json",
    "images/train/11111111-a.jpg",
    "images/validation/22222222-b.png",
}


def run_document(at, state="SUCCEEDED", started="2026-01-01T00:00:00Z"):
    return {
        "run": at.run,
        "dataset": at.dataset,
        "state": state,
        "execution": f"arn:aws:states:us-east-1:1:execution:m:{at.run}",
        "startedAt": started,
    }


@pytest.fixture
def bucket():
    store = storage.memory()
    store.write_json(AT.run_json, run_document(AT))
    store.write_json("datasets/pets/channels/latest.json", {"run": AT.run})
    store.write(AT.rejected, b"{}\n")
    store.write(AT.report, b"<p>")
    segments = [{"run": run, "key": f"datasets/pets/ledger/{run}.jsonl", "pictures": 1} for run in ("a", "b")]
    store.write_json("datasets/pets/ledger.json", {"labels": ["cat"], "segments": segments})
    store.write("datasets/pets/ledger/a.jsonl", b'{"key":"datasets/pets/images/train/11111111-a.jpg"}\n')
    store.write("datasets/pets/ledger/b.jsonl", b'{"key":"datasets/pets/images/validation/22222222-b.png"}\n')
    store.write(AT.split_manifest("train"), b"{}\n")
    store.write(AT.channel("coco") + "instances_train.json", b"{}")
    store.write(AT.channel("coco") + "instances_validation.json", b"{}")
    store.write("datasets/pets/images/train/11111111-a.jpg", b"jpeg")
    store.write("datasets/pets/images/validation/22222222-b.png", b"png")
    store.write("datasets/pets/images/train/22222222-b.png", b"before the dataset was split anew")
    store.write("datasets/pets2/images/train/33333333-c.png", b"another dataset's")
    return store


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_dataset_is_laid_out_so_that_a_trainer_reads_it(bucket, tmp_path):
    report = pull.pull(bucket, "pets", "", tmp_path / "out")
    assert files(tmp_path / "out") == LAID_OUT
    assert (tmp_path / "out/images/train/11111111-a.jpg").read_bytes() == b"jpeg"
    ledger = (tmp_path / "out/ledger.jsonl").read_bytes().splitlines()
    assert [line[-7:-2] for line in ledger] == [b"a.jpg", b"b.png"]
    assert report["run"] == AT.run
    assert report["downloaded"] == 9
    assert report["present"] == 0


def test_pulling_again_downloads_only_what_is_missing_or_differs(bucket, tmp_path):
    pull.pull(bucket, "pets", "", tmp_path)
    (tmp_path / "images/train/11111111-a.jpg").unlink()
    (tmp_path / "images/validation/22222222-b.png").write_bytes(b"cut")
    os.utime(tmp_path / "images/validation/22222222-b.png", (1, 1))
    report = pull.pull(bucket, "pets", "", tmp_path)
    assert (tmp_path / "images/train/11111111-a.jpg").read_bytes() == b"jpeg"
    assert (tmp_path / "images/validation/22222222-b.png").read_bytes() == b"png"
    # The two, and the four files that are never taken for granted.
    assert report["downloaded"] == 6
    assert report["present"] == 3


def test_another_runs_channel_of_the_same_size_replaces_the_first(bucket, tmp_path):
    pull.pull(bucket, "pets", "", tmp_path)
    path = tmp_path / "channels/coco/instances_train.json"
    os.utime(path, (1_700_000_000, 1_700_000_000))
    bucket.write(AT.channel("coco") + "instances_train.json", b"[]")
    pull.pull(bucket, "pets", "", tmp_path)
    assert path.read_bytes() == b"[]"


def test_an_interrupted_download_leaves_nothing_under_its_name(bucket, tmp_path):
    with pytest.raises(FailedError, match=r"gone\.jpg"):
        pull.fetch(
            bucket, pull.Copy(("datasets/pets/images/train/gone.jpg",), "images/train/gone.jpg"), tmp_path
        )
    assert files(tmp_path) == set()


def test_a_name_that_leads_out_of_the_target_is_refused(tmp_path):
    with pytest.raises(FailedError, match="outside"):
        pull.place(tmp_path, "images/../../secret")


def test_a_dataset_that_is_not_there_is_named(bucket, tmp_path):
    with pytest.raises(UsageError, match="'cows' has no complete run"):
        pull.pull(bucket, "cows", "", tmp_path)


def test_a_run_that_is_not_complete_is_not_pulled(bucket, tmp_path):
    at = RunLayout("pets", "ffffffffffff")
    bucket.write_json(at.run_json, run_document(at, "FAILED"))
    with pytest.raises(FailedError, match="is FAILED"):
        pull.pull(bucket, "pets", at.run, tmp_path)


def test_a_run_is_found_by_its_name_its_dataset_or_its_execution(bucket):
    later = RunLayout("pets", "eeeeeeeeeeee")
    bucket.write_json(later.run_json, run_document(later, started="2026-01-02T00:00:00Z"))
    bucket.write_json("failures/lost.json", run_document(RunLayout("", ""), "FAILED", "2025-12-31T00:00:00Z"))
    assert [found["run"] for found in runs.every(bucket)] == ["", AT.run, later.run]
    assert runs.find(bucket, "pets")["run"] == later.run
    assert runs.find(bucket, AT.run)["run"] == AT.run
    assert runs.find(bucket, f"pets/{AT.run}")["run"] == AT.run
    with pytest.raises(UsageError, match="'cows'"):
        runs.find(bucket, "cows")


def test_an_execution_is_followed_to_its_run_once_it_has_said_which(bucket):
    assert runs.of_execution(bucket, "e1") is None
    bucket.write_json("executions/e1.json", {"key": "datasets/pets/runs/not-yet/run.json"})
    assert runs.of_execution(bucket, "e1") is None
    bucket.write_json("executions/e1.json", {"key": AT.run_json})
    assert runs.of_execution(bucket, "e1")["run"] == AT.run
