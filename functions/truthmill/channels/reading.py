"""What a format's reader is given and what it yields."""

import contextlib
import io
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar
from urllib.parse import unquote

import msgspec

from truthmill.box_check import Drawn
from truthmill.box_columns import DrawnSpan
from truthmill.errors import FormatError
from truthmill.picture_size import MoreNeededError, shown_size, shown_size_by_decoder

Made = TypeVar("Made")
BOM = b"\xef\xbb\xbf"  # what some editors begin UTF-8 with
LONGEST_SIDE = 2**31 - 1  # pixels that a picture may have; formats count them in 32 bits
NO_SCORE = float("nan")  # of a box of which no model says how sure it is
_PICTURES = frozenset({"jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"})
_SPLITS = re.compile(
    r"(?<![a-z])(train(?:ing)?|val(?:id(?:ation)?)?|dev|test(?:ing)?)(?:\d*)(?![a-z])", re.IGNORECASE
)
_FOLDER_NAMES = {"validation": ("validation", "val", "valid", "val2017"), "train": ("train", "train2017")}
_SPLIT_OF = {"tr": "train", "va": "validation", "de": "validation", "te": "test"}


class Files(Protocol):
    """The files that a reader may look at: a folder, an archive, a prefix."""

    @property
    def names(self) -> Sequence[str]:
        """Paths of all files below the source, with slashes, in order; the source may be one file."""

    def chunks(self, name: str) -> Iterable[bytes]:
        """The file's bytes."""

    def parts(self, name: str) -> "Parts | None":
        """The file's bytes, where reading one part needs no reading of those before; None elsewhere."""

    def size_wh(self, name: str) -> tuple[int, int]:
        """Width and height of a picture, pixels, for whose labels don't say it: as it is shown, which is what
        such labels are drawn on. Raises FormatError where it can't be told.
        """

    def in_order(self, count: int, make: Callable[[int], Made]) -> Iterator[Made]:
        """make(0), make(1) … up to count. Another process may make some, where it can read these files;
        so what is made consists of numbers, texts, bytes, and lists and tuples of them.
        """


class Parts(Protocol):
    """A file of which any part can be read. size: bytes."""

    size: int

    def read(self, start: int, stop: int) -> bytes:
        """From one byte up to another; fewer where the file ends before."""

    def in_order(self, count: int, make: Callable[[int], Made]) -> Generator[Made]:
        """As `Files` has it."""


class DrawnPicture(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture as a file of labels tells of it; nothing of it is checked.

    path: among the source's files where it is there, else as the file of labels has it. split: "train",
    "validation" or "test", as names of files and folders tell it. width, height: pixels as the labels say; 0
    where they don't. boxes: pixels. unlabeled: why there is no answer for it; empty where there is one (then
    no boxes means a negative). scores: how sure a model is of each box, NO_SCORE where it doesn't say; empty
    where it says so of none. content: the picture's file, where the format embeds it.
    told_in: the file of labels.
    """

    path: str
    split: str
    width: int = 0
    height: int = 0
    boxes: Drawn = ()
    scores: tuple[float, ...] = ()
    unlabeled: str = ""
    content: bytes = b""
    told_in: str = ""

    @property
    def sound(self) -> bool:
        """Whether its reader has seen already that `check_boxes` has nothing to say of its boxes."""
        return isinstance(self.boxes, DrawnSpan) and self.boxes.is_sound


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in a source.

    labels: the classes; a box's class id is an index in it. pictures: gone through once; raises FormatError.
    notes: what the user should know (classes that got other numbers, what was left out); complete when all
    pictures have been read.
    """

    labels: tuple[str, ...]
    pictures: Iterator[DrawnPicture]
    notes: list[str] = field(default_factory=list)


Reader = Callable[[Files, tuple[str, ...] | None], Reading]


def whole(files: Files, name: str) -> bytes:
    """A file that has to be held."""
    return b"".join(files.chunks(name))


