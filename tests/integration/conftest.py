"""A cloud for the pipeline: S3, Step Functions, SNS and SQS by moto, and a labeling endpoint."""

import json
from collections.abc import Iterator

import boto3
import pytest

from adapters import executions, sagemaker
from adapters.storage import Storage, storage
from labeling_endpoint import labeling_endpoint
from moto_process import forget_everything, moto_process
from workflow import Cloud

BUCKET = "truthmill-test"
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ROLE = "arn:aws:iam::123456789012:role/role"


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with moto_process() as endpoint:
        yield endpoint


@pytest.fixture
def cloud(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty account with a bucket, a topic with a subscriber, and executions that wait for an hour."""
    forget_everything(moto_endpoint)
    with labeling_endpoint() as labeling:
        environment = {
            "AWS_ENDPOINT_URL": moto_endpoint,
            "AWS_ENDPOINT_URL_SAGEMAKER": labeling.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "BUCKET": BUCKET,
            "LABELING_ROLE_ARN": ROLE,
            "POWERTOOLS_METRICS_NAMESPACE": "Truthmill",
            "POWERTOOLS_SERVICE_NAME": "truthmill",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget_clients()
        made = _account(labeling, monkeypatch)
        yield made
        for arn in made.executions:
            made.stepfunctions.stop_execution(executionArn=arn)
        forget_clients()


def forget_clients() -> None:
    for cached in (storage, executions._client, sagemaker._shared):
        cached.cache_clear()


def _account(labeling, monkeypatch) -> Cloud:
    s3, sns, sqs = boto3.client("s3"), boto3.client("sns"), boto3.client("sqs")
    stepfunctions = boto3.client("stepfunctions")
    s3.create_bucket(Bucket=BUCKET)
    topic = sns.create_topic(Name="topic")["TopicArn"]
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
    machine = stepfunctions.create_state_machine(name="dataset", definition=json.dumps(WAIT), roleArn=ROLE)
    monkeypatch.setenv("TOPIC_ARN", topic)
    return Cloud(
        bucket=BUCKET,
        s3=s3,
        stepfunctions=stepfunctions,
        sqs=sqs,
        inbox=inbox,
        waiting=machine["stateMachineArn"],
        labeling=labeling,
    )


@pytest.fixture
def store(cloud: Cloud) -> Storage:
    """The bucket as the product sees it."""
    return storage(cloud.bucket)
