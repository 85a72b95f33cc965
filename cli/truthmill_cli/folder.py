"""A local folder of pictures as an archive."""

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from truthmill_cli.console import step
from truthmill_cli.errors import UsageError

_TIME = (1980, 1, 1, 0, 0, 0)  # the same folder makes the same archive, whenever it was copied


@contextlib.contextmanager
def packed(folder: Path) -> Iterator[Path]:
    """An archive of every file below the folder, named as the folder, for as long as the context lasts.

    Pictures are compressed already, so they are stored as they are: the archive is as large as the folder.
    Raises UsageError where there is no file.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise UsageError(f"{folder} has no files. Name a folder of pictures, or a zip of them.")
    with tempfile.TemporaryDirectory(prefix="truthmill-") as directory:
        archive = Path(directory) / f"{folder.resolve().name}.zip"
        with step(f"Packing {len(files)} files of {folder}"), zipfile.ZipFile(archive, "w") as target:
            for path in files:
                _add(target, path, path.relative_to(folder).as_posix())
        yield archive


def _add(target: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _TIME)
    with path.open("rb") as source, target.open(entry, "w", force_zip64=True) as written:
        while block := source.read(1 << 20):
            written.write(block)
