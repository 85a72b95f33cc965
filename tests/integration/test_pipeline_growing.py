"""Several runs on one dataset: nothing is paid for twice, and no picture changes its side."""

import io
from threading import Barrier, Thread

import pytest
from PIL import Image

from adapters.storage import Storage, memory, storage
from builders import archive, picture, pictures
from pipeline.run import RunReference
from pipeline.split_dataset import split_dataset
from truthmill.errors import LabelsChangedError

FIRST, SECOND = range(10), range(5, 15)
LEDGER = "datasets/pets/ledger.json"


@pytest.fixture
def two(cloud):
    """Two zips that share the pictures 5 to 9, under other names."""
    cloud.put("incoming/pets.zip", archive(pictures(FIRST)))
    cloud.put("incoming/more.zip", archive(pictures(SECOND, "more/")))
    return cloud


def retouched(number):
    """The picture with one pixel changed, as PNG."""
    image = Image.open(io.BytesIO(picture(number)))
    image.putpixel((0, 0), (0, 0, 0))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def darkened(number):
    """The picture with a little less light, as PNG."""
    image = Image.open(io.BytesIO(picture(number))).point(lambda shade: 0.9 * shade)
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def sides(lines):
    return {line["pixels"]: line["split"] for line in lines}


def sent(cloud):
    """Every picture that was ever sent to labeling, once for each time."""
    uris = []
    for job in cloud.labeling.jobs.values():
        key = job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"].split("/", 3)[3]
        uris += [line["source-ref"] for line in cloud.lines(key)]
    return uris


def test_known_pictures_are_neither_placed_nor_labeled_again(two):
    first = two.start("incoming/pets.zip").to_the_end()
    key_of = {line["name"]: line["key"] for line in first.ledger_lines}
    second = two.start("incoming/more.zip", dataset="pets").to_the_end()
    assert second.counts["inputs"] == 10
    assert second.counts["duplicates"] == second.counts["known"] == 5
    assert second.counts["labeled"] == 5
    rejected = {line["name"]: line for line in two.lines(f"{second.prefix}rejected.jsonl")}
    assert {name: line["reason"] for name, line in rejected.items()} == {
        f"more/{number}.jpg": "known" for number in range(5, 10)
    }
    assert {name: line["of"] for name, line in rejected.items()} == {
        f"more/{number}.jpg": key_of[f"{number}.jpg"] for number in range(5, 10)
    }
    assert len(two.keys("datasets/pets/images/")) == 15
    assert len(sent(two)) == len(set(sent(two))) == 15


def test_a_second_drop_keeps_every_earlier_assignment(two):
    first = two.start("incoming/pets.zip").to_the_end()
    before = first.ledger_lines
    second = two.start("incoming/more.zip", dataset="pets", split={"seed": "another"}).to_the_end()
    after = sides(second.ledger_lines)
    assert {pixels: after[pixels] for pixels in sides(before)} == sides(before)
    assert sorted(after.values()) == ["train"] * 12 + ["validation"] * 3


def test_the_second_runs_channels_have_the_pictures_of_both(two):
    two.start("incoming/pets.zip").to_the_end({"-1.jpg": []})
    second = two.start("incoming/more.zip", dataset="pets").to_the_end()
    images = []
    for split in ("train", "validation"):
        document = two.json(f"{second.channels}coco/instances_{split}.json")
        images += [image["file_name"][9:] for image in document["images"]]
    assert sorted(images) == sorted(f"{number}.jpg" for number in range(15))
    assert two.json("datasets/pets/channels/latest.json")["run"] == second.run["run"]


def test_a_zip_of_known_pictures_only_costs_nothing_and_ends_well(two):
    two.start("incoming/pets.zip").to_the_end()
    two.put("incoming/known.zip", archive(pictures(range(3), "again/")))
    run = two.start("incoming/known.zip", dataset="pets").to_the_end()
    assert run.jobs == []
    assert run.counts["known"] == 3
    assert len(two.labeling.created) == 1
    assert run.run_json["state"] == "SUCCEEDED"
    assert len(two.json(LEDGER)["segments"]) == 1


