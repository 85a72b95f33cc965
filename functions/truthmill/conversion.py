"""From what a reader found to labeled pictures that any writer takes: boxes checked, names made unique."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from truthmill.box_check import check_boxes
from truthmill.box_columns import DrawnSpan, Span
from truthmill.channels.reading import LONGEST_SIDE, DrawnPicture, Files, Reading, size_of
from truthmill.dataset import LabeledPicture
from truthmill.errors import FormatError
from truthmill.labels import problem_of
from truthmill.told_twice import Records

if TYPE_CHECKING:
    from truthmill.box_check import Finding
    from truthmill.dataset import Boxes


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of findings.jsonl: a box that was cut or dropped, or a picture that was left out.

    reason: a key of `box_check.FINDINGS`, or "not-labeled". box: left, top, width, height as it came, pixels.
    """

    path: str
    reason: str
    detail: str = ""
    label: str = ""
    box: tuple[float, float, float, float] | None = None
    kept: bool = False


class Outcome(msgspec.Struct, rename="camel"):
    """What a conversion came to. renamed: pictures whose file had to get another name."""

    pictures: int = 0
    boxes: int = 0
    negatives: int = 0
    not_labeled: int = 0
    boxes_cut: int = 0
    boxes_dropped: int = 0
    boxes_in_doubt: int = 0
    renamed: int = 0


def check_labels(labels: Sequence[str], source_format: str) -> None:
    """Raises FormatError for a class name that some format couldn't hold."""
    for number, label in enumerate(labels):
        if problem := problem_of(label):
            raise FormatError(
                f"Class {number} of the {source_format} source is {label!r}, which {problem}. "
                "Rename it in the source."
            )


def labeled_pictures(
    reading: Reading,
    files: Files,
    tell: Callable[[Told], None],
    outcome: Outcome,
    records: Records,
    unlabeled: Literal["leave-out", "negative"] = "leave-out",
    *,
    verify: bool = False,
    in_columns: bool = False,
) -> Iterator[tuple[LabeledPicture, bytes]]:
    """Each labeled picture with its bytes where the source embeds them; its key is its path in the source.

    tell: is given every finding. unlabeled: what becomes of pictures without an answer. verify: whether the
    size that the labels say is compared with the picture's own. records: of this pass. in_columns: whether
    boxes may stay a Span, instead of a tuple.
    Raises FormatError; a size that is neither said nor to be read is one too.
    """
    for drawn in reading.pictures:
        if drawn.unlabeled and unlabeled == "leave-out":
            outcome.not_labeled += 1
            tell(Told(drawn.path, "not-labeled", drawn.unlabeled))
            continue
        width, height = drawn.width, drawn.height
        if verify or width < 1 or height < 1:
            width, height = _size(drawn, files)
        if width > LONGEST_SIDE or height > LONGEST_SIDE:
            raise FormatError(f"{drawn.path}: no picture has {width} x {height} pixels.")
        kept, findings = _checked(drawn, width, height)
        if not in_columns and isinstance(kept, Span):
            kept = tuple(kept)
        if not records.is_new(drawn, (width, height), kept):
            continue
        for finding in findings:
            box = finding.box
            outcome.boxes_dropped += not finding.kept
            outcome.boxes_cut += finding.reason == "cut"
            outcome.boxes_in_doubt += finding.kept and finding.reason != "cut"
            tell(
                Told(
                    drawn.path,
                    finding.reason,
                    label=reading.labels[box.class_id],
                    box=(box.left, box.top, box.width, box.height),
                    kept=finding.kept,
                )
            )
        outcome.pictures += 1
        outcome.boxes += len(kept)
        outcome.negatives += not kept
        yield (
            LabeledPicture(key=drawn.path, split=drawn.split, width=width, height=height, boxes=kept),
            drawn.content,
        )


def _checked(drawn: DrawnPicture, width: int, height: int) -> "tuple[Boxes, tuple[Finding, ...]]":
    boxes = drawn.boxes
    if isinstance(boxes, DrawnSpan) and boxes.is_sound:
        return boxes.whole, ()
    checked = check_boxes(boxes, width, height)
    return checked.kept, checked.findings


def _size(drawn: DrawnPicture, files: Files) -> tuple[int, int]:
    """The picture's own, which must be what the labels say, if they do."""
    said = drawn.width, drawn.height
    found = size_of(drawn.content, drawn.path) if drawn.content else files.size_wh(drawn.path)
    if min(said) > 0 and found != said:
        raise FormatError(
            f"{drawn.path}: the labels are for {said[0]} x {said[1]} pixels, the picture has {found[0]} x "
            f"{found[1]} as it is shown; its boxes would lie elsewhere."
        )
    return found


_LONGEST_NAME = 240  # bytes of a file's name; file systems take 255, and an ending or a number may follow
_SURELY_SHORT = 50  # characters, of four bytes each at most
_BEGINNINGS = (".", "=", "+", "-", "@")


def _seen(name: str) -> str:
    """As file systems compare names that don't tell case and accents' forms apart."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


class Names:
    """File names of which no two differ only in their ending, in upper and lower case, or in how Unicode
    writes an accent.

    Holds a number for each name: about 100 bytes a picture.
    """

    def __init__(self, *, one_folder: bool) -> None:
        """one_folder: whether the splits share one, so that names are unique over all."""
        self._one_folder = one_folder
        self._taken: set[int] = set()

    def unique(self, picture: LabeledPicture) -> str:
        """The last part of its path, with -2, -3 … before the ending where the name is taken.

        Characters that don't print become "_", for lists that have a name a line; so do backslashes, which
        readers take for folders. A "_" goes before a dot,
        for readers that pass over hidden files, and before what a spreadsheet takes for the beginning of a
        formula or a command for that of an option. A stem that leaves no room for other endings is cut.
        """
        base = picture.key.rpartition("/")[2]
        base = base.replace("\\", "_")
        name = base if base.isprintable() else "".join(c if c.isprintable() else "_" for c in base)
        name = f"_{name}" if name.startswith(_BEGINNINGS) else name
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, dot + ending) if stem else (name, "")
        if len(stem) > _SURELY_SHORT:
            stem = stem.encode()[: _LONGEST_NAME - len(ending.encode())].decode(errors="ignore")
        folder = "" if self._one_folder else picture.split
        tried, number = stem, 1
        while (mark := hash((folder, _seen(tried)))) in self._taken:
            number += 1
            tried = f"{stem}-{number}"
        self._taken.add(mark)
        return tried + ending
