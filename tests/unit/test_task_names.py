"""Names of tasks: each stands for one object, and tells nothing of it."""

from hypothesis import given
from hypothesis import strategies as st

from truthmill.task_names import NAMES, name_of, number_of

NUMBERS = st.integers(0, NAMES - 1)
SECRETS = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(SECRETS, NUMBERS)
def test_a_name_of_six_digits_is_that_of_one_number(secret, number):
    name = name_of(secret, number)
    assert len(name) == 6
    assert number_of(secret, name) == number


@given(SECRETS, NUMBERS)
def test_every_name_is_some_number_s(secret, number):
    assert name_of(secret, number_of(secret, f"{number:06d}")) == f"{number:06d}"


def test_names_of_gold_tasks_lie_among_those_of_the_objects():
    """Of 900 objects and 100 gold pictures neither a name nor an order of names tells which is which."""
    secret = "0f" * 16
    names = [int(name_of(secret, number)) for number in range(1_000)]
    assert len(set(names)) == 1_000
    in_order = sorted(names)
    places = [in_order.index(name) for name in names[900:]]
    assert min(places) < 100
    assert max(places) > 900
    assert 400 < sum(places) / 100 < 600


def test_each_job_has_names_of_its_own():
    assert [name_of("a" * 32, n) for n in range(9)] != [name_of("b" * 32, n) for n in range(9)]


def test_a_job_that_was_made_before_there_were_secrets_keeps_its_names():
    assert name_of("", 17) == "000017"
    assert number_of("", "17") == 17
