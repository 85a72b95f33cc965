"""`truthmill convert`: labels from one format to another, files to files, without AWS."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from adapters.channel_folder import Archive, Folder, FolderWriter, open_source
from truthmill.box_columns import Span
from truthmill.channels import CHANNELS, Channel, detect, reader
from truthmill.channels.writing import Copy, Counts, Shard
from truthmill.conversion import Names, Outcome, Told, check_labels, labeled_pictures
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError
from truthmill.layout import SPLITS
from truthmill.s3_uri import s3_location
from truthmill.told_twice import Records
from truthmill_cli.errors import UsageError
from truthmill_cli.unfinished import clear, unfinished

FINDINGS = "findings.jsonl"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to convert.

    labels: the class list, where the source has none or another is wanted. at: where the pictures lie in S3,
    for formats that refer to them. pixels_from: as `channels.reader` has it, the rest as
    `conversion.labeled_pictures`.
    """

    source_format: str = ""
    labels: tuple[str, ...] | None = None
    with_pictures: bool = True
    unlabeled: Literal["leave-out", "negative"] = "leave-out"
    at: str = ""
    verify: bool = False
    pixels_from: int | None = None


def convert(source: Path, target: Path, to: str, options: Options) -> dict[str, Any]:
    """Write `target`, a new folder, and answer with counts; what `--json` prints.

    The folder is there when it is complete, and not before. Raises UsageError, FormatError, SourceError.
    """
    if to not in CHANNELS:
        raise UsageError(f"--to {to!r} is no format. Choose from {', '.join(CHANNELS)}.")
    if options.source_format and options.source_format not in CHANNELS:
        raise UsageError(f"--from {options.source_format!r} is no format. Choose from {', '.join(CHANNELS)}.")
    if options.at and not options.at.startswith("s3://"):
        raise UsageError(f"--pictures-at {options.at!r} isn't s3://bucket/prefix/.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already. Name a new folder.")
    files = open_source(source)
    source_format = options.source_format or detect(files)
    target.parent.mkdir(parents=True, exist_ok=True)
    cleared = clear(target.parent)
    with unfinished(target.parent) as made:
        with _no_search_for_circles():
            report = _converted(files, made, CHANNELS[to], options, source_format)
        made.chmod(0o755)
        if target.exists():
            target.rmdir()
        made.rename(target)
    if cleared:
        report["notes"].append(f"Folders of killed conversions, removed from {target.parent}: {cleared}.")
    return {"from": source_format, "to": to, "folder": str(target), **report}


def _converted(
    files: Folder | Archive, made: Path, channel: Channel, options: Options, source_format: str
) -> dict[str, Any]:
    """Once more where pictures may be told of twice, which is known only when all have been read."""
    first = _Conversion(files, made, channel, options, Records(files.names))
    report = first.run(source_format)
    if not (suspects := first.records.twice()):
        return report
    shutil.rmtree(made)
    made.mkdir()
    return _Conversion(files, made, channel, options, Records(files.names, suspects)).run(source_format)


