"""`truthmill up`: the local stack, from whatever state the last one was left in."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from truthmill_cli import engine, restart, sam, stack, team
from truthmill_cli.checkout import Checkout
from truthmill_cli.console import say, step
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home
from truthmill_cli.stack import Stack

BUCKET = f"truthmill-{engine.ACCOUNT}-{engine.REGION}"
CONCURRENCY = "2"  # each invocation under way is a process here
SETTLE_DEADLINE_S = 120.0

# States of a CloudFormation stack that holds nothing and can't be updated.
_DEAD = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


def up(home: Home, checkout: Checkout, parameters: Mapping[str, str]) -> Stack:
    """Start the engine, deploy both templates where something changed, start interrupted runs again.

    parameters: of the pipeline's template, beside those that the local stack sets itself.
    """
    with home.alone():
        with step("Starting the local engine"):
            serving, fresh = engine.start(home, checkout)
        stack.use_local(serving.endpoint)
        with step("Building the functions"):
            built = sam.build(home, checkout, (sam.LABELING, sam.PIPELINE))
        machine = sam.machine_parameters()
        deployment = Deployment(home, checkout, serving.endpoint, built, fresh)
        labeling = deployment.ensure(sam.LABELING, machine | {"DataBucket": BUCKET})
        endpoint = stack.local_path(labeling["ControlUrl"], serving.endpoint)
        workteam = team.ensure(endpoint, labeling["UserPoolId"], labeling["UserPoolClientId"])
        own = {
            "MapConcurrency": CONCURRENCY,
            "BucketName": BUCKET,
            "LabelingEndpoint": endpoint,
            "LabelingFunctionArn": labeling["ControlFunctionArn"],
            "DefaultWorkteamArn": workteam,
        }
        pipeline = deployment.ensure(sam.PIPELINE, machine | own | dict(parameters))
        made = stack.from_outputs(sam.PIPELINE.stack, engine.REGION, pipeline, labeling, serving.endpoint)
        made = replace(made, workteam=workteam)
        stack.remember(home, made)
        engine.save(serving)
        for name in restart.restart_interrupted(made.state_machine):
            say(f"Started again, since it was under way when the engine ended: {name}")
        return made


class Deployment:
    """Deploys templates where their build, their parameters or what is deployed is another than last time."""

    def __init__(
        self, home: Home, checkout: Checkout, endpoint: str, built: Mapping[str, Path], fresh: bool
    ) -> None:
        """fresh: the engine was started just now, so that nothing is under way in it."""
        self.home = home
        self.checkout = checkout
        self.endpoint = endpoint
        self.built = built
        self.fresh = fresh

    def ensure(self, template: sam.Template, parameters: Mapping[str, str]) -> dict[str, str]:
        """The outputs of the deployed stack."""
        built = self.built[template.name]
        wanted = _digest(built.name, parameters)
        deployed = self.home.read("deployed.json")
        status = self._settle(template.stack)
        if deployed.get(template.name) != wanted or not status.endswith("_COMPLETE"):
            if not status and template is sam.PIPELINE:
                _remove_empty_bucket(BUCKET)
            with step(f"Deploying {template.path}"):
                sam.deploy(self.home, self.checkout, template, built, self.endpoint, parameters)
            self.home.write("deployed.json", deployed | {template.name: wanted})
        return stack.outputs(template.stack)

    def _settle(self, name: str) -> str:
        """The stack's status once nothing is under way; empty where none is, or a dead one was removed."""
        deadline = time.monotonic() + SETTLE_DEADLINE_S
        while (status := _status(name)).endswith("_IN_PROGRESS") and status not in _DEAD and not self.fresh:
            if time.monotonic() > deadline:
                raise FailedError(
                    f"Stack {name} has been {status} for long. `truthmill down --clean` starts afresh."
                )
            time.sleep(0.5)
        if status in _DEAD or status.endswith("_IN_PROGRESS"):
            service = stack.client("cloudformation")
            service.delete_stack(StackName=name)
            service.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
            return ""
        return status


def _status(name: str) -> str:
    found: dict[str, Any] = stack.describe(name) or {}
    status = str(found.get("StackStatus", ""))
    return "" if status == "DELETE_COMPLETE" else status


def _digest(build: str, parameters: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([build, sorted(parameters.items())]).encode()).hexdigest()


def _remove_empty_bucket(name: str) -> None:
    """Make room for the stack's bucket: a killed engine may remember the bucket, but not its stack."""
    service = stack.client("s3")
    if name not in {bucket["Name"] for bucket in service.list_buckets()["Buckets"]}:
        return
    if service.list_objects_v2(Bucket=name, MaxKeys=1).get("KeyCount"):
        raise FailedError(
            f"Bucket {name} holds objects, but the engine was killed before it had saved their stack. "
            "Copy what you need from there; `truthmill down --clean` then starts afresh."
        )
    service.delete_bucket(Bucket=name)
