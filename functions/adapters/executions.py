"""Step Functions: whether an execution is under way, and answers to those who wait for a task token."""

from functools import lru_cache
from typing import Any

import boto3
import msgspec
from botocore.exceptions import ClientError

GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


@lru_cache(maxsize=1)
def _client() -> Any:
    return boto3.client("stepfunctions")


def is_running(arn: str) -> bool:
    """False also where Step Functions no longer knows it."""
    try:
        return bool(_client().describe_execution(executionArn=arn)["status"] == "RUNNING")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ExecutionDoesNotExist", "InvalidArn"}:
            return False
        raise


def answer(token: str, output: Any) -> bool:
    """Let the execution that waits go on; False where nobody waits with this token any more."""
    try:
        _client().send_task_success(taskToken=token, output=msgspec.json.encode(output).decode())
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
    return True
