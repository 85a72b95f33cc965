import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill import layout


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b/Rex (1).JPEG", "Rex-1.jpg"),
        ("Übung+100%.png", "Ubung-100.jpg"),
        ("C:\\photos\\rex.bmp", "rex.jpg"),
        ("猫😀.jpg", "picture.jpg"),
        ("..", "picture.jpg"),
        (".jpg", "jpg.jpg"),
        ("a.tar.jpg", "a.tar.jpg"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert layout.safe_name(name, ".jpg") == safe


@given(st.text())
def test_any_name_becomes_a_short_plain_one(name):
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}\.png", layout.safe_name(name, ".png"))


@given(st.text(min_size=1).filter(lambda name: name.strip("/")))
def test_any_source_gives_a_legal_dataset(name):
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", layout.dataset_name("s3://bucket/" + name))