def test_a_label_that_is_missing_is_refused_before_anything_is_sent(two):
    two.start("incoming/pets.zip").to_the_end()
    second = two.start("incoming/more.zip", dataset="pets", labels=["dog", "hen"])
    with pytest.raises(LabelsChangedError, match=r"labeled with \['cat', 'dog'\], the request says"):
        second.to_split()
    assert len(two.json(LEDGER)["segments"]) == 1


def test_labels_in_another_order_are_the_same_labels(two):
    """Class ids go by the dataset's order, and only new pictures and the new label are asked for."""
    two.start("incoming/pets.zip").to_the_end()
    second = two.start("incoming/more.zip", dataset="pets", labels=["dog", "hen", "cat"]).to_jobs()
    assert second.run_json["request"]["labels"] == ["cat", "dog", "hen"]
    assert second.run_json["warnings"] == [
        "The request has its labels in another order than the dataset: class ids go by cat, dog, hen."
    ]
    asked = {(job["objects"], job.get("firstLabel", 0)) for job in second.jobs}
    assert asked == {(5, 0), (10, 2)}
    same = two.start("incoming/more.zip", dataset="pets", labels=["cat", "dog", "hen"])
    same.prepare()
    assert same.run["run"] == second.run["run"]


def test_a_side_of_an_earlier_run_stays_in_channels_that_give_it_no_share(two):
    two.start("incoming/pets.zip", split={"test": 0.2}).to_the_end()
    second = two.start("incoming/more.zip", dataset="pets", split={"onDegenerate": "continue"}).to_the_end()
    document = two.json(f"{second.channels}coco/instances_test.json")
    assert len(document["images"]) == 2


def test_near_duplicates_of_known_pictures_join_their_side(two):
    two.start("incoming/pets.zip").to_the_end()
    files = pictures(range(20, 24)) | {f"new-{number}.png": retouched(number) for number in FIRST}
    two.put("incoming/retouched.zip", archive(files))
    run = two.start("incoming/retouched.zip", dataset="pets", split={"onDegenerate": "continue"}).to_split()
    side = {line["name"]: line["split"] for line in run.ledger_lines}
    for number in FIRST:
        assert side[f"new-{number}.png"] == side[f"{number}.jpg"]
    similar = {frozenset((line["key"], line["of"])) for line in two.lines(f"{run.prefix}similar.jsonl")}
    key = {line["name"]: line["key"] for line in run.ledger_lines}
    assert {frozenset((key[f"new-{n}.png"], key[f"{n}.jpg"])) for n in FIRST} <= similar


def test_copies_of_earlier_pictures_on_several_sides_are_told_and_never_sent(two):
    """The first drop was split without a look at likeness, so copies of one picture are on both sides."""
    several = pictures(range(10)) | {f"new-{number}.png": retouched(number) for number in FIRST}
    two.put("incoming/pets.zip", archive(several))
    blind = {"nearDuplicates": None, "validation": 0.5}
    first = two.start("incoming/pets.zip", split=blind).to_the_end()
    side = {line["name"]: line["split"] for line in first.ledger_lines}
    torn = {number for number in FIRST if side[f"{number}.jpg"] != side[f"new-{number}.png"]}
    assert torn
    files = pictures(range(20, 24)) | {f"again-{number}.png": darkened(number) for number in FIRST}
    two.put("incoming/again.zip", archive(files))
    run = two.start("incoming/again.zip", dataset="pets", split={"onDegenerate": "continue"}).to_the_end()
    rejected = {line["name"]: line["reason"] for line in two.lines(f"{run.prefix}rejected.jsonl")}
    assert rejected == {f"again-{number}.png": "between-splits" for number in torn}
    side = {line["name"]: line["split"] for line in run.ledger_lines}
    assert {f"again-{number}.png" for number in FIRST if number not in torn} <= side.keys()
    assert all(side[f"again-{number}.png"] == side[f"{number}.jpg"] for number in FIRST if number not in torn)
    assert run.counts["rejected"] == len(torn)
    assert run.counts["inputs"] == 14


