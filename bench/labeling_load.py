"""A labeling job of a hundred thousand objects and two hundred workers, whose functions are killed at random.

    python bench/labeling_load.py [objects [workers]]

Start, the portal and Finish run as their own handlers, each environment a process of its own, against stores
in memory and on the disk (bench/table_store.py, bench/disk_store.py). SIGKILL hits them wherever they are;
what the sweep and a browser would do then is done here: a claim runs out, a request is sent again. What the
functions ask of each other is lost, and Start, Finish and some of the answers are asked for twice.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
from disk_store import DiskStore
from report import Report, Table, Target
from rounds import ENVIRONMENT, Clock
from table_store import TableStore

from adapters.jobs import Jobs, Teams
from adapters.sessions import Sessions
from adapters.stored_tasks import StoredTasks
from adapters.table import Table as ServiceTable
from truthmill.labeling_jobs import Job, workteam_arn

OBJECTS, WORKERS = 100_000, 200
ENVIRONMENTS = 8  # of the portal's function, each with one request at a time
STARTS_KILLED, FINISHES_KILLED = 4, 4
KILL_AFTER_S = (1.5, 5.0)  # that a Start or a Finish lives which is killed
KILL_EVERY_S = 8.0  # one of the portal's environments
DOUBLED = 0.02  # of the answers are sent twice
MOST_MIB = 512
NAME, TEAM, REGION, ACCOUNT = "bench", "bench", "us-east-1", "111122223333"
PORTAL_HEADERS = {"content-type": "application/json", "x-truthmill": "1"}
ANSWER = {
    "boundingBox": {
        "boundingBoxes": [{"label": "thing", "left": 8, "top": 8, "width": 16, "height": 16}],
        "inputImageProperties": {"width": 64, "height": 48},
    }
}
FUNCTION = {
    "TABLE_NAME": "bench",
    "MAX_OBJECTS": "100000",
    "START_FUNCTION": "start",
    "FINISH_FUNCTION": "finish",
    "USER_POOL_ID": "us-east-1_bench",
    "USER_POOL_CLIENT_ID": "bench",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}


@dataclass(slots=True)
class Measured:
    """What the processes of one function took. mib: the most of any of them."""

    s: float = 0.0
    cpu_s: float = 0.0
    mib: float = 0.0
    killed: int = 0
    requests: int = 0


class Environment:
    """A function's process: takes events as lines of JSON, one at a time, and can be killed at any moment."""

    def __init__(self, function: str, settings: dict[str, str], measured: Measured) -> None:
        self.function = function
        self.settings = settings
        self.measured = measured
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, __file__, "--function", self.function]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.Popen(
            command, env=kept | self.settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, event: dict[str, Any]) -> Any:
        """What the function answers; None where it was killed. Another process is there then."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None  # noqa: S101 - both were asked for
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(msgspec.json.encode(event) + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self.process.wait()
            self.process = self._start()
            return None
        told = msgspec.json.decode(line)
        self.measured.cpu_s += told["cpu_s"]
        self.measured.mib = max(self.measured.mib, told["mib"])
        return told["answer"]

    def kill(self) -> None:
        self.measured.mib = max(self.measured.mib, _peak_mib(self.process.pid))
        self.measured.killed += 1
        self.process.kill()

    def end(self) -> None:
        assert self.process.stdin is not None  # noqa: S101
        self.process.stdin.close()
        self.process.wait()


def _peak_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):  # it has just ended
        return 0.0


@dataclass(slots=True)
class Crowd:
    """Workers who answer whatever they get. given: who was given each task, by its number."""

    given: dict[str, set[str]] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    sent_again: int = 0
    doubled: int = 0
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def _post(path: str, cookie: str, document: dict[str, Any]) -> dict[str, Any]:
    """A function URL's event."""
    return {
        "requestContext": {"http": {"method": "POST"}, "domainName": "bench", "requestId": "1"},
        "rawPath": f"/api/jobs/{NAME}/tasks{path}",
        "headers": PORTAL_HEADERS
        | {"cookie": f"truthmill-session={cookie}; __Host-truthmill-session={cookie}"},
        "body": json.dumps(document),
    }


