"""What holds the parts together: one name all the way, and nothing that exists in one place only."""

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest
from write_docs import PAGES, template

from truthmill import errors

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "statemachine" / "dataset.asl.json").read_text()
MACHINE = json.loads(re.sub(r"(?<!\")\$\{\w+\}", "1", TEXT))

# Names that Step Functions and Lambda themselves report (Step Functions' guide, error names).
SERVICE_ERRORS = {"States.ALL", "States.Timeout", "States.DataLimitExceeded"}


PIPELINE = template("template.yaml")
LABELING = template("labeling/template.yaml")
FUNCTIONS = {
    name: resource
    for made in (PIPELINE, LABELING)
    for name, resource in made["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}


def states(machine=MACHINE):
    """All states with their names, those within maps included; then those around them."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def user_errors():
    return {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.TruthmillError) and kind is not errors.TruthmillError
    }


def named(state, key):
    return [name for rule in state.get(key, []) for name in rule["ErrorEquals"]]


@pytest.mark.parametrize(("name", "state"), list(states()))
def test_every_error_that_is_caught_exists(name, state):
    known = user_errors() | SERVICE_ERRORS
    assert set(named(state, "Retry") + named(state, "Catch")) <= known, name


@pytest.mark.parametrize(
    ("name", "state"),
    [(name, state) for name, state in states() if state["Type"] == "Task" and name != "RecordFailure"],
)
def test_no_task_repeats_what_is_the_users_to_mend(name, state):
    first = state["Retry"][0]
    assert first["MaxAttempts"] == 0
    if name != "AwaitLabels":
        assert set(first["ErrorEquals"]) == user_errors()


@pytest.mark.parametrize(
    ("name", "state"), [(name, state) for name, state in states() if state["Type"] in {"Task", "Map"}]
)
def test_every_failure_has_a_way_out(name, state):
    """States.ALL doesn't catch States.DataLimitExceeded; batches fail to their map, which has both."""
    if name in {"InspectBatch", "PlaceBatch", "BuildShard"}:
        return
    caught = named(state, "Catch")
    assert caught[-1] == "States.ALL"
    if name != "RecordFailure":
        assert "States.DataLimitExceeded" in caught


@pytest.mark.parametrize(
    ("name", "state"), [(name, state) for name, state in states() if state["Type"] == "Task"]
)
def test_every_task_has_a_timeout(name, state):
    assert 0 < state["TimeoutSeconds"] <= 86_400, name


def test_state_function_and_module_share_their_name():
    substituted = re.findall(r'"FunctionName": "\$\{(\w+)Arn\}"', TEXT)
    assert len(substituted) == 14
    for name in substituted:
        module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert FUNCTIONS[name]["Properties"]["Handler"] == f"pipeline.{module}.handler"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_handler_and_its_logs(name):
    module, _, function = FUNCTIONS[name]["Properties"]["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))
    logs = FUNCTIONS[name]["Properties"]["LoggingConfig"]["LogGroup"]
    made = PIPELINE if name in PIPELINE["Resources"] else LABELING
    assert "RetentionInDays" in made["Resources"][logs]["Properties"]


def test_every_name_of_the_definition_is_substituted():
    given = PIPELINE["Resources"]["Dataset"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(given)


def test_every_sample_event_is_used_by_a_test():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    unused = [path.name for path in (ROOT / "events").iterdir() if path.name not in tests]
    assert unused == []


def test_the_rules_take_the_sample_events():
    """The pattern's fixed fields, and a wildcard that fits the key."""
    rule = PIPELINE["Resources"]["Dataset"]["Properties"]["Events"]["ArchiveDropped"]["Properties"]
    event = json.loads((ROOT / "events" / "archive-dropped.json").read_text())
    assert event["source"] in rule["Pattern"]["source"]
    assert event["detail-type"] in rule["Pattern"]["detail-type"]
    ended = PIPELINE["Resources"]["ResumeExecution"]["Properties"]["Events"]["LabelingJobEnded"]["Properties"]
    event = json.loads((ROOT / "events" / "labeling-job-completed.json").read_text())
    assert event["source"] in ended["Pattern"]["source"]
    assert event["detail-type"] in ended["Pattern"]["detail-type"]


def test_every_error_stands_in_the_tree():
    tree = errors.__doc__ or ""
    missing = [name for name in user_errors() | {"PictureError"} if name not in tree]
    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_follow_from_the_code_have_not_drifted(name):
    assert (ROOT / "docs" / name).read_text() == PAGES[name]()


def test_benchmarks_run_with_what_the_functions_memory_and_threads_are_set_to(loaded):
    rounds = loaded("rounds")
    common = PIPELINE["Globals"]["Function"]["Environment"]["Variables"]
    assert common["OPENBLAS_NUM_THREADS"] == rounds.ENVIRONMENT["OPENBLAS_NUM_THREADS"]
    own = PIPELINE["Resources"]["InspectImages"]["Properties"]["Environment"]["Variables"]
    assert own == rounds.KEPT_MEMORY
