"""Starts and ends that die at any write, or run out of time, and are done again."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import boto3
import cfnlint.decode.cfn_yaml
import msgspec
import pytest

from adapters import functions as functions_module
from adapters.jobs import Jobs
from adapters.storage import storage
from adapters.table import Table
from adapters.tasks import Tasks
from labeling import finish as finish_module
from labeling import start as start_module
from labeling_builders import a_request
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import Submitted
from truthmill.quality_rules import QualityRules
from truthmill.worker_answers import Answer

OBJECTS = 30
ROOT = Path(__file__).parents[2]
_names = count()


class FunctionDiedError(BaseException):
    """As a function that is killed: nothing in it may catch it."""


class MortalTable(Table):
    """The real table, written by somebody who may die before a write or just after it."""

    hand = random.Random(0)  # noqa: S311 - fate needs to be the same each time
    left = 0

    def fate(self):
        self.left -= 1
        if self.left == 0:
            raise FunctionDiedError

    def _write_once(self, actions):
        self.fate()
        super()._write_once(actions)
        self.fate()

    def _write_batch(self, batch):
        self.fate()
        super()._write_batch(batch)
        self.fate()


@pytest.fixture
def stack(cloud):
    """The bucket, as an administrator sees it."""
    return Bucket(cloud.s3, cloud.bucket)


@pytest.fixture
def service(cloud, monkeypatch):  # noqa: ARG001 - the account that it is in
    """Start and finish in this process, with a table made from the template; chunks are small."""
    monkeypatch.setenv("MAX_OBJECTS", "1000")
    monkeypatch.setattr(start_module, "CHUNK", 7)
    monkeypatch.setattr("labeling.output.BATCH", 7)
    monkeypatch.setenv("START_FUNCTION", "start")
    monkeypatch.setenv("FINISH_FUNCTION", "finish")
    # Nobody is there to be invoked: these tests invoke what comes next themselves.
    monkeypatch.setattr(start_module, "invoke_start", lambda _job: None)
    monkeypatch.setattr(start_module, "invoke_finish", lambda _job: None)
    monkeypatch.setattr(finish_module, "invoke_finish", lambda _job: None)
    functions_module._events.cache_clear()
    template = cfnlint.decode.cfn_yaml.load(str(ROOT / "labeling/template.yaml"))
    properties = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client = boto3.client("dynamodb")
    client.create_table(TableName="faults", **{name: properties[name] for name in wanted})
    yield MortalTable(client, "faults")
    functions_module._events.cache_clear()


@dataclass(frozen=True)
class Bucket:
    s3: Any
    bucket: str

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def read(self, uri):
        key = uri.removeprefix(f"s3://{self.bucket}/")
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def a_job(stack, jobs, objects=OBJECTS):
    """A job that is kept, but not started."""
    name = f"faults-{next(_names)}"
    text = "".join(f'{{"source-ref": "s3://{stack.bucket}/{n}.png", "n": {n}}}\n' for n in range(objects))
    request = a_request(
        **{
            "LabelingJobName": name,
            "InputConfig.DataSource.S3DataSource.ManifestS3Uri": stack.put(f"{name}/in.manifest", text),
            "OutputConfig.S3OutputPath": f"s3://{stack.bucket}/{name}/out",
            "LabelCategoryConfigS3Uri": stack.put(f"{name}/labels.json", '{"labels": [{"label": "cat"}]}'),
            "HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": stack.put(f"{name}/t.html", "<crowd-form>")},
        }
    )
    job = Job(name=name, arn=f"arn:{name}", request=request, reference="r", created=0, modified=0)
    job = msgspec.structs.replace(job, created=(now := start_module.now_ms()), modified=now)
    assert jobs.create(job)
    return name


def through(table, hand, name, step, most=12):
    """Again until it comes through, as the sweep does once a claim is over; how often it died."""
    for deaths in range(200):
        table.left = hand.randint(1, most)
        try:
            answer = step()
        except FunctionDiedError:
            table.left = 0
            Jobs(table).update(name, claim=0)
            continue
        if answer["status"] in ("InProgress", "Completed") and "written" not in answer:
            return deaths
    pytest.fail("never came through")


def finish(*arguments):
    """In a thread of its own, as in a process of its own: a browser's tests leave a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(finish_module.finish, *arguments).result()


def label_all(job, tasks):
    while held := tasks.hold(job, "ann", 1, job.created):
        number = held[0][0].number
        submitted = Submitted(
            worker="ann", sub="ann", issuer="i", accepted=job.created, submitted=job.created + number,
            content={"boundingBox": {}}, answer=Answer((), (10, 10)),
        )  # fmt: skip
        tasks.answer(job, "ann", number, submitted, "digest", job.created)


def forever():
    return 900_000