def work(environment: Environment, cookies: list[str], crowd: Crowd, dice: random.Random) -> None:
    """These workers by turns, until none of them gets anything more."""
    held: dict[str, str] = dict.fromkeys(cookies, "")
    while held:
        for cookie, task in list(held.items()):
            event = (
                _post(f"/{task}/answer", cookie, {"answer": ANSWER, "next": 1})
                if task
                else _post("", cookie, {"count": 1})
            )
            while (answer := environment.call(event)) is None:
                with crowd.lock:
                    crowd.sent_again += 1
            if task and dice.random() < DOUBLED:
                answer = environment.call(event) or answer
                with crowd.lock:
                    crowd.doubled += 1
            _take_note(crowd, held, cookie, task, answer)


def _take_note(crowd: Crowd, held: dict[str, str], cookie: str, task: str, answer: dict[str, Any]) -> None:
    document = json.loads(answer["body"])
    with crowd.lock:
        if answer["statusCode"] != 200:
            crowd.refused.append(f"{task} {answer['body']}")
            held[cookie] = ""
            return
        if task:
            crowd.accepted[task] += 1
        if not document["tasks"]:
            del held[cookie]
            return
        held[cookie] = document["tasks"][0]["task"]
        crowd.given.setdefault(held[cookie], set()).add(cookie)


