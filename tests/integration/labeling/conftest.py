"""The labeling stack on the local engine, and teams with workers and jobs on it."""

import io
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import boto3
import cfnlint.decode.cfn_yaml
import pytest
from PIL import Image

from adapters import sagemaker
from adapters.jobs import Jobs
from adapters.table import Table
from adapters.tasks import Tasks
from labeling_builders import a_request
from local_stack import wait_for
from truthmill.s3_uri import s3_location
from truthmill_cli.simulation import Credentials, PortalClient

ROOT = Path(__file__).parents[3]
REGION = "us-east-1"
STACK = "truthmill-labeling"
PASSWORD, TEMPORARY = "Their own passw0rd", "From the lett3r"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
 header="Draw" labels="{{ task.input.labels | to_json | escape }}"></crowd-bounding-box></crowd-form>"""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@pytest.fixture(scope="session")
def engine(local_stack):
    """Endpoint of the local engine, with IAM enforced."""
    return local_stack.deployed.endpoint


@pytest.fixture(autouse=True)
def aws(engine, monkeypatch):
    """Clients made in a test reach the engine."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": engine}.items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True)
class Stack:
    """The deployed labeling stack, as an administrator sees it."""

    endpoint: str
    bucket: str
    outputs: dict

    def client(self, name):
        return boto3.client(
            name,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def local(self, url):
        return f"{self.endpoint}/_aws/lambda-url/{url.split('//')[1].split('.')[0]}/"

    @property
    def portal(self):
        return self.local(self.outputs["PortalUrl"])

    @property
    def sagemaker(self):
        return sagemaker.client(self.local(self.outputs["ControlUrl"]))

    @cached_property
    def s3(self):
        return self.client("s3")

    @cached_property
    def cognito(self):
        return self.client("cognito-idp")

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def read(self, uri):
        bucket, key = s3_location(uri)
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def invoke(self, output, event):
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(event).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="session")
def table(engine):
    """A table made from the template's own definition."""
    template = cfnlint.decode.cfn_yaml.load(str(ROOT / "labeling/template.yaml"))
    properties = template["Resources"]["Table"]["Properties"]
    client = boto3.client(
        "dynamodb",
        endpoint_url=engine,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    wanted = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client.create_table(TableName="laws", **{name: properties[name] for name in wanted})
    return Table(client, "laws")


@pytest.fixture
def tasks(table):
    return Tasks(table)


@pytest.fixture
def jobs(table):
    return Jobs(table)


@pytest.fixture(scope="session")
def stack(local_stack, engine):
    """The labeling stack, as `truthmill up` deploys it, and its bucket."""
    deployed = Stack(engine, local_stack.deployed.bucket, {})
    described = deployed.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    return Stack(engine, local_stack.deployed.bucket, outputs)


@dataclass(frozen=True)
class Team:
    """A work team of the stack with its own Cognito group."""

    stack: Stack
    name: str

    @property
    def arn(self):
        return f"arn:aws:sagemaker:{REGION}:000000000000:workteam/private-crowd/{self.name}"

    def invite(self, email):
        """Credentials of a worker who hasn't signed in yet."""
        pool = self.stack.outputs["UserPoolId"]
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        self.stack.cognito.admin_create_user(
            UserPoolId=pool, Username=email, TemporaryPassword=TEMPORARY, UserAttributes=attributes
        )
        self.stack.cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=self.name)
        return Credentials(email, PASSWORD, TEMPORARY)

    def worker(self):
        """A worker who is signed in."""
        client = PortalClient(self.stack.portal)
        client.sign_in(self.invite(f"worker-{next(_numbers)}-in-{self.name}@example.com"))
        return client

    def create_job(self, objects=2, *, size_wh=(200, 100), manifest=None, **changes):
        """Name of a job that has been asked for; its pictures, labels and template lie in the bucket."""
        name = changes.pop("LabelingJobName", f"job-{next(_numbers)}-of-{self.name}")
        put = self.stack.put
        if manifest is None:
            out = io.BytesIO()
            Image.new("RGB", size_wh, (10, 20, 30)).save(out, "PNG")
            uris = [put(f"{name}/{number}.png", out.getvalue()) for number in range(objects)]
            manifest = "".join(json.dumps({"source-ref": uri, "split": "train"}) + "\n" for uri in uris)
        request = a_request(
            **{
                "LabelingJobName": name,
                "HumanTaskConfig.WorkteamArn": self.arn,
                "InputConfig.DataSource.S3DataSource.ManifestS3Uri": put(f"{name}/in.manifest", manifest),
                "OutputConfig.S3OutputPath": f"s3://{self.stack.bucket}/{name}/out",
                "LabelCategoryConfigS3Uri": put(
                    f"{name}/labels.json", json.dumps({"labels": [{"label": "cat"}, {"label": "dog"}]})
                ),
                "HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": put(f"{name}/template.html", TEMPLATE)},
            }
            | changes
        )
        self.stack.sagemaker.create_labeling_job(**request)
        return name

    def wait_for(self, job, *statuses):
        """The job's description, once its status is one of these."""
        described = {}

        def look():
            described.update(self.stack.sagemaker.describe_labeling_job(LabelingJobName=job))
            return described["LabelingJobStatus"] in statuses

        wait_for(look, lambda: f"{job} to be one of {statuses}: {described}")
        return described

    def running_job(self, objects=2, **changes):
        """Name of a job whose tasks wait for workers."""
        name = self.create_job(objects, **changes)
        self.wait_for(name, "InProgress")
        return name


_numbers = count(1)


@pytest.fixture
def team(stack):
    """A team of this test's own."""
    name = f"team-{next(_numbers)}"
    pool = stack.outputs["UserPoolId"]
    stack.cognito.create_group(UserPoolId=pool, GroupName=name)
    member = {"UserPool": pool, "UserGroup": name, "ClientId": stack.outputs["UserPoolClientId"]}
    stack.sagemaker.create_workteam(
        WorkteamName=name,
        Description="A team of the tests",
        MemberDefinitions=[{"CognitoMemberDefinition": member}],
    )
    return Team(stack, name)