def text_of(files: Files, name: str) -> str:
    """A text file that has to be held; a mark of the byte order is left out. Raises FormatError."""
    try:
        return whole(files, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{name}: it isn't UTF-8, from byte {error.start} on. Save it in that encoding."
        ) from error


def json_of(files: Files, name: str, kind: type[Made]) -> Made:
    """A JSON file that has to be held. Raises FormatError."""
    try:
        return msgspec.json.decode(text_of(files, name), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"{name}: {error}") from error


def head(files: Files, name: str, size: int = 1 << 16) -> bytes:
    """The first bytes of a file."""
    found = b""
    for chunk in files.chunks(name):
        found += chunk
        if len(found) >= size:
            break
    return found[:size]


def split_of(path: str) -> str:
    """The split that a path tells of, its last word first; "train" where it tells of none.

    path: of a file of labels, or of a folder; a picture's own name tells of no split.
    """
    found = _SPLITS.findall(path)
    return _SPLIT_OF[found[-1][:2].lower()] if found else "train"


def is_picture(name: str) -> bool:
    _, dot, ending = name.rpartition(".")
    return bool(dot) and ending.lower() in _PICTURES


def size_of(content: bytes, name: str) -> tuple[int, int]:
    """Width and height of a picture that is in a file of labels, as it is shown. Raises FormatError."""
    with contextlib.suppress(MoreNeededError, OSError):
        return shown_size(content) or shown_size_by_decoder(io.BytesIO(content))
    raise FormatError(f"{name}: its size is needed, and it is no picture.")


def ending_of(content: bytes) -> str:
    """The ending that a picture's file should have, without the dot; "jpg" where its bytes don't tell."""
    kinds = {b"\x89PNG": "png", b"GIF8": "gif", b"BM": "bmp", b"RIFF": "webp"}
    return next((ending for begin, ending in kinds.items() if content.startswith(begin)), "jpg")


class WithoutPictures:
    """The other files of a source, for what goes over all names again and again."""

    def __init__(self, files: Files) -> None:
        self.names = [name for name in files.names if not is_picture(name)]
        self._files = files

    def chunks(self, name: str) -> Iterable[bytes]:
        return self._files.chunks(name)

    def parts(self, name: str) -> Parts | None:
        return self._files.parts(name)

    def size_wh(self, name: str) -> tuple[int, int]:
        return self._files.size_wh(name)

    def in_order(self, count: int, make: Callable[[int], Made]) -> Iterator[Made]:
        return self._files.in_order(count, make)


def stem_of(name: str) -> str:
    """The path without its ending."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)


class Classes:
    """From a source's own names or numbers of classes to indices in the list that is wanted."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._ids = {label: class_id for class_id, label in enumerate(labels)}

    def ids_of(self, names: Sequence[str]) -> list[int]:
        """Raises ValueError for a class that isn't in the list."""
        try:
            return list(map(self._ids.__getitem__, names))
        except KeyError:  # a name with spaces around it, maybe
            return list(map(self.id_of, names))

    def id_of(self, name: str) -> int:
        """Raises ValueError for a class that isn't in the list."""
        found = self._ids.get(name)
        if found is None:
            found = self._ids.get(name.strip())
        if found is None:
            raise ValueError(f"class {name!r} is not one of {list(self.labels)}.")
        return found


def by_number(
    names: dict[int, str], wanted: tuple[str, ...] | None, where: str, notes: list[str]
) -> tuple[tuple[str, ...], dict[int, int]]:
    """The class list of a format that numbers its classes, and from its numbers to indices in the list.

    names: by number. wanted: the list to use; where there is none, it is the names in the order of their
    numbers, and a number that isn't its index then is told in the notes. Raises FormatError.
    """
    ordered = sorted(names.items())
    labels = wanted if wanted is not None else tuple(name for _, name in ordered)
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise FormatError(f"{where}: two classes are named {twice!r}. Give each a name of its own.")
    ids = {label: class_id for class_id, label in enumerate(labels)}
    missing = sorted({name for name in names.values() if name not in ids})
    if missing:
        raise FormatError(f"{where}: class {missing[0]!r} is not one of the labels {list(labels)}.")
    first = ordered[0][0] if ordered else 0
    if wanted is None and [number for number, _ in ordered] != list(range(first, first + len(ordered))):
        moved = ", ".join(f"{number} is now {ids[name]}" for number, name in ordered if number != ids[name])
        notes.append(f"{where}: class numbers have gaps. As indices of the class list, {moved}.")
    return labels, {number: ids[name] for number, name in names.items()}