def test_a_run_that_failed_before_it_had_a_job_leaves_its_pictures_on_their_sides(two):
    first = two.start("incoming/pets.zip").to_split()
    first.place()
    before = sides(first.ledger_lines)
    first.fail()
    second = two.start("incoming/pets.zip", instructions={"title": "Draw better"}).to_the_end()
    assert second.run["run"] != first.run["run"]
    assert second.counts["labeled"] == 10
    assert sides(second.ledger_lines) == before
    assert len(second.ledger_lines) == 10
    assert len(sent(two)) == len(set(sent(two))) == 10


def test_a_failed_run_that_starts_again_knows_what_another_took_over(two):
    first = two.start("incoming/pets.zip").to_split()
    first.place()
    first.fail()
    second = two.start("incoming/more.zip", dataset="pets").to_the_end()
    again = two.start("incoming/pets.zip").to_the_end()
    assert again.run["run"] == first.run["run"]
    assert again.counts["known"] == 5
    assert again.counts["labeled"] == 5
    pixels = [line["pixels"] for line in again.ledger_lines]
    assert len(pixels) == len(set(pixels)) == 15
    assert len(sent(two)) == len(set(sent(two))) == 15
    stored = two.keys("datasets/pets/images/")
    assert set(sent(two)) <= {f"s3://{two.bucket}/{key}" for key in stored}
    assert second.run_json["state"] == "SUCCEEDED"


def test_two_failed_runs_that_leave_to_each_other_lose_nothing(two):
    first = two.start("incoming/pets.zip").to_split()
    first.fail()
    second = two.start("incoming/more.zip", dataset="pets").to_split()
    second.fail()
    again = two.start("incoming/pets.zip").to_the_end()
    assert again.counts["labeled"] == 10
    last = two.start("incoming/more.zip", dataset="pets").to_the_end()
    assert last.counts["known"] == 5
    assert last.counts["labeled"] == 5
    assert len(sent(two)) == len(set(sent(two))) == 15
    assert len({line["pixels"] for line in last.ledger_lines}) == len(last.ledger_lines) == 15


def test_a_failed_run_that_had_a_job_keeps_its_pictures(two):
    first = two.start("incoming/pets.zip").to_jobs()
    first.fail()
    second = two.start("incoming/more.zip", dataset="pets").to_jobs()
    assert second.counts["known"] == 5
    assert len(sent(two)) == len(set(sent(two))) == 15


def test_a_run_under_way_keeps_its_pictures_before_it_has_a_job(two):
    two.start("incoming/pets.zip").to_split()
    second = two.start("incoming/more.zip", dataset="pets").to_split()
    assert second.counts["known"] == 5
    assert second.counts["train"] + second.counts["validation"] == 5


def test_a_run_whose_files_were_cleared_away_keeps_its_pictures_and_stops_nobody(two):
    first = two.start("incoming/pets.zip").to_jobs()
    first.fail()
    for key in two.keys(first.prefix):
        two.delete(key)
    second = two.start("incoming/more.zip", dataset="pets").to_split()
    assert second.counts["known"] == 5
    again = two.start("incoming/pets.zip").to_the_end()
    assert again.counts["labeled"] == 10


def reference(run):
    return RunReference(**run.run)


def test_a_run_that_decides_while_another_writes_decides_again(two):
    """Between this run's reading of the ledger and its writing, another run's pictures come in."""
    first = two.start("incoming/pets.zip")
    second = two.start("incoming/more.zip", dataset="pets")
    for run in (first, second):
        run.prepare()
        run.inspect()

    class Interrupted(Storage):
        interrupted = False

        def replaced(self, key, document, etag):
            if key == LEDGER and not self.interrupted:
                self.interrupted = True
                second.split()
            return super().replaced(key, document, etag)

    answer = split_dataset(reference(first), Interrupted(storage(two.bucket).store, two.bucket), "truthmill")
    assert answer["counts"]["known"] == 5
    assert [segment["run"] for segment in two.json(LEDGER)["segments"]] == [
        second.run["run"],
        first.run["run"],
    ]
    pixels = [line["pixels"] for line in first.ledger_lines]
    assert len(pixels) == len(set(pixels)) == 15
    digits = {line["key"].rpartition("/")[2].partition("-")[0] for line in first.ledger_lines}
    assert {len(each) for each in digits} == {8}  # as if it had decided once
    first.place()
    assert [job["objects"] for job in first.plan()] == [5]


