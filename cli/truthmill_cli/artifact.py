"""Packs what `sam build` made, once for all functions that share it.

SAM itself packs a directory again for each function that names it: a dozen times the same 140 MB.
"""

import re
import shutil
import zipfile
from pathlib import Path

_CODE = re.compile(r"^(\s+CodeUri: )(\S+)$", re.MULTILINE)
_TIME = (1980, 1, 1, 0, 0, 0)  # equal content makes an equal archive, which is uploaded once
_READABLE, _EXECUTABLE = 0o644, 0o755
_LEVEL = 4  # against 1 a second more, and a tenth less to upload and to fetch at each cold start


def pack(built: Path) -> None:
    """Replace each directory that the built template names as code by an archive of it."""
    template = built / "template.yaml"

    def packed(match: re.Match[str]) -> str:
        directory = built / match[2]
        archive = directory.with_name(f"{directory.name}.zip")
        if directory.is_dir() and directory.parent == built:
            _write(directory, archive)
            shutil.rmtree(directory)
        return f"{match[1]}{archive.name}" if archive.is_file() else match[0]

    template.write_text(_CODE.sub(packed, template.read_text(encoding="utf-8")), encoding="utf-8")


def _write(directory: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as target:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                mode = _EXECUTABLE if path.stat().st_mode & 0o100 else _READABLE
                entry.external_attr = (0o100000 | mode) << 16  # a regular file, in the form of Unix
                target.writestr(entry, path.read_bytes(), compresslevel=_LEVEL)
