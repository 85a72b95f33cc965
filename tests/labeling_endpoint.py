"""A labeling endpoint over HTTP that speaks SageMaker's JSON 1.1; a test decides how its jobs end.

moto has no labeling jobs. Truthmill's own labeling service has its own tests; here only what the pipeline
hears of a service matters, so the answers are written out by hand in Ground Truth's output format.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

ARN = "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/"


class Endpoint:
    """The service's jobs, by name, as DescribeLabelingJob answers them."""

    url: str

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.created: list[str] = []
        self.refuse_with = ""
        self.on_describe: Callable[[str], None] = lambda _name: None

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = request["LabelingJobName"]
        if operation == "CreateLabelingJob":
            return self.create(name, request)
        if operation == "StopLabelingJob":
            return self.stop(name)
        self.on_describe(name)
        if name not in self.jobs:
            return 400, {"__type": "ResourceNotFound", "message": f"There is no labeling job {name}."}
        return 200, self.jobs[name]

    def create(self, name: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.refuse_with:
            return 400, {"__type": "ValidationException", "message": self.refuse_with}
        if name in self.jobs:
            return 400, {"__type": "ResourceInUse", "message": f"{name} is taken."}
        self.created.append(name)
        self.jobs[name] = {
            **request,
            "LabelingJobArn": ARN + name,
            "LabelingJobStatus": "InProgress",
            "LabelCounters": {},
            "CreationTime": 1_700_000_000,
            "LastModifiedTime": 1_700_000_000,
            "JobReferenceCode": "reference",
        }
        return 200, {"LabelingJobArn": ARN + name}

    def stop(self, name: str) -> tuple[int, dict[str, Any]]:
        if self.jobs[name]["LabelingJobStatus"] != "InProgress":
            return 400, {"__type": "ValidationException", "message": f"{name} can't be stopped."}
        self.jobs[name]["LabelingJobStatus"] = "Stopping"
        return 200, {}

    def end(self, name: str, status: str, output_uri: str, reason: str = "") -> None:
        """The job ends; output_uri: of its output manifest."""
        self.jobs[name] |= {
            "LabelingJobStatus": status,
            "LabelingJobOutput": {"OutputDatasetS3Uri": output_uri},
        }
        if reason:
            self.jobs[name]["FailureReason"] = reason


@contextmanager
def labeling_endpoint() -> Iterator[Endpoint]:
    """The endpoint, listening on 127.0.0.1; it ends with the block."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = endpoint.answer(self.headers["X-Amz-Target"].partition(".")[2], request)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()
