"""Who may work on an object, and for how long."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from truthmill import leases
from truthmill.leases import EXPIRED, LABELED, OPEN, LeaseRefusedError, Task

NEW = Task(number=7, needed=1)


def refused(code):
    return pytest.raises(LeaseRefusedError, check=lambda error: error.code == code)


def test_a_new_object_is_at_the_front_of_the_queue():
    assert leases.position(NEW) == "0000000000000#000007"


def test_a_leased_object_waits_behind_until_its_lease_runs_out():
    leased = leases.lease(NEW, "ann", now=1_000, until=61_000)
    assert leases.position(leased) == "0000000061000#000007"
    with refused("TaskTaken"):
        leases.lease(leased, "ben", now=60_999, until=99_000)
    assert leases.lease(leased, "ben", now=61_000, until=99_000).leases == {"ben": 99_000}


def test_asking_again_keeps_the_lease():
    leased = leases.lease(NEW, "ann", now=1_000, until=61_000)
    assert leases.lease(leased, "ann", now=2_000, until=62_000).leases == {"ann": 62_000}


def test_an_answer_completes_an_object_that_needs_one():
    done = leases.answer(leases.lease(NEW, "ann", 1_000, 61_000), "ann", 2_000)
    assert (done.state, done.answered, done.leases, leases.position(done)) == (LABELED, ("ann",), {}, "")


def test_an_answer_after_the_lease_ran_out_counts_while_nobody_else_took_the_object():
    leased = leases.lease(NEW, "ann", 1_000, 61_000)
    assert leases.answer(leased, "ann", 90_000).state == LABELED
    taken = leases.lease(leased, "ben", 70_000, 130_000)
    with refused("TaskTaken"):
        leases.answer(taken, "ann", 90_000)


def test_one_worker_never_answers_twice():
    once = leases.answer(Task(number=1, needed=2), "ann", 1_000)
    assert once.state == OPEN
    for act in (leases.answer, leases.decline):
        with refused("AlreadyAnswered"):
            act(once, "ann", 2_000)
    with refused("AlreadyAnswered"):
        leases.lease(once, "ann", 2_000, 3_000)


def test_an_object_takes_no_more_answers_than_it_needs():
    done = leases.answer(NEW, "ann", 1_000)
    with refused("TaskDone"):
        leases.answer(done, "ben", 2_000)


def test_an_object_for_three_can_be_leased_by_three_at_once():
    task = Task(number=1, needed=3)
    for worker in ("ann", "ben", "cem"):
        assert leases.position(task) == "0000000000000#000001"
        task = leases.lease(task, worker, 1_000, 61_000)
    assert leases.position(task) == "0000000061000#000001"
    with refused("TaskTaken"):
        leases.lease(task, "dee", 2_000, 62_000)


def test_who_declined_is_not_asked_again_and_the_object_goes_to_the_end_of_the_queue():
    task = leases.decline(leases.lease(Task(number=1, needed=2), "ann", 1_000, 61_000), "ann", 5_000)
    assert leases.position(task) == "0000000005000#000001"
    with refused("AlreadyDeclined"):
        leases.lease(task, "ann", 6_000, 66_000)
    assert leases.lease(task, "ben", 6_000, 66_000).leases == {"ben": 66_000}


def test_an_object_that_as_many_declined_as_it_needs_is_expired():
    once = leases.decline(Task(number=1, needed=2), "ann", 1_000)
    assert once.state == OPEN
    twice = leases.decline(once, "ben", 2_000)
    assert (twice.state, leases.position(twice)) == (EXPIRED, "")


def test_a_released_object_goes_to_the_others_and_may_come_back():
    released = leases.release(leases.lease(NEW, "ann", 1_000, 61_000), "ann", 5_000)
    assert leases.position(released) == "0000000005000#000007"
    assert leases.lease(released, "ann", 6_000, 66_000).leases == {"ann": 66_000}


def test_releasing_what_one_does_not_hold_changes_nothing():
    leased = leases.lease(NEW, "ann", 1_000, 61_000)
    assert leases.release(leased, "ben", 5_000) is leased


def test_a_lapsed_lease_puts_the_object_behind_again_when_somebody_else_changes_it():
    """Who has passed the object's first place finds it at the new one."""
    task = leases.lease(Task(number=1, needed=3), "ann", 1_000, 61_000)
    assert leases.position(leases.answer(task, "ben", 90_000)) == "0000000090000#000001"


class Life(RuleBasedStateMachine):
    """Whatever workers do in whatever order, the laws hold."""

    workers = st.sampled_from(["ann", "ben", "cem", "dee"])

    def __init__(self):
        super().__init__()
        self.task = Task(number=1, needed=2)
        self.now = 0

    def attempt(self, act, worker, *more):
        self.now += 1
        try:
            changed = act(self.task, worker, self.now, *more)
        except LeaseRefusedError:
            return
        if changed is not self.task:
            assert changed.version == self.task.version + 1
        self.task = changed

    @rule(worker=workers, time=st.integers(1, 30))
    def lease(self, worker, time):
        self.attempt(leases.lease, worker, self.now + 1 + time)

    @rule(worker=workers)
    def answer(self, worker):
        self.attempt(leases.answer, worker)

    @rule(worker=workers)
    def decline(self, worker):
        self.attempt(leases.decline, worker)

    @rule(worker=workers)
    def release(self, worker):
        self.attempt(leases.release, worker)

    @rule(time=st.integers(1, 20))
    def wait(self, time):
        self.now += time

    @invariant()
    def no_more_answers_and_leases_than_needed(self):
        live = self.task.live(self.now)
        assert len(self.task.answered) + len(live) <= self.task.needed
        assert len(set(self.task.answered)) == len(self.task.answered)
        assert not set(self.task.answered) & set(self.task.declined)
        assert not set(live) & {*self.task.answered, *self.task.declined}

    @invariant()
    def it_waits_in_the_queue_exactly_while_it_is_open(self):
        assert (leases.position(self.task) != "") == (self.task.state == OPEN)
        assert (self.task.state == LABELED) == (len(self.task.answered) == self.task.needed)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
