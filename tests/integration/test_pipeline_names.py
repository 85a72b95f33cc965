"""Several runs on one dataset: names of earlier pictures, and of copies not kept, bind later ones."""

import io

import pytest
from PIL import Image

from builders import archive, picture, pictures

FOLDERS = {"groupBy": "folder", "onDegenerate": "continue"}


def first_drop_with_a_copy(cloud, rules):
    """Picture 0 is kept as a/0.jpg on the side that its folder names; its copy of scene b isn't kept."""
    files = {"val/a/0.jpg": picture(0), "val/b/copy.jpg": picture(0)} | pictures(range(1, 6), "train/c/")
    cloud.put("incoming/pets.zip", archive(files))
    return cloud.start("incoming/pets.zip", split={**rules, "folders": "honour"}).to_the_end()


@pytest.mark.parametrize("earlier_rule", ["folder", "none"])
def test_a_later_drop_knows_the_groups_of_copies_that_are_not_kept(cloud, earlier_rule):
    """Further frames of the copy's scene belong to the side of what is kept in its place."""
    rule = {"groupBy": {"pattern": r"(?P<group>[ab])/"}, "onDegenerate": "continue"}
    first = first_drop_with_a_copy(cloud, {**rule, "groupBy": earlier_rule, "nearDuplicates": None})
    [kept] = [line for line in first.ledger_lines if line["split"] == "validation"]
    files = pictures(range(20, 24), "b/") | pictures(range(24, 28), "a/")
    cloud.put("incoming/more.zip", archive(files))
    second = cloud.start("incoming/more.zip", dataset="pets", split=rule).to_split()
    side = second.side_by_name
    assert kept["name"] in {"val/a/0.jpg", "val/b/copy.jpg"}
    assert {side[name] for name in files} == {"validation"}


def test_a_copy_that_came_alone_binds_later_drops_too(cloud):
    """The second drop brings only what the dataset has, from another scene: further frames join it."""
    files = pictures(range(1), "val/a/") | pictures(range(1, 6), "train/c/")
    cloud.put("incoming/pets.zip", archive(files))
    cloud.start("incoming/pets.zip", split={**FOLDERS, "folders": "honour"}).to_the_end()
    cloud.put("incoming/known.zip", archive({"b/again.jpg": picture(0)}))
    second = cloud.start("incoming/known.zip", dataset="pets", split=FOLDERS).to_the_end()
    assert second.counts["known"] == 1
    cloud.put("incoming/more.zip", archive(pictures(range(20, 26), "b/")))
    third = cloud.start("incoming/more.zip", dataset="pets", split=FOLDERS).to_split()
    assert {third.side_by_name[f"b/{number}.jpg"] for number in range(20, 26)} == {"validation"}


def test_a_copy_is_noted_once_however_often_it_comes(cloud):
    first_drop_with_a_copy(cloud, FOLDERS)
    copies = cloud.json("datasets/pets/ledger.json")["copies"]
    assert [each["pictures"] for each in copies] == [1]
    cloud.put("incoming/again.zip", archive({"val/a/0.jpg": picture(0), "val/b/copy.jpg": picture(0)}))
    cloud.start("incoming/again.zip", dataset="pets", split=FOLDERS).to_the_end()
    assert cloud.json("datasets/pets/ledger.json")["copies"] == copies


def test_a_new_split_keeps_copies_scenes_together(cloud):
    """Picture 0 lies in scenes a and b, so both are one group whatever the seed."""
    files = {"a/0.jpg": picture(0), "b/copy.jpg": picture(0)}
    files |= pictures(range(1, 4), "a/") | pictures(range(4, 7), "b/")
    files |= {f"single-{number}/{number}.jpg": picture(number) for number in range(7, 17)}
    cloud.put("incoming/pets.zip", archive(files))
    blind = {"nearDuplicates": None, "onDegenerate": "continue"}
    cloud.start("incoming/pets.zip", split=blind).to_the_end()
    for seed in "abcdef":
        rules = {**blind, "groupBy": "folder", "seed": seed, "validation": 0.4}
        run = cloud.start("datasets/pets/", dataset="pets", resplit=True, split=rules).to_resplit()
        assert len({side for name, side in run.side_by_name.items() if name[0] in "ab"}) == 1
        assert run.run_json["split"]["largestGroup"] == 7


def taken(number, when):
    """A picture with its capture time in EXIF."""
    made, exif = io.BytesIO(), Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = when
    Image.open(io.BytesIO(picture(number))).save(made, "JPEG", exif=exif)
    return made.getvalue()


@pytest.mark.parametrize("earlier_rule", ["none", "folder"])
def test_capture_minutes_count_for_pictures_of_a_drop_that_was_grouped_otherwise(cloud, earlier_rule):
    minute = "2026:05:01 10:00"
    files = {"val/0.jpg": taken(0, f"{minute}:01")} | pictures(range(1, 6), "train/")
    cloud.put("incoming/pets.zip", archive(files))
    rules = {"groupBy": earlier_rule, "folders": "honour", "onDegenerate": "continue"}
    cloud.start("incoming/pets.zip", split=rules).to_the_end()
    more = {f"{number}.jpg": taken(number, f"{minute}:{number}") for number in range(20, 26)}
    cloud.put("incoming/more.zip", archive(more))
    by_minute = {"groupBy": "capture-minute", "onDegenerate": "continue"}
    second = cloud.start("incoming/more.zip", dataset="pets", split=by_minute).to_split()
    assert {second.side_by_name[name] for name in more} == {"validation"}


def test_what_is_taken_over_stays_in_the_group_of_its_name_there(cloud):
    """The failed run has frames of one scene; the next drop brings one of them under another scene's name."""
    rules = {**FOLDERS, "folders": "honour"}
    files = pictures(range(2), "val/a/") | pictures(range(2, 5), "train/c/")
    cloud.put("incoming/failed.zip", archive(files))
    cloud.start("incoming/failed.zip", dataset="pets", split=rules).to_split().fail()
    cloud.put("incoming/more.zip", archive({"0.jpg": picture(0), "1.jpg": picture(1)} | pictures([7], "d/")))
    cloud.start("incoming/more.zip", dataset="pets", split=FOLDERS).to_the_end()
    rule = {"groupBy": {"pattern": r"(?P<group>[ab])/"}, "onDegenerate": "continue"}
    cloud.put("incoming/last.zip", archive(pictures(range(20, 26), "a/")))
    last = cloud.start("incoming/last.zip", dataset="pets", split=rule).to_split()
    assert {last.side_by_name[f"a/{number}.jpg"] for number in range(20, 26)} == {"validation"}
