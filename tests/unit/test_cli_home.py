"""What the local stack remembers, and that a damaged or half-written memory harms nobody."""

import json
import stat
import threading

import pytest

from truthmill_cli import engine, stack
from truthmill_cli.checkout import Checkout
from truthmill_cli.checkout import find as find_checkout
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.home import Home


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.mark.parametrize("content", [b"", b'{"pid": 1', b"[1]", b"\xff\xfe"])
def test_a_damaged_file_reads_as_nothing_remembered(home, content):
    home.create()
    (home / "stack.json").write_bytes(content)
    assert home.read("stack.json") == {}


def test_what_is_written_is_read_and_only_its_owner_may_read_it(home):
    home.write("workers.json", {"a@example.com": "Grüße"})
    assert home.read("workers.json") == {"a@example.com": "Grüße"}
    assert stat.S_IMODE((home / "workers.json").stat().st_mode) == 0o600
    assert [path.name for path in home.path.iterdir()] == ["workers.json"]


def test_two_ups_at_once_are_refused(home):
    with home.alone(), pytest.raises(FailedError, match="Another"), home.alone():
        pass
    with home.alone():
        pass


def test_a_record_without_a_living_engine_is_nobody(home):
    """The process of that number is another one by now: this test's own."""
    home.write("engine.json", {"pid": threading.get_native_id(), "port": 1})
    (home / "engine.lock").touch()
    assert engine.running(home) is None
    assert engine.stop(home) is False


def test_without_a_stack_the_error_says_what_to_do(home):
    with pytest.raises(UsageError, match="truthmill up"):
        stack.find(home)


def test_the_environment_of_functions_has_nothing_of_the_users_aws_set_up(home, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    environment = engine.environment(home, 4566)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AUTH"] == "true"
    assert environment["BIND_HOST"] == "127.0.0.1"


def test_a_file_outside_a_checkout_is_told_so(tmp_path):
    with pytest.raises(UsageError, match="isn't in a checkout"):
        find_checkout(tmp_path / "site-packages" / "checkout.py")


def test_a_tool_that_is_not_installed_names_the_remedy(tmp_path):
    with pytest.raises(FailedError, match="make install"):
        _ = Checkout(tmp_path).sam


def test_a_local_function_url_is_served_by_path_and_by_host():
    made = stack.from_outputs(
        "truthmill",
        "us-east-1",
        {"BucketName": "b", "StateMachineArn": "arn:m"},
        {
            "ControlUrl": "https://abc.lambda-url.us-east-1.on.aws/",
            "PortalUrl": "https://xyz.lambda-url.us-east-1.on.aws/",
        },
        "http://127.0.0.1:4566",
    )
    assert made.labeling_endpoint == "http://127.0.0.1:4566/_aws/lambda-url/abc"
    assert made.portal_api == "http://127.0.0.1:4566/_aws/lambda-url/xyz"
    assert made.portal == "http://xyz.lambda-url.us-east-1.localhost:4566/"


def test_a_stack_in_aws_keeps_its_urls_and_is_named_again():
    made = stack.from_outputs(
        "mill",
        "eu-west-1",
        {"BucketName": "b", "StateMachineArn": "arn:m"},
        {"PortalUrl": "https://xyz.lambda-url.eu-west-1.on.aws/"},
    )
    assert made.portal == made.portal_api == "https://xyz.lambda-url.eu-west-1.on.aws/"
    assert made.option == " --stack-name mill"
    assert made.describe() == {
        "endpoint": None,
        "region": "eu-west-1",
        "bucket": "b",
        "stateMachine": "arn:m",
        "labelingEndpoint": None,
        "portal": "https://xyz.lambda-url.eu-west-1.on.aws/",
    }


def test_a_remembered_stack_is_read_back_whole(home):
    made = stack.from_outputs("truthmill", "us-east-1", {"BucketName": "b", "StateMachineArn": "arn:m"}, {})
    stack.remember(home, made)
    assert stack.Stack(**json.loads((home / "stack.json").read_text())) == made
