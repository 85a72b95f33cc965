"""The bytes that make cells twice as fine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from truthmill import fine

PLANES = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 3), st.just(64)), elements=st.integers(0, 1020).map(lambda v: v / 4)
)


def means(planes):
    return planes.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(planes), -1)


@given(PLANES, st.sampled_from([fine.GREYS, fine.TINTS]))
def test_each_four_keeps_its_mean_and_a_byte_each_is_all_that_it_takes(planes, levels):
    rows = fine.encoded(planes, levels)
    assert rows.shape == (len(planes), 1 + 16)
    again = fine.decoded(rows, means(planes), levels)
    assert np.abs(means(again) - means(planes)).max() < 1e-3


@given(PLANES, st.sampled_from([fine.GREYS, fine.TINTS]))
def test_what_is_told_is_nearer_than_the_means_alone(planes, levels):
    told = fine.decoded(fine.encoded(planes, levels), means(planes), levels)
    alone = means(planes).reshape(-1, 4, 1, 4, 1).repeat(2, 2).repeat(2, 4).reshape(planes.shape)
    # Differences that are less than noise may be rounded up to it.
    assert ((told - planes) ** 2).sum() <= ((alone - planes) ** 2).sum() + 0.5 * planes.size


def test_an_edge_within_a_cell_is_told():
    plane = np.zeros((8, 8), dtype=np.float32)
    plane[:, 3:] = 100
    told = fine.decoded(
        fine.encoded(plane.reshape(1, -1), fine.GREYS), means(plane.reshape(1, -1)), fine.GREYS
    )
    row = told.reshape(8, 8)[4]
    assert row[2] == pytest.approx(0, abs=10)
    assert row[3] == pytest.approx(100, abs=10)
    assert row[[0, 1]] == pytest.approx([0, 0])
