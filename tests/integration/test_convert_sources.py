"""`truthmill convert`: pictures and names of a source, whatever the format of its labels."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foreign_sources import HALF, coco, picture, read, splits, text, turned, voc, yolo
from local_stack import wait_for
from picture_bytes import SUFFIX
from truthmill.errors import FormatError, SourceError
from truthmill_cli.convert import Options, convert
from truthmill_cli.unfinished import clear, unfinished


@pytest.mark.parametrize("embeds", ["parquet", "webdataset", "recordio"])
@pytest.mark.parametrize("refers", ["coco", "augmented-manifest"])
def test_pictures_inside_a_file_come_out_where_the_labels_refer_to_them(embeds, refers, tmp_path):
    """Else there would be labels of pictures that are nowhere."""
    yolo(tmp_path / "source", "names: [cat]\n", "images/train/a.jpg", "images/val/A.jpg", "images/val/a.png")
    convert(tmp_path / "source", tmp_path / "packed", embeds, Options())
    report = convert(tmp_path / "packed", tmp_path / "made", refers, Options())
    made = {
        path.relative_to(tmp_path / "made").as_posix() for path in (tmp_path / "made").rglob("*.[jp][pn]g")
    }
    assert made == {"images/train/a.jpg", "images/validation/A.jpg", "images/validation/a-2.png"}
    assert report["notes"] == []
    assert read(tmp_path / "made")[1] == {
        "images/train/a.jpg": ("train", [(0, 10, 5, 20, 10)]),
        "images/validation/A.jpg": ("validation", [(0, 10, 5, 20, 10)]),
        "images/validation/a-2.png": ("validation", [(0, 10, 5, 20, 10)]),
    }
    report = convert(tmp_path / "packed", tmp_path / "labels", refers, Options(with_pictures=False))
    assert not (tmp_path / "labels/images").exists()


def test_labels_that_refer_to_the_sources_pictures_say_so(tmp_path):
    yolo(tmp_path / "source", "names: [cat]\n", "images/train/a.jpg")
    report = convert(tmp_path / "source", tmp_path / "made", "coco", Options())
    assert report["notes"] == ["The labels name the pictures by their paths in the source, where they stay."]
    report = convert(tmp_path / "source", tmp_path / "there", "coco", Options(at="s3://bucket/pets/"))
    assert report["notes"] == []


def test_a_name_begins_like_no_formula_and_no_option(tmp_path):
    """Lists of RecordIO and Pascal VOC have names in them."""
    names = ("=1+1", "+1", "-rf", "@sum")
    yolo(tmp_path / "source", "names: [cat]\n", *(f"images/{name}.jpg" for name in names))
    convert(tmp_path / "source", tmp_path / "made", "pascal-voc", Options())
    listed = (tmp_path / "made/ImageSets/Main/train.txt").read_text().split()
    assert sorted(listed) == sorted(f"_{name}" for name in names)


@pytest.mark.parametrize("embeds", ["parquet", "webdataset", "recordio"])
def test_sizes_are_compared_with_pictures_that_are_inside_too(embeds, tmp_path):
    picture(tmp_path / "source/images/a.jpg")
    image = {"id": 0, "file_name": "a.jpg", "width": 41, "height": 20}
    coco(tmp_path / "source/labels.json", [], [image])
    convert(tmp_path / "source", tmp_path / "wrong", embeds, Options())
    with pytest.raises(
        FormatError, match=r"a\.jpg: the labels are for 41 x 20 pixels, the picture has 40 x 20"
    ):
        convert(tmp_path / "wrong", tmp_path / "made", "yolo", Options(verify=True))
    coco(tmp_path / "source/labels.json", [], [image | {"width": 40}])
    convert(tmp_path / "source", tmp_path / "right", embeds, Options())
    assert convert(tmp_path / "right", tmp_path / "made", "yolo", Options(verify=True))["pictures"] == 1


def test_a_name_that_no_file_can_have_is_a_picture_that_is_missing(tmp_path):
    picture(tmp_path / "source/images/a.jpg")
    image = {"id": 0, "file_name": "a\0.jpg", "width": 40, "height": 20}
    coco(tmp_path / "source/labels.json", [], [image])
    report = convert(tmp_path / "source", tmp_path / "made", "yolo", Options())
    assert report["notes"] == ["1 pictures weren't in the source: there are labels for them only."]


def test_names_that_a_mac_takes_for_one_or_that_readers_pass_over_are_changed(tmp_path):
    """An accent as a letter of its own and within one; a name that begins with a dot."""
    one, other = "e\u0301", "\u00e9"
    yolo(
        tmp_path / "source", "names: [cat]\n", f"images/a/{one}.jpg", f"images/b/{other}.jpg", "images/.c.jpg"
    )
    report = convert(tmp_path / "source", tmp_path / "made", "imagefolder", Options())
    assert report["renamed"] == 2
    made = sorted(path.name for path in (tmp_path / "made/train").glob("*.jpg"))
    assert made == sorted(["_.c.jpg", f"{one}.jpg", f"{other}-2.jpg"])


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (40, 20)), (3, (40, 20)), (6, (20, 40)), (8, (20, 40))]
)
def test_shares_are_of_the_picture_as_its_orientation_has_it_shown(orientation, size, kind, tmp_path):
    """Which is what tools draw on, and what Ultralytics trains on."""
    source = tmp_path / "source"
    text(source / "data.yaml", "names: [cat]\n")
    text(source / "labels/a.txt", "0 0.25 0.25 0.5 0.5")
    name = f"images/a.{SUFFIX.get(kind, 'webp')}"
    text(source / name, turned(orientation, kind))
    convert(source, tmp_path / "made", "coco", Options())
    document = json.loads((tmp_path / "made/instances_train.json").read_text())
    assert (document["images"][0]["width"], document["images"][0]["height"]) == size
    assert document["annotations"][0]["bbox"] == [0, 0, size[0] // 2, size[1] // 2]
    convert(
        tmp_path / "made/instances_train.json", tmp_path / "checked", "yolo", Options(with_pictures=False)
    )


def test_sizes_are_compared_with_the_picture_as_it_is_shown(tmp_path):
    text(tmp_path / "a.jpg", turned(6))
    coco(tmp_path / "labels.json", [], [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 40}])
    assert convert(tmp_path, tmp_path / "made", "coco", Options(verify=True))["pictures"] == 1
    coco(tmp_path / "labels.json", [], [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 20}])
    with pytest.raises(FormatError, match="for 40 x 20 pixels, the picture has 20 x 40 as it is shown"):
        convert(tmp_path / "labels.json", tmp_path / "not", "coco", Options(verify=True))


@pytest.mark.parametrize("zipped", [True, False])
def test_what_a_mac_and_other_tools_leave_beside_the_files_is_passed_over(zipped, tmp_path):
    """Halves of files that aren't ones, and copies that a notebook keeps."""
    source = tmp_path / "source"
    picture(source / "a.jpg")
    voc(source / "a.xml", ("cat", 1, 1, 40, 20), filename="a.jpg")
    for litter in ("__MACOSX/._a.xml", "._a.jpg", ".git/b.xml"):
        text(source / litter, b"\x00\x05\x16\x07 no XML")
    voc(source / ".ipynb_checkpoints/a-checkpoint.xml", filename="a.jpg")
    if zipped:
        shutil.make_archive(str(tmp_path / "packed"), "zip", source)
        source = tmp_path / "packed.zip"
    assert read(source, ("cat",))[1] == {"a.jpg": ("train", [(0, 0, 0, 40, 20)])}


