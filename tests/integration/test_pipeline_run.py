"""A run from its source to its channels: every input is in exactly one place."""

import io
import warnings
import zipfile

import pytest

from builders import archive, picture
from truthmill.errors import SourceError
from workflow import ONE_BOX

TWO_BOXES = [
    {"class_id": 1, "left": 0, "top": 0, "width": 64, "height": 48},
    {"class_id": 0, "left": 10, "top": 12, "width": 7, "height": 9},
]
ODD_KEYS = [
    "incoming/ein Zoö (1) + mehr.zip",
    "incoming/100%25 'quoted' \"twice\".zip",
    "incoming/cats \N{CAT FACE} & dogs=#?.ZIP",
    "incoming/a+b/c%2Fd~[e]{f}^`|<g>.zip",
]


def pictures(*numbers):
    return {f"{number}.jpg": picture(number) for number in numbers}


def coco_boxes(cloud, run):
    """What a reader of the channel coco sees: (split, file's own name) to (category's name, bbox)."""
    found = {}
    for split in ("train", "validation"):
        document = cloud.json(f"{run.channels}coco/instances_{split}.json")
        names = {category["id"]: category["name"] for category in document["categories"]}
        files = {image["id"]: (split, image["file_name"][9:]) for image in document["images"]}
        found |= {file: [] for file in files.values()}
        for drawn in document["annotations"]:
            found[files[drawn["image_id"]]].append((names[drawn["category_id"]], *drawn["bbox"]))
    return found


def manifest_boxes(cloud, run):
    """What a reader of the channel augmented-manifest sees, in the same form."""
    found = {}
    for split in ("train", "validation"):
        for line in cloud.lines(f"{run.channels}augmented-manifest/{split}.manifest"):
            names = line["bounding-box-metadata"]["class-map"]
            found[split, line["source-ref"].rpartition("/")[2][9:]] = [
                (names[str(box["class_id"])], box["left"], box["top"], box["width"], box["height"])
                for box in line["bounding-box"]["annotations"]
            ]
    return found


def test_a_zip_becomes_channels_and_every_input_is_in_one_place(cloud):
    files = {f"pets/{number}.jpg": picture(number) for number in range(10)}
    files |= {"pets/again.jpg": picture(0), "notes.txt": b"hello", "__MACOSX/._0.jpg": b"x"}
    cloud.put("incoming/pets.zip", archive(files))
    run = cloud.start("incoming/pets.zip").to_the_end()
    assert run.counts == {
        "inputs": 13,
        "train": 8,
        "validation": 2,
        "test": 0,
        "duplicates": 1,
        "known": 0,
        "rejected": 1,
        "ignored": 1,
        "labeled": 10,
        "unlabeled": 0,
        "boxes": 10,
        "boxesInDoubt": 0,
    }
    placed = [name for _, name in manifest_boxes(cloud, run)]
    either = {"0.jpg", "again.jpg"} - set(placed)
    assert len(either) == 1
    assert sorted([*placed, *either]) == sorted([f"{n}.jpg" for n in range(10)] + ["again.jpg"])
    assert run.rejected == {
        f"pets/{either.pop()}": "duplicate",
        "notes.txt": "not-a-picture",
        "__MACOSX/._0.jpg": "ignored",
    }
    assert run.run_json["state"] == "SUCCEEDED"
    assert run.run_json["channels"] == ["augmented-manifest", "coco"]


