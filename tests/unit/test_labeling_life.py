"""A job's status takes a legal path, whatever happens in whatever order."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling_builders import a_request
from truthmill.labeling_jobs import ENDED, STEPS, Counters, Job, legal, outcome
from truthmill.quality_rules import QualityRules

HOUR = 3_600_000
REQUEST = a_request(
    **{
        "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": 10 * 3_600,
        "StoppingConditions": {"MaxHumanLabeledObjectCount": 4},
    }
)


def a_job(status):
    return Job(
        name="j", arn="a", request=REQUEST, reference="r", created=0, modified=0, status=status, objects=5
    )


happenings = st.lists(
    st.one_of(
        st.sampled_from(["start", "broken input", "stop", "finish"]),
        st.builds(lambda labeled, expired: (labeled, expired), st.integers(0, 2), st.integers(0, 1)),
        st.integers(1, 20),
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(happenings)
def test_every_path_is_legal_and_ends_once(happenings):
    status, now, labeled, expired = "Initializing", 0, 0, 0
    for what in happenings:
        becomes = status
        if isinstance(what, int):
            now += what * HOUR
        elif isinstance(what, tuple):
            labeled, expired = min(5, labeled + what[0]), min(5, expired + what[1])
        elif what == "stop" and status in ("Initializing", "InProgress"):
            becomes = "Stopping"
        elif what == "finish":
            counters = Counters(labeled=labeled, expired=expired)
            becomes = outcome(a_job(status), counters, now) or status
        elif status == "Initializing":
            becomes = {"start": "InProgress", "broken input": "Failed"}.get(what, status)
        assert legal(status, becomes)
        assert status not in ENDED or becomes == status
        status = becomes


def test_what_has_ended_stays_so_and_what_stops_can_only_stop():
    assert not any(legal(was, now) for was in ENDED for now in STEPS if was != now)
    assert [now for now in STEPS if legal("Stopping", now)] == ["Stopping", "Stopped"]


def test_the_outcome_follows_from_answers_and_time():
    running = a_job("InProgress")
    assert outcome(running, Counters(labeled=3, expired=1), 0) == ""
    assert outcome(running, Counters(labeled=4), 0) == "Stopped"
    assert outcome(running, Counters(labeled=3, expired=2), 0) == "Completed"
    assert outcome(running, Counters(labeled=1), 10 * HOUR - 1) == ""
    assert outcome(running, Counters(labeled=1), 10 * HOUR) == "Completed"
    assert outcome(running, Counters(), 10 * HOUR) == "Failed"
    assert outcome(a_job("Stopping"), Counters(), 0) == "Stopped"
    assert outcome(a_job("Initializing"), Counters(), 99 * HOUR) == ""


def test_a_thousand_objects_are_open_at_once_unless_the_job_says_how_many():
    assert a_job("InProgress").most_open == 1_000
    request = a_request(**{"HumanTaskConfig.MaxConcurrentTaskCount": 5_000})
    job = Job(name="j", arn="a", request=request, reference="r", created=0, modified=0)
    assert job.most_open == 5_000


def test_a_job_that_has_taken_all_answers_that_may_be_paid_for_is_over():
    limited = msgspec.structs.replace(a_job("InProgress"), rules=QualityRules(max_answers=6))
    assert outcome(limited, Counters(labeled=3, answers=3, withdrawn=1, gold=1), 0) == ""
    assert outcome(limited, Counters(labeled=3, answers=3, withdrawn=2, gold=1), 0) == "Stopped"
    assert outcome(limited, Counters(labeled=3, expired=2, extra=1, answers=6), 0) == "Completed"