def test_labels_whose_pictures_are_missing_are_told(tmp_path):
    yolo(tmp_path / "source", "names: [cat]\n", "images/a.jpg", "images/b.jpg")
    (tmp_path / "source/images/a.jpg").unlink()
    report = convert(tmp_path / "source", tmp_path / "made", "imagefolder", Options())
    assert report["notes"] == ["1 text files of labels have no picture, labels/a.txt the first of them."]


def test_what_ultralytics_takes_for_negatives_is_told(tmp_path):
    """Its users have pictures without a text file for background; who means that has an option."""
    yolo(tmp_path / "source", "names: [cat]\n", "images/a.jpg", "images/b.jpg")
    (tmp_path / "source/labels/a.txt").unlink()
    report = convert(tmp_path / "source", tmp_path / "one", "imagefolder", Options())
    (note,) = report["notes"]
    assert note.startswith("Ultralytics takes pictures without a text file for ones without objects")
    asked = Options(unlabeled="negative")
    report = convert(tmp_path / "source", tmp_path / "other", "imagefolder", asked)
    assert (report["notes"], report["negatives"]) == ([], 1)


def test_a_conversion_of_nothing_is_an_error(tmp_path):
    yolo(tmp_path / "source", "names: [cat]\n", "images/a.jpg")
    (tmp_path / "source/labels/a.txt").unlink()
    with pytest.raises(
        FormatError, match=r"and 1 that aren't labeled\. Ultralytics takes .*-are-negatives does\.$"
    ):
        convert(tmp_path / "source", tmp_path / "made", "coco", Options())
    text(tmp_path / "source/labels/b.txt", HALF)
    (tmp_path / "source/images/a.jpg").unlink()
    with pytest.raises(
        FormatError, match=r"no labeled picture in the source\. 1 text files of labels have no"
    ):
        convert(tmp_path / "source", tmp_path / "made", "coco", Options())
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize(
    "called",
    ["images/a b.jpg", "./images/a b.jpg", "images\\a b.jpg", "/data/upload/1/a%20b.jpg", "../../x/a b.jpg"],
)
def test_a_picture_is_found_however_the_labels_call_it(called, tmp_path):
    """As Label Studio and tools on Windows do."""
    picture(tmp_path / "images/a b.jpg")
    picture(tmp_path / "images/other.jpg")
    coco(tmp_path / "result.json", [], [{"id": 0, "file_name": called, "width": 40, "height": 20}])
    assert read(tmp_path)[1] == {"images/a b.jpg": ("train", [])}


