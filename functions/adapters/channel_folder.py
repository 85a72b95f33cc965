"""Formats on this machine: a folder's or zip's files for readers, a folder that a writer's pieces make."""

import contextlib
import os
import shutil
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Self

from adapters.file_writer import FileWriter
from adapters.two_readers import in_order
from truthmill.channels.reading import Made
from truthmill.channels.writing import Append, Close, Copy, Event, Whole
from truthmill.errors import FormatError, SourceError
from truthmill.picture_size import MoreNeededError, shown_size, shown_size_by_decoder

CHUNK = 1 << 20  # bytes read at a time
_FIRST = 1 << 16  # bytes read at first, which are all there is of a picture's labels
_HEAD = 4096  # bytes of a picture that usually tell its size
_HELD = 64 * 1024  # bytes of a piece that are held before they are written


class Folder:
    """The files of a folder, or one file of it."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where there is nothing."""
        if not path.exists():
            raise SourceError(f"{path} isn't there. Name a folder, a zip, or a file of labels.")
        self.root = path if path.is_dir() else path.parent
        self.names = [path.name]
        if path.is_dir():
            self.names = []
            _list(str(path), "", self.names)
            self.names.sort()
        self._prefix = f"{self.root}/"

    def chunks(self, name: str) -> Iterator[bytes]:
        descriptor = os.open(self._prefix + name, os.O_RDONLY)  # of small files, a file object costs more
        try:
            asked = _FIRST
            while chunk := os.read(descriptor, asked):
                yield chunk
                if len(chunk) < asked:
                    break
                asked = CHUNK
        finally:
            os.close(descriptor)

    def parts(self, name: str) -> "_Parts":
        return _Parts(self._prefix + name)

    def size_wh(self, name: str) -> tuple[int, int]:
        try:
            if found := self._size_at_once(name):
                return found
            with Path(self._inside(name)).open("rb") as file:
                return _size(file, name)
        except OSError as error:
            raise _no_size(name) from error

    def _size_at_once(self, name: str) -> tuple[int, int] | None:
        descriptor = os.open(self._inside(name), os.O_RDONLY)
        try:
            return shown_size(os.read(descriptor, _HEAD))
        except MoreNeededError:
            return None
        finally:
            os.close(descriptor)

    def in_order(self, count: int, make: Callable[[int], Made]) -> Iterator[Made]:
        return in_order(count, make)

    def place(self, name: str, target: Path) -> bool:
        """Have the file lie there too: as another name of it where the disk allows that, else as a copy.

        False where the source doesn't have it.
        """
        try:
            os.link(self._inside(name), target)
        except FileNotFoundError:
            return False
        except OSError:
            shutil.copyfile(self._inside(name), target)
        return True

    def content(self, name: str) -> bytes:
        return Path(self._inside(name)).read_bytes()

    def _inside(self, name: str) -> str:
        """Where a file is that labels name. Raises FileNotFoundError for one outside of the source: labels
        from elsewhere shall not make a dataset of what else is on the machine.
        """
        if (".." in name and ".." in name.split("/")) or "\0" in name:
            raise FileNotFoundError(name)
        return self._prefix + name


