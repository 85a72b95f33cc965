"""What the user pool says no with, in its own words, is one refusal to the portal."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pytest

from adapters.accounts import Accounts, SignInRefusedError

# Amazon Cognito's API reference, AdminInitiateAuth; the words as its developer guide has them.
REFUSALS = {
    "a wrong password": ("NotAuthorizedException", "Incorrect username or password."),
    "an invitation that has run out": (
        "NotAuthorizedException",
        "Temporary password has expired and must be reset by an administrator.",
    ),
    "a blocked worker": ("NotAuthorizedException", "User is disabled."),
    "nobody": ("UserNotFoundException", "User does not exist."),
    "a password that is being reset": (
        "PasswordResetRequiredException",
        "Password reset required for the user",
    ),
    "somebody unconfirmed": ("UserNotConfirmedException", "User is not confirmed."),
    "odd characters": ("InvalidParameterException", "1 validation error detected"),
}


@pytest.fixture
def accounts():
    """The pool's client on a server that refuses; `refusal` is what it says."""

    class Pool(BaseHTTPRequestHandler):
        refusal = ("", "")

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            kind, words = Pool.refusal
            body = json.dumps({"__type": kind, "message": words}).encode()
            self.send_response(400)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pool) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        client = boto3.client(
            "cognito-idp",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield Accounts(client, "us-east-1_pool", "client"), Pool
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("reason", REFUSALS)
def test_whatever_the_pools_reason_signing_in_is_refused_the_same(accounts, reason):
    found, pool = accounts
    pool.refusal = REFUSALS[reason]
    with pytest.raises(SignInRefusedError, match=REFUSALS[reason][1]):
        found.sign_in("ann@example.com", "Their own passw0rd")
