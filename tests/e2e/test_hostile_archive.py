"""An odd and hostile zip, dropped on the deployed stack."""

import json

from hostile_archive import hostile_archive
from local_stack import wait_for


def test_each_entry_of_a_hostile_zip_ends_in_one_place(local_stack):
    hostile = hostile_archive()
    execution = local_stack.started_by(lambda: local_stack.drop("incoming/judged.zip", hostile.content))
    wait_for(lambda: local_stack.keys("tokens/judged-"), "the run to wait for labels")
    run = local_stack.run_of(execution)
    lines = lambda key: [json.loads(line) for line in local_stack.read(key).splitlines()]  # noqa: E731
    [segment] = json.loads(local_stack.read("datasets/judged/ledger.json"))["segments"]
    kept = lines(segment["key"])
    hostile.check(lines(f"datasets/judged/runs/{run['run']}/rejected.jsonl"), kept, run["counts"]["inputs"])
    assert sorted(line["key"] for line in kept) == local_stack.keys("datasets/judged/images/")
    local_stack.step_functions.stop_execution(executionArn=execution)
