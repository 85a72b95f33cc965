"""Patterns that a user gives: what they find, that none takes long, and what is refused."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.errors import RequestError
from truthmill.grouping import check_rule, group_by
from truthmill.patterns import compiled

ENDLESS = [
    r"(?P<group>(a+)+)$",
    r"(?P<group>(a|aa)+)$",
    r"(?P<group>(a|a?)+)$",
    r"(?P<group>(.*)(.*)(.*)(.*)(.*)\d$)",
    r"^(?P<group>(([a-z])+.)+[A-Z]([a-z])+)$",
]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_no_pattern_takes_long_for_a_name(pattern):
    """Of Python's own each takes from seconds to years."""
    started = time.process_time()
    assert group_by("a" * 900 + "!", "", {"pattern": pattern}) == ""
    assert time.process_time() - started < 1


@pytest.mark.parametrize("pattern", ["(?P<group>((((a{99}){99}){99}){99}))", "(?P<group>(a{1,999}){1,999})"])
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern):
    with pytest.raises(RequestError, match="invalid repetition size"):
        check_rule({"pattern": pattern})


@pytest.mark.parametrize("pattern", ["(?P<group>a)(?=b)", r"(?P<group>a)\1", "(?P<group>a++)"])
def test_what_cannot_be_searched_in_linear_time_is_refused_by_name(pattern):
    with pytest.raises(RequestError, match=re.escape(repr(pattern)) + ".*regular expression of RE2"):
        check_rule({"pattern": pattern})


def test_a_pattern_that_is_no_text_is_refused():
    with pytest.raises(RequestError, match="regular expression of RE2"):
        check_rule({"pattern": "(?P<group>\ud800)"})


@pytest.mark.parametrize(
    ("pattern", "name", "group"),
    [
        (r"(?P<group>\w+)-", "日本_7-1.jpg", "日本_7"),
        (r"(?P<group>[\w ]+)-", "Äpfel und Birnen-1.jpg", "Äpfel und Birnen"),
        (r"(?P<group>[^\w]+)", "aé-+b", "-+"),
        (r"(?P<group>\W+)", "aé-+b", "-+"),
        (r"(?P<group>\d+)", "cam٣٤.jpg", "٣٤"),
        (r"(?P<group>\D+)", "٣é1", "é"),
        (r"(?P<group>[][\w]+)-", "[é]-", "[é]"),
        (r"(?P<group>[^]\d]+)", "]1x]", "x"),
        (r"(?P<group>\\w)", r"a\wb", r"\w"),
        (r"(?P<group>\Q\w\E)", r"a\wb", r"\w"),
        (r"(?P<group>a\Z)", "ba", "a"),
        (r"(?i)(?P<group>É)", "cafés", "é"),
    ],
)
def test_classes_are_of_all_scripts_in_brackets_and_without(pattern, name, group):
    assert group_by(name, "", {"pattern": pattern}) == group


@given(
    st.lists(
        st.sampled_from(
            [
                r"\d",
                r"\D",
                r"\w",
                r"\W",
                "a",
                "é",
                "_",
                ".",
                "[a-c]",
                r"[\d_]",
                r"[^\w]",
                r"[\[]",
                r"[\]x]",
                "-",
            ]
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["", "+", "*", "?", "+?"]),
    st.text(alphabet="aé1٣_-/.[]x日", max_size=8),
)
def test_it_finds_what_python_finds(parts, often, text):
    pattern = f"(?P<group>(?:{''.join(parts)}){often})"
    ours, theirs = compiled(pattern).search(text), re.search(pattern, text)
    assert (ours and ours["group"]) == (theirs and theirs["group"])
