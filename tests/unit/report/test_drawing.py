"""Markup, charts, thumbnails, durations: the parts that the page is put together from."""

import io
import re
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from truthmill.report import charts
from truthmill.report.durations import durations, spoken
from truthmill.report.flow import Link, Node, flow
from truthmill.report.markup import Markup, join, tag, void
from truthmill.report.thumbnails import Window, in_turn, pack, shrink, window


def test_text_is_escaped_wherever_it_stands():
    made = tag("p", "<b>&", title='"><script>')
    assert made == '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;</p>'
    assert join("<", Markup("<br>")) == "&lt;<br>"


def test_what_html_forbids_or_would_turn_the_text_is_replaced():
    assert tag("p", "a\x00b\x1bc\u202ed\ud800") == "<p>a�b�c�d�</p>"


def test_attributes_that_are_none_are_left_out():
    assert void("meta", name=None, http_equiv="x", hidden=False) == '<meta http-equiv="x">'


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_from_a_parser(text):
    """But for what HTML and XML forbid, and the line ends that XML makes one."""
    found = ET.fromstring(tag("p", text)).text or ""  # noqa: S314 - our own
    shown = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff]", "�", text)
    assert re.sub("[\ufffe\uffff]", "�", found) == shown


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own


def test_a_column_is_as_tall_as_its_share():
    svg = parsed(charts.columns("name", ["a", "b"], [10, 5], "unit"))
    tall = [float(rect.get("height")) for rect in svg.iter("rect")]
    assert tall == [142, 71]
    assert [text.text for text in svg.iter("text") if text.get("class") == "value"] == ["67%", "33%"]
    assert svg.get("aria-label") == "name"


def test_a_bar_that_is_there_can_be_seen():
    widths = [
        [float(rect.get("width")) for rect in parsed(charts.bar(share, "k")).iter("rect")][1]
        for share in (0, 0.00001, 0.5, 1)
    ]
    assert widths == [0, 0.6, 50, 100]


def test_the_scatter_has_equal_steps_for_equal_factors():
    """Two decades over 338 units from 38 on the left; from 362 upwards."""
    svg = parsed(charts.scatter("name", [(1, 1, 0), (10, 10, 0), (100, 1, 3)]))
    paths = {path.get("class"): path.get("d") for path in svg.iter("path")}
    assert paths == {"point c0": "M38 362h0M207 193h0", "point c3": "M376 362h0"}


def test_the_heat_map_is_strongest_where_most_boxes_are():
    counts = np.zeros((24, 24), np.int64)
    counts[0, 0], counts[23, 23] = 4000, 1000
    svg = parsed(charts.heat_map("name", counts))
    cells = [rect for rect in svg.iter("rect") if rect.get("fill-opacity")]
    assert [(cell.get("x"), cell.get("fill-opacity")) for cell in cells] == [
        ("0.0", "1.00"),
        ("383.3", "0.56"),
    ]


@pytest.mark.parametrize(("share", "said"), [(0, "0%"), (0.001, "<1%"), (0.5, "50%"), (1, "100%")])
def test_a_share_that_rounds_to_nothing_says_so(share, said):
    assert charts.percent(share) == said


def test_bands_are_as_wide_as_what_they_carry():
    nodes = [
        Node("in", "inputs", 100, 0, "neutral"),
        Node("a", "used", 80, 1, "main"),
        Node("b", "rejected", 20, 1, "bad"),
        Node("none", "ignored", 0, 1, "muted"),
    ]
    links = [Link("in", "a", 80), Link("in", "b", 20), Link("in", "none", 0)]
    svg = parsed(flow("name", nodes, links))
    bands = [re.search(r"v([\d.]+)", path.get("d"))[1] for path in svg.iter("path")]
    assert bands == ["200.0", "50.0"]
    assert "".join(svg.itertext()) == "100inputs80used20rejected"


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_nodes_of_a_column_do_not_overlap(values):
    nodes = [Node(str(number), "n", value, 0, "main") for number, value in enumerate(values)]
    svg = parsed(flow("name", nodes, []))
    rects = sorted((float(r.get("y")), float(r.get("height"))) for r in svg.iter("rect"))
    assert all(y + height < following for (y, height), (following, _) in pairwise(rects))


