"""`truthmill pull --format`: a folder in one format, from a run that may not have built it."""

import pytest

from adapters.channel_store import write_channel
from adapters.library import read_ledger
from adapters.storage import memory
from labeled_runs import store_run
from truthmill.channels import CHANNELS
from truthmill.dataset import labeled_picture
from truthmill.records import LedgerLine
from truthmill.run import Run
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.pull_format import pull_format

LABELS = ("zebra", 'the "big" dog', "Büffel 🐃")
PICTURES = {
    ("train", "0a-rex.jpg"): (64, 48, [(1, 10, 20, 30, 9), (0, 0, 0, 64, 48)]),
    ("train", "0b-Rex.png"): (33, 7, []),
    ("validation", "0c-rex.jpg"): (50, 50, [(2, 49, 49, 1, 1)]),
}


@pytest.fixture
def store():
    return memory()


def files(folder):
    """Contents by name, without what the folder knows of itself."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".truthmill/")}


def built(store, at, name):
    """What the pipeline makes of the format, by the names below its prefix."""
    run = store.read_json(at.run_json, Run)[0]
    segments = read_ledger(store, at).segments

    def pictures(split):
        lines = (line for segment in segments for line in store.read_lines(segment.key, LedgerLine))
        return (labeled_picture(line, LABELS) for line in lines if line.split == split)

    heading = run.heading(store.bucket, at.channel(name), ("train", "validation"))
    write_channel(store, CHANNELS[name], heading, pictures, at.channel_pieces(name))
    return {
        found.key.removeprefix(heading.prefix): store.read(found.key) for found in store.list(heading.prefix)
    }


@pytest.mark.parametrize("name", CHANNELS)
def test_a_format_that_the_run_did_not_build_is_what_the_pipeline_would_have_made(name, store, tmp_path):
    at = store_run(store, PICTURES, LABELS)
    pull_format(store, "d", "", tmp_path / "out", name)
    found = files(tmp_path / "out")
    if CHANNELS[name].pictures == "refers":
        for split, file in PICTURES:
            picture = found.pop(f"images/{split}/{file}")
            assert picture == store.read(f"datasets/d/images/{split}/{file}")
    assert found == built(store, at, name)


@pytest.mark.parametrize("name", CHANNELS)
def test_pulling_again_downloads_no_picture(name, store, tmp_path):
    store_run(store, PICTURES, LABELS)
    pull_format(store, "d", "", tmp_path, name)
    before = files(tmp_path)
    report = pull_format(store, "d", "", tmp_path, name)
    assert (report["downloaded"], report["bytes"]) == (0, 0)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["yolo", "coco", "parquet"])
def test_it_goes_on_where_it_broke_off(name, store, tmp_path, tmp_path_factory):
    """Of three pictures one isn't there at first."""
    store_run(store, PICTURES, LABELS)
    lost = "datasets/d/images/validation/0c-rex.jpg"
    content = store.read(lost)
    store.delete(lost)
    with pytest.raises(FailedError, match=r"0c-rex\.jpg"):
        pull_format(store, "d", "", tmp_path, name)
    assert not any("labels" in file or file.endswith((".json", ".yaml")) for file in files(tmp_path))
    store.write(lost, content)
    report = pull_format(store, "d", "", tmp_path, name)
    assert (report["downloaded"], report["present"], report["bytes"]) == (1, 2, len(content))
    whole = tmp_path_factory.mktemp("whole")
    pull_format(store, "d", "", whole, name)
    assert files(tmp_path) == files(whole)


def test_a_format_with_pictures_in_it_is_downloaded_as_the_run_built_it(store, tmp_path):
    at = store_run(store, PICTURES, LABELS, channels=("parquet",))
    store.write(at.channel("parquet") + "data/train-000000.parquet", b"as it was built")
    report = pull_format(store, "d", "", tmp_path, "parquet")
    assert files(tmp_path) == {"data/train-000000.parquet": b"as it was built"}
    assert report["downloaded"] == 1


def test_another_run_takes_the_place_of_the_first(store, tmp_path):
    """A picture that went over to the other side isn't left where it was; somebody's own files are."""
    store_run(store, PICTURES, LABELS)
    pull_format(store, "d", "", tmp_path, "yolo")
    (tmp_path / "train.py").write_text("print()")
    (tmp_path / "images/train/mine.jpg").write_bytes(b"mine")
    moved = dict(PICTURES)
    moved["validation", "0a-rex.jpg"] = moved.pop(("train", "0a-rex.jpg"))
    store_run(store, moved, LABELS, name="ffffffffffff")
    report = pull_format(store, "d", "", tmp_path, "yolo")
    assert set(files(tmp_path)) == {
        "data.yaml",
        "train.py",
        "images/train/mine.jpg",
        "images/train/0b-Rex.png",
        "images/validation/0a-rex.jpg",
        "images/validation/0c-rex.jpg",
        "labels/train/0b-Rex.txt",
        "labels/validation/0a-rex.txt",
        "labels/validation/0c-rex.txt",
    }
    assert (report["downloaded"], report["present"]) == (1, 2)


def test_data_yaml_has_relative_paths_and_the_classes_in_their_order(store, tmp_path):
    store_run(store, PICTURES, LABELS)
    pull_format(store, "d", "", tmp_path, "yolo")
    assert (tmp_path / "data.yaml").read_text() == (
        "train: images/train\nval: images/validation\nnc: 3\nnames:\n"
        '  0: "zebra"\n  1: "the \\"big\\" dog"\n  2: "Büffel 🐃"\n'
    )


def test_channels_json_that_names_what_is_not_in_the_bucket_is_told(store, tmp_path):
    store_run(store, PICTURES, LABELS)
    told = pull_format(store, "d", "", tmp_path / "a", "sagemaker-image")["notes"]
    assert len(told) == 1
    assert "truthmill resplit d --channels sagemaker-image" in told[0]
    assert pull_format(store, "d", "", tmp_path / "b", "yolo")["notes"] == []


def test_a_folder_of_something_else_is_left_alone(store, tmp_path):
    store_run(store, PICTURES, LABELS)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        pull_format(store, "d", "", tmp_path, "yolo")
    pull_format(store, "d", "", tmp_path / "out", "coco")
    with pytest.raises(UsageError, match="holds dataset 'd' as coco"):
        pull_format(store, "d", "", tmp_path / "out", "yolo")
    assert not (tmp_path / ".truthmill").exists()


def test_what_is_not_there_is_named(store, tmp_path):
    store_run(store, PICTURES, LABELS)
    with pytest.raises(UsageError, match=r"'yolov9' is no format\. Choose from augmented-manifest"):
        pull_format(store, "d", "", tmp_path, "yolov9")
    with pytest.raises(UsageError, match="no run 'eeeeeeeeeeee'"):
        pull_format(store, "d", "eeeeeeeeeeee", tmp_path, "yolo")
    with pytest.raises(UsageError, match="'cows' has no complete run"):
        pull_format(store, "cows", "", tmp_path, "yolo")
    store_run(store, {}, LABELS, name="aaaaaaaaaaaa")
    with pytest.raises(FailedError, match="no labeled picture"):
        pull_format(store, "d", "", tmp_path, "yolo")
