"""The workflow's states, called in their order with the events that the state machine gives them.

Whatever passes between two states goes through JSON here too, and is small.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling_endpoint import Endpoint

ONE_BOX = [{"class_id": 0, "left": 3, "top": 5, "width": 20, "height": 11}]
WORKTEAM = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/cats"


@dataclass
class Cloud:
    """One account: its bucket, its services' clients."""

    bucket: str
    s3: Any
    stepfunctions: Any
    sqs: Any
    inbox: str
    waiting: str
    labeling: Endpoint
    executions: list[str] = field(default_factory=list)

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def json(self, key: str) -> Any:
        return json.loads(self.get(key))

    def lines(self, key: str) -> list[Any]:
        return [json.loads(line) for line in self.get(key).splitlines()]

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        return {key: self.get(key) for key in self.keys(prefix)}

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def start(self, source: str | dict[str, str], **request: Any) -> "Execution":
        """A new execution. source: as a request has it, or a key of the bucket."""
        plain = isinstance(source, str) and not source.startswith("s3://")
        given = {
            "source": {"bucket": self.bucket, "key": source} if plain else source,
            "labels": ["cat", "dog"],
            "workforce": {"workteamArn": WORKTEAM},
            **request,
        }
        name = f"e{len(self.executions)}"
        started = self.stepfunctions.start_execution(stateMachineArn=self.waiting, name=name)
        self.executions.append(started["executionArn"])
        return Execution(self, started["executionArn"], given)

    def messages(self) -> list[dict[str, Any]]:
        """What subscribers of the topic were sent."""
        found = self.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    def label(
        self,
        job: str,
        answers: Mapping[str, list[dict[str, int]] | None] | None = None,
        status: str = "Completed",
        *,
        without: tuple[str, ...] = (),
        classes: tuple[str, ...] = ("cat", "dog"),
    ) -> None:
        """Workers answer: each picture has ONE_BOX but for `answers`, by the end of its key; None: no answer.

        without: pictures (by the end of their key) whose line is missing altogether. classes: the job's.
        """
        described = self.labeling.jobs[job]
        source = described["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        lines = []
        for line in self.lines(source.removeprefix(f"s3://{self.bucket}/")):
            if any(line["source-ref"].endswith(end) for end in without):
                continue
            drawn: list[dict[str, int]] | None = ONE_BOX
            for end, given in (answers or {}).items():
                drawn = given if line["source-ref"].endswith(end) else drawn
            attribute = described["LabelAttributeName"]
            lines.append(output_line(line, drawn, attribute, classes))
        self.finish(job, lines, status)

    def verify(self, job: str, wrong: tuple[str, ...]) -> None:
        """Reviewers find boxes wrong on some pictures, by the end of their key, and right on the others."""
        described = self.labeling.jobs[job]
        source = described["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        lines = []
        for line in self.lines(source.removeprefix(f"s3://{self.bucket}/")):
            number = int(line["source-ref"].endswith(wrong))
            verdict = {"class-name": ("right", "wrong")[number], "type": "groundtruth/label-verification"}
            lines.append({**line, "verified-box": number, "verified-box-metadata": verdict})
        self.finish(job, lines, "Completed")

    def finish(self, job: str, lines: list[dict[str, Any]], status: str) -> None:
        """The job ends, with these lines in its output manifest."""
        described = self.labeling.jobs[job]
        prefix = described["OutputConfig"]["S3OutputPath"].removeprefix(f"s3://{self.bucket}/")
        key = f"{prefix}/{job}/manifests/output/output.manifest"
        self.put(key, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self.labeling.end(job, status, f"s3://{self.bucket}/{key}", "" if status == "Completed" else "why")


def output_line(
    line: dict[str, Any], drawn: list[dict[str, int]] | None, attribute: str, classes: tuple[str, ...]
) -> dict[str, Any]:
    """A line of Ground Truth's output manifest for an input line of a picture of 64 x 48 pixels."""
    if drawn is None:
        failed = {"failure-reason": "ClientError: nobody answered", "type": "groundtruth/object-detection"}
        return {**line, f"{attribute}-metadata": failed}
    return {
        **line,
        attribute: {"image_size": [{"width": 64, "height": 48, "depth": 3}], "annotations": drawn},
        f"{attribute}-metadata": {
            "objects": [{"confidence": 0}] * len(drawn),
            "class-map": {str(box["class_id"]): classes[box["class_id"]] for box in drawn},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2026-01-01T00:00:00.000000",
            "job-name": "labeling-job/somebody",
        },
    }


def without_times(page: bytes) -> bytes:
    """A report without how long each state took."""
    return re.sub(rb"<section[^>]*cost-title.*?</section>", b"", page, flags=re.DOTALL)


def through_json(document: Any) -> Any:
    """As Step Functions carries it, which takes 256 KiB."""
    text = json.dumps(document)
    assert len(text) < 256 * 1024
    return json.loads(text)


class Execution:
    """One execution of the state machine. Each method is a state."""

    def __init__(self, cloud: Cloud, arn: str, given: dict[str, Any]) -> None:
        self.cloud, self.arn, self.given = cloud, arn, given
        self.state: dict[str, Any] = {}
        self.jobs: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []

    @property
    def run(self) -> dict[str, Any]:
        return self.state["run"]

    @property
    def prefix(self) -> str:
        return f"datasets/{self.run['dataset']}/runs/{self.run['run']}/"

    @property
    def channels(self) -> str:
        return f"datasets/{self.run['dataset']}/channels/{self.run['run']}/"

    @property
    def run_json(self) -> dict[str, Any]:
        return self.cloud.json(self.prefix + "run.json")

    @property
    def counts(self) -> dict[str, int]:
        return self.run_json["counts"]

    @property
    def rejected(self) -> dict[str, str]:
        """Reason by name."""
        return {line["name"]: line["reason"] for line in self.cloud.lines(self.prefix + "rejected.jsonl")}

    @property
    def ledger_lines(self) -> list[dict[str, Any]]:
        """Of the whole dataset."""
        ledger = self.cloud.json(f"datasets/{self.run['dataset']}/ledger.json")
        return [line for segment in ledger["segments"] for line in self.cloud.lines(segment["key"])]

    @property
    def side_by_name(self) -> dict[str, str]:
        """Of each picture of the whole dataset."""
        return {line["name"]: line["split"] for line in self.ledger_lines}

    def prepare(self) -> str:
        from pipeline import prepare

        event = through_json({"input": self.given, "execution": self.arn})
        self.state = through_json(prepare.handler(event, None))
        return self.state["decision"]

    def inspect(self, retries: int = 0) -> None:
        from pipeline import inspect_images

        for batch in self.cloud.lines(self.state["plan"]):
            event = {"run": self.run, "batch": batch, "retries": retries}
            inspect_images.handler(through_json(event), None)

    def split(self) -> None:
        from pipeline import split_dataset

        through_json(split_dataset.handler({"run": self.run}, None))

    def plan(self, *ended: dict[str, str]) -> list[dict[str, Any]]:
        """PlanLabeling; the jobs that it wants made."""
        from pipeline import plan_labeling

        event = through_json({"run": self.run, "ended": list(ended)})
        answer = through_json(plan_labeling.handler(event, None))
        if answer["unplaced"]:  # as MoreToAsk
            self.split()
            self.place()
            return self.plan(*ended)
        self.jobs = answer["jobs"] or self.jobs
        return list(answer["jobs"])

    def place(self, retries: int = 0) -> None:
        from pipeline import place_images

        for batch in self.cloud.lines(self.state["place"]):
            event = {"run": self.run, "batch": batch, "retries": retries}
            place_images.handler(through_json(event), None)

    def to_resplit(self) -> "Execution":
        """From the start to the end of a run that splits a dataset anew."""
        from pipeline import build_channels, resplit_dataset

        assert self.prepare() == "resplit"
        resplit_dataset.handler(through_json({"run": self.run}), None)
        self.place()
        assert self.plan() == []
        self.channels_built(build_channels.handler(through_json({"run": self.run}), None))
        self.report()
        self.notify()
        return self

    def create_jobs(self) -> list[str]:
        from pipeline import create_labeling_job

        made = [create_labeling_job.handler({"run": self.run, "job": job}, None) for job in self.jobs]
        return [job["name"] for job in made]

    def keep(self, *ended: dict[str, str]) -> list[dict[str, Any]]:
        """The jobs have ended, and PlanLabeling hears how; the jobs that it wants made then."""
        known = self.cloud.labeling.jobs
        return self.plan(
            *(ended or [self.how_ended(job["name"]) for job in self.jobs if job["name"] in known])
        )

    def build(self, *ended: dict[str, str]) -> None:
        from pipeline import build_channels

        assert self.keep(*ended) == []
        self.channels_built(build_channels.handler(through_json({"run": self.run}), None))

    def channels_built(self, answer: dict[str, Any]) -> None:
        """What follows BuildChannels where the dataset is built in shards."""
        from pipeline import build_shards, merge_shards

        if through_json(answer)["sharded"]:
            for shard in self.cloud.lines(answer["shards"]):
                through_json(build_shards.handler(through_json({"run": self.run, "batch": shard}), None))
            through_json(merge_shards.handler(through_json({"run": self.run}), None))

    def how_ended(self, job: str) -> dict[str, str]:
        """What AwaitLabels hands on; `test_pipeline_waiting` shows that it does."""
        found = self.cloud.labeling.jobs[job]
        return {
            "name": job,
            "status": found["LabelingJobStatus"],
            "reason": found.get("FailureReason", ""),
        }

    def report(self) -> None:
        from pipeline import write_report

        write_report.handler({"run": self.run}, None)

    def notify(self) -> None:
        from pipeline import notify

        notify.handler({"run": self.run}, None)
        self.end()

    def end(self) -> None:
        """The execution is no longer under way, once moto has got round to stopping it."""
        service, deadline = self.cloud.stepfunctions, time.monotonic() + 30
        service.stop_execution(executionArn=self.arn)
        while service.describe_execution(executionArn=self.arn)["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def fail(self, error: str = "SomeError", message: str = "Something is wrong.") -> None:
        """A state failed, and RecordFailure follows."""
        from pipeline import record_failure

        cause = json.dumps({"errorMessage": message, "errorType": error, "requestId": "1", "stackTrace": []})
        state = {**self.state, "error": {"Error": error, "Cause": cause}}
        event = {"state": state, "input": self.given, "execution": self.arn}
        record_failure.handler(through_json(event), None)
        self.end()

    def to_split(self) -> "Execution":
        assert self.prepare() == "claimed"
        self.inspect()
        self.split()
        return self

    def to_jobs(self) -> "Execution":
        """Up to where workers are waited for."""
        self.to_split()
        self.place()
        self.plan()
        self.create_jobs()
        return self

    def to_channels(self, answers: Mapping[str, list[dict[str, int]] | None] | None = None) -> "Execution":
        self.to_jobs()
        self._answered(answers)
        return self

    def to_the_end(self, answers: Mapping[str, list[dict[str, int]] | None] | None = None) -> "Execution":
        self.to_channels(answers)
        self.report()
        self.notify()
        return self

    def on_to_the_end(self) -> "Execution":
        """From where pictures are placed."""
        self.plan()
        self.create_jobs()
        self._answered()
        self.report()
        self.notify()
        return self

    def _answered(self, answers: Mapping[str, list[dict[str, int]] | None] | None = None) -> None:
        for job in self.jobs:
            self.cloud.label(job["name"], answers)
        self.build()
