"""Pairs whose values add up to the most."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.assignment import assign


def best_total(values, rows, columns):
    """The most that any assignment comes to, by trying them all."""
    wide = range(columns + rows)  # a column of its own for each row, for staying alone
    return max(
        sum(values.get((row, column), 0.0) for row, column in enumerate(chosen))
        for chosen in permutations(wide, rows)
    )


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(1, 1000), min_size=1))
def test_no_other_assignment_adds_up_to_more(values):
    chosen = assign(values)
    assert len(set(chosen.values())) == len(chosen)
    assert set(chosen.items()) <= values.keys()
    assert sum(values[pair] for pair in chosen.items()) == best_total(values, 4, 4)


def test_the_highest_value_is_given_up_where_the_others_make_more():
    values = {(0, 0): 0.9, (0, 1): 0.8, (1, 0): 0.7}
    assert assign(values) == {0: 1, 1: 0}  # 1.5 rather than 0.9


def test_a_row_stays_alone_where_it_may_have_nothing():
    assert assign({(0, 0): 0.5, (1, 0): 0.6}) == {1: 0}
    assert assign({}) == {}


def test_hundreds_that_all_compete_are_decided_all_the_same():
    values = {(row, column): 1.0 + (row == column) for row in range(300) for column in range(300)}
    assert assign(values) == {row: row for row in range(300)}


def test_thousands_that_do_not_compete_are_decided_apart():
    values = {(n, n): 0.6 for n in range(4_000)} | {(n, n + 1): 0.5 for n in range(0, 4_000, 2)}
    assert assign(values) == {n: n for n in range(4_000)}
