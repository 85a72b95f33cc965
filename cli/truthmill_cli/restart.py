"""Starts runs again that were under way when the local engine ended."""

import hashlib
import re
from collections.abc import Iterator

from truthmill_cli import stack

INTERRUPTED = "States.ServiceRestart"  # how the engine marks an execution that it can't go on with
_NAME_LIMIT = 80


def restart_interrupted(state_machine: str) -> list[str]:
    """Start each interrupted execution again with its input; the new executions' names.

    The new name follows from the old one, so an execution is started again once, however often one asks.
    """
    service = stack.client("stepfunctions")
    started = []
    for execution in _failed(state_machine):
        found = service.describe_execution(executionArn=execution)
        if found.get("error") != INTERRUPTED:
            continue
        name = next_name(found["name"])
        try:
            service.start_execution(stateMachineArn=state_machine, name=name, input=found["input"])
        except service.exceptions.ExecutionAlreadyExists:
            continue
        started.append(name)
    return started


def next_name(name: str) -> str:
    """The name of the execution that goes on with another: pets, pets-2, pets-3; at most 80 characters."""
    match = re.fullmatch(r"(.+)-again-(\d+)", name)
    stem, number = (match[1], int(match[2])) if match else (name, 0)
    ending = f"-again-{number + 1}"
    if len(stem) + len(ending) > _NAME_LIMIT:
        digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
        stem = f"{stem[: _NAME_LIMIT - len(ending) - 9]}-{digest}"
    return stem + ending


def _failed(state_machine: str) -> Iterator[str]:
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=state_machine, statusFilter="FAILED"):
        for execution in page["executions"]:
            yield execution["executionArn"]
