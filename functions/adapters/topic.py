"""The topic that people subscribe to."""

import os

import boto3


def publish(subject: str, message: str) -> None:
    """subject: ASCII, cut to the 100 characters that SNS takes."""
    plain = subject.encode("ascii", "replace").decode()[:100]
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=plain, Message=message)