@pytest.mark.parametrize("to", ["yolo", "parquet"])
def test_labels_take_no_file_from_outside_of_the_source(to, tmp_path):
    picture(tmp_path / "private.jpg")
    picture(tmp_path / "source/images/own.jpg")
    called = ["../private.jpg", "images/../../private.jpg", str(tmp_path / "private.jpg"), "own.jpg"]
    images = [{"id": n, "file_name": name, "width": 40, "height": 20} for n, name in enumerate(called)]
    coco(tmp_path / "source/labels.json", [], images if to == "yolo" else images[:1])
    if to == "parquet":
        with pytest.raises(FormatError, match=r"private\.jpg: the picture isn't in the source"):
            convert(tmp_path / "source", tmp_path / "made", to, Options())
        return
    report = convert(tmp_path / "source", tmp_path / "made", to, Options())
    assert [path.name for path in (tmp_path / "made").rglob("*.jpg")] == ["own.jpg"]
    assert report["notes"] == ["3 pictures weren't in the source: there are labels for them only."]


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (
            "a.json",
            f'{{"images":[{{"id":1,"file_name":"a.jpg","x":{DEEP}}}],"annotations":[],"categories":[]}}',
        ),
        ("a.json", f'{{"images":[],"categories":[],"annotations":[],"info":{DEEP}}}'),
        ("a.manifest", f'{{"source-ref":"s3://b/a.jpg","x":{DEEP}}}'),
        ("train/metadata.jsonl", f'{{"file_name":"a.jpg","objects":{DEEP}}}'),
        ("train_annotation/a.json", f'{{"file":"a.jpg","x":{DEEP}}}'),
    ],
)
def test_what_is_nested_without_end_is_named(file, content, tmp_path):
    text(tmp_path / file, content)
    with pytest.raises(FormatError, match=file):
        read(tmp_path, ("cat",))


@pytest.mark.parametrize(
    ("file", "format_", "problem"),
    [
        ("", "", r"^The source has no file in it\.$"),
        ("readme.md", "pascal-voc", r"^There is no XML file\.$"),
        ("train.parquet", "", r"^train\.parquet: this is no whole Parquet file\.$"),
    ],
)
def test_what_has_no_labels_to_read_says_just_that(file, format_, problem, tmp_path):
    """And not that a class list is missing, or a format to be named."""
    (tmp_path / "source").mkdir()
    if file:
        text(tmp_path / "source" / file, "PAR1 cut off")
    with pytest.raises(FormatError, match=problem):
        convert(tmp_path / "source", tmp_path / "made", "coco", Options(source_format=format_))


