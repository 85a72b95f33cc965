"""Where the portal is, as a browser reaches it."""

import os
from functools import lru_cache
from urllib.parse import urlsplit


def for_browsers(function_url: str, endpoint: str) -> str:
    """A function URL, on the local engine in the form that it serves to browsers, which resolve *.localhost.

    endpoint: of the local engine; empty on AWS. An address that is no function URL stays as it is.
    """
    given, engine = urlsplit(function_url), urlsplit(endpoint)
    host = given.hostname or ""
    identifier, _, rest = host.partition(".lambda-url.")
    if not endpoint or not rest:
        return function_url
    return f"http://{identifier}.lambda-url.{rest.partition('.')[0]}.localhost:{engine.port}/"


def local_endpoint() -> str:
    """The local engine's endpoint, which has no TLS; empty on AWS."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return endpoint if endpoint.startswith("http://") else ""


@lru_cache(maxsize=1)
def portal_url() -> str:
    """The portal's address, from the parameter that the stack keeps it in (PORTAL_URL_PARAMETER).

    A function that the user pool calls can't be told by its environment: the portal's function is made after
    the pool, and the pool after the functions that it calls.
    """
    import boto3

    parameters = boto3.client("ssm")
    found = parameters.get_parameter(Name=os.environ["PORTAL_URL_PARAMETER"])["Parameter"]["Value"]
    return for_browsers(found, local_endpoint())
