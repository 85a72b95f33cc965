"""Runs the local engine. The engine's own interpreter runs this file, so it imports nothing of ours.

Usage: engine_launcher.py HOME, with the port in GATEWAY_PORT. HOME/engine.json says which process serves
which port. The process holds a lock on HOME/engine.lock for as long as it lives: whoever finds it free knows
that the record is of a process that ended, whatever process has that number today.

Before it starts the engine it mends one thing. The engine reports every exception of a Python function as
"Runtime.HandlerError"; Lambda reports the exception's class, and state machines catch by that name.
"""

import contextlib
import fcntl
import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
import types
from pathlib import Path

# Seconds between two savings of the engine's state, so that a machine that stops at once loses little.
SAVE_INTERVAL_S = 60.0
LOCK_ATTEMPTS = 50

WORKER_TEXT = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
WORKER_MENDED = (
    '{"status": "error", "error": str(e), "type": type(e).__name__, "trace": traceback.format_exc()}'
)
SERVICE_TEXT = 'error_type = "Runtime.HandlerError"'
SERVICE_MENDED = 'error_type = result.get("type") or "Runtime.HandlerError"'


def main(home: Path) -> None:
    held = hold(home / "engine.lock")
    record = home / "engine.json"
    record.write_text(json.dumps({"pid": os.getpid(), "port": int(os.environ["GATEWAY_PORT"])}))
    app = importlib.import_module("ministack.app")  # it reads its environment when it is imported

    mend_error_names()
    save_now_and_then(app)
    sys.argv = ["ministack"]
    app.main()
    os.close(held)


def hold(path: Path) -> int:
    """Lock the file for as long as this process lives. A look at the lock may hold it for a moment."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        time.sleep(0.1)
    sys.exit(f"An engine is running already with the data in {path.parent}.")


def mend_error_names() -> None:
    """Let the class of a function's exception reach Step Functions, as it does on AWS."""
    lambda_runtime = importlib.import_module("ministack.core.lambda_runtime")

    script = "_PYTHON_WORKER_SCRIPT"
    setattr(lambda_runtime, script, replace_once(getattr(lambda_runtime, script), WORKER_TEXT, WORKER_MENDED))
    replace_function(importlib.import_module("ministack.services.lambda_svc"), "_execute_function_warm")


def replace_function(module: types.ModuleType, name: str) -> None:
    source = inspect.getsource(getattr(module, name))
    mended = replace_once(source, SERVICE_TEXT, SERVICE_MENDED)
    exec(compile(mended, f"{module.__file__} (mended)", "exec"), module.__dict__)  # noqa: S102 -- the engine's own source


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
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it outlives the terminal that started it
    main(Path(sys.argv[1]))
