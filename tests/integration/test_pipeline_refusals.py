"""Runs that end before a cent is spent, and how a failure is written down."""

import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from builders import archive, picture
from pipeline import record_failure
from truthmill.errors import (
    BudgetExceededError,
    LabelsMissingError,
    NoPicturesError,
    RequestError,
    SourceError,
    SplitError,
)
from workflow import WORKTEAM

FIVE = {f"{number}.jpg": picture(number) for number in range(5)}
PRICE = {"workteamArn": WORKTEAM, "workersPerObject": 3, "pricePerTask": "0.12"}


def test_a_budget_that_would_be_passed_ends_the_run_before_anything_is_written(cloud):
    """5 pictures x 3 workers x 0.12 USD = 1.80 USD."""
    cloud.put("incoming/pets.zip", archive(FIVE))
    run = cloud.start("incoming/pets.zip", workforce=PRICE, budget={"maxCost": 1.79})
    run.prepare()
    run.inspect()
    before = cloud.objects()
    with pytest.raises(BudgetExceededError, match=r"5 pictures is estimated at 1\.80 USD.* 1\.79 USD"):
        run.split()
    assert cloud.objects() == before


def test_a_budget_that_is_just_enough_lets_the_run_go_on(cloud):
    cloud.put("incoming/pets.zip", archive(FIVE))
    run = cloud.start("incoming/pets.zip", workforce=PRICE, budget={"maxCost": "1.80"}).to_split()
    assert run.run_json["cost"]["estimatedUsd"] == 1.8


@pytest.mark.parametrize("files", [{}, {"a.txt": b"hello", "b.jpg": b"no picture"}])
def test_a_source_without_a_usable_picture_says_where_the_reasons_are(cloud, files):
    cloud.put("incoming/pets.zip", archive(files))
    run = cloud.start("incoming/pets.zip")
    run.prepare()
    run.inspect()
    with pytest.raises(NoPicturesError, match=rf"has {len(files)} entries and none .*{run.prefix}rejected"):
        run.split()
    assert run.rejected == dict.fromkeys(files, "not-a-picture")
    assert "datasets/pets/ledger.json" not in cloud.objects()


def test_a_split_that_is_none_is_refused_unless_it_is_accepted(cloud):
    """Five pictures of one folder are one group: validation stays empty."""
    cloud.put("incoming/pets.zip", archive({f"one/{name}": content for name, content in FIVE.items()}))
    run = cloud.start("incoming/pets.zip", split={"groupBy": "folder"})
    run.prepare()
    run.inspect()
    before = cloud.objects()
    with pytest.raises(SplitError, match=r"'train': 5, 'validation': 0.*group has 5, among them 'one/"):
        run.split()
    assert cloud.objects() == before
    run.fail("SplitError")
    accepted = cloud.start("incoming/pets.zip", split={"groupBy": "folder", "onDegenerate": "continue"})
    assert accepted.to_the_end().counts["train"] == 5
    assert accepted.run["run"] == run.run["run"]
    channels = cloud.json(f"{accepted.channels}augmented-manifest/channels.json")
    assert [channel["ChannelName"] for channel in channels["InputDataConfig"]] == ["train"]


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        ({"labels": []}, LabelsMissingError, "Label list is empty"),
        ({"label": ["cat"]}, RequestError, "label"),
        ({"source": "s3://truthmill-test/incoming/nothing.zip"}, SourceError, r"nothing\.zip isn't there"),
        ({"source": "s3://truthmill-test/incoming/nothing/"}, SourceError, "has no objects"),
    ],
)
def test_a_request_that_cannot_be_met_ends_before_there_is_a_run(cloud, request_, error, says):
    cloud.put("incoming/pets.zip", archive(FIVE))
    run = cloud.start("incoming/pets.zip")
    run.given |= request_
    with pytest.raises(error, match=says):
        run.prepare()
    assert set(cloud.objects()) == {"incoming/pets.zip"}


def test_a_failure_within_a_run_stands_in_run_json_and_is_told(cloud):
    cloud.put("incoming/pets.zip", archive(FIVE))
    run = cloud.start("incoming/pets.zip").to_split()
    run.fail("SplitError", "The split would be nothing.")
    assert run.run_json["state"] == "FAILED"
    assert run.run_json["error"] == {"name": "SplitError", "message": "The split would be nothing."}
    assert run.run_json["endedAt"] >= run.run_json["startedAt"]
    (message,) = cloud.messages()
    assert message["Subject"] == f"Run {run.run['run']} of dataset pets failed"
    assert message["Message"].splitlines() == [
        f"Run {run.run['run']} of dataset pets failed: The split would be nothing.",
        f"All about it: s3://{cloud.bucket}/{run.prefix}run.json",
    ]


@pytest.mark.parametrize(
    "given", [{"source": "s3://b/incoming/x.zip", "dataset": "x", "trigger": "s3"}, "text", 7]
)
def test_a_failure_before_there_was_a_run_stands_under_the_executions_name(cloud, given):
    run = cloud.start("incoming/pets.zip")
    run.given = given
    run.fail("SourceError", "s3://b/incoming/x.zip isn't there.")
    name = run.arn.rpartition(":")[2]
    assert cloud.json(f"executions/{name}.json") == {"key": f"failures/{name}.json"}
    written = cloud.json(f"failures/{name}.json")
    assert written["state"] == "FAILED"
    assert written["error"] == {"name": "SourceError", "message": "s3://b/incoming/x.zip isn't there."}
    assert written["request"] == (given if isinstance(given, dict) else {"input": given})
    (message,) = cloud.messages()
    assert "s3://b/incoming/x.zip isn't there." in message["Message"]


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (json.dumps({"errorMessage": "Say this.", "errorType": "E", "stackTrace": ["x"]}), "Say this."),
        ("RequestId: 1 Error: Runtime exited", "RequestId: 1 Error: Runtime exited"),
        ('["a list"]', '["a list"]'),
        ('{"another": "object"}', '{"another": "object"}'),
        ("", "No reason was given."),
    ],
)
def test_the_sentence_for_the_user_is_taken_out_of_the_cause(cause, sentence):
    failure = record_failure.read_failure({"Error": "SomeError", "Cause": cause})
    assert (failure.name, failure.message) == ("SomeError", sentence)


def test_an_error_without_a_cause_is_named(cloud):
    run = cloud.start("incoming/pets.zip")
    event = {"state": {"error": {"Error": "States.Timeout"}}, "input": {}, "execution": run.arn}
    assert record_failure.handler(event, None) == {"error": "States.Timeout", "cause": "No reason was given."}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_picture_that_takes_too_much_to_be_placed_is_rejected_by_name_on_the_retry(cloud, monkeypatch):
    """The first try may have died of it, which leaves no word; the others are as good as ever."""
    out = io.BytesIO()
    Image.new("RGB", (9000, 9000), (30, 60, 90)).save(out, "TIFF", compression="tiff_adobe_deflate")
    cloud.put("incoming/pets.zip", archive({**FIVE, "immense.tif": out.getvalue()}))
    run = cloud.start("incoming/pets.zip").to_split()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", str(_memory_mib() + 300))
    run.place(retries=1)
    run.plan()
    assert run.rejected == {"immense.tif": "too-demanding"}
    assert run.jobs[0]["objects"] == 5


def _memory_mib() -> int:
    """Of this process."""
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) >> 10
