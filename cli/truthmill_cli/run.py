"""`truthmill run`: brings a source to the stack and starts the state machine on it."""

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.storage import PART, Storage
from truthmill import layout, request_reading
from truthmill.archive_directory import open_directory
from truthmill.errors import ArchiveError, RequestError
from truthmill.request import Request
from truthmill_cli import stack
from truthmill_cli.console import progress, say
from truthmill_cli.errors import UsageError
from truthmill_cli.folder import packed
from truthmill_cli.stack import Stack


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that was checked. local: the zip or folder on this machine that has to be brought to it."""

    request: dict[str, Any]
    local: Path | None


def prepare(source: str, file: Path | None, options: Mapping[str, Any]) -> Prepared:
    """Check all that can be checked here, before anything is sent. Raises UsageError."""
    if source.startswith("s3://"):
        return Prepared(assemble(source, file, options), None)
    local = Path(source)
    if local.is_file() and local.suffix.lower() != ".zip":
        raise UsageError(f"{source} isn't a zip. Name a zip or a folder of pictures.")
    if not local.exists():
        raise UsageError(f"{source} isn't there. Name a zip or a folder on this machine, or an s3:// URI.")
    named = local.name if local.is_file() else f"{local.resolve().name}.zip"
    return Prepared(assemble(f"s3://uploads/{named}", file, options), local)


def start(where: Stack, storage: Storage, prepared: Prepared) -> str:
    """Bring the source to the bucket where it isn't there yet, and start an execution on it; its ARN."""
    if prepared.local is None:
        return start_execution(where, prepared.request)
    folder = prepared.local.is_dir()
    with packed(prepared.local) if folder else contextlib.nullcontext(prepared.local) as archive:
        key = upload_key(archive)
        upload(archive, storage, key)
    return start_execution(where, prepared.request | {"source": storage.uri(key)})


def start_execution(where: Stack, given: Mapping[str, Any]) -> str:
    """Start an execution with a request; its ARN."""
    name = execution_name(str(given.get("dataset") or layout.dataset_name(str(given["source"]))))
    started = stack.client("stepfunctions").start_execution(
        stateMachineArn=where.state_machine, name=name, input=json.dumps(given, ensure_ascii=False)
    )
    return str(started["executionArn"])


def again(
    storage: Storage, dataset: str, file: Path | None, options: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """The request for what is in a dataset already: its unanswered pictures, or a new split of it.

    What neither the file nor the options say is as it was last time: the state machine looks that up.
    Raises UsageError.
    """
    if not storage.exists(layout.ledger(dataset)):
        raise UsageError(f"There is no dataset {dataset!r} with pictures. `truthmill status` lists them.")
    given = _overlaid(_read_request(file) if file else {}, options) | {
        "source": storage.uri(layout.dataset_prefix(dataset)),
        "dataset": dataset,
        "trigger": "cli",
    }
    understood(given)
    return given


def execution_name(dataset: str) -> str:
    """A name that tells the dataset and the time (UTC) in Step Functions' console; unique."""
    return f"{dataset}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def assemble(source: str, file: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The request: the file's keys, and over them what the command line says. Raises UsageError.

    options: with dots for nested keys ("split.seed"); None where the command line says nothing.
    """
    given = _overlaid(_read_request(file) if file else {}, options)
    given |= {"source": source, "trigger": "cli"}
    understood(given)
    return given


def understood(given: Mapping[str, Any]) -> Request:
    """The request as the state machine will read it; labels may come from elsewhere. Raises UsageError."""
    try:
        return request_reading.parse(given, {}, {"labels": ["named by the archive or the stack"]})
    except RequestError as error:
        raise UsageError(str(error)) from error


def _overlaid(given: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The request with what the command line says over it; dots in an option's name lead to nested keys."""
    for path, value in options.items():
        if value is None:
            continue
        *parents, last = path.split(".")
        part = given
        for name in parents:
            part = part.setdefault(name, {})
        part[last] = value
    return given


def _read_request(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} isn't a JSON object: {error}.") from error


def upload_key(archive: Path) -> str:
    """Where a local archive goes: below digits of its directory's digest, so that equal ones share a key.

    Raises UsageError where it isn't an archive that can be read.
    """
    try:
        with archive.open("rb") as file:
            digest = open_directory(_reader(file), archive.stat().st_size, archive.name).digest
    except OSError as error:
        raise UsageError(f"{archive} can't be read: {error.strerror}.") from error
    except ArchiveError as error:
        raise UsageError(str(error)) from error
    return f"{layout.UPLOADS}{digest[:16]}/{archive.name}"


def upload(archive: Path, storage: Storage, key: str) -> None:
    """Stream a local archive into the bucket, unless it is there already."""
    size = archive.stat().st_size
    try:
        if storage.head(key).size == size:
            say(f"{archive.name} is in the bucket already.")
            return
    except FileNotFoundError:
        pass
    columns = (
        TextColumn("Uploading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress, transient=True) as bar, archive.open("rb") as file:
        task = bar.add_task(archive.name, total=size)
        storage.write(key, _parts(file, lambda count: bar.advance(task, count)), "application/zip")
    say(f"Uploaded {archive.name} to {storage.uri(key)}")


def _parts(file: IO[bytes], advance: Any) -> Iterator[bytes]:
    while part := file.read(PART):
        yield part
        advance(len(part))


def _reader(file: IO[bytes]) -> Any:
    def read(start: int, length: int) -> bytes:
        file.seek(start)
        return file.read(length)

    return read
