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


def answered(task, worker, now, most=0):
    """The object after it was handed out to the worker, and answered."""
    return leases.answer(leases.lease(task, worker, now, now + 60_000), worker, now, most)


def declined(task, worker, now):
    return leases.decline(leases.lease(task, worker, now, now + 60_000), worker, now)


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


def test_an_object_is_answered_declined_and_extended_only_by_who_it_was_handed_out_to():
    released = leases.release(leases.lease(NEW, "ann", 1_000, 61_000), "ann", 2_000)
    lapsed = leases.lease(Task(number=1, needed=2), "ben", 1_000, 61_000)
    for task in (NEW, released, lapsed, answered(lapsed, "cem", 90_000)):
        with refused("NotHandedOut"):
            leases.answer(task, "ann", 90_000)
        with refused("NotHandedOut"):
            leases.decline(task, "ann", 90_000)
        with refused("NotHandedOut"):
            leases.extend(task, "ann", 90_000, 99_000)


def test_a_lease_that_ran_out_is_remembered_when_somebody_else_changes_the_object():
    leased = leases.lease(Task(number=1, needed=2), "ann", 1_000, 61_000)
    assert answered(answered(leased, "ben", 90_000), "ann", 95_000).answered == ("ben", "ann")
    assert leases.answer(answered(leased, "ben", 90_000), "ann", 95_000).answered == ("ben", "ann")
    returned = leases.release(answered(leased, "ben", 90_000), "ann", 95_000)
    with refused("NotHandedOut"):
        leases.answer(returned, "ann", 96_000)


def test_one_worker_never_answers_twice():
    once = answered(Task(number=1, needed=2), "ann", 1_000)
    assert once.state == OPEN
    for act in (leases.answer, leases.decline):
        with refused("AlreadyAnswered"):
            act(once, "ann", 2_000)
    with refused("AlreadyAnswered"):
        leases.lease(once, "ann", 2_000, 3_000)


def test_an_object_takes_no_more_answers_than_it_needs():
    done = answered(NEW, "ann", 1_000)
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
    once = declined(Task(number=1, needed=2), "ann", 1_000)
    assert once.state == OPEN
    twice = declined(once, "ben", 2_000)
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
    assert leases.position(answered(task, "ben", 90_000)) == "0000000090000#000001"


def test_an_object_that_somebody_holds_for_long_is_given_to_one_more():
    leased = leases.lease(NEW, "ann", now=1_000, until=61_000)
    with refused("TaskTaken"):
        leases.lease(leased, "ben", 20_000, 80_000, slow_until=60_999)
    both = leases.lease(leased, "ben", 20_000, 80_000, slow_until=61_000)
    with refused("TaskTaken"):
        leases.lease(both, "cem", 20_000, 80_000, slow_until=61_000)
    for first, second in (("ann", "ben"), ("ben", "ann")):
        done = leases.answer(both, first, 30_000)
        assert (done.state, done.answered, done.leases) == (LABELED, (first,), {})
        with refused("TaskDone"):
            leases.answer(done, second, 31_000)


def test_a_lease_is_long_after_a_quarter_of_its_time_or_five_minutes():
    assert leases.slow_after(60_000) == 15_000
    assert leases.slow_after(3_600_000) == 300_000


def test_workers_who_do_not_agree_bring_one_more_up_to_the_most():
    task = answered(Task(number=1, needed=2), "ann", 1_000)
    asked = answered(task, "ben", 2_000, most=3)
    assert (asked.state, asked.wanted, asked.labeled, asked.waits_for_extra) == (OPEN, 3, True, True)
    assert leases.position(asked) == "0000000002000#000001"
    done = answered(asked, "cem", 3_000, most=3)
    assert (done.state, done.waits_for_extra) == (LABELED, False)


def test_an_extra_answer_that_everybody_declines_is_done_without():
    task = answered(answered(Task(number=1, needed=2), "ann", 1), "ben", 2, most=5)
    once = declined(task, "cem", 3)
    assert once.waits_for_extra
    assert declined(once, "dee", 4).state == LABELED


def test_an_answer_that_is_taken_back_is_asked_again_of_others():
    done = answered(answered(Task(number=1, needed=2), "ann", 1), "ben", 2)
    reopened = leases.withdraw(done, "ann", 5_000)
    assert (reopened.state, reopened.answered, reopened.labeled) == (OPEN, ("ben",), False)
    assert leases.position(reopened) == "0000000005000#000001"
    with refused("AlreadyAnswered"):
        leases.lease(reopened, "ann", 6_000, 7_000)
    assert answered(reopened, "cem", 6_000).state == LABELED
    assert leases.withdraw(reopened, "cem", 6_000) is reopened


class Life(RuleBasedStateMachine):
    """Whatever workers do in whatever order, the laws hold."""

    workers = st.sampled_from(["ann", "ben", "cem", "dee"])

    def __init__(self):
        super().__init__()
        self.task = Task(number=1, needed=2)
        self.now = 0
        self.had = set()

    def attempt(self, act, worker, *more):
        self.now += 1
        try:
            changed = act(self.task, worker, self.now, *more)
        except LeaseRefusedError:
            return
        if changed is not self.task:
            assert changed.version == self.task.version + 1
        self.task = changed
        self.had.update(changed.leases)

    @rule(worker=workers, time=st.integers(1, 30), slow=st.integers(0, 20))
    def lease(self, worker, time, slow):
        self.attempt(leases.lease, worker, self.now + 1 + time, self.now + 1 + slow)

    @rule(worker=workers, most=st.sampled_from([0, 3]))
    def answer(self, worker, most):
        self.attempt(leases.answer, worker, most)

    @rule(worker=workers)
    def withdraw(self, worker):
        self.attempt(leases.withdraw, worker)

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
    def no_more_answers_than_wanted_and_one_lease_more_at_the_most(self):
        live = self.task.live(self.now)
        assert len(self.task.answered) <= self.task.wanted <= 3
        assert len(self.task.answered) + len(live) <= self.task.wanted + 1
        assert len(set(self.task.answered)) == len(self.task.answered)
        assert not set(self.task.answered) & set(self.task.declined)
        assert not set(live) & {*self.task.answered, *self.task.declined, *self.task.withdrawn}
        assert not set(self.task.answered) & set(self.task.withdrawn)
        assert set(self.task.answered) <= self.had

    @invariant()
    def whose_lease_ran_out_is_remembered_once_and_not_beside_a_new_one(self):
        assert len(set(self.task.lapsed)) == len(self.task.lapsed)
        assert not set(self.task.lapsed) & set(self.task.leases)

    @invariant()
    def it_waits_in_the_queue_exactly_while_it_is_open(self):
        assert (leases.position(self.task) != "") == (self.task.state == OPEN)
        if len(self.task.answered) == self.task.wanted:
            assert self.task.state == LABELED
        if self.task.state == LABELED:
            assert len(self.task.answered) >= self.task.needed


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