def test_a_zip_that_is_cut_off_is_told_as_one(tmp_path):
    text(tmp_path / "half.zip", b"PK\x03\x04 and no directory")
    with pytest.raises(SourceError, match=r"half\.zip is no whole zip: File is not a zip file"):
        convert(tmp_path / "half.zip", tmp_path / "made", "coco", Options())


def test_a_link_to_a_folder_that_it_lies_in_is_not_followed(tmp_path):
    yolo(tmp_path, "names: [cat]\n", "images/a.jpg")
    (tmp_path / "images/again").symlink_to("../images")
    (tmp_path / "images/whole").symlink_to(tmp_path)
    (tmp_path / "images/gone").symlink_to("nowhere")
    assert splits(tmp_path) == {"images/a.jpg": "train"}


@pytest.mark.parametrize("to", ["sagemaker-image", "yolo", "pascal-voc", "imagefolder", "tensorflow"])
def test_names_that_fill_what_a_file_system_takes_make_room(to, tmp_path):
    """A `.json` in the place of a `.jpg`, or a number after the name, would be too long."""
    names = ("x" * 250 + "a.jpg", "x" * 250 + "b.jpg", "." + "y" * 250 + ".jpg", "é" * 125 + ".jpg")
    for name in names:
        picture(tmp_path / "source/images" / name)
    images = [{"id": at, "file_name": name, "width": 40, "height": 20} for at, name in enumerate(names)]
    coco(tmp_path / "source/labels.json", [], images)
    report = convert(tmp_path / "source", tmp_path / "made", to, Options())
    assert (report["pictures"], report["renamed"]) == (4, 4)
    made = [path.name for path in (tmp_path / "made").rglob("*.jp*g")]
    assert sorted(len(name.encode()) for name in made) == [240, 240, 240, 242]


def test_a_picture_whose_own_name_has_a_backslash_is_found(tmp_path):
    picture(tmp_path / "images/back\\slash.jpg")
    image = {"id": 0, "file_name": "back\\slash.jpg", "width": 40, "height": 20}
    coco(tmp_path / "result.json", [], [image])
    assert read(tmp_path)[1] == {"images/back\\slash.jpg": ("train", [])}
    convert(tmp_path, tmp_path / "made", "imagefolder", Options())  # whose readers would look for a folder
    assert [path.name for path in (tmp_path / "made").rglob("*.jpg")] == ["back_slash.jpg"]


@pytest.mark.parametrize(
    ("file", "labels"),
    [
        ("classes.txt", "yolo"),
        ("labels.txt", "pascal-voc"),
        ("classes.json", "imagefolder"),
        ("labels.json", "augmented-manifest"),
    ],
)
def test_a_class_list_in_another_encoding_is_named(file, labels, tmp_path):
    """Before, YOLO's names lost their letters, and the others were a traceback."""
    (tmp_path / file).write_bytes('["Büffel"]'.encode("latin-1"))
    picture(tmp_path / "images/a.jpg")
    text(tmp_path / "images/a.txt", HALF)
    text(tmp_path / "a.xml", "<annotation></annotation>")
    text(tmp_path / "train/metadata.jsonl", "{}")
    text(tmp_path / "a.manifest", '{"source-ref": "s3://b/a.jpg"}')
    with pytest.raises(FormatError, match=rf"^{file}: it isn't UTF-8, from byte 3 on"):
        convert(tmp_path, tmp_path.parent / "made", "coco", Options(source_format=labels))


def test_what_a_killed_conversion_left_is_removed_by_the_next_one_and_by_no_other(tmp_path):
    """The folder of one that is still at it stays; a killed process holds no lock."""
    yolo(tmp_path / "source", "names: [cat]\n", "images/a.jpg")
    left = tmp_path / ".truthmill-convert-left"
    text(left / "images/half.jpg", "half a pict")
    text(tmp_path / ".truthmill-convert-file", "no folder")
    with unfinished(tmp_path) as under_way:
        report = convert(tmp_path / "source", tmp_path / "made", "coco", Options())
        assert under_way.is_dir()
    assert f"Folders of killed conversions, removed from {tmp_path}: 1." in report["notes"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".truthmill-convert-file", "made", "source"]


