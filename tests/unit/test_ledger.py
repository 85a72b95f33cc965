import pytest

from truthmill.errors import LabelsChangedError
from truthmill.ledger import Ledger, Segment

A = Segment(run="a", key="a-kept", pictures=2)
B = Segment(run="b", key="b-kept", pictures=1)


def test_a_run_has_one_segment_and_keeps_its_place():
    labeled = Segment(run="a", key="a-labeled", pictures=2, labeled=True)
    ledger = Ledger(("cat",)).with_segment(A).with_segment(B).with_segment(labeled)
    assert ledger.segments == (labeled, B)
    assert ledger.of("a") == labeled
    assert ledger.of("c") is None


def test_a_segment_that_lost_its_pictures_goes():
    ledger = Ledger(("cat",), (A, B))
    assert ledger.with_segment(Segment(run="a", key="a-without-b", pictures=0)).segments == (B,)


def test_a_new_dataset_takes_the_labels_of_the_request():
    assert Ledger().with_labels(("cat", "dog"), "pets").labels == ("cat", "dog")


def test_other_labels_than_the_datasets_are_refused_with_both():
    with pytest.raises(LabelsChangedError, match=r"\['cat', 'dog'\], the request says \['cat', 'hen'\]"):
        Ledger(("cat", "dog")).with_labels(("cat", "hen"), "pets")


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        (("dog", "cat"), ("cat", "dog")),
        (("hen", "dog", "cow", "cat"), ("cat", "dog", "hen", "cow")),
        (("dog",), ("dog",)),  # one is missing: refused as it is
        (("cat", "hen"), ("cat", "hen")),
    ],
)
def test_labels_are_put_into_the_datasets_order(asked, order):
    assert Ledger(("cat", "dog")).order(asked) == order
    assert Ledger().order(asked) == asked
