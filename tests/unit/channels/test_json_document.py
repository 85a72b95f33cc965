"""Lists of a document that two read are what one reads."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.two_readers import in_order
from truthmill.channels import json_document


class Item(msgspec.Struct):
    id: int
    note: str = ""
    inner: list[dict[str, int]] = []


class Parts:
    """Of a document in memory."""

    def __init__(self, document):
        self.document, self.size = document, len(document)

    def read(self, start, stop):
        return self.document[start:stop]

    def in_order(self, count, make):
        self.pieces = count
        return in_order(count, make, apart=False)


class Apart(Parts):
    def in_order(self, count, make):
        self.pieces = count
        return in_order(count, make, apart=True)


def rows(items):
    return [(item.id, item.note, item.inner) for item in items]


def read(document, parts=None, kind=Item):
    chunks = (document[at : at + 64] for at in range(0, len(document), 64))
    batches = json_document.read_lists(
        chunks, {"items": kind, "others": kind}, packing={"items": rows, "others": rows}, parts=parts
    )
    found = {}
    for key, batch in batches:
        found.setdefault(key, []).extend(batch)
    return found


NOTE = st.sampled_from(["", "}, {", '"}, {"', "\\", "}]", '}],"items":[{', "ü"])
ITEM = st.fixed_dictionaries(
    {"id": st.integers(0, 10**6)},
    optional={"note": NOTE, "inner": st.lists(st.just({"a": 1}), max_size=3)},
)
LISTS = st.permutations(["items", "others", "rest"]).flatmap(
    lambda keys: st.fixed_dictionaries({key: st.lists(ITEM, max_size=12) for key in keys})
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(json_document, "HELD", 40)
    monkeypatch.setattr(json_document, "_CUT", 60)
    monkeypatch.setattr(json_document, "_FEW", 1)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,\n", " : ")])
@given(lists=LISTS, ascii_only=st.booleans())
def test_they_read_the_same(lists, ascii_only, separators):
    """Whatever stands in a text or in a list within an item, and wherever the list is in the document."""
    document = json.dumps(lists, separators=separators, ensure_ascii=ascii_only).encode()
    assert read(document, Parts(document)) == read(document)


def test_another_process_reads_a_part():
    document = json.dumps({"items": [{"id": number} for number in range(500)], "others": []}).encode()
    parts = Apart(document)
    assert read(document, parts) == {"items": [(number, "", []) for number in range(500)], "others": []}
    assert parts.pieces > 100


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b'"id": 77}', b'"id": "77"}', msgspec.ValidationError),
        (b'"id": 77}', b'"id": 77', ValueError),
        (b"]}", b"", ValueError),
    ],
)
def test_what_is_wrong_is_told_as_if_one_read(old, new, error):
    document = json.dumps({"items": [{"id": number} for number in range(100)]}).encode().replace(old, new)
    told = []
    for parts in (None, Parts(document), Apart(document)):
        with pytest.raises(error) as caught:
            read(document, parts)
        told.append(re.sub("[0-9]+", "", str(caught.value)))  # places are counted within a batch
    assert len(set(told)) == 1
