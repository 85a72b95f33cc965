"""Answers that are believed for some seconds."""

import pytest

from adapters.remembered import Remembered


def test_an_answer_is_asked_for_again_after_its_time():
    moments = iter([0.0, 9.9, 10.0])
    answers = iter(["one", "two"])
    kept = Remembered(10, clock=lambda: next(moments))
    assert [kept.get("key", lambda: next(answers)) for _ in range(3)] == ["one", "one", "two"]


def test_a_failure_is_not_kept():
    kept = Remembered(10, clock=lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 // 0)
    assert kept.get("key", lambda: 7) == 7


def test_no_more_is_kept_than_fits():
    kept = Remembered(10, most=2, clock=lambda: 0.0)
    for number in range(3):
        kept.get(str(number), lambda: 0)
    assert len(kept._kept) <= 2


def test_an_answer_that_is_renewed_is_believed_from_then_on():
    moments = iter([0.0, 9.0, 18.0])
    answers = iter(["one", "two"])
    kept = Remembered(10, clock=lambda: next(moments))
    assert kept.get("key", lambda: next(answers)) == "one"
    assert kept.renew("key", lambda: next(answers)) == "two"
    assert kept.get("key", lambda: next(answers)) == "two"
