"""The labeling stack on the local engine, for a benchmark: deployed into a folder that goes with it."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters import sagemaker
from truthmill_cli import checkout, down, engine, sam, stack, team, up, workers
from truthmill_cli.home import Home
from truthmill_cli.simulation import Credentials, PortalClient
from truthmill_cli.stack import Stack

PASSWORD = "Of the bench, passw0rd"  # noqa: S105 of accounts that live as long as the bench
TEMPLATE = """<crowd-form><crowd-bounding-box name="boundingBox"
 src="{{ task.input.taskObject | grant_read_access }}" header="Draw a box around each thing"
 labels="{{ task.input.labels | to_json | escape }}">
<short-instructions>Tight boxes.</short-instructions></crowd-bounding-box></crowd-form>"""
PATIENCE_S = 120
# As template.yaml has it; without it a browser asks for each picture twice.
CORS = {
    "CORSRules": [
        {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "AllowedHeaders": [],
            "ExposeHeaders": ["Access-Control-Allow-Origin"],
        }
    ]
}


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
            s3 = stack.client("s3")
            s3.create_bucket(Bucket=up.BUCKET)
            s3.put_bucket_cors(Bucket=up.BUCKET, CORSConfiguration=CORS)
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


def running_job(
    where: Stack,
    name: str,
    pictures: Sequence[bytes],
    labels: Sequence[str] = ("thing",),
    template: str = TEMPLATE,
) -> None:
    """A labeling job under way over these pictures, in this order, one answer for each."""
    storage = stack.storage(where)

    def put(key: str, content: bytes) -> str:
        storage.write(f"bench/{name}/{key}", content)
        return storage.uri(f"bench/{name}/{key}")

    with ThreadPoolExecutor(8) as threads:
        uris = list(
            threads.map(lambda at: put(f"{at}.{_suffix(pictures[at])}", pictures[at]), range(len(pictures)))
        )
    categories = {"labels": [{"label": label} for label in labels]}
    manifest = "".join(json.dumps({"source-ref": uri}) + "\n" for uri in uris)
    built_in = "arn:aws:lambda:us-east-1:432418664414:function:"
    client = sagemaker.client(where.labeling_endpoint)
    client.create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="boxes",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": put("m", manifest.encode())}}},
        OutputConfig={"S3OutputPath": storage.uri(f"bench/{name}/out")},
        RoleArn="arn:aws:iam::111122223333:role/labeling",
        LabelCategoryConfigS3Uri=put("labels.json", json.dumps(categories).encode()),
        HumanTaskConfig={
            "WorkteamArn": where.workteam,
            "UiConfig": {"UiTemplateS3Uri": put("template.html", template.encode())},
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
    until(client, name, "InProgress")


def until(client: Any, name: str, status: str) -> dict[str, Any]:
    """What a job is described as once it has a status. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        described: dict[str, Any] = client.describe_labeling_job(LabelingJobName=name)
        if described["LabelingJobStatus"] == status:
            return described
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} is {described['LabelingJobStatus']}, not {status}")
        time.sleep(0.1)


def _suffix(picture: bytes) -> str:
    return "jpg" if picture.startswith(b"\xff\xd8") else "png"