def encoded(size, colour=(200, 30, 30), form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def test_a_large_box_is_shown_in_its_whole_picture():
    assert window((400, 300), None) == Window(0, 0, 400, 300)
    assert window((400, 300), (0, 0, 100, 10)) == Window(0, 0, 400, 300)


def test_a_small_box_is_cut_out_with_its_surroundings():
    """A box of 30: 30 · (1 + 2 · 1.5) = 120 pixels high, 160 wide, around its centre (515, 415)."""
    assert window((1000, 800), (500, 400, 30, 30)) == Window(435, 355, 160, 120)


def test_a_cut_out_stays_inside_the_picture():
    assert window((1000, 800), (990, 795, 5, 5)) == Window(872, 704, 128, 96)
    assert window((1000, 800), (0, 0, 5, 5)) == Window(0, 0, 128, 96)


def test_a_picture_is_shrunk_without_being_bent():
    assert shrink(encoded((1200, 600)), Window(0, 0, 1200, 600)).size == (360, 180)
    assert shrink(encoded((1200, 600), form="JPEG"), Window(0, 0, 1200, 600)).size == (360, 180)
    assert shrink(encoded((1200, 600)), Window(100, 100, 40, 30)).size == (40, 30)


def test_what_is_no_picture_says_so():
    with pytest.raises(OSError, match="cannot identify"):
        shrink(b"not a picture", Window(0, 0, 1, 1))


def noise(number):
    grain = np.random.default_rng(number).integers(0, 255, (270, 360, 3), np.uint8)
    return Image.fromarray(grain)


@pytest.mark.parametrize("budget", [600_000, 100_000, 8_000, 10])
def test_pictures_fit_their_budget(budget):
    packed = pack({str(number): noise(number) for number in range(4)}, budget)
    assert sum(map(len, packed.values())) <= budget
    assert list(packed) == [str(number) for number in range(4)][: len(packed)]
    assert bool(packed) is (budget > 10)


def test_with_room_pictures_keep_their_size():
    (uri,) = pack({"a": Image.new("RGB", (360, 270))}, 10**6).values()
    assert uri.startswith("data:image/jpeg;base64,")


def test_sheets_take_turns():
    assert in_turn([["a", "b"], ["c", "a", "d"]]) == ["a", "c", "b", "d"]


def at(minute, second=0):
    return datetime(2026, 1, 1, 0, minute, second, tzinfo=UTC)


def test_a_state_lasts_from_the_one_before_to_its_own_last_object():
    ended = {"Prepare": at(1), "InspectImages": at(4), "SplitDataset": at(4, 30)}
    assert durations("2026-01-01T00:00:30Z", ended) == [
        ("Prepare", 30.0),
        ("InspectImages", 180.0),
        ("SplitDataset", 30.0),
    ]


def test_what_an_earlier_execution_did_took_no_time():
    ended = {"Prepare": at(1), "InspectImages": at(20)}
    assert durations("2026-01-01T00:10:00Z", ended) == [("InspectImages", 600.0)]


def test_a_store_that_tells_whole_seconds_of_some_objects_only_hides_no_state():
    """A listing tells milliseconds, a single object's answer doesn't."""
    ended = {
        "InspectImages": at(4).replace(microsecond=900_000),
        "SplitDataset": at(4),
        "PlaceImages": at(4, 2),
    }
    assert durations("2026-01-01T00:00:30Z", ended) == [
        ("InspectImages", 210.0),
        ("SplitDataset", 0.0),
        ("PlaceImages", 2.0),
    ]


def test_a_new_split_has_a_state_of_its_own():
    ended = {"ResplitDataset": at(1), "BuildChannels": at(2)}
    assert durations("2026-01-01T00:00:30Z", ended) == [("ResplitDataset", 30.0), ("BuildChannels", 60.0)]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1 h 30 min"), (7200, "2 h"), (180_000, "2 d 2 h")],
)
def test_times_for_people(seconds, said):
    assert spoken(seconds) == said