def test_many_runs_at_once_are_all_in_the_ledger(cloud):
    """On a store whose conditional writes are atomic, as S3's are (moto's aren't between threads)."""
    runs = []
    for number in range(4):
        cloud.put(f"incoming/{number}.zip", archive(pictures(range(10 * number, 10 * number + 12))))
        run = cloud.start(f"incoming/{number}.zip", dataset="pets")
        run.prepare()
        run.inspect()
        runs.append(run)
    store = memory(cloud.bucket)
    for key, content in cloud.objects().items():
        store.write(key, content)
    together = Barrier(len(runs))
    answers = {}

    def decide(run):
        together.wait(timeout=60)
        answers[run.run["run"]] = split_dataset(reference(run), store, "truthmill")

    threads = [Thread(target=decide, args=[run]) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    ledger = store.read_json(LEDGER, dict)[0]
    assert {segment["run"] for segment in ledger["segments"]} == {run.run["run"] for run in runs}
    lines = [line for segment in ledger["segments"] for line in store.read_lines(segment["key"], dict)]
    assert len(lines) == len({line["pixels"] for line in lines}) == 42
    assert sum(answer["counts"]["known"] for answer in answers.values()) == 6


def test_what_resembles_a_failed_runs_pictures_joins_their_side(two):
    """The failed run may be started again and labeled where it is."""
    first = two.start("incoming/pets.zip").to_split()
    first.place()
    side = {line["name"]: line["split"] for line in first.ledger_lines}
    first.fail()
    files = pictures(range(20, 24)) | {f"new-{number}.png": retouched(number) for number in FIRST}
    two.put("incoming/retouched.zip", archive(files))
    run = two.start("incoming/retouched.zip", dataset="pets", split={"onDegenerate": "continue"}).to_split()
    sides_now = {line["name"]: line["split"] for line in run.ledger_lines}
    assert all(sides_now[f"new-{number}.png"] == side[f"{number}.jpg"] for number in FIRST)


def test_a_group_that_only_a_later_request_names_joins_its_earlier_pictures(two):
    """The first drop groups nothing; the second by the number in the name, which the first has too."""
    first = two.start("incoming/pets.zip").to_the_end()
    side = {line["name"]: line["split"] for line in first.ledger_lines}
    two.put("incoming/more.zip", archive({f"{number}.more.jpg": picture(number + 50) for number in FIRST}))
    rule = {"groupBy": {"pattern": r"(?P<group>\d+)\."}, "onDegenerate": "continue"}
    second = two.start("incoming/more.zip", dataset="pets", split=rule).to_split()
    sides_now = {line["name"]: line["split"] for line in second.ledger_lines}
    assert {f"{number}.more.jpg": side[f"{number}.jpg"] for number in FIRST}.items() <= sides_now.items()
    assert second.run_json["split"]["straddlingGroups"] == 0


def test_a_picture_whose_group_is_on_another_side_than_its_likeness_is_rejected_with_why(two):
    rule = {"groupBy": {"pattern": r"(?P<group>[ab])/"}, "onDegenerate": "continue", "folders": "honour"}
    files = pictures(range(3), "train/a/") | pictures(range(3, 6), "val/b/")
    two.put("incoming/pets.zip", archive(files))
    two.start("incoming/pets.zip", split=rule).to_the_end()
    two.put("incoming/more.zip", archive({"b/copy.png": retouched(0), "b/other.jpg": picture(30)}))
    run = two.start("incoming/more.zip", dataset="pets", split=rule).to_the_end()
    [rejected] = two.lines(f"{run.prefix}rejected.jsonl")
    assert (rejected["name"], rejected["reason"]) == ("b/copy.png", "between-splits")
    assert rejected["detail"] == ("train: it resembles a picture there; validation: its group 'b' is there")
    assert {line["name"]: line["split"] for line in run.ledger_lines}["b/other.jpg"] == "validation"
    assert run.run_json["split"]["straddlingGroups"] == 0
    assert (
        run.counts["inputs"] == run.counts["rejected"] + run.counts["validation"] + run.counts["train"] == 2
    )


def test_a_duplicate_of_what_is_left_out_says_of_what_and_what_became_of_that(two):
    rule = {"groupBy": {"pattern": r"(?P<group>[ab])/"}, "onDegenerate": "continue", "folders": "honour"}
    two.put("incoming/pets.zip", archive(pictures(range(3), "train/a/") | pictures(range(3, 6), "val/b/")))
    two.start("incoming/pets.zip", split=rule).to_the_end()
    copies = {f"b/copy-{letter}.png": retouched(0) for letter in "xyz"}
    two.put("incoming/more.zip", archive({**copies, "b/other.jpg": picture(30)}))
    run = two.start("incoming/more.zip", dataset="pets", split=rule).to_the_end()
    rejected = {line["name"]: line for line in two.lines(f"{run.prefix}rejected.jsonl")}
    assert rejected.keys() == copies.keys()
    [first] = [name for name, line in rejected.items() if line["reason"] == "between-splits"]
    for name in copies.keys() - {first}:
        assert rejected[name]["reason"] == "duplicate"
        assert rejected[name]["of"] == first
        assert rejected[name]["detail"].startswith("that one isn't kept either (between-splits): train: ")


def test_what_a_drop_leaves_out_a_failed_run_no_longer_keeps(two):
    """Else a relabeling would have it labeled on one side, and its copies are on the other."""
    two.put("incoming/failed.zip", archive({"train/0.jpg": picture(0)} | pictures(range(1, 5), "val/")))
    honour = {"folders": "honour", "onDegenerate": "continue"}
    failed = two.start("incoming/failed.zip", dataset="pets", split=honour).to_split()
    failed.fail()
    two.put("incoming/other.zip", archive({"val/x.png": retouched(0)} | pictures(range(5, 8), "train/")))
    blind = {**honour, "nearDuplicates": None}
    two.start("incoming/other.zip", dataset="pets", split=blind).to_the_end()
    two.put("incoming/more.zip", archive({"0.jpg": picture(0), "dark.png": darkened(0)}))
    third = two.start("incoming/more.zip", dataset="pets", split={"onDegenerate": "continue"})
    third.prepare()
    third.inspect()

    class Dying(Storage):
        def replaced(self, key, document, etag):
            super().replaced(key, document, etag)
            raise InterruptedError

    with pytest.raises(InterruptedError):  # and decides nothing else when it is retried
        split_dataset(reference(third), Dying(storage(two.bucket).store, two.bucket), "truthmill")
    third.split()
    third.place()
    third.on_to_the_end()
    assert third.rejected["0.jpg"] == "between-splits"
    assert "train/0.jpg" not in third.side_by_name
    again = two.start("incoming/failed.zip", dataset="pets", split=honour).to_the_end()
    assert again.rejected == {"train/0.jpg": "between-splits"}
    side = again.side_by_name
    assert {side[name] for name in ("val/x.png", "dark.png") if name in side} == {"validation"}
    assert "train/0.jpg" not in side


def test_what_a_run_keeps_only_when_it_is_started_again_is_put_in_place_then(two):
    """At first another run had five of its pictures, and failed before it put them in place."""
    two.put("incoming/one.zip", archive(pictures([0, 20, 21, 22, 23])))
    other = two.start("incoming/more.zip", dataset="pets").to_split()
    first = two.start("incoming/pets.zip").to_split()
    first.place()
    first.fail()
    other.fail()
    two.start("incoming/one.zip", dataset="pets").to_the_end()  # takes one of the first run's over
    again = two.start("incoming/pets.zip").to_the_end()
    assert again.run["run"] == first.run["run"]
    stored = {f"s3://{two.bucket}/{key}" for key in two.keys("datasets/pets/images/")}
    assert len(sent(two)) == len(set(sent(two))) == 14
    assert set(sent(two)) <= stored
