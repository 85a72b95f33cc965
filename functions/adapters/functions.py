"""Other functions of the labeling service, invoked without waiting, and the event bus."""

import os
from functools import lru_cache
from typing import Any

import boto3
import msgspec


@lru_cache(maxsize=1)
def _lambda() -> Any:
    return boto3.client("lambda")


@lru_cache(maxsize=1)
def _events() -> Any:
    return boto3.client("events")


def invoke_start(job: str) -> None:
    """Have START_FUNCTION read the job's manifest."""
    _invoke(os.environ["START_FUNCTION"], {"job": job})


def invoke_finish(job: str) -> None:
    """Have FINISH_FUNCTION end the job where it is time."""
    _invoke(os.environ["FINISH_FUNCTION"], {"job": job})


def _invoke(function: str, event: dict[str, Any]) -> None:
    _lambda().invoke(FunctionName=function, InvocationType="Event", Payload=msgspec.json.encode(event))


def put_event(entry: dict[str, Any]) -> None:
    """Put one event on the default bus. Raises RuntimeError where the bus refuses it."""
    answer = _events().put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        raise RuntimeError(f"the event bus refused {entry['Resources']}: {answer['Entries'][0]}")
