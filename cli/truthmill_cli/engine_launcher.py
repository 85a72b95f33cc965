"""Runs the local engine. The engine's own interpreter runs this file, so it imports nothing of ours.

Usage: engine_launcher.py HOME, with the port in GATEWAY_PORT. HOME/engine.json says which process serves
which port. The process holds a lock on HOME/engine.lock for as long as it lives: whoever finds it free knows
that the record is of a process that ended, whatever process has that number today.

Before it starts the engine it mends two things, of which `mend_error_names` is needed and `mend_unpacking`
saves minutes. The engine reports every exception of a Python function as "Runtime.HandlerError"; Lambda
reports the exception's class, and state machines catch by that name.
"""

import contextlib
import fcntl
import hashlib
import importlib
import inspect
import io
import json
import logging
import os
import signal
import sys
import tempfile
import textwrap
import threading
import time
import types
import zipfile
from pathlib import Path
from typing import Any

# Seconds between two savings of the engine's state, so that a machine that stops at once loses little.
SAVE_INTERVAL_S = 60.0
LOCK_ATTEMPTS = 50

WORKER_TEXT = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
WORKER_MENDED = (
    '{"status": "error", "error": str(e), "type": type(e).__name__, "trace": traceback.format_exc()}'
)
SERVICE_TEXT = 'error_type = "Runtime.HandlerError"'
SERVICE_MENDED = 'error_type = result.get("type") or "Runtime.HandlerError"'
UNPACK_TEXT = """
    with open(os.path.join(self._tmpdir, "code.zip"), "wb") as f:
        f.write(self.code_zip)
    with zipfile.ZipFile(os.path.join(self._tmpdir, "code.zip")) as zf:
        zf.extractall(code_dir)
"""
UNPACK_MENDED = """
    os.rmdir(code_dir)
    os.symlink(_unpacked(self.code_zip), code_dir)
"""
UNPACKING = threading.Lock()


def main(home: Path) -> None:
    hold(home / "engine.lock")
    detach()
    record = home / "engine.json"
    record.write_text(json.dumps({"pid": os.getpid(), "port": int(os.environ["GATEWAY_PORT"])}))
    app = importlib.import_module("ministack.app")  # it reads its environment when it is imported

    mend_error_names()
    mend_unpacking()
    save_now_and_then(app)
    logging.getLogger("persistence").setLevel(logging.WARNING)  # or it tells of every saving
    sys.argv = ["ministack"]
    try:
        app.main()
    finally:
        # It has saved its state. Executions that wait would keep this process alive, and the saving going.
        logging.shutdown()
        os._exit(0)


def hold(path: Path) -> int:
    """Lock the file for as long as this process lives. A look at the lock may hold it for a moment.

    The descriptor is never closed: the lock may only end with the process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        time.sleep(0.1)
    sys.exit(f"An engine is running already with the data in {path.parent}.")


def detach() -> None:
    """Go on as a process of its own, which outlives the command that started it; the lock comes along."""
    if os.fork():
        os._exit(0)
    os.setsid()


def mend_error_names() -> None:
    """Let the class of a function's exception reach Step Functions, as it does on AWS."""
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    script = "_PYTHON_WORKER_SCRIPT"
    setattr(runtime, script, replace_once(getattr(runtime, script), WORKER_TEXT, WORKER_MENDED))
    service = importlib.import_module("ministack.services.lambda_svc")
    mend(service, service, "_execute_function_warm", SERVICE_TEXT, SERVICE_MENDED)


def mend_unpacking() -> None:
    """Have the environments of a function share its unpacked code, which on AWS too is read-only.

    The engine unpacks an artifact for every environment that it starts, which takes seconds each time.
    """
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    runtime._unpacked = unpacked  # type: ignore[attr-defined]  # noqa: SLF001 -- what the mended text calls
    mend(runtime, runtime.Worker, "_spawn", UNPACK_TEXT, UNPACK_MENDED)


def unpacked(code: bytes) -> Path:
    """The directory with a function's code; unpacked once, under the digest of the artifact."""
    directory = Path(tempfile.gettempdir()) / "code" / hashlib.sha256(code).hexdigest()
    with UNPACKING:
        if not directory.is_dir():
            directory.parent.mkdir(exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=directory.parent))
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(partial)
            partial.rename(directory)
    return directory


def mend(module: types.ModuleType, owner: Any, name: str, old: str, new: str) -> None:
    """Replace a text in the source of a function of a module, or of a class in it."""
    source = textwrap.dedent(inspect.getsource(getattr(owner, name)))
    code = compile(replace_once(source, old, new), f"{module.__file__} (mended)", "exec")
    made: dict[str, Any] = {}
    exec(code, module.__dict__, made)  # noqa: S102 -- the engine's own source
    setattr(owner, name, made[name])


def replace_once(source: str, old: str, new: str) -> str:
    """Replace a text that must be there exactly once; another version of the engine may differ."""
    found = source.count(old)
    if found != 1:
        sys.exit(
            "The local engine isn't the version that this launcher knows. "
            f"Expected once, found {found} times: {old}\nRun `make install` to get the locked version."
        )
    return source.replace(old, new)


def save_now_and_then(app: types.ModuleType) -> None:
    """Save the engine's state every SAVE_INTERVAL_S, and at once on SIGUSR1.

    The engine itself saves only when it ends in an orderly way; a machine that stops would lose everything.
    Its own saving at the end and this one write the same files, hence the lock.
    """
    due, one_at_a_time, save_all = threading.Event(), threading.Lock(), app.save_all

    def save(services: object) -> None:
        with one_at_a_time:
            save_all(services)

    def keep_saving() -> None:
        while True:
            due.wait(SAVE_INTERVAL_S)
            due.clear()
            app.save_all(app._build_persistence_save_dict())  # noqa: SLF001 -- what the engine calls itself

    app.save_all = save  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, lambda *_: due.set())
    threading.Thread(target=keep_saving, daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
