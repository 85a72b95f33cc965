"""What the command talks to: the local stack, or one in AWS."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from adapters.addresses import for_browsers
from adapters.storage import Storage
from adapters.storage import storage as shared_storage
from truthmill_cli import engine
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.home import Home

REMEMBERED = "stack.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed pipeline with its labeling service.

    endpoint: of the local engine; empty in AWS. labeling_endpoint, portal, user_pool…: empty where
    labeling is Ground Truth's. portal: for a browser; portal_api: the same for programs.
    """

    name: str
    region: str
    bucket: str
    state_machine: str
    topic: str
    endpoint: str = ""
    labeling_endpoint: str = ""
    portal: str = ""
    portal_api: str = ""
    user_pool: str = ""
    user_pool_client: str = ""
    workteam: str = ""
    table: str = ""

    @property
    def is_local(self) -> bool:
        return bool(self.endpoint)

    @property
    def option(self) -> str:
        """What has to be said on the command line to mean this stack again."""
        return "" if self.is_local else f" --stack-name {self.name}"

    def describe(self) -> dict[str, Any]:
        """The names that `status --json` documents."""
        return {
            "endpoint": self.endpoint or None,
            "region": self.region,
            "bucket": self.bucket,
            "stateMachine": self.state_machine,
            "labelingEndpoint": self.labeling_endpoint or None,
            "portal": self.portal or None,
        }


def from_outputs(
    name: str, region: str, pipeline: Mapping[str, str], labeling: Mapping[str, str], endpoint: str = ""
) -> Stack:
    """A stack from the outputs of its two CloudFormation stacks; labeling may be empty."""
    control, portal = labeling.get("ControlUrl", ""), labeling.get("PortalUrl", "")
    return Stack(
        name=name,
        region=region,
        bucket=pipeline["BucketName"],
        state_machine=pipeline["StateMachineArn"],
        topic=pipeline.get("NotificationTopicArn", ""),
        endpoint=endpoint,
        labeling_endpoint=local_path(control, endpoint) if endpoint else control,
        portal=for_browsers(portal, endpoint),
        portal_api=local_path(portal, endpoint) if endpoint else portal,
        user_pool=labeling.get("UserPoolId", ""),
        user_pool_client=labeling.get("UserPoolClientId", ""),
        table=labeling.get("TableName", ""),
    )


def local_path(function_url: str, endpoint: str) -> str:
    """A function URL as the local engine serves it to programs; the id is the first label of its host."""
    identifier = (urlsplit(function_url).hostname or "").partition(".")[0]
    return f"{endpoint}/_aws/lambda-url/{identifier}" if identifier else ""


def find(home: Home | None, stack_name: str = "", labeling_stack_name: str = "") -> Stack:
    """The stack that the command line means; from here on every client of this process talks to it.

    Without a name: the local stack that `truthmill up` remembers. Raises UsageError where there is none.
    """
    if stack_name:
        return _in_aws(stack_name, labeling_stack_name or f"{stack_name}-labeling")
    home = home or Home.default()
    remembered = home.read(REMEMBERED)
    if not remembered or engine.running(home) is None:
        raise UsageError(
            "The local stack isn't running. Start it with `truthmill up`, "
            "or name a stack in AWS with --stack-name."
        )
    known = {field.name for field in fields(Stack)}
    stack = Stack(**{name: value for name, value in remembered.items() if name in known})
    use_local(stack.endpoint)
    return stack


def remember(home: Home, stack: Stack) -> None:
    home.write(REMEMBERED, asdict(stack))


def use_local(endpoint: str) -> None:
    """Have every client of this process talk to the local engine, whatever the user's AWS set-up is."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(engine.CREDENTIALS)
    os.environ.update(
        AWS_DEFAULT_REGION=engine.REGION,
        AWS_ENDPOINT_URL=endpoint,
        AWS_ALLOW_HTTP="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


@lru_cache(maxsize=16)
def client(service: str) -> Any:
    """A boto3 client for the stack that `find` found."""
    import boto3  # noqa: PLC0415 -- half a second that `--help` need not wait for

    return boto3.client(service)  # type: ignore[call-overload]


def storage(where: Stack, bucket: str = "") -> Storage:
    """The stack's bucket, or another."""
    name = bucket or where.bucket
    if where.is_local:
        return shared_storage(name)
    import boto3  # noqa: PLC0415 -- see client
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415
    from obstore.store import S3Store  # noqa: PLC0415

    provider = Boto3CredentialProvider(boto3.Session())  # profiles and SSO, which obstore knows nothing of
    return Storage(S3Store(name, region=where.region, credential_provider=provider), name)


def outputs(name: str) -> dict[str, str]:
    """Outputs of a CloudFormation stack; empty where it doesn't exist."""
    found = describe(name)
    return {output["OutputKey"]: output["OutputValue"] for output in (found or {}).get("Outputs", [])}


def describe(name: str) -> dict[str, Any] | None:
    """DescribeStacks' answer for one stack; None where it doesn't exist."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- see client

    try:
        found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return found


def _in_aws(name: str, labeling_name: str) -> Stack:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- see client

    try:
        pipeline, labeling = outputs(name), outputs(labeling_name)
        region = client("cloudformation").meta.region_name
    except (BotoCoreError, ClientError) as error:
        raise FailedError(f"Stack {name} can't be read: {error}") from error
    if "StateMachineArn" not in pipeline:
        raise UsageError(f"There is no stack {name} of Truthmill in {region}. Check the name and the region.")
    return from_outputs(name, region, pipeline, labeling)
