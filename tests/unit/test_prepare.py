"""The plan that Prepare writes."""

import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.storage import memory
from pipeline.prepare import write_plan
from truthmill.errors import ArchiveError
from truthmill.layout import RunLayout
from truthmill.records import Batch, Entry, Inspection

AT = RunLayout("pets", "run")


class Inputs:
    """A source of so many inputs, each second of them rejected already."""

    digest = "digest"

    def __init__(self, count: int, name: str = "", ends: Exception | None = None) -> None:
        self.count, self.name, self.ends = count, name, ends

    def settings(self) -> dict[str, Any]:
        return {}

    def described(self) -> dict[str, Any]:
        return {}

    def entries(self, _at: RunLayout) -> Iterator[Entry | Inspection]:
        for number in range(self.count):
            entry = Entry(name=f"{self.name}{number}.jpg", offset=number, size=1)
            yield Inspection(entry=entry, reason="link") if number % 2 else entry
        if self.ends:
            raise self.ends


def planned(store) -> list[str]:
    return [entry.name for batch in store.read_lines(AT.plan, Batch) for entry in batch.entries]


def test_what_is_planned_and_what_is_decided_already_are_apart():
    store = memory()
    write_plan(store, AT, Inputs(5))
    assert planned(store) == ["0.jpg", "2.jpg", "4.jpg"]
    aside = store.read_lines(AT.inspected_by_prepare, Inspection)
    assert [(found.entry.name, found.reason) for found in aside] == [("1.jpg", "link"), ("3.jpg", "link")]


def test_a_plan_larger_than_a_function_s_disk_is_written(monkeypatch, tmp_path):
    """There is no disk here; the names alone are 40 MB."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    store = memory()
    write_plan(store, AT, Inputs(10_000, name="n" * 4000))
    assert len(planned(store)) == 5_000
    assert sum(1 for _ in store.read_lines(AT.inspected_by_prepare, Inspection)) == 5_000


def test_no_plan_is_written_where_the_source_turns_out_to_be_damaged():
    store = memory()
    with pytest.raises(ArchiveError):
        write_plan(store, AT, Inputs(5, ends=ArchiveError("damaged")))
    assert not store.exists(AT.plan)
    assert not store.exists(AT.inspected_by_prepare)
