"""Pascal VOC: what is particular to it."""

import pytest

from adapters.channel_folder import Folder
from truthmill.box_check import check_boxes
from truthmill.channels import pascal_voc
from truthmill.channels.pascal_voc_plain import read_plain
from truthmill.channels.writing import Whole
from truthmill.dataset import Heading


def test_a_class_name_that_does_not_print_is_escaped_as_in_json_beyond_the_basic_plane_too():
    """U+E0001 is the pair DB40 DC01 in UTF-16, of which JSON's escapes are."""
    files = list(pascal_voc.finish(Heading(labels=("cat", "\U000e0001", "\x07")), {}))
    assert files == [Whole("labels.txt", b'cat\n"\\udb40\\udc01"\n"\\u0007"\n')]


PLAIN = b"""<annotation>
  <folder>pets</folder><filename>rex.jpg</filename><path>C:/pets/rex.jpg</path>
  <size><width>640</width><height>480</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>a dog</name><pose>Left</pose><difficult>1</difficult>
    <bndbox><xmin>1</xmin><ymin>21</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>
    <occluded>0</occluded>
  </object>
  <object><name>cat</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object>
</annotation>
"""
READ = ("rex.jpg", 640, 480, (("a dog", "cat"), (1, 5), (21, 6), (30, 5), (40, 6)))


def test_a_file_as_tools_write_it_is_read_without_a_parser_and_just_the_same():
    assert read_plain(PLAIN) == pascal_voc._parsed(PLAIN) == READ


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<pose>Left</pose>", b"<!-- <name>cow</name> -->"),
        (b"a dog", b"a &#100;og"),
        (b"a dog", b"<![CDATA[a dog]]>"),
        (b"<difficult>", b"<difficult  >"),
        (b"<occluded>0</occluded>", b"<part><name>head</name></part>"),
        (b"<annotation>", b'<?xml version="1.0"?><annotation verified="yes">'),
        (b"<xmin>1</xmin><ymin>21</ymin>", b"<ymin>21</ymin><xmin>1.0</xmin>"),
        (b"<segmented>0</segmented>", b"<source><database>ours</database></source>"),
        (b"<depth>3</depth>", b"<depth/>"),
    ],
)
def test_a_file_with_anything_else_in_it_is_left_to_the_parser(old, new):
    changed = PLAIN.replace(old, new)
    assert changed != PLAIN
    assert read_plain(changed) is None
    assert pascal_voc._parsed(changed) == READ


@pytest.mark.parametrize("wrong", [b"</nome>", b"</annotation", b"<bndbox>", b""])
def test_a_file_that_is_no_xml_is_never_taken_for_a_plain_one(wrong):
    assert read_plain(PLAIN.replace(b"</name>", wrong, 1)) is None


@pytest.mark.parametrize("place", [b"<object>\n", b"<object><name>cat", b"</annotation>", b"\n"])
def test_what_stands_between_objects_or_behind_the_end_is_left_to_the_parser(place):
    before, _, behind = PLAIN.rpartition(place)
    assert read_plain(before + b"<x/>" + place + behind) is None
    assert read_plain(before + b"<object/>" + place + behind) is None
    assert read_plain(before + b"\x1c" + place + behind) is None


def test_a_file_without_objects_is_a_plain_one():
    empty = PLAIN[: PLAIN.index(b"<object>")] + b"</annotation>\n"
    assert read_plain(empty) == ("rex.jpg", 640, 480, ((), (), (), (), ()))


@pytest.mark.parametrize(
    ("sides", "sound"),
    [
        ([(1, 1, 640, 480), (1, 1, 640, 479)], True),
        ([(1, 1, 641, 480)], False),
        ([(1, 1, 640, 481)], False),
        ([(5, 6, 7, 8), (5, 6, 7, 8)], False),
        ([(0, 1, 7, 8)], False),
        ([(5, 6, 4, 8)], False),
        ([(5, 6, 7, 5)], False),
    ],
)
def test_boxes_are_sound_just_where_the_check_has_nothing_to_say_of_them(sides, sound, tmp_path):
    """The check is left out for these, so a box too many would go unseen."""
    boxes = "".join(
        f"<object><name>cat</name><bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax>"
        f"<ymax>{ymax}</ymax></bndbox></object>"
        for xmin, ymin, xmax, ymax in sides
    )
    before, _, _ = PLAIN.partition(b"<object>")
    (tmp_path / "rex.xml").write_bytes(before + boxes.encode() + b"</annotation>")
    (picture,) = pascal_voc.read(Folder(tmp_path), ("cat",)).pictures
    assert picture.sound is sound
    assert (check_boxes(picture.boxes, 640, 480).findings == ()) is sound