class Load:
    """One job, from its request to its output."""

    def __init__(self, disk: DiskStore, tables: TableStore, objects: int, workers: int) -> None:
        self.disk = disk
        self.tables = tables
        self.objects = objects
        self.workers = workers
        self.settings = ENVIRONMENT | FUNCTION | disk.environment | tables.environment
        client = boto3.client(
            "dynamodb",
            endpoint_url=tables.endpoint,
            region_name=REGION,
            aws_access_key_id="bench",
            aws_secret_access_key="bench",  # noqa: S106 - of nobody
        )
        self.table = ServiceTable(client, "bench")
        self.jobs = Jobs(self.table)
        self.dice = random.Random(1)
        self.found = {name: Measured() for name in ("start", "portal", "finish")}
        self.crowd = Crowd()

    def ask(self) -> None:
        """The job's request is kept, and what it names lies in the bucket."""
        from PIL import Image

        self.disk.folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48)).save(self.disk.folder / "picture.png")
        (self.disk.folder / "labels.json").write_text('{"labels": [{"label": "thing"}]}')
        (self.disk.folder / "template.html").write_text("<crowd-form></crowd-form>")
        with (self.disk.folder / "in.manifest").open("w") as lines:
            lines.writelines(
                f'{{"source-ref": "s3://bench/picture.png", "n": {number}}}\n'
                for number in range(self.objects)
            )
        now = time.time_ns() // 1_000_000
        job = Job(name=NAME, arn="arn", request=_request(), reference="r", created=now, modified=now)
        if not self.jobs.create(job):
            raise RuntimeError("the job is there already")
        group = {"UserPool": FUNCTION["USER_POOL_ID"], "UserGroup": "bench", "ClientId": "bench"}
        Teams(self.table).create(TEAM, {"MemberDefinitions": [{"CognitoMemberDefinition": group}]})

    def through(self, function: str, deaths: int) -> None:
        """Start or Finish, again until it comes through; the first ones are killed after some seconds."""
        measured = self.found[function]
        environment = Environment(function, self.settings, measured)
        begun = time.perf_counter()
        while True:
            timer = threading.Timer(self.dice.uniform(*KILL_AFTER_S), environment.kill)
            if measured.killed < deaths:
                timer.start()
            answer = environment.call({"job": NAME})
            timer.cancel()
            measured.requests += 1
            if answer is not None:
                break
            self.jobs.update(NAME, claim=0)  # as after 15 minutes
        measured.s = time.perf_counter() - begun
        environment.call({"job": NAME})  # an event that comes twice
        environment.end()
        if answer["status"] not in ("InProgress", "Completed") or "written" in answer:
            raise RuntimeError(f"{function} answered {answer}")

    def label(self) -> None:
        """Everybody works until nobody gets anything more."""
        now_s, sessions = int(time.time()), Sessions(self.table)
        subs = [f"worker-{number:03d}" for number in range(self.workers)]
        cookies = [sessions.begin(sub, sub, f"{sub}@example.com", now_s)[1] for sub in subs]
        measured = self.found["portal"]
        environments = [Environment("portal", self.settings, measured) for _ in range(ENVIRONMENTS)]
        threads = [
            threading.Thread(
                target=work,
                args=(each, cookies[number::ENVIRONMENTS], self.crowd, random.Random(number)),
            )
            for number, each in enumerate(environments)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for _ in self._while_alive(threads):
            print(
                f"{time.perf_counter() - begun:6.0f} s, {len(self.crowd.accepted)} answers", file=sys.stderr
            )
            self.dice.choice(environments).kill()
        measured.s = time.perf_counter() - begun
        measured.requests = sum(self.crowd.accepted.values()) + self.workers
        for each in environments:
            each.end()

    def _while_alive(self, threads: list[threading.Thread]) -> Iterator[None]:
        """Again and again after a while, until the threads are done."""
        for thread in threads:
            while thread.is_alive():
                thread.join(KILL_EVERY_S)
                if thread.is_alive():
                    yield

    def wrong(self) -> dict[str, int]:
        """How often what must not be was so."""
        lines = self._lines()
        stored = list(StoredTasks(self.table).objects(self._job()))
        responses = list(
            (self.disk.folder / "out" / NAME / "annotations/worker-response/iteration-1").iterdir()
        )
        counters = self.jobs.counters(self._job())
        numbers = [line["n"] for line in lines]
        return {
            "given twice": sum(len(workers) - 1 for workers in self.crowd.given.values()),
            "answered twice": sum(max(0, len(each.answers) - 1) for each in stored)
            + sum(count - 1 for count in self.crowd.accepted.values())
            + abs(counters.answers - self.objects),
            "lost": self.objects - sum(len(line["bounding-box"]["annotations"]) == 1 for line in lines),
            "out of order": sum(
                n != expected for n, expected in zip(numbers, range(self.objects), strict=False)
            )
            + abs(len(numbers) - self.objects),
            "responses missing": self.objects - sum(len(list(each.iterdir())) == 1 for each in responses),
            "refused": len(self.crowd.refused),
        }

    def _job(self) -> Job:
        job = self.jobs.get(NAME)
        if job is None:
            raise RuntimeError("the job is gone")
        return job

    def _lines(self) -> list[dict[str, Any]]:
        path = self.disk.folder / self._job().output_manifest.removeprefix("s3://bench/")
        with path.open("rb") as lines:
            return [msgspec.json.decode(line) for line in lines]


def _request() -> dict[str, Any]:
    built_in = "arn:aws:lambda:us-east-1:432418664414:function:"
    return {
        "LabelingJobName": NAME,
        "LabelAttributeName": "bounding-box",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bench/in.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://bench/out"},
        "RoleArn": "arn:aws:iam::111122223333:role/labeling",
        "LabelCategoryConfigS3Uri": "s3://bench/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": workteam_arn(REGION, ACCOUNT, TEAM),
            "UiConfig": {"UiTemplateS3Uri": "s3://bench/template.html"},
            "PreHumanTaskLambdaArn": built_in + "PRE-BoundingBox",
            "TaskTitle": "Bench",
            "TaskDescription": "Bench",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 28_800,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": built_in + "ACS-BoundingBox"
            },
        },
    }


