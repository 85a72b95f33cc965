"""Which pictures still have to be asked about, and what an answer makes of a picture's line in the ledger."""

import hashlib
from collections.abc import Sequence

import msgspec

from truthmill.box_check import DrawnBox, Finding, check_boxes
from truthmill.records import LedgerLine
from truthmill.request import Review
from truthmill.run import Job

# How a review may end, as LedgerLine.review has it.
REVIEWS = {
    "adjusted": "A reviewer changed its boxes.",
    "unadjusted": "A reviewer left its boxes as they were.",
    "verified": "A reviewer found its boxes right.",
    "refused": "A reviewer found its boxes wrong; the picture is in no channel until it is labeled again.",
}
LOW_CONFIDENCE = 0.5  # workers' agreement on a box below which it is doubtful


def first_label(line: LedgerLine, labels: int) -> int | None:
    """Index of the first label that the picture has to be asked about; None where it has all its answers.

    labels: how many the dataset has. A picture labeled before its dataset got more is asked for those only.
    """
    if line.boxes is None:
        return 0
    return line.labels if 0 < line.labels < labels else None


def is_reviewed_by(line: LedgerLine, review: Review) -> bool:
    """Whether the request has this picture reviewed: the same ones at every call."""
    if line.boxes is None or line.review:
        return False
    if review.of == "suspicious":
        return bool(line.doubts)
    if review.of == "sample":
        number = int.from_bytes(hashlib.sha256(f"review {line.sha256}".encode()).digest()[:8], "big")
        return number < review.share * 2**64
    return True


def labeled(
    line: LedgerLine, job: Job, boxes: Sequence[DrawnBox], confidences: Sequence[float], labels: int
) -> tuple[LedgerLine, tuple[Finding, ...]]:
    """The line with what workers drew, and what was found about their boxes. Doing it twice changes nothing.

    boxes: of the labels from the job's first on, class ids in the dataset's list. labels: how many it has.
    confidences: of the boxes; all 0 where one worker alone labeled (that says nothing).
    """
    checked = check_boxes(boxes, line.width, line.height)
    earlier = tuple(box for box in line.boxes or () if box.class_id < job.first_label)
    doubts = {finding.reason for finding in checked.findings}
    if any(confidences) and min(confidences) < LOW_CONFIDENCE:
        doubts.add("low-confidence")
    made = msgspec.structs.replace(
        line, boxes=earlier + checked.kept, labels=labels, doubts=tuple(sorted(doubts))
    )
    if job.kind == "adjustment":
        before = line.prelabels if line.boxes is None else line.boxes
        original = before if line.original is None else line.original
        same = sorted(original or ()) == sorted(made.boxes or ())
        made = msgspec.structs.replace(made, original=original, review="unadjusted" if same else "adjusted")
    return made, checked.findings


def verified(line: LedgerLine, *, right: bool) -> LedgerLine:
    """The line after a reviewer's verdict; boxes that are refused are kept as the original only."""
    original = line.boxes if line.original is None else line.original
    if right:
        return msgspec.structs.replace(line, boxes=original, original=original, review="verified")
    return msgspec.structs.replace(line, boxes=None, labels=0, original=original, review="refused")
