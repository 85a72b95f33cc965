"""Builds and deploys the templates on the local engine, with SAM, and only where something changed."""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from truthmill_cli import artifact, engine
from truthmill_cli.checkout import Checkout
from truthmill_cli.errors import FailedError
from truthmill_cli.home import Home

KEPT_BUILDS = 4
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Template:
    """One of the two templates. name: of its build directory and log; stack: of what is deployed."""

    name: str
    stack: str
    path: str


LABELING = Template("labeling", "truthmill-labeling", "labeling/template.yaml")
PIPELINE = Template("pipeline", "truthmill", "template.yaml")


def machine_parameters() -> dict[str, str]:
    """The runtime and architecture that functions have here: the engine runs them as it runs itself."""
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if architecture is None:
        raise FailedError(f"Functions run on x86_64 and arm64; this machine is {platform.machine()}.")
    return {
        "FunctionRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "FunctionArchitecture": architecture,
    }


def digest(checkout: Checkout, template: Template) -> str:
    """What a build is made from: one digest of every file and of this machine's parameters."""
    files = [checkout.root / template.path, checkout.root / "requirements" / "sam.txt", *_sources(checkout)]
    whole = hashlib.sha256(json.dumps(machine_parameters()).encode())
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(checkout.root).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _sources(checkout: Checkout) -> Iterable[Path]:
    for directory in (checkout.functions, checkout.root / "statemachine"):
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def build(home: Home, checkout: Checkout, templates: Iterable[Template]) -> dict[str, Path]:
    """Build what isn't built yet, side by side; each template's built directory, by name.

    A build lies under the digest of what it is made from, in the checkout: homes share it, and a change
    during a deployment harms nobody.
    """
    built = {template.name: _place(checkout, template) for template in templates}
    started = []
    for template in templates:
        if not built[template.name].is_dir():
            partial = built[template.name].with_suffix(f".{os.getpid()}")
            started.append((template, _start_build(home, checkout, template, partial), partial))
    try:
        for template, process, partial in started:
            if process.wait() != 0:
                raise _failed(home, template, "build")
            artifact.pack(partial)
            _publish(partial, built[template.name])
    finally:
        for _, process, partial in started:
            process.terminate()
            shutil.rmtree(partial, ignore_errors=True)
    return built


def _place(checkout: Checkout, template: Template) -> Path:
    return checkout.builds / f"{template.name}-{digest(checkout, template)[:16]}"


def _publish(partial: Path, built: Path) -> None:
    """Give a finished build its name, and forget all but the newest ones of the same template."""
    with contextlib.suppress(OSError):  # somebody else was faster
        partial.rename(built)
    same = built.name.rpartition("-")[0]
    others = sorted(built.parent.glob(f"{same}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT_BUILDS:]:
        shutil.rmtree(path, ignore_errors=True)


def deploy(
    home: Home, checkout: Checkout, template: Template, built: Path, endpoint: str, values: Mapping[str, str]
) -> None:
    """Deploy a built template with its parameters. Raises FailedError with the end of SAM's output."""
    command: list[str | Path] = [
        *(checkout.sam, "deploy", "--template-file", built / "template.yaml"),
        *("--stack-name", template.stack, "--region", engine.REGION, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *(f"{name}={_quoted(value)}" for name, value in values.items())),
    ]
    with _log(home, template, "deploy").open("wb") as output:
        done = subprocess.run(
            command,
            cwd=home.path,
            env=_environment(checkout) | engine.CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise _failed(home, template, "deploy")


def _quoted(value: str) -> str:
    """SAM splits parameters at spaces and commas unless they are quoted."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _start_build(
    home: Home, checkout: Checkout, template: Template, directory: Path
) -> "subprocess.Popen[bytes]":
    parameters = [f"{name}={value}" for name, value in machine_parameters().items()]
    command: list[str | Path] = [
        *(checkout.sam, "build", "--template-file", checkout.root / template.path),
        *("--build-dir", directory, "--beta-features"),
        *("--parameter-overrides", *parameters),
    ]
    with _log(home, template, "build").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=home.path,
            env=_environment(checkout),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _environment(checkout: Checkout) -> dict[str, str]:
    """The user's environment without their AWS set-up; SAM's tools come first, `uv` among them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    return kept | {
        "PATH": f"{checkout.sam.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": engine.REGION,
    }


def _log(home: Home, template: Template, verb: str) -> Path:
    return home / f"sam-{verb}-{template.name}.log"


def _failed(home: Home, template: Template, verb: str) -> FailedError:
    log = _log(home, template, verb)
    return FailedError(f"`sam {verb}` of {template.path} failed. The end of {log}:\n{engine.tail(log, 40)}")