_KNOWN_PLACES = 64  # of a file of labels with thousands of pictures


class PictureFinder:
    """From how a file of labels calls a picture to its path among the source's files.

    Holds the names of all pictures.
    """

    def __init__(self, files: Files) -> None:
        self._paths = set(filter(is_picture, files.names))
        self._known_places: dict[tuple[str, str, bool], list[str]] = {}

    def are_among(self, paths: AbstractSet[str]) -> bool:
        """Whether these are all pictures, or more."""
        return self._paths <= paths

    def has(self, path: str) -> bool:
        return path in self._paths

    def of_stem(self, *stems: str) -> str:
        """The one picture that is called so but for its ending, by the first of these that any is; or ""."""
        return next((self._by_stem[stem] for stem in stems if stem in self._by_stem), "")

    @cached_property
    def _by_base(self) -> dict[str, str]:
        return self._only_ones(_base)

    @cached_property
    def _by_stem(self) -> dict[str, str]:
        return self._only_ones(lambda path: stem_of(_base(path)))

    def _only_ones(self, name_of: Callable[[str], str]) -> dict[str, str]:
        """The pictures by a name of theirs; "" where several have it."""
        found: dict[str, str] = {}
        for path in self._paths:
            name = name_of(path)
            found[name] = "" if name in found else path
        return found

    def find(self, called: str, beside: str = "", split: str = "") -> str:
        """called: as the labels have it; beside: the file of labels; split: breaks a tie.

        Where no file of the source fits, it is what it is called; so it is as a URL has it, with %20 for a
        space.
        """
        if "\\" in called:  # of Windows, unless a picture has that very name
            very = self._place_of(called, beside, split)
            return very if self.has(very) else self.find(called.replace("\\", "/"), beside, split)
        called = called.removeprefix("./")
        return self._place_of(called, beside, split)

    def _place_of(self, called: str, beside: str, split: str) -> str:
        if not self._paths:
            return called
        for place in self._places(beside.rpartition("/")[0], split, "/" in called):
            if (path := place + called) in self._paths:
                return path
        only = self._by_base.get(_base(called))
        there = only.rpartition("/")[0] if only else ""
        elsewhere = split and _SPLITS.search(there) and split_of(there) != split
        if only and not elsewhere:
            return only
        plain = unquote(called)
        return self.find(plain, beside, split) if plain != called else called

    def _places(self, folder: str, split: str, in_folder: bool) -> list[str]:
        """Where it may lie: a bare name only in folders that have pictures, others anywhere."""
        asked = folder, split, in_folder
        if asked not in self._known_places:
            if len(self._known_places) == _KNOWN_PLACES:
                self._known_places.clear()
            self._known_places[asked] = [
                place for place in _places(folder, split) if in_folder or place in self._folders
            ]
        return self._known_places[asked]

    @cached_property
    def _folders(self) -> set[str]:
        return {path[: path.rfind("/") + 1] for path in self._paths}


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _places(folder: str, split: str) -> tuple[str, ...]:
    """What may stand before the name of a picture in a file of labels of that folder, the likeliest first."""
    parent = folder.rpartition("/")[0]
    beside, above = f"{folder}/" if folder else "", f"{parent}/" if parent else ""
    names = _FOLDER_NAMES.get(split, (split,) if split else ())
    named = tuple(f"{name}/" for name in names)
    return (beside, "", above, f"{above}images/", *(f"images/{name}" for name in named), *named)
