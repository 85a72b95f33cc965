"""What is counted of a dataset's boxes: hand-worked figures."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.boxes import Box, iou
from truthmill.report.measures import AT_ONCE, LabeledLine, Measures, PlainBox
from truthmill.report.overlap import overlapping
from truthmill.report.sampling import Lowest, chance


def line(name, split="train", boxes=(), run="this", size=(100, 100)):
    made = None if boxes is None else tuple(PlainBox(*box) for box in boxes)
    return LabeledLine(
        key=f"k/{name}", split=split, name=name, run=run, width=size[0], height=size[1], boxes=made
    )


def measured(*lines, labels=("cat", "dog", "cow")):
    found = Measures(labels, "seed", "this")
    found.add(lines)
    return found


def test_boxes_and_pictures_are_counted_by_class_and_side():
    found = measured(
        line("a", "train", [(0, 1, 1, 20, 20), (0, 50, 50, 20, 20), (1, 70, 5, 10, 10)]),
        line("b", "train", []),
        line("c", "validation", [(1, 1, 1, 20, 20)]),
        line("d", "validation", None),
    )
    train, validation = found.splits["train"], found.splits["validation"]
    assert train.boxes.tolist() == [2, 1, 0]
    assert train.pictures_of.tolist() == [1, 1, 0]
    assert (train.pictures, train.negatives, train.unlabeled) == (2, 1, 0)
    assert validation.boxes.tolist() == [0, 1, 0]
    assert (validation.pictures, validation.negatives, validation.unlabeled) == (1, 0, 1)
    assert (found.pictures, found.negatives, found.boxes) == (3, 1, 4)
    assert found.of_this_run == {("train", True): 2, ("validation", True): 1, ("validation", False): 1}


def test_a_picture_counts_as_it_is_in_the_runs_channels():
    """Not where workers haven't looked for every label yet; without boxes of labels that came later."""
    found = line("a", boxes=[(0, 1, 1, 5, 5), (2, 9, 9, 5, 5)])
    assert found.as_of(3) is found
    assert [box.class_id for box in found.as_of(2).boxes] == [0]
    looked = msgspec.structs.replace(found, labels=2)
    assert looked.as_of(3).boxes is None
    assert len(looked.as_of(2).boxes) == 1


def test_a_picture_without_an_answer_is_no_negative():
    found = measured(line("a", boxes=None), line("b", boxes=[]))
    assert (found.pictures, found.negatives) == (1, 1)


def test_boxes_at_the_edge_are_those_that_touch_it():
    boxes = [(0, 0, 10, 5, 5), (0, 95, 10, 5, 5), (1, 10, 0, 5, 5), (1, 10, 95, 5, 5), (2, 1, 1, 98, 98)]
    assert measured(line("a", boxes=boxes)).at_edge.tolist() == [2, 2, 0]


def test_sizes_are_binned_as_coco_does():
    boxes = [(0, 0, 0, 31, 33), (0, 0, 0, 32, 32), (0, 0, 0, 95, 96), (0, 0, 0, 96, 96), (0, 0, 0, 7, 90)]
    found = measured(line("a", boxes=boxes, size=(200, 200))).sizes
    assert (found["small"], found["medium"], found["large"]) == (2, 2, 1)
    assert (found["tiny"], found["slender"], found["huge"]) == (1, 1, 0)


def test_a_box_that_fills_the_picture_is_huge():
    found = measured(line("a", boxes=[(0, 0, 0, 100, 95)]), line("b", boxes=[(0, 0, 0, 100, 94)]))
    assert found.sizes["huge"] == 1
    assert [shown.line.name for shown in found.sheets.suspicious["huge"]] == ["a"]


def test_the_heat_map_has_a_box_where_its_centre_lies():
    heat = measured(line("a", boxes=[(0, 90, 0, 10, 10), (0, 0, 48, 2, 2)])).heat
    assert heat.sum() == 2
    assert heat[1, 22] == 1  # centre (95, 5) of 100: column 22.8, row 1.2 of 24
    assert heat[11, 0] == 1  # centre (1, 49): column 0.24, row 11.76


