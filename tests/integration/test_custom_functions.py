"""Functions of somebody's own, invoked over HTTP."""

from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from adapters import functions
from adapters.functions import FunctionFailedError, call

ARN = "arn:aws:lambda:us-east-1:123456789012:function:my-LabelingFunction"


@contextmanager
def serving(answer):
    """Lambda's endpoint, where every invocation is answered by `answer`; counts them."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = answer()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked may be gone
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.fixture
def reach(monkeypatch):
    """Has functions be invoked at an endpoint, and waited for so long."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def at(endpoint, longest_s=60):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", endpoint)
        monkeypatch.setattr(functions, "LONGEST_S", longest_s)
        functions._waiting.cache_clear()

    yield at
    functions._waiting.cache_clear()


def test_a_function_that_takes_too_long_is_asked_once(reach):
    """Asked again and again, it would outlast whoever waits for it, and the job would never end."""
    let_go = Event()

    def hang():
        let_go.wait(30)
        return b"{}"

    with serving(hang) as (endpoint, asked):
        reach(endpoint, longest_s=0.3)
        with pytest.raises(FunctionFailedError, match=r"my-LabelingFunction took longer than 0\.3 s"):
            call(ARN, {})
        let_go.set()
    assert len(asked) == 1


def test_what_cannot_be_read_is_a_failure_of_the_function(reach):
    with serving(lambda: b"[" * 5_000) as (endpoint, asked):
        reach(endpoint)
        with pytest.raises(FunctionFailedError, match="nested more than 100 deep"):
            call(ARN, {})
    assert len(asked) == functions.TRIES