@contextmanager
def _no_search_for_circles() -> Iterator[None]:
    """A conversion makes millions of objects and none that refer to each other in a circle, for which Python
    would go through all that are there again and again: a tenth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Conversion:
    """One pass over the source. Pictures of the first split go straight on; others wait in a file on disk."""

    def __init__(
        self, files: Folder | Archive, made: Path, channel: Channel, options: Options, records: Records
    ) -> None:
        self.files, self.made, self.channel, self.options = files, made, channel, options
        self.records = records
        self.outcome = Outcome()
        self.names = Names(one_folder=channel.one_folder)
        self.waiting: dict[str, IO[bytes]] = {}
        self.counts: dict[str, Counts] = {}
        self.stack = ExitStack()
        self.refers_to_source = False

    def run(self, source_format: str) -> dict[str, Any]:
        reading = reader(source_format, self.options.pixels_from)(self.files, self.options.labels)
        check_labels(reading.labels, source_format)
        bucket, prefix = s3_location(self.options.at)
        self.prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        heading = Heading(labels=reading.labels, splits=(), bucket=bucket)
        with (
            self.stack,
            FolderWriter(self.made, self.files, with_pictures=self.options.with_pictures) as writer,
        ):
            self.writer = writer
            pictures = labeled_pictures(
                reading,
                self.files,
                self._tell,
                self.outcome,
                self.records,
                self.options.unlabeled,
                verify=self.options.verify,
                in_columns=self.channel.in_columns,
            )
            self._write_splits(heading, pictures)
            splits = tuple(split for split in SPLITS if split in self.counts)
            writer.write(self.channel.finish(replace(heading, splits=splits), self.counts))
        notes = [*dict.fromkeys(reading.notes), *self.records.notes()]
        if source_format == "yolo" and self.outcome.not_labeled:
            notes.append(
                "Ultralytics takes pictures without a text file for ones without objects, as "
                "--unlabeled-are-negatives does."
            )
        if not self.outcome.pictures:
            missing = f", and {self.outcome.not_labeled:,} that aren't labeled" * bool(
                self.outcome.not_labeled
            )
            raise FormatError(" ".join([f"There is no labeled picture in the source{missing}.", *notes]))
        if writer.missing:
            notes.append(f"{writer.missing} pictures weren't in the source: there are labels for them only.")
        if self.refers_to_source and not self.options.at:
            notes.append("The labels name the pictures by their paths in the source, where they stay.")
        return {"labels": list(reading.labels), **msgspec.to_builtins(self.outcome), "notes": notes}

    def _write_splits(self, heading: Heading, pictures: Iterator[tuple[LabeledPicture, bytes]]) -> None:
        first = next(pictures, None)
        if first is None:
            return
        begun = first[0].split

        def of_the_first() -> Iterator[tuple[LabeledPicture, bytes]]:
            yield first
            for picture, content in pictures:
                if picture.split == begun:
                    yield picture, content
                else:
                    self._wait(picture, content)

        self._write(heading, begun, of_the_first())
        for split in list(self.waiting):
            self._write(heading, split, self._waited(split))

    def _write(self, heading: Heading, split: str, pictures: Iterator[tuple[LabeledPicture, bytes]]) -> None:
        counts = self.counts[split] = Counts()
        shard = Shard(heading, split, counts.of(self._named(pictures)), content=self._content)
        self.writer.write(self.channel.write(shard))

    def _named(self, pictures: Iterator[tuple[LabeledPicture, bytes]]) -> Iterator[LabeledPicture]:
        refers = self.channel.pictures == "refers"
        for picture, content in pictures:
            self.writer.content = content
            if refers and content and self.options.with_pictures:
                yield self._taken_out(picture)
                continue
            if refers:
                self.refers_to_source = True
                changed = {"key": self.prefix + picture.key, "as_file": picture.key}
                yield msgspec.structs.replace(picture, **changed) if self.prefix else _as_it_lies(picture)
                continue
            yield self._named_alone(picture)

    def _taken_out(self, picture: LabeledPicture) -> LabeledPicture:
        """The picture as a file of its own, where its source embeds it and the format refers to it."""
        picture = self._named_alone(picture)
        place = f"images/{picture.split}/{picture.file}"
        self.writer.write([Copy(picture.key, place)])
        return msgspec.structs.replace(picture, key=self.prefix + place, as_file=picture.file)

    def _named_alone(self, picture: LabeledPicture) -> LabeledPicture:
        """With a file's name that no other has."""
        name = self.names.unique(picture)
        if name == picture.file:
            return picture
        self.outcome.renamed += 1
        return msgspec.structs.replace(picture, as_file=name)

    def _content(self, picture: LabeledPicture) -> bytes:
        if self.writer.content:
            return self.writer.content
        try:
            return self.files.content(picture.key)
        except (OSError, KeyError) as error:
            raise FormatError(
                f"{picture.key}: the picture isn't in the source, and the format has pictures in it."
            ) from error

    def _wait(self, picture: LabeledPicture, content: bytes) -> None:
        if picture.split not in self.waiting:
            spool = tempfile.TemporaryFile(dir=self.made)  # noqa: SIM115 - the stack closes it
            self.waiting[picture.split] = self.stack.enter_context(spool)
        if isinstance(picture.boxes, Span):
            picture = msgspec.structs.replace(picture, boxes=tuple(picture.boxes))
        data = msgspec.msgpack.encode((picture, content))
        self.waiting[picture.split].write(len(data).to_bytes(8, "big") + data)

    def _waited(self, split: str) -> Iterator[tuple[LabeledPicture, bytes]]:
        file = self.waiting[split]
        file.seek(0)
        decode = msgspec.msgpack.Decoder(tuple[LabeledPicture, bytes]).decode
        while size := file.read(8):
            yield decode(file.read(int.from_bytes(size, "big")))

    def _tell(self, told: Told) -> None:
        if not hasattr(self, "_findings"):
            self._findings = self.stack.enter_context((self.made / FINDINGS).open("wb"))
        self._findings.write(msgspec.json.encode(told) + b"\n")


def _as_it_lies(picture: LabeledPicture) -> LabeledPicture:
    return picture if "/" not in picture.key else msgspec.structs.replace(picture, as_file=picture.key)


def sentences(report: dict[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield (
        f"{report['from']} to {report['to']}: {report['pictures']:,} pictures, {report['negatives']:,} of "
        f"them without an object; {report['boxes']:,} boxes of {len(report['labels'])} classes; in "
        f"{report['folder']}"
    )
    listed = {
        "boxesCut": "boxes reached over their picture's edge and were cut",
        "boxesDropped": "boxes were dropped: outside, empty, or double",
        "boxesInDoubt": "boxes are doubtful: the same rectangle has two labels",
        "notLabeled": "pictures are not labeled and were left out",
    }
    for key, words in listed.items():
        if report[key]:
            yield f"{report[key]:,} {words}; each is listed in {report['folder']}/{FINDINGS}"
    if report["renamed"]:
        yield (
            f"{report['renamed']:,} pictures got another file name: theirs was taken, or has what a reader "
            "takes for something else."
        )
    yield from report["notes"]