@pytest.mark.parametrize("seed", range(2))
def test_functions_killed_at_any_write_lose_nothing_and_do_nothing_twice(stack, service, seed):
    hand, jobs, tasks = random.Random(seed), Jobs(service), Tasks(service)  # noqa: S311
    name = a_job(stack, jobs)
    deaths = through(service, hand, name, lambda: start_module.start(name, jobs, tasks, forever))
    service.left = 0
    job = jobs.get(name)
    assert (job.status, job.loaded) == ("InProgress", OBJECTS)
    assert [each.number for each in tasks.objects(job)] == list(range(OBJECTS))
    label_all(job, tasks)
    deaths += through(service, hand, name, lambda: finish(name, jobs, tasks, forever), 12)
    service.left = 0
    assert deaths > 3
    job = jobs.get(name)
    assert (job.status, job.written, jobs.counters(job).labeled) == ("Completed", OBJECTS, OBJECTS)
    lines = [json.loads(line) for line in stack.read(job.output_manifest).splitlines()]
    assert [line["n"] for line in lines] == list(range(OBJECTS))
    assert all("bounding-box" in line for line in lines)
    assert len(stack.keys(f"{name}/out/{name}/annotations/worker-response/")) == OBJECTS


def test_what_does_not_fit_an_invocation_is_done_by_further_ones(stack, service):
    """Each invocation has time for one chunk."""
    jobs, tasks = Jobs(service), Tasks(service)
    name = a_job(stack, jobs)
    loaded = []
    while jobs.get(name).status == "Initializing":
        loaded.append(start_module.start(name, jobs, tasks, lambda: 0).get("loaded"))
    assert loaded == [7, 14, 21, 28, 30]
    job = jobs.get(name)
    label_all(job, tasks)
    written = []
    while jobs.get(name).status == "InProgress":
        written.append(finish(name, jobs, tasks, lambda: 0).get("written"))
    assert written == [7, 14, 21, 28, None]
    assert len(stack.read(jobs.get(name).output_manifest).splitlines()) == OBJECTS


def test_a_job_of_more_objects_than_the_quota_fails_with_the_number(stack, service, monkeypatch):
    monkeypatch.setenv("MAX_OBJECTS", "29")
    jobs = Jobs(service)
    name = a_job(stack, jobs)
    assert start_module.start(name, jobs, Tasks(service), forever)["status"] == "Failed"
    assert "has more than 29 objects; a job takes 1 to 29" in jobs.get(name).reason


def test_only_as_many_objects_are_open_as_the_job_allows(stack, service):
    """MaxConcurrentTaskCount 3: the first three, then one more for each that is done."""
    jobs, tasks = Jobs(service), Tasks(service)
    name = a_job(stack, jobs)
    start_module.start(name, jobs, tasks, forever)
    job = jobs.get(name)
    request = json.loads(json.dumps(job.request))
    request["HumanTaskConfig"]["MaxConcurrentTaskCount"] = 3
    job = jobs.change(job, request=request)
    now = job.created
    held = {worker: tasks.hold(job, worker, 1, now) for worker in ("ann", "ben", "cem", "dee")}
    numbers = {worker: [each.number for each, _ in found] for worker, found in held.items()}
    assert sorted(chain(*numbers.values())) == [0, 1, 2]
    assert numbers["dee"] == []
    done = numbers["ann"][0]
    submitted = Submitted(
        worker="ann", sub="ann", issuer="i", accepted=now, submitted=now, content={},
        answer=Answer((), (10, 10)),
    )  # fmt: skip
    tasks.answer(job, "ann", done, submitted, "digest", now)
    assert [each.number for each, _ in tasks.hold(job, "dee", 1, now)] == [3]
    tasks.release(job, "ben", numbers["ben"][0], now)
    assert [each.number for each, _ in tasks.hold(job, "eve", 1, now + 60_000)] == numbers["ben"]


def test_a_job_that_may_pay_for_no_more_ends_as_stopped_with_both_numbers(stack, service):
    """Its labels are kept and the event is put; what has no label is told."""
    jobs, tasks = Jobs(service), Tasks(service)
    name = a_job(stack, jobs)
    jobs.update(name, rules=QualityRules(max_answers=11))
    start_module.start(name, jobs, tasks, forever)
    label_all(jobs.get(name), tasks)
    assert finish(name, jobs, tasks, forever)["status"] == "Stopped"
    job = jobs.get(name)
    assert (jobs.counters(job).labeled, job.announced) == (11, True)
    assert "took 11 answers, of at most 11" in job.reason
    assert "19 of its 30 objects have no label" in job.reason
    lines = [json.loads(line) for line in stack.read(job.output_manifest).splitlines()]
    assert [sum("bounding-box" in line for line in lines), len(lines)] == [11, 30]


def test_the_key_that_a_job_names_encrypts_what_is_written(stack):
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    storage(stack.bucket, key).write("encrypted", b"x")
    storage(stack.bucket).write("plain", b"x")
    found = stack.s3.head_object(Bucket=stack.bucket, Key="encrypted")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)
    assert "SSEKMSKeyId" not in stack.s3.head_object(Bucket=stack.bucket, Key="plain")
