"""What a labeling job is given in S3: its label category file, and the lines of its input manifest."""

from collections.abc import Mapping
from typing import Any

import msgspec

from truthmill import earlier_labels
from truthmill.errors import ManifestError
from truthmill.labeling_kinds import ADJUSTMENT, CUSTOM, Kinds
from truthmill.labeling_limits import MAX_LABELS
from truthmill.leases import OPEN
from truthmill.s3_uri import names_object
from truthmill.shallow_json import decode, decode_object

MAX_LINE = 100_000  # characters
MAX_ATTRIBUTE = 20_000
PICTURES = (".jpg", ".jpeg", ".png")


class NewObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as a job begins with it. line: of the manifest. uri: of its picture, empty where the line
    holds the object itself. input: what the job's own pre-annotation function made of it, as JSON. state: of
    `leases`. reason: why no worker is asked.
    """

    line: str
    uri: str
    input: str = ""
    state: str = OPEN
    reason: str = ""


def read_label_categories(document: bytes, where: str) -> list[str]:
    """Labels of a label category file, in its order. Raises ManifestError."""
    try:
        read = decode(document)
        labels = [entry["label"] for entry in read["labels"]]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ManifestError(
            where,
            'isn\'t a label category file: {"document-version": "2018-11-28", "labels": [{"label": "…"}]}.',
        ) from error
    wrong = [label for label in labels if not isinstance(label, str) or not 1 <= len(label) <= 256]
    if wrong:
        raise ManifestError(where, f"label {wrong[0]!r}: a label is a text of 1 to 256 characters.")
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise ManifestError(where, f"label {twice[0]!r} is there twice.")
    if not 1 <= len(labels) <= MAX_LABELS:
        raise ManifestError(where, f"has {len(labels)} labels; a job takes 1 to {MAX_LABELS}.")
    return labels


def read_input_line(
    line: bytes, attribute: str, kinds: Kinds, labels: tuple[str, ...], where: str
) -> NewObject:
    """An object of a line of an input manifest. where: file and line, for the message.

    Raises ManifestError.
    """
    try:
        text = line.decode().strip()
        read = decode_object(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError(where, f"isn't a JSON object: {error}.") from error
    problem = _line_problem(text, read, attribute) or _source_problem(read, kinds)
    if not problem and kinds.pre == ADJUSTMENT:
        problem = _earlier_problem(read, labels)
    if problem:
        raise ManifestError(where, problem)
    return NewObject(line=text, uri=read.get("source-ref", ""))


def _line_problem(text: str, read: Mapping[str, Any], attribute: str) -> str:
    """What is wrong with a line; empty where nothing is."""
    if len(text) > MAX_LINE:
        return f"has {len(text)} characters; at most {MAX_LINE}."
    if attribute in read or f"{attribute}-metadata" in read:
        return f"has the attribute {attribute!r} that this job is to add; choose another LabelAttributeName."
    for name, value in read.items():
        if name.startswith("$"):
            return f"attribute {name!r} begins with $."
        if len(text) > MAX_ATTRIBUTE and len(msgspec.json.encode(value).decode()) > MAX_ATTRIBUTE:
            return f"attribute {name!r} has more than {MAX_ATTRIBUTE} characters."
    return ""


def _source_problem(read: Mapping[str, Any], kinds: Kinds) -> str:
    """A job of custom functions takes any object; built-in ones take pictures."""
    if kinds == (CUSTOM, CUSTOM) and "source-ref" not in read and isinstance(read.get("source"), str):
        return ""
    uri = read.get("source-ref")
    if not isinstance(uri, str) or not names_object(uri):
        return f'"source-ref" is {uri!r}; it names a picture in S3: s3://bucket/key.'
    if kinds != (CUSTOM, CUSTOM) and not uri.lower().endswith(PICTURES):
        return f'"source-ref" is {uri!r}; a bounding-box job takes {", ".join(PICTURES)}.'
    return ""


def _earlier_problem(read: Mapping[str, Any], labels: tuple[str, ...]) -> str:
    """Boxes that are to be adjusted have labels of the job's."""
    name = earlier_labels.attribute(read)
    unknown = {box.label for box in earlier_labels.boxes(read, name)} - set(labels) if name else set()
    if unknown:
        return (
            f"{name!r} has boxes of {min(unknown)!r}, which isn't one of the job's labels: {list(labels)}. "
            "Add it to the label category file."
        )
    return ""
