"""`truthmill report`: the report is fetched, and what is missing is named."""

import pytest

from report_builders import AT, DATASET, RUN, ReportRun
from truthmill_cli import report
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.home import Home


@pytest.fixture
def bucket():
    store = ReportRun(pictures=[("a.png", "train", [])]).write()
    store.write(AT.report, b"<!doctype html>")
    store.write_json(f"datasets/{DATASET}/channels/latest.json", {"run": RUN})
    return store


@pytest.mark.parametrize("run", ["", RUN])
def test_the_report_lies_on_this_machine(bucket, tmp_path, run):
    path = report.fetch(bucket, Home(tmp_path), DATASET, run)
    assert path.name == "pets-0123456789ab.html"
    assert path.read_bytes() == b"<!doctype html>"


def test_a_run_that_is_not_there_is_named(bucket, tmp_path):
    with pytest.raises(UsageError, match="'pets' has no run 'ffff'"):
        report.fetch(bucket, Home(tmp_path), DATASET, "ffff")


def test_a_run_without_a_report_says_why(bucket, tmp_path):
    bucket.delete(AT.report)
    with pytest.raises(FailedError, match="has no report: it is written when the channels are built"):
        report.fetch(bucket, Home(tmp_path), DATASET, "")
