"""The local stack, deployed once for the whole session, and what end-to-end tests do with it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

from truthmill_cli import stack
from truthmill_cli.home import Home

DEADLINE_S = 120.0
COMMAND = Path(sys.executable).with_name("truthmill")
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def wait_for(look: Callable[[], Any], what: str | Callable[[], str], deadline_s: float = DEADLINE_S) -> Any:
    """The first answer that isn't None or false; fails with `what` at the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    pytest.fail(f"waited {deadline_s:.0f} s in vain for {what() if callable(what) else what}")


@dataclass(frozen=True)
class LocalStack:
    """A deployed stack, with clients that reach it."""

    home: Path
    deployed: stack.Stack

    def client(self, service: str, **more: Any) -> Any:
        given = {"endpoint_url": self.deployed.endpoint, "region_name": self.deployed.region} | more
        return boto3.client(service, aws_access_key_id="test", aws_secret_access_key="test", **given)

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def step_functions(self) -> Any:
        return self.client("stepfunctions")

    def truthmill(self, *arguments: str | Path, exit_code: int = 0) -> str:
        """The command's standard output; it must end with the exit code."""
        return str(self._command(*arguments, exit_code=exit_code).stdout)

    def refused(self, *arguments: str | Path) -> str:
        """What the command says on standard error, in one line, of what it refuses as wrong usage."""
        return " ".join(self._command(*arguments, exit_code=2).stderr.split())

    def _command(self, *arguments: str | Path, exit_code: int) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [COMMAND, *arguments],
            env=os.environ | {"TRUTHMILL_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == exit_code, done.stderr + done.stdout
        return done

    def drop(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.deployed.bucket, Key=key, Body=content)

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.deployed.bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.deployed.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def executions(self) -> dict[str, str]:
        """Status by ARN, the newest first."""
        pages = self.step_functions.get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.deployed.state_machine)
        return {each["executionArn"]: each["status"] for page in found for each in page["executions"]}

    def started_by(self, act: Callable[[], object]) -> str:
        """ARN of the execution that something starts."""
        before = set(self.executions())
        act()
        return wait_for(lambda: next(iter(set(self.executions()) - before), None), "an execution")

    def run_of(self, execution: str) -> dict[str, Any]:
        """run.json of an execution."""
        pointer = json.loads(self.read(f"executions/{execution.rpartition(':')[2]}.json"))
        found: dict[str, Any] = json.loads(self.read(pointer["key"]))
        return found

    def ended(self, execution: str) -> dict[str, Any]:
        """DescribeExecution's answer once it has ended."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.step_functions.describe_execution(executionArn=execution)
            return found if found["status"] in ENDED else None

        return wait_for(look, f"the end of {execution}")

    def states(self, execution: str) -> list[str]:
        """Names of the states that an execution entered."""
        history = self.step_functions.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in history for event in page["events"]]
        return [
            event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("Entered")
        ]

    def no_scheduled_sweep(self) -> None:
        """From now on both sweeps come when a test asks for them, not while one looks at what they mend."""
        scheduler, events = self.client("scheduler"), self.client("events")
        for found in scheduler.list_schedules()["Schedules"]:
            if "Sweep" in found["Name"]:
                described = scheduler.get_schedule(Name=found["Name"])
                given = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
                scheduler.update_schedule(State="DISABLED", **{name: described[name] for name in given})
        for rule in events.list_rules()["Rules"]:
            if "Sweep" in rule["Name"]:
                events.disable_rule(Name=rule["Name"])

    def label(self, truth: Path, images: Path | None = None) -> None:
        """Simulated workers label whatever waits, until nothing does."""
        more = ["--images", images] if images else []
        self.truthmill("workers", "simulate", "--truth", truth, "--noise", "0", "--json", *more)


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The whole product, deployed with IAM enforced; every test names its datasets for itself."""
    home = tmp_path_factory.mktemp("stack")
    environment = os.environ | {"TRUTHMILL_HOME": str(home)}
    small = ("ChannelShardPictures=5", "MaxObjectsPerJob=10")  # what else only large datasets come to
    try:
        parameters = [word for each in small for word in ("--parameter", each)]
        subprocess.run([COMMAND, "up", *parameters], env=environment, check=True)
        deployed = LocalStack(home, stack.Stack(**Home(home).read(stack.REMEMBERED)))
        deployed.no_scheduled_sweep()
        yield deployed
    finally:
        subprocess.run([COMMAND, "down", "--clean"], env=environment, check=True)
