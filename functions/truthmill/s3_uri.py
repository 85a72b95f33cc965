"""Where an object lies in S3, as requests, manifests and the command name it: s3://bucket/key."""

from typing import NamedTuple


class S3Location(NamedTuple):
    """key: of the object, or a prefix; "" for the whole bucket."""

    bucket: str
    key: str


def s3_location(uri: str) -> S3Location:
    """Bucket and key of an S3 URI, which may come without its s3://; both "" for "". Checks nothing."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return S3Location(bucket, key)


def names_object(uri: str) -> bool:
    """Whether it is the whole URI of an object: s3://, a bucket, a key."""
    return uri.startswith("s3://") and all(s3_location(uri))
