"""Class names that some format couldn't hold are refused where they come in."""

import json

import pytest

from truthmill.errors import FormatError, RequestError
from truthmill.labels import problem_of
from truthmill.request_reading import parse
from truthmill_cli.convert import Options, convert

FORBIDDEN = "\x00\x1b\n\t\x85\u2028\ud800\ufffe"
INERT = [
    "the \"big\" <dog> & 'co': #1",
    "=cmd|' /C calc'!A0",
    "Büffel 🐃",
    "👩\u200d🚀",
    "- [x]: &a *b",
    "猫",
]


@pytest.mark.parametrize("character", FORBIDDEN)
def test_a_control_character_is_refused_by_a_request(character):
    asked = {"source": "s3://bucket/incoming/pets.zip", "labels": ["cat", f"a{character}b"]}
    with pytest.raises(RequestError, match=f'"labels" has .*U\\+{ord(character):04X}'):
        parse(asked, {}, {})


def test_a_blank_name_is_refused():
    assert problem_of("  ") == "is empty or blank"


@pytest.mark.parametrize("label", INERT)
def test_what_only_looks_dangerous_is_taken(label):
    assert problem_of(label) == ""


def test_a_control_character_in_a_file_is_refused_by_name(tmp_path):
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}],
        "annotations": [],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "a\x07b"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match=r"Class 1 of the coco source is 'a\\x07b', .* U\+0007"):
        convert(tmp_path / "labels.json", tmp_path / "out", "yolo", Options(with_pictures=False))
    assert not (tmp_path / "out").exists()