def measured_load(objects: int, workers: int) -> tuple[Load, dict[str, int], Counter[str]]:
    """One load; what was wrong; the table's requests while workers labeled."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DiskStore(Path(folder, "bucket")) as disk,
        TableStore() as tables,
    ):
        load = Load(disk, tables, objects, workers)
        load.ask()
        load.through("start", STARTS_KILLED)
        before = tables.counted()
        load.label()
        asked = tables.counted() - before
        load.through("finish", FINISHES_KILLED)
        return load, load.wrong(), asked


def run(rounds: int = 1, objects: int = OBJECTS, workers: int = WORKERS) -> Report:
    """rounds: one; it takes some minutes."""
    del rounds
    load, wrong, asked = measured_load(objects, workers)
    start, portal, finish = (load.found[name] for name in ("start", "portal", "finish"))
    services = sum(number for name, number in asked.items() if not name.startswith(("invoke", "Admin")))
    rows = [
        [name, f"{one.s:.0f}", f"{objects / one.s:.0f}", f"{one.cpu_s / objects * 1000:.2f}",
         f"{one.mib:.0f}", f"{one.killed}"]
        for name, one in (("Start", start), ("portal", portal), ("Finish", finish))
    ]  # fmt: skip
    by_name = {name: number for name, number in asked.most_common() if number / objects >= 0.005}
    columns = ["function", "elapsed, s", "objects a second", "CPU an object, ms", "peak, MiB", "killed"]
    return Report(
        name="labeling_load",
        title="A labeling job of a hundred thousand objects",
        about=(
            f"{objects:,} objects, one answer each, {workers} workers who ask {ENVIRONMENTS} environments of "
            "the portal's function, each a process with one request at a time. The handlers are those of the "
            "stack, against a DynamoDB in memory (bench/table_store.py) and an S3 on the disk, all on this "
            "machine, so elapsed time and the rate are the machine's: a task is three processes' work. (The "
            "local engine and moto's server sort or copy a queue or the table for each request.) Functions "
            f"are killed by SIGKILL at random moments and their requests sent again ({load.crowd.sent_again} "
            f"of the portal's); {load.crowd.doubled} answers, Start and Finish come twice; the portal's call "
            "for the job's end is lost. CPU is that of the answers that came through. Looking at the picture "
            "isn't counted."
        ),
        rounds=1,
        tables=[
            Table("One process each, and those that took the place of killed ones:", columns, rows),
            Table(
                "Requests to DynamoDB and Cognito for each answer with its next task, while workers labeled "
                "(Cognito is asked for a worker's groups every ten seconds in each environment):",
                list(by_name),
                [[f"{number / objects:.2f}" for number in by_name.values()]],
            ),
            Table(
                "What must not be, counted in the workers' own notes, the table and the output:",
                list(wrong),
                [[str(number) for number in wrong.values()]],
            ),
        ],
        targets=[
            Target(
                f"a job of {objects:,} objects, {workers} workers, functions killed at random: "
                "given or answered twice",
                "",
                "0",
                str(wrong["given twice"] + wrong["answered twice"]),
                reached=not wrong["given twice"] + wrong["answered twice"],
            ),
            Target(
                "the same: lost, out of the manifest's order, refused",
                "",
                "0",
                str(wrong["lost"] + wrong["out of order"] + wrong["responses missing"] + wrong["refused"]),
                reached=not any(wrong.values()),
            ),
            *(
                Target(f"the same: peak memory of {name}", "", f"≤ {MOST_MIB} MiB", f"{one.mib:.0f} MiB",
                       one.mib <= MOST_MIB)
                for name, one in (("Start", start), ("the portal", portal), ("Finish", finish))
            ),
        ],
        figures={
            "objects": objects,
            "table_requests_a_task": round(services / objects, 2),
            "tasks_a_second": round(objects / portal.s, 1),
            "sent_again": load.crowd.sent_again,
        },
    )  # fmt: skip


def serve(function: str) -> None:
    """In a process of its own: the handler, for one event after the other."""
    from importlib import import_module

    handler = import_module(f"labeling.{function}").handler
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is logged is no answer
    for line in sys.stdin.buffer:
        clock = Clock()
        answer = handler(msgspec.json.decode(line), context)
        answers.write(msgspec.json.encode(clock.read() | {"answer": answer}) + b"\n")
        answers.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--function"]:
        serve(sys.argv[2])
    else:
        run(1, *map(int, sys.argv[1:])).show()
