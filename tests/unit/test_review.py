"""What the one who runs a team sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.labeling_output import Submitted
from truthmill.review import Declined, Progress, Reviewed, detail, f1, progress
from truthmill.worker_answers import Answer

CAT = Box(0, 10, 10, 20, 20)
DOG = Box(1, 10, 10, 20, 20)
FAR = Box(0, 60, 60, 20, 20)


def answer(sub, *boxes, seconds=4.0):
    return Submitted(
        worker=f"private.{sub}",
        sub=sub,
        issuer="",
        accepted=1_000,
        submitted=1_000 + int(seconds * 1000),
        content={},
        answer=Answer(boxes, (100, 90)),
    )


def an_object(number, *answers, declined=()):
    return Reviewed(
        number=number, uri=f"s3://b/{number}.png", state="open", answers=answers, declined=declined
    )


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ([], [], 1.0),
        ([CAT], [], 0.0),
        ([CAT], [CAT], 1.0),
        ([CAT], [DOG], 0.0),
        ([CAT, FAR], [CAT], 2 / 3),
        ([CAT], [Box(0, 10, 10, 20, 10)], 1.0),  # half of it: an IoU of exactly 0.5
        ([CAT], [Box(0, 10, 10, 20, 9)], 0.0),
        ([CAT], [CAT, CAT], 2 / 3),  # one thing drawn twice counts once
    ],
)
def test_agreement_of_two_workers_on_one_picture(one, other, score):
    assert f1(one, other) == pytest.approx(score)


boxes = st.lists(
    st.builds(
        Box,
        st.integers(0, 1),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(1, 9),
        st.integers(1, 9),
    ),
    max_size=5,
)


@given(boxes, boxes)
def test_agreement_is_between_0_and_1_and_whole_with_oneself(one, other):
    assert 0 <= f1(one, other) <= 1
    assert f1(one, one) == 1


def test_progress_has_the_median_time_and_the_mean_agreement_of_each_worker():
    found = progress(
        [
            an_object(0, answer("ann", CAT, seconds=2), answer("ben", CAT, seconds=3)),
            an_object(1, answer("ann", CAT, FAR, seconds=4), answer("ben", CAT, seconds=5)),
            an_object(2, answer("ann", seconds=30), declined=(Declined("cem", "too dark"),)),
        ]
    )
    assert found == {
        "ann": Progress(3, 0, 4.0, 0.833),
        "ben": Progress(2, 0, 4.0, 0.833),
        "cem": Progress(0, 1, None, None),
    }


def test_a_worker_alone_has_no_agreement():
    assert progress([an_object(0, answer("ann", CAT))])["ann"].agreement is None


def test_an_object_shows_each_answer_and_what_they_come_to():
    other = Box(0, 12, 10, 20, 20)
    shown = detail(
        an_object(7, answer("ann", CAT), answer("ben", other), declined=(Declined("cem", "dark"),)),
        ("cat", "dog"),
        {"ann": "ann@example.com"},
    )
    assert (shown["object"], shown["objectName"]) == ("000007", "7.png")
    assert shown["size"] == {"width": 100, "height": 90}
    assert shown["declined"] == [{"member": "cem", "email": "", "reason": "dark"}]
    assert [each["email"] for each in shown["answers"]] == ["ann@example.com", ""]
    assert shown["answers"][0]["seconds"] == 4.0
    assert shown["answers"][0]["boxes"] == [
        {"label": "cat", "left": 10, "top": 10, "width": 20, "height": 20}
    ]
    assert shown["merged"] == [
        {"label": "cat", "left": 11, "top": 10, "width": 20, "height": 20, "confidence": 0.997}
    ]


def test_an_object_that_nobody_answered_has_no_size_and_no_boxes():
    shown = detail(an_object(0), ("cat",), {})
    assert (shown["size"], shown["answers"], shown["merged"]) == (None, [], [])
