"""Functions that the labeling service invokes, and the event bus.

Its own ones are invoked without waiting; a job's own pre-annotation and consolidation are waited for.
"""

import os
from functools import lru_cache
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from truthmill.shallow_json import decode

LONGEST_S = 600  # that a job's own function may take
TRIES = 3


class FunctionFailedError(Exception):
    """A job's own function couldn't be invoked or failed; its text says how. again: it may do better."""

    def __init__(self, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.again = again


@lru_cache(maxsize=1)
def _lambda() -> Any:
    return boto3.client("lambda")


@lru_cache(maxsize=1)
def _waiting() -> Any:
    config = Config(read_timeout=LONGEST_S, retries={"mode": "standard"}, max_pool_connections=32)
    client: Any = boto3.client("lambda", config=config)
    client.meta.events.register_first("needs-retry.lambda.Invoke", _give_up_what_takes_too_long)
    return client


def _give_up_what_takes_too_long(caught_exception: Exception | None = None, **_: Any) -> None:
    """Asked again, it would go on beside its successor, and the two would outlast whoever waits for them."""
    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception


@lru_cache(maxsize=1)
def _events() -> Any:
    return boto3.client("events")


def invoke_start(job: str) -> None:
    """Have START_FUNCTION, or where that isn't set this very function, read the job's manifest."""
    _invoke(os.environ.get("START_FUNCTION") or _myself(), {"job": job})


def invoke_finish(job: str) -> None:
    """Have FINISH_FUNCTION, or where that isn't set this very function, end the job where it is time."""
    _invoke(os.environ.get("FINISH_FUNCTION") or _myself(), {"job": job})


def _myself() -> str:
    return os.environ["AWS_LAMBDA_FUNCTION_NAME"]


def _invoke(function: str, event: dict[str, Any]) -> None:
    _lambda().invoke(FunctionName=function, InvocationType="Event", Payload=msgspec.json.encode(event))


def call(arn: str, event: dict[str, Any]) -> Any:
    """What a job's own function answers; asked again where it fails, unless it took too long.

    Raises FunctionFailedError.
    """
    for attempt in range(TRIES):
        try:
            return _call_once(arn, event)
        except FunctionFailedError as error:
            if attempt == TRIES - 1 or not error.again:
                raise
    return None


def _call_once(arn: str, event: dict[str, Any]) -> Any:
    try:
        answer = _waiting().invoke(FunctionName=arn, Payload=msgspec.json.encode(event))
    except ReadTimeoutError as error:
        raise FunctionFailedError(f"{arn} took longer than {LONGEST_S:g} s.", again=False) from error
    except ClientError as error:
        raise FunctionFailedError(f"{arn} can't be invoked: {error.response['Error']['Message']}") from error
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise FunctionFailedError(f"{arn} failed: {payload.decode(errors='replace')[:500]}")
    try:
        return decode(payload)
    except msgspec.DecodeError as error:
        raise FunctionFailedError(f"{arn} answered what can't be read: {error}.") from error


def put_event(entry: dict[str, Any]) -> None:
    """Put one event on the default bus. Raises RuntimeError where the bus refuses it."""
    answer = _events().put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        raise RuntimeError(f"the event bus refused {entry['Resources']}: {answer['Entries'][0]}")
