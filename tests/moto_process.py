"""moto's server as a process of its own: S3, Step Functions, SNS and SQS over HTTP on 127.0.0.1.

Its execution engine patches boto3 in the process that it runs in, so that must not be the tests'.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

SERVER = """
import os, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
os.environ["MOTO_PORT"] = str(port)  # where executions find the other services
print(port, flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def moto_process() -> Iterator[str]:
    """The server's endpoint; it ends with the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
        yield endpoint
        process.stdin.close()


def forget_everything(endpoint: str) -> None:
    """Empty every service, and have executions really run."""
    _post(f"{endpoint}/moto-api/reset", b"")
    _post(
        f"{endpoint}/moto-api/config",
        json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
    )


def _post(url: str, content: bytes) -> None:
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, data=content, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
        answer.read()