def test_pictures_lie_once_on_the_side_that_the_manifests_say(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    run = cloud.start("incoming/pets.zip").to_the_end()
    stored = cloud.objects("datasets/pets/images/")
    assert sorted(stored.values()) == sorted(picture(number) for number in range(5))
    for split, count in (("train", 4), ("validation", 1)):
        lines = cloud.lines(f"{run.prefix}manifests/{split}.manifest")
        assert {line["split"] for line in lines} == {split}
        uris = {f"s3://{cloud.bucket}/{key}" for key in stored if f"/images/{split}/" in key}
        assert {line["source-ref"] for line in lines} == uris
        assert len(uris) == count


def test_the_channels_boxes_are_the_workers_and_a_picture_without_objects_is_kept(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    run = cloud.start("incoming/pets.zip").to_the_end({"-1.jpg": [], "-2.jpg": TWO_BOXES})
    expected = {
        "0.jpg": [("cat", 3, 5, 20, 11)],
        "1.jpg": [],
        "2.jpg": [("dog", 0, 0, 64, 48), ("cat", 10, 12, 7, 9)],
        "3.jpg": [("cat", 3, 5, 20, 11)],
        "4.jpg": [("cat", 3, 5, 20, 11)],
    }
    assert {name: boxes for (_, name), boxes in coco_boxes(cloud, run).items()} == expected
    assert manifest_boxes(cloud, run) == coco_boxes(cloud, run)


def test_a_picture_that_nobody_answered_is_listed_and_is_never_a_negative(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    run = cloud.start("incoming/pets.zip", onIncomplete="continue").to_jobs()
    cloud.label(run.jobs[0]["name"], {"-1.jpg": None}, without=("-2.jpg",))
    run.build()
    names = {name for _, name in coco_boxes(cloud, run)}
    assert names == {"0.jpg", "3.jpg", "4.jpg"} == {name for _, name in manifest_boxes(cloud, run)}
    reasons = {line["name"]: line["reason"] for line in cloud.lines(f"{run.prefix}unlabeled.jsonl")}
    assert reasons == {
        "1.jpg": "ClientError: nobody answered",
        "2.jpg": "The labeling job ended Completed without it.",
    }
    assert run.counts["labeled"] == 3
    assert run.counts["unlabeled"] == 2
    boxes = {line["name"]: line.get("boxes") for line in run.ledger_lines}
    assert boxes["1.jpg"] is None
    assert boxes["2.jpg"] is None


def test_a_box_over_the_edge_is_cut_and_said(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    over = [{"class_id": 1, "left": 60, "top": 40, "width": 10, "height": 5}]
    run = cloud.start("incoming/pets.zip").to_channels({"-3.jpg": over})
    found = {name: boxes for (_, name), boxes in coco_boxes(cloud, run).items()}
    assert found["3.jpg"] == [("dog", 60, 40, 4, 5)]
    (doubt,) = cloud.lines(f"{run.prefix}boxes.jsonl")
    assert (doubt["reason"], doubt["kept"], doubt["key"][-5:]) == ("cut", True, "3.jpg")


def test_latest_moves_when_everything_is_there_and_not_before(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    run = cloud.start("incoming/pets.zip").to_channels()
    run.report()
    assert "datasets/pets/channels/latest.json" not in cloud.objects()
    run.notify()
    latest = cloud.json("datasets/pets/channels/latest.json")
    assert latest["run"] == run.run["run"]
    assert latest["revision"] == cloud.json(f"{run.prefix}ledger.json")["revision"] > 0


def test_an_older_run_never_moves_latest_back(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    cloud.put("incoming/more.zip", archive(pictures(*range(5, 10))))
    older = cloud.start("incoming/pets.zip").to_channels()
    newer = cloud.start("incoming/more.zip", dataset="pets").to_channels()
    newer.notify()
    older.notify()
    assert cloud.json("datasets/pets/channels/latest.json")["run"] == newer.run["run"]
    assert older.run_json["state"] == "SUCCEEDED"


def test_the_topic_hears_that_the_dataset_is_ready(cloud):
    cloud.put("incoming/pets.zip", archive(pictures(*range(5))))
    run = cloud.start("incoming/pets.zip").to_the_end()
    (message,) = cloud.messages()
    assert message["Subject"] == "Dataset pets is ready"
    assert f"s3://{cloud.bucket}/datasets/pets/reports/{run.run['run']}.html" in message["Message"]
    assert b"<h1>pets</h1>" in cloud.get(f"datasets/pets/reports/{run.run['run']}.html")


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("form", ["object", "uri"])
def test_a_key_of_any_characters_comes_through(cloud, key, form):
    cloud.put(key, archive({"Käfer & \N{CAT FACE} 100%+(1).jpg": picture(0), **pictures(1, 2, 3)}))
    source = {"bucket": cloud.bucket, "key": key} if form == "object" else f"s3://{cloud.bucket}/{key}"
    run = cloud.start(source, dataset="odd", split={"validation": 0.25})
    run.to_the_end()
    assert run.counts["labeled"] == 4
    assert {name for _, name in coco_boxes(cloud, run)} == {"Kafer-100-1.jpg", "1.jpg", "2.jpg", "3.jpg"}
    assert run.run_json["request"]["source"] == f"s3://{cloud.bucket}/{key}"


def test_loose_pictures_below_a_prefix_are_a_source(cloud):
    names = [
        "a b+c.jpg",
        "100%41.jpg",
        "sub/ümlaut \N{CAT FACE}.jpg",
        "sub/'quote' \"two\" (3).jpg",
        "x~y.jpg",
    ]
    for number, name in enumerate(names):
        cloud.put(f"incoming/loose ones/{name}", picture(number))
    cloud.put("incoming/loose ones/notes.txt", b"hello")
    cloud.put("incoming/loose ones/old.zip", archive({}))
    cloud.put("incoming/loose ones/truthmill.json", b'\xef\xbb\xbf{"split": {"validation": 0.4}}')
    cloud.put("incoming/loose ones and others/9.jpg", picture(9))
    run = cloud.start("incoming/loose ones/").to_the_end()
    assert run.run["dataset"] == "loose-ones"
    assert run.rejected == {
        "notes.txt": "not-a-picture",
        "old.zip": "nested-archive",
        "truthmill.json": "ignored",
    }
    assert {line["name"] for line in run.ledger_lines} == set(names)
    assert (run.counts["train"], run.counts["validation"]) == (3, 2)
    stored = cloud.objects("datasets/loose-ones/images/")
    assert sorted(stored.values()) == sorted(picture(number) for number in range(5))


def test_the_folders_that_the_console_makes_are_no_pictures(cloud):
    """The console's "Create folder" leaves an empty object whose key ends with a slash."""
    cloud.put("incoming/pets/", b"")
    cloud.put("incoming/pets/kittens/", b"")
    for number in range(5):
        cloud.put(f"incoming/pets/kittens/{number}.jpg", picture(number))
    run = cloud.start("incoming/pets/").to_the_end()
    assert run.counts["labeled"] == 5
    assert run.counts["inputs"] == 5 + run.counts["ignored"]


def test_a_broken_picture_is_a_line_with_its_reason_and_stops_nobody_else(cloud):
    files = pictures(*range(5))
    files |= {"cut.jpg": picture(6)[:-200], "empty.png": b"", "text.jpg": b"no picture at all"}
    cloud.put("incoming/pets.zip", archive(files))
    run = cloud.start("incoming/pets.zip").to_channels()
    lines = {line["name"]: line for line in cloud.lines(f"{run.prefix}rejected.jsonl")}
    assert {name: line["reason"] for name, line in lines.items()} == {
        "cut.jpg": "truncated",
        "empty.png": "empty",
        "text.jpg": "not-a-picture",
    }
    assert all(line["advice"] for line in lines.values())
    assert run.counts["labeled"] == 5


def test_names_that_agree_in_part_are_kept_apart(cloud):
    """The same name in two folders, in upper case, with another extension: four pictures, four files."""
    files = {
        "one/rex.jpg": picture(1),
        "two/rex.jpg": picture(2),
        "two/REX.JPG": picture(3),
        "two/rex.png": picture(4, form="PNG"),
    }
    cloud.put("incoming/pets.zip", archive(files))
    run = cloud.start("incoming/pets.zip", split={"validation": 0.25}).to_channels()
    keys = cloud.keys("datasets/pets/images/")
    stems = {key.rpartition("/")[2].rpartition(".")[0].lower() for key in keys}
    assert len(keys) == len(stems) == 4
    assert sorted(cloud.objects("datasets/pets/images/").values()) == sorted(files.values())
    assert run.counts["labeled"] == 4


def test_one_name_twice_in_an_archive_is_two_pictures(cloud):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile says that the name is there already
        for number in range(4):
            target.writestr("rex.jpg", picture(number))
    cloud.put("incoming/pets.zip", made.getvalue())
    run = cloud.start("incoming/pets.zip", split={"validation": 0.25}).to_channels()
    stored = cloud.objects("datasets/pets/images/")
    assert sorted(stored.values()) == sorted(picture(number) for number in range(4))
    assert run.counts["labeled"] == 4
    assert run.counts["boxes"] == 4


def test_settings_in_the_archive_hold_where_the_request_says_nothing(cloud):
    settings = {"labels": ["cat", "dog", "bird"], "dataset": "birds", "split": {"validation": 0.5}}
    cloud.put("incoming/pets.zip", archive(pictures(*range(4)), settings))
    run = cloud.start("incoming/pets.zip", split={"seed": "s"}, labels=["cat", "dog"]).to_channels()
    assert run.run["dataset"] == "birds"
    assert run.run_json["request"]["labels"] == ["cat", "dog"]
    assert (run.counts["train"], run.counts["validation"]) == (2, 2)


def test_a_folder_named_test_is_honoured_without_a_share_for_test(cloud):
    """Its pictures are on the side of test, and in the channels, though the request gives test no share."""
    files = {f"train/{n}.jpg": picture(n) for n in range(4)}
    files |= {"validation/4.jpg": picture(4), "test/5.jpg": picture(5)}
    cloud.put("incoming/pets.zip", archive(files))
    run = cloud.start(
        "incoming/pets.zip", split={"folders": "honour", "validation": 0.2, "onDegenerate": "continue"}
    ).to_channels()
    assert [run.counts[split] for split in ("train", "validation", "test")] == [4, 1, 1]
    (line,) = cloud.lines(f"{run.prefix}manifests/test.manifest")
    assert line["source-ref"].endswith("-5.jpg")
    document = cloud.json(f"{run.channels}coco/instances_test.json")
    assert [image["file_name"][9:] for image in document["images"]] == ["5.jpg"]
    assert [drawn["bbox"] for drawn in document["annotations"]] == [
        [ONE_BOX[0][side] for side in ("left", "top", "width", "height")]
    ]


def test_a_loose_picture_that_was_replaced_meanwhile_is_not_passed_off_as_the_first(cloud):
    for number in range(5):
        cloud.put(f"incoming/pets/{number}.jpg", picture(number))
    run = cloud.start("incoming/pets/").to_split()
    cloud.put("incoming/pets/3.jpg", picture(33))
    run.place()
    run.plan()
    assert run.rejected == {"3.jpg": "replaced"}
    assert sorted(run.side_by_name) == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]


@pytest.mark.parametrize("source", ["incoming//pets.zip", "incoming/./pets.zip", "incoming/tab\there.zip"])
def test_a_key_that_no_tool_can_read_is_refused_by_name(cloud, source):
    with pytest.raises(SourceError, match="can't be used"):
        cloud.start(source).prepare()


def test_more_pictures_than_a_job_may_have_make_several_even_jobs_that_all_come_into_the_channels(
    cloud, monkeypatch
):
    """The quota is the stack's MaxObjectsPerJob. The jobs end in the order that is the least handy."""
    monkeypatch.setenv("MAX_OBJECTS_PER_JOB", "3")
    cloud.put("incoming/pets.zip", archive(pictures(*range(7))))
    run = cloud.start("incoming/pets.zip").to_jobs()
    assert [job["objects"] for job in run.jobs] == [3, 2, 2]
    asked = [
        [line["source-ref"] for line in cloud.lines(f"{run.prefix}manifests/labeling-{number:03d}.manifest")]
        for number in range(3)
    ]
    assert [len(sources) for sources in asked] == [3, 2, 2]
    assert len({source for sources in asked for source in sources}) == 7
    for job in reversed(run.jobs):
        cloud.label(job["name"], {"-4.jpg": []})
    run.build(*(run.how_ended(job["name"]) for job in reversed(run.jobs)))
    found = coco_boxes(cloud, run)
    assert {name: len(boxes) for (_, name), boxes in found.items()} == {
        f"{number}.jpg": int(number != 4) for number in range(7)
    }
    assert found == manifest_boxes(cloud, run)