def test_two_labels_in_one_place_are_classes_confused():
    found = measured(
        line("a", boxes=[(1, 10, 10, 40, 40), (0, 10, 12, 40, 40), (2, 60, 60, 10, 10)]),
        line("b", boxes=[(0, 10, 10, 40, 40)]),
        line("c", boxes=[(1, 10, 10, 40, 40)]),
    )
    assert found.confused == {(0, 1): 1}
    (shown,) = found.sheets.suspicious["confused"]
    assert (shown.line.name, shown.why) == ("a", "In one place: 'cat' and 'dog'")


def test_one_thing_boxed_twice_is_no_confusion():
    found = measured(line("a", boxes=[(0, 10, 10, 40, 40), (0, 10, 11, 40, 40)]))
    assert (found.doubles, found.confused) == (1, {})


def test_sheets_have_the_extremes():
    found = measured(
        *(line(f"p{n}", boxes=[(0, 5, 5, n + 2, 10)] * (1 + n % 3)) for n in range(40)),
        line("empty"),
    )
    assert [shown.line.name for shown in found.sheets.smallest][:3] == ["p0", "p1", "p2"]
    assert [shown.line.name for shown in found.sheets.largest][:2] == ["p39", "p38"]
    assert {len(shown.line.boxes) for shown in found.sheets.crowded} == {3}


def test_the_smallest_boxes_are_of_different_pictures():
    crowd = [(0, 5 * n, 5, 2, 2) for n in range(15)]
    found = measured(line("crowd", boxes=crowd), line("one", boxes=[(0, 5, 5, 30, 30)]))
    assert [shown.line.name for shown in found.sheets.smallest] == ["crowd", "one"]


def test_chunks_change_nothing():
    lines = [line(f"p{n}", boxes=[(n % 3, n % 60, n % 50, 20 + n % 9, 30)]) for n in range(AT_ONCE + 100)]
    whole, parts = measured(*lines), measured()
    parts.add(lines[:7])
    parts.add(lines[7:])
    assert whole.heat.tolist() == parts.heat.tolist()
    assert whole.splits["train"].boxes.tolist() == parts.splits["train"].boxes.tolist()
    assert list(whole.sheets.random) == list(parts.sheets.random)
    assert list(whole.sheets.smallest) == list(parts.sheets.smallest)


def test_the_sample_follows_from_the_seed_not_from_the_order():
    lines = [line(f"p{n}") for n in range(100)]
    shown = {shown.line.name for shown in measured(*lines).sheets.random}
    assert shown == {shown.line.name for shown in measured(*reversed(lines)).sheets.random}
    other = Measures(("cat",), "another seed", "this")
    other.add(lines)
    assert shown != {shown.line.name for shown in other.sheets.random}


def test_the_scatter_is_a_sample_of_bounded_size():
    lines = [line(f"p{n}", boxes=[(0, 0, 0, 10, 10)] * 4) for n in range(500)]
    assert len(measured(*lines).points) == 1500
    assert measured(line("a", boxes=[(2, 0, 0, 7, 9)])).points == [(7, 9, 2)]


def test_the_lowest_are_kept_and_of_equal_ones_the_first():
    kept = Lowest(3)
    for score, item in ((5, "a"), (1, "b"), (5, "c"), (2, "d"), (5, "e")):
        kept.offer(score, item)
    assert list(kept) == ["b", "d", "a"]
    assert kept.offered == 5


def test_chance_is_even():
    drawn = [chance("seed", str(number)) for number in range(4000)]
    assert 0.48 < sum(drawn) / len(drawn) < 0.52
    assert sum(number < 0.1 for number in drawn) == pytest.approx(400, abs=80)


BOXES = st.tuples(
    st.integers(0, 2), st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)
)


@given(st.lists(st.lists(BOXES, max_size=6), max_size=5), st.sampled_from([0.1, 0.5, 0.8]))
@settings(max_examples=150, deadline=None)
def test_pairs_are_those_that_comparing_all_with_all_finds(pictures, at_least):
    of = np.array([number for number, boxes in enumerate(pictures) for _ in boxes], np.int64)
    flat = [Box(*box) for boxes in pictures for box in boxes]
    placed = np.array([(b.left, b.top, b.width, b.height) for b in flat], np.int64).reshape(-1, 4)
    wanted = {
        (one, other)
        for other in range(len(flat))
        for one in range(other)
        if of[one] == of[other] and iou(flat[one], flat[other]) >= at_least
    }
    first, second, _ = overlapping(of, placed, at_least)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == wanted
