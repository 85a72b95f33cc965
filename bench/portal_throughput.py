"""Tasks a second that the portal sustains with many workers at once, on the local stack.

python bench/portal_throughput.py      deploys the stack into a folder of its own and removes it again
"""

import io
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from report import Report, Table, Target

from adapters import sagemaker
from truthmill_cli import checkout, down, engine, sam, stack, team, up, workers
from truthmill_cli.home import Home
from truthmill_cli.simulation import Credentials, PortalClient
from truthmill_cli.stack import Stack

PASSWORD = "Of the bench, passw0rd"  # noqa: S105 of accounts that live as long as the bench
SIZE = (64, 48)
TEMPLATE = "<crowd-form><crowd-bounding-box name='boundingBox'></crowd-bounding-box></crowd-form>"
ANSWER = {
    "boundingBox": {
        "boundingBoxes": [{"label": "thing", "left": 8, "top": 8, "width": 16, "height": 16}],
        "inputImageProperties": {"width": SIZE[0], "height": SIZE[1]},
    }
}
CROWDS = ((1, 40), (50, 400))  # workers, objects
PATIENCE_S = 60


@contextmanager
def local_stack() -> Iterator[Stack]:
    """The labeling stack on the local engine, in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        home, code = Home(Path(folder, "home")), checkout.find()
        serving, _ = engine.start(home, code)
        try:
            stack.use_local(serving.endpoint)
            built = sam.build(home, code, (sam.LABELING,))
            deployment = up.Deployment(home, code, serving.endpoint, built, fresh=True)
            parameters = sam.machine_parameters() | {"DataBucket": up.BUCKET}
            outputs = deployment.ensure(sam.LABELING, parameters)
            stack.client("s3").create_bucket(Bucket=up.BUCKET)
            pipeline = {"BucketName": up.BUCKET, "StateMachineArn": ""}
            made = stack.from_outputs("bench", engine.REGION, pipeline, outputs, serving.endpoint)
            arn = team.ensure(made.labeling_endpoint, made.user_pool, made.user_pool_client)
            yield replace(made, workteam=arn)
        finally:
            down.down(home, clean=True)


def signed_in(where: Stack, count: int) -> list[PortalClient]:
    """Workers who are signed in."""
    pool = stack.client("cognito-idp")

    def one(number: int) -> PortalClient:
        email = f"bench-{number}@example.com"
        workers.invite(where, email, PASSWORD)
        pool.admin_set_user_password(
            UserPoolId=where.user_pool, Username=email, Password=PASSWORD, Permanent=True
        )
        client = PortalClient(where.portal_api)
        client.sign_in(Credentials(email, PASSWORD))
        return client

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(one, range(count)))


def running_job(where: Stack, name: str, objects: int) -> None:
    """A labeling job under way, one answer for each object."""
    out = io.BytesIO()
    Image.new("RGB", SIZE).save(out, "PNG")
    storage = stack.storage(where)

    def put(key: str, content: bytes) -> str:
        storage.write(f"bench/{name}/{key}", content)
        return storage.uri(f"bench/{name}/{key}")

    with ThreadPoolExecutor(8) as threads:
        uris = list(threads.map(lambda number: put(f"{number}.png", out.getvalue()), range(objects)))
    manifest = "".join(json.dumps({"source-ref": uri}) + "\n" for uri in uris)
    built_in = "arn:aws:lambda:us-east-1:432418664414:function:"
    client = sagemaker.client(where.labeling_endpoint)
    client.create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="boxes",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": put("m", manifest.encode())}}},
        OutputConfig={"S3OutputPath": storage.uri(f"bench/{name}/out")},
        RoleArn="arn:aws:iam::111122223333:role/labeling",
        LabelCategoryConfigS3Uri=put("labels.json", b'{"labels": [{"label": "thing"}]}'),
        HumanTaskConfig={
            "WorkteamArn": where.workteam,
            "UiConfig": {"UiTemplateS3Uri": put("template.html", TEMPLATE.encode())},
            "PreHumanTaskLambdaArn": built_in + "PRE-BoundingBox",
            "TaskTitle": "Bench",
            "TaskDescription": "Bench",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 3600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": built_in + "ACS-BoundingBox"
            },
        },
    )
    _until(client, name, "InProgress")


def _until(client: Any, name: str, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        described: dict[str, Any] = client.describe_labeling_job(LabelingJobName=name)
        if described["LabelingJobStatus"] == status:
            return described
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} is {described['LabelingJobStatus']}, not {status}")
        time.sleep(0.1)


class Crowd:
    """Workers who answer whatever they get, each as fast as the portal lets them."""

    def __init__(self, job: str) -> None:
        self.path = f"api/jobs/{job}/tasks"
        self.given: list[str] = []
        self.seconds: list[float] = []
        self._lock = threading.Lock()

    def work(self, client: PortalClient) -> None:
        held = client.post(self.path, {"count": 1})["tasks"]
        while held:
            task = held[0]["task"]
            begun = time.perf_counter()
            answered = client.post(f"{self.path}/{task}/answer", {"answer": ANSWER, "next": 1})
            with self._lock:
                self.given.append(task)
                self.seconds.append(time.perf_counter() - begun)
            held = answered["tasks"]


def measured(where: Stack, clients: list[PortalClient], objects: int) -> dict[str, float]:
    """One crowd through one job; everything it answered is looked for in the output."""
    job = f"bench-{len(clients)}"
    running_job(where, job, objects)
    crowd = Crowd(job)
    with ThreadPoolExecutor(len(clients)) as threads:
        for most in range(10, len(clients) + 10, 10):  # every environment is there, some started at a time
            list(threads.map(lambda client: client.get("api/session"), clients[:most]))
        begun = time.perf_counter()
        list(threads.map(crowd.work, clients))
        elapsed = time.perf_counter() - begun
    described = _until(sagemaker.client(where.labeling_endpoint), job, "Completed")
    key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix(f"s3://{where.bucket}/")
    lines = stack.storage(where).read(key).splitlines()
    labeled = sum(len(json.loads(line)["boxes"]["annotations"]) == 1 for line in lines)
    times = sorted(crowd.seconds)
    return {
        "tasks_s": len(crowd.given) / elapsed,
        "median_ms": median(times) * 1000,
        "p95_ms": times[int(len(times) * 0.95)] * 1000,
        "twice": sum(count - 1 for count in Counter(crowd.given).values()),
        "lost": objects - labeled,
    }


def run(rounds: int = 1) -> Report:
    """rounds: one; the stack is deployed once for all crowds."""
    with local_stack() as where:
        clients = signed_in(where, max(count for count, _ in CROWDS))
        found = {(count, objects): measured(where, clients[:count], objects) for count, objects in CROWDS}
    rows = [
        [str(count), str(objects), f"{one['tasks_s']:.1f}", f"{one['median_ms']:.0f}", f"{one['p95_ms']:.0f}",
         f"{one['twice']:.0f}", f"{one['lost']:.0f}"]
        for (count, objects), one in found.items()
    ]  # fmt: skip
    columns = [
        "workers at once",
        "objects",
        "tasks a second",
        "median, ms",
        "95 %, ms",
        "given twice",
        "lost",
    ]
    wrong = sum(one["twice"] + one["lost"] for one in found.values())
    fifty = next(one for (count, _), one in found.items() if count == 50)
    return Report(
        "portal_throughput",
        "The portal with many workers at once",
        "Workers sign in, take a task and answer it with one box; an answer brings the next task along, so "
        "a task is one request to the portal's function URL. Engine, functions and workers share this "
        "machine's cores, so the machine is what limits. Looking at the picture isn't counted.",
        rounds,
        [Table("Each row is a job of its own.", columns, rows)],
        [
            Target(
                "Tasks given twice or lost, 50 workers at once", "-", "0", f"{wrong:.0f}", reached=wrong == 0
            )
        ],
        {"tasks_a_second_with_50_workers": round(fifty["tasks_s"], 1)},
    )


if __name__ == "__main__":
    run().show()