def test_a_conversion_that_is_killed_leaves_what_the_next_one_finds(tmp_path):
    yolo(tmp_path / "source", "names: [cat]\n", *(f"images/{number}.jpg" for number in range(3)))
    waits = tmp_path / "source/labels/0.txt"
    waits.unlink()
    os.mkfifo(waits)  # which nobody ever writes to
    command = [Path(sys.executable).with_name("truthmill"), "convert", "source", "made", "--to", "yolo"]
    going = subprocess.Popen(command, cwd=tmp_path)
    wait_for(lambda: list(tmp_path.glob(".truthmill-convert-*")), "the folder")
    going.kill()
    going.wait()
    assert list(tmp_path.glob(".truthmill-convert-*"))
    wait_for(lambda: clear(tmp_path), "its lock")  # a process that helped it may be there a moment longer
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("line", ["{}", '{"file_name":"a.jpg"', "\x00"])
def test_sizes_of_recordio_that_are_broken_are_named(line, tmp_path):
    picture(tmp_path / "source/images/a.jpg")
    image = {"id": 0, "file_name": "a.jpg", "width": 40, "height": 20}
    coco(tmp_path / "source/labels.json", [], [image])
    convert(tmp_path / "source", tmp_path / "rec", "recordio", Options())
    text(tmp_path / "rec/train-sizes.jsonl", line)
    with pytest.raises(FormatError, match=r"^train-sizes\.jsonl: it has no file name, width and height"):
        read(tmp_path / "rec")


def test_a_record_that_is_shorter_than_it_says_is_named(tmp_path):
    payload = (7).to_bytes(4, "little") + bytes(20)  # seven labels, and no byte of them
    text(tmp_path / "train.rec", b"\x0a\x23\xd7\xce" + len(payload).to_bytes(4, "little") + payload)
    with pytest.raises(FormatError, match=r"^train\.rec: a record is shorter than its header says"):
        read(tmp_path, ("cat",))


def test_what_an_editor_puts_before_a_file_is_passed_over(tmp_path):
    picture(tmp_path / "source/images/a.jpg")
    image = {"id": 0, "file_name": "a.jpg", "width": 40, "height": 20}
    coco(tmp_path / "source/labels.json", [], [image])
    for made in ("recordio", "imagefolder", "sagemaker-image"):
        convert(tmp_path / "source", tmp_path / made, made, Options())
        for path in (tmp_path / made).rglob("*.json*"):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert len(read(tmp_path / made, None)[1]) == 1, made


def test_a_number_that_is_none_is_named(tmp_path):
    yolo(tmp_path / "yolo", "names: [cat]\n", "images/a.jpg")
    text(tmp_path / "yolo/labels/a.txt", "1e999 0.5 0.5 0.5 0.5")
    with pytest.raises(FormatError, match=r"labels/a\.txt, line 1: '1e999 0\.5 0\.5 0\.5 0\.5' isn't"):
        read(tmp_path / "yolo")
    text(tmp_path / "voc/a.xml", "<annotation><size><width>1e999</width></size></annotation>")
    with pytest.raises(FormatError, match=r"^a\.xml: cannot convert float infinity"):
        read(tmp_path / "voc", ("cat",))


def test_a_picture_of_more_pixels_than_there_can_be_is_named(tmp_path):
    picture(tmp_path / "images/a.jpg")
    image = {"id": 0, "file_name": "a.jpg", "width": 3_000_000_000, "height": 20}
    coco(tmp_path / "coco/labels.json", [], [image])
    with pytest.raises(FormatError, match=r"labels\.json: a side or an id is larger than any can be"):
        read(tmp_path / "coco")
    text(
        tmp_path / "voc/a.xml",
        f"<annotation><size><width>{10**20}</width><height>9</height></size></annotation>",
    )
    with pytest.raises(FormatError, match=r"a\.jpg: no picture has 1(0){20} x 9 pixels"):
        convert(tmp_path / "voc", tmp_path / "made", "coco", Options(labels=("cat",)))
