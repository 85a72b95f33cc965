"""The local engine as the command starts, finds and ends it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
import pytest

from truthmill_cli import checkout, engine
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home

ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    yield made
    engine.stop(made)


@pytest.fixture(scope="module")
def here():
    return checkout.find()


def client(serving, service):
    return boto3.client(
        service,
        endpoint_url=serving.endpoint,
        region_name=engine.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of this test that ended stays until it is waited for.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def code(source):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", source)
    return packed.getvalue()


def test_it_starts_is_found_ends_and_keeps_its_data(home, here):
    serving, fresh = engine.start(home, here)
    assert fresh
    assert engine.running(home) == serving
    assert engine.start(home, here) == (serving, False)
    client(serving, "s3").create_bucket(Bucket="kept")
    client(serving, "s3").put_object(Bucket="kept", Key="a", Body=b"1")

    assert engine.stop(home)
    assert engine.running(home) is None
    assert not is_alive(serving.pid)

    again, fresh = engine.start(home, here)
    assert fresh
    assert again.port == serving.port
    assert client(again, "s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"1"


def test_one_that_was_killed_is_started_again_with_what_it_had_saved(home, here):
    serving, _ = engine.start(home, here)
    client(serving, "sns").create_topic(Name="saved")
    engine.save(serving)
    topics = home / "engine" / "sns.json"
    deadline = time.monotonic() + 20
    while not (topics.exists() and "saved" in topics.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(serving.pid, signal.SIGKILL)

    again, fresh = engine.start(home, here)
    assert fresh
    assert again.pid != serving.pid
    assert len(client(again, "sns").list_topics()["Topics"]) == 1


def test_one_that_lives_without_serving_is_replaced(home, here):
    """What an `up` that was killed between its two steps may leave: a process that holds the lock."""
    home.create()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import fcntl, json, os, sys, time\n"
                "lock = open(sys.argv[1] + '/engine.lock', 'w')\n"
                "fcntl.flock(lock, fcntl.LOCK_EX)\n"
                "open(sys.argv[1] + '/engine.json', 'w').write(json.dumps({'pid': os.getpid(), 'port': 1}))\n"
                "print('held', flush=True)\n"
                "time.sleep(600)\n"
            ),
            home.path,
        ],
        stdout=subprocess.PIPE,
    )
    with holder:
        holder.stdout.readline()
        serving, fresh = engine.start(home, here, deadline_s=15)
        assert fresh
        assert holder.wait(10) == -signal.SIGTERM
    assert engine.running(home) == serving


def test_what_ends_at_once_is_told_with_the_end_of_its_log(home, tmp_path):
    class Broken(checkout.Checkout):
        @property
        def engine_python(self):
            return Path("/bin/false")

    with pytest.raises(FailedError, match="ended at once"):
        engine.start(home, Broken(tmp_path))


def test_a_functions_exception_reaches_its_caller_by_its_class_name(home, here):
    serving, _ = engine.start(home, here)
    functions = client(serving, "lambda")
    client(serving, "iam").create_role(
        RoleName="any",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )
    functions.create_function(
        FunctionName="fails",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Code={
            "ZipFile": code("class LabelsError(Exception): pass\ndef handler(e, c): raise LabelsError('no')")
        },
    )
    answer = functions.invoke(FunctionName="fails", Payload=b"{}")
    assert json.load(answer["Payload"]) == {"errorMessage": "no", "errorType": "LabelsError"}
    unpacked = [path for path in (home / "tmp" / "code").iterdir() if path.is_dir()]
    assert [(path / "app.py").is_file() for path in unpacked] == [True]


def test_the_launcher_stops_where_the_engine_is_another_version(tmp_path):
    """The texts that it mends must be there exactly once."""
    launcher = Path(engine.__file__).with_name("engine_launcher.py")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import runpy; runpy.run_path({str(launcher)!r})['replace_once']('a b a', 'a', 'c')",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Expected once, found 2 times: a" in done.stderr
    assert "make install" in done.stderr
