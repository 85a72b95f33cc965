"""The local engine: starts it, finds it, ends it."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from truthmill_cli.checkout import Checkout
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0
_LAUNCHER = Path(__file__).with_name("engine_launcher.py")


@dataclass(frozen=True, slots=True)
class Engine:
    """A process that serves, known by the record that it wrote."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def running(home: Home) -> Engine | None:
    """The engine that works with this home's data, if one lives. It may not serve yet."""
    if not _locked(home / "engine.lock"):
        return None
    record = home.read("engine.json")
    return Engine(record["pid"], record["port"]) if "pid" in record else None


def start(home: Home, checkout: Checkout, deadline_s: float = START_DEADLINE_S) -> tuple[Engine, bool]:
    """The engine, serving, and whether it was started now. Raises FailedError with the end of its log."""
    home.create()
    engine = running(home)
    if engine and _answers(home, engine.port, time.monotonic() + deadline_s):
        return engine, False
    if engine:  # it lives and doesn't serve: what a killed `up` may leave behind
        stop(home)
    port = _choose_port(home.read("port.json").get("port"))
    home.write("port.json", {"port": port})
    return _launch(home, checkout, port, time.monotonic() + deadline_s), True


def stop(home: Home, deadline_s: float = STOP_DEADLINE_S) -> bool:
    """End the engine in an orderly way, so that it saves its state; False where none lived.

    Only a process that holds this home's lock is ever signalled.
    """
    engine = running(home)
    if engine is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine.pid, number)
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline:
            if not _locked(home / "engine.lock"):
                (home / "engine.json").unlink(missing_ok=True)
                return True
            time.sleep(0.05)
    raise FailedError(f"The engine (process {engine.pid}) doesn't end. See {home / 'engine.log'}.")


def save(engine: Engine) -> None:
    """Have the engine save its state now."""
    os.kill(engine.pid, signal.SIGUSR1)


def environment(home: Home, port: int) -> dict[str, str]:
    """The engine's environment. Functions inherit it, so nothing of the user's own AWS set-up is in it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home.path),
        "TMPDIR": str(home / "tmp"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",
        "AWS_ALLOW_HTTP": "true",  # obstore refuses plain HTTP without it
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "engine"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # Functions run as processes, on machines with Docker too; and no ports beside the one.
        "DOCKER_HOST": f"unix://{home / 'no-docker.sock'}",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _launch(home: Home, checkout: Checkout, port: int, deadline: float) -> Engine:
    shutil.rmtree(home / "tmp", ignore_errors=True)  # unpacked code of last time
    for name in ("tmp", "engine", "s3"):
        (home / name).mkdir(exist_ok=True)
    (home / "engine.json").unlink(missing_ok=True)  # of an engine that ended
    log = home / "engine.log"
    with log.open("ab") as output:
        launched = subprocess.run(  # it returns as soon as the engine's process is on its own
            [checkout.engine_python, _LAUNCHER, home.path],
            env=environment(home, port),
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if launched.returncode == 0 and _answers(home, port, deadline):
        return Engine(home.read("engine.json")["pid"], port)
    ended = not stop(home)
    raise FailedError(
        f"The local engine {'ended at once' if ended else 'does not answer'}. The end of {log}:\n{tail(log)}"
    )


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _answers(home: Home, port: int, deadline: float) -> bool:
    """Wait until the engine answers; False at the deadline, or where its process has ended.

    deadline: seconds of the monotonic clock.
    """
    while time.monotonic() < deadline and _locked(home / "engine.lock"):
        with (
            contextlib.suppress(urllib.error.URLError, OSError, json.JSONDecodeError),
            urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health", timeout=2) as answer,
        ):
            return bool(json.load(answer).get("auth") == "enabled")
        time.sleep(0.1)
    return False


def _locked(path: Path) -> bool:
    """Whether a process holds the lock."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _choose_port(before: int | None) -> int:
    """The port of last time where it is free, since deployed URLs name it; otherwise any free one."""
    for port in (before, 0):
        if port is None:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise FailedError(f"There is no free port on {HOST}.")
