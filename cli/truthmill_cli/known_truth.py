"""A known truth: a COCO file's boxes, found by a picture's name or by its content."""

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageOps

from truthmill.layout import safe_name


@dataclass(frozen=True, slots=True)
class TruthBox:
    """A box in pixels of the upright picture; COCO allows fractions."""

    label: str
    left: float
    top: float
    width: float
    height: float


@dataclass
class Truth:
    """Boxes by the file name in the COCO file. images_dir: where those files are, or None."""

    boxes_of: dict[str, tuple[TruthBox, ...]]
    images_dir: Path | None
    _by_safe_name: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, images_dir: Path | None = None) -> "Truth":
        """Read a COCO file. Raises ValueError that names what it lacks."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            labels = {category["id"]: category["name"] for category in document["categories"]}
            boxes: dict[int, list[TruthBox]] = defaultdict(list)
            for annotation in document["annotations"]:
                label = labels[annotation["category_id"]]
                boxes[annotation["image_id"]].append(TruthBox(label, *annotation["bbox"]))
            found = {image["file_name"]: tuple(boxes[image["id"]]) for image in document["images"]}
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} isn't a COCO file of objects with boxes: {error!r}") from error
        return cls(found, images_dir)

    def boxes(self, name: str, stored_name: str, picture: bytes) -> Sequence[TruthBox] | None:
        """The boxes of a picture; None where the truth doesn't know it.

        name: of the stored picture, without its digest. stored_name: with it. picture: its bytes. The name
        decides where just one file can have it, then the content.
        """
        named = self._named(name)
        if len(named) == 1:
            return self.boxes_of[named[0]]
        file_name = self._by_content(stored_name[:8], picture, named or list(self.boxes_of))
        return None if file_name is None else self.boxes_of[file_name]

    def _named(self, name: str) -> list[str]:
        """The files whose name, made safe as stored pictures' names are, is this one."""
        extension = Path(name).suffix
        if extension not in self._by_safe_name:
            names: dict[str, list[str]] = defaultdict(list)
            for file_name in self.boxes_of:
                names[safe_name(file_name, extension)].append(file_name)
            self._by_safe_name[extension] = dict(names)
        return self._by_safe_name[extension].get(name, [])

    def _by_content(self, digest: str, picture: bytes, among: list[str]) -> str | None:
        if self.images_dir is None:
            return None
        same = [name for name in among if name in self._digests and self._digests[name].startswith(digest)]
        if len(same) == 1:
            return same[0]
        shown = pixels(picture)
        return next((name for name in among if shown and self._pixels_of.get(name) == shown), None)

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self._files().items()}

    @cached_property
    def _pixels_of(self) -> dict[str, str]:
        return {name: pixels(path.read_bytes()) for name, path in self._files().items()}

    def _files(self) -> dict[str, Path]:
        assert self.images_dir is not None  # noqa: S101 for the type checker: callers have looked
        paths = {name: self.images_dir / name for name in self.boxes_of}
        return {name: path for name, path in paths.items() if path.is_file()}


def pixels(picture: bytes) -> str:
    """Digest of a picture's upright RGB pixels; empty where it can't be decoded."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(repr(upright.size).encode() + upright.tobytes()).hexdigest()
