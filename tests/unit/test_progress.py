"""Pace and stalls of a labeling job, by hand."""

from truthmill.progress import seen

QUARTER, HOUR = 900, 3_600


def looked_at(*labeled, every=HOUR, stall=24.0, objects=1_000):
    found = None
    for number, count in enumerate(labeled):
        found = seen(found, count, objects - count, number * every, stall)
    return found


def test_the_end_is_reckoned_from_the_last_days_pace():
    """60 in six hours, 940 left: 94 hours more."""
    found = looked_at(0, 10, 20, 30, 40, 50, 60)
    assert found.ends_at == 6 * HOUR + 94 * HOUR


def test_what_was_before_the_last_day_says_nothing():
    """Nothing for two days, then 20 an hour for a day: 24 hours x 20 = 480 labeled, 520 left, 26 hours."""
    found = looked_at(*[0] * 48, *range(0, 500, 20))
    assert found.labeled == 480
    assert found.ends_at == found.at + 26 * HOUR
    assert len(found.samples) <= 26


def test_there_is_no_end_without_a_pace():
    assert looked_at(5).ends_at is None
    assert looked_at(5, 5, 5).ends_at is None


def test_a_job_stands_still_after_so_many_hours_without_a_new_answer():
    assert not looked_at(5, *[7] * 24).stalled
    assert looked_at(5, *[7] * 25).stalled
    assert not looked_at(5, *[7] * 25, 8).stalled
    assert not looked_at(*[7] * 99, stall=0).stalled


def test_looks_of_a_quarter_of_an_hour_leave_one_sample_an_hour():
    assert len(looked_at(*range(17), every=QUARTER).samples) == 5
