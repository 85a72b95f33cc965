"""Which split a picture of a YOLO dataset is on: as `train`, `val` and `test` of its data.yaml say.

Each is a folder, a text file with a picture a line, or a list of either, below `path` or beside the file.
What is written there is often another machine's path, or one level off (`../train/images`), so of each the
longest end that is found in the source counts.
Source: "Dataset YAML" in "Object Detection Datasets Overview" at docs.ultralytics.com.
"""

from collections.abc import Iterator, Mapping

from truthmill.channels.reading import Files, is_picture, split_of, text_of
from truthmill.channels.yaml_text import Node

SPLITS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}


class Sides:
    """Holds the names of the pictures' folders, and where data.yaml names lists, those of all pictures."""

    def __init__(self, files: Files, where: str, document: Mapping[str, Node]) -> None:
        """where: name of the data.yaml; document: its content, empty where there is none."""
        inner = {name.rpartition("/")[0] for name in files.names if is_picture(name)}
        self._folders = inner | {folder for name in inner for folder in _above(name)}
        self._known: dict[str, str] = {}
        self._of_folder: dict[str, str] = {}
        beside = _parts(where)[:-1]
        root = document.get("path", "")
        below = [*beside, *_parts(root if isinstance(root, str) else "")]
        for key, split in SPLITS.items():
            value = document.get(key, "")
            for entry in [value] if isinstance(value, str) else list(value):
                if entry.lower().endswith(".txt"):
                    self._add_list(files, [*below, *_parts(entry)], split)
                elif entry and entry not in ("null", "~"):
                    self._add(_longest_end([*below, *_parts(entry)], self._folders), split)

    def _add(self, found: str | None, split: str) -> None:
        if found is not None:
            # One folder for two splits says nothing: what is written where a split is empty.
            self._known[found] = "" if self._known.get(found, split) != split else split

    def _add_list(self, files: Files, parts: list[str], split: str) -> None:
        names = set(files.names)
        list_ = _longest_end(parts, names)
        if not list_:
            return
        beside = _parts(list_)[:-1]
        for line in text_of(files, list_).splitlines():
            if line.strip():
                self._add(_longest_end([*beside, *_parts(line)], names), split)

    def of(self, path: str) -> str:
        """A list that names the picture decides, else the nearest folder that data.yaml names, else what the
        folders are called.
        """
        folder = path.rpartition("/")[0]
        if folder not in self._of_folder:
            said = (split for each in (folder, *_above(folder)) if (split := self._known.get(each)))
            self._of_folder[folder] = next(said, "") or split_of(folder)
        return self._known.get(path) or self._of_folder[folder]


def _parts(path: str) -> list[str]:
    return [part for part in path.strip().replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _above(path: str) -> Iterator[str]:
    """The folders that it lies in, the nearest first; the source itself is the empty one."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _longest_end(parts: list[str], there: set[str]) -> str | None:
    """The longest end of the path that is in the source; of no parts the source itself."""
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((end for end in ends if end in there), None if parts else "")