class _Parts:
    """A file's."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.size = os.stat(path).st_size  # noqa: PTH116 - beside its reader

    def read(self, start: int, stop: int) -> bytes:
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            found = b""
            while more := os.pread(descriptor, stop - start - len(found), start + len(found)):
                found += more
            return found
        finally:
            os.close(descriptor)

    def in_order(self, count: int, make: Callable[[int], Made]) -> Generator[Made]:
        return in_order(count, make)


class Archive:
    """The files of a zip."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where it is none."""
        try:
            self._archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise SourceError(f"{path} is no whole zip: {error}.") from error
        listed = (info.filename for info in self._archive.infolist() if not info.is_dir())
        self.names = sorted(_without_litter(listed))

    def chunks(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def parts(self, name: str) -> None:
        del name  # what comes before has to be unpacked

    def size_wh(self, name: str) -> tuple[int, int]:
        try:
            with self._archive.open(name) as file:
                return _size(file, name)
        except KeyError as error:
            raise _no_size(name) from error

    def in_order(self, count: int, make: Callable[[int], Made]) -> Iterator[Made]:
        return map(make, range(count))  # of one file that is read here and there

    def place(self, name: str, target: Path) -> bool:
        """Write the file there; False where the source doesn't have it."""
        try:
            with self._archive.open(name) as file, target.open("wb") as written:
                shutil.copyfileobj(file, written)
        except KeyError:
            return False
        return True

    def content(self, name: str) -> bytes:
        return self._archive.read(name)


def open_source(path: Path) -> Folder | Archive:
    """A zip, a folder, or a file of labels. Raises SourceError."""
    if path.is_file() and (zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"):
        return Archive(path)
    return Folder(path)


def _without_litter(names: Iterable[str]) -> Iterator[str]:
    """Without what a Mac puts beside files, and what lies in hidden folders: state of tools, copies."""
    for name in names:
        if "__MACOSX/" in name or "/." in name or name.startswith("."):
            *folders, base = name.split("/")
            hidden = any(folder.startswith(".") and folder not in (".", "..") for folder in folders)
            if hidden or "__MACOSX" in folders or base.startswith("._"):
                continue
        yield name


def _leads_back(root: str, link: str) -> bool:
    """Whether a link to a folder leads to one that it lies in."""
    return f"{os.path.realpath(root)}/".startswith(f"{os.path.realpath(link)}/")


def _list(root: str, prefix: str, found: list[str]) -> None:
    """Add what lies below a folder, but for `_without_litter`'s litter; prefix: before each name."""
    with os.scandir(root) as entries:
        for entry in entries:
            name = entry.name
            if not entry.is_dir():
                if not name.startswith("._"):
                    found.append(prefix + name)
            elif (
                not name.startswith(".")
                and name != "__MACOSX"
                and not (entry.is_symlink() and _leads_back(root, entry.path))
            ):
                _list(entry.path, f"{prefix}{name}/", found)


def _size(file: IO[bytes] | Any, name: str) -> tuple[int, int]:
    head = file.read(_HEAD)
    found = None
    while found is None:
        try:
            found = shown_size(head)
        except MoreNeededError as error:
            more = file.read(max(error.bytes_needed - len(head), _HEAD))
            if not more:
                raise _no_size(name) from error
            head += more
        else:
            break
    if found:
        return found
    try:
        file.seek(0)
        return shown_size_by_decoder(file)
    except OSError as error:
        raise _no_size(name) from error


def _no_size(name: str) -> FormatError:
    return FormatError(
        f"{name}: its size is needed, and the picture isn't there or isn't one. "
        "Put the pictures beside their labels."
    )


class FolderWriter:
    """Puts a writer's pieces together below a folder that is new.

    missing: pictures that should lie there too and aren't in the source.
    """

    def __init__(self, root: Path, source: Folder | Archive, *, with_pictures: bool) -> None:
        self.root, self._source, self._with_pictures = root, source, with_pictures
        self.missing = 0
        self.content = b""  # of the picture that is being written, where its source embeds it
        self._folders: set[str] = set()
        self._whole = FileWriter(str(root))
        self._files: dict[str, dict[int, _Piece]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            for name in list(self._files):
                self._close(name)
            if failed is None:
                self._whole.close()
        finally:
            self._whole.stop()

    def write(self, events: Iterable[Event]) -> None:
        for event in events:
            kind = type(event)
            if kind is Whole:
                self._path(event.file)
                self._whole.add(event.file, event.data)  # type: ignore[union-attr]
            elif isinstance(event, Append):
                sections = self._files.setdefault(event.file, {})
                if event.section not in sections:
                    sections[event.section] = _Piece(self._path(event.file), event.section)
                sections[event.section].append(event.data)
            elif isinstance(event, Copy):
                self._place(event)
            elif isinstance(event, Close):
                self._close(event.file)

    def _path(self, file: str) -> str:
        folder = file.rpartition("/")[0]
        if folder not in self._folders:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        return f"{self.root}/{file}"

    def _place(self, copy: Copy) -> None:
        if not self._with_pictures:
            return
        target = Path(self._path(copy.file))
        if self.content:
            target.write_bytes(self.content)
        elif not self._source.place(copy.key, target):
            self.missing += 1

    def _close(self, name: str) -> None:
        sections = sorted(self._files.pop(name).items())
        _, first = sections[0]
        with first.whole() as target:
            for _, piece in sections[1:]:
                piece.move_to(target)


class _Piece:
    """A section of a file: the file itself, or what will be put at its end."""

    def __init__(self, path: str, section: int) -> None:
        self._path = f"{path}.part{section}" if section else path
        self._file = open(self._path, "wb", buffering=_HELD)  # noqa: SIM115, PTH123 - closed by `whole`
        self.append = self._file.write

    @contextlib.contextmanager
    def whole(self) -> Iterator[IO[bytes]]:
        with self._file as file:
            yield file

    def move_to(self, target: IO[bytes]) -> None:
        self._file.close()
        with open(self._path, "rb") as source:  # noqa: PTH123 - beside its writer
            shutil.copyfileobj(source, target, CHUNK)
        os.unlink(self._path)  # noqa: PTH108 - beside its writer
