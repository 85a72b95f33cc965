"""A job's gold pictures, from the manifest that its tags name."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from adapters.gold_tasks import GoldPicture
from adapters.jobs import Jobs
from adapters.storage import storage
from adapters.stored_tasks import KEPT_S
from adapters.tasks import Tasks
from labeling.observed import logger, now_ms
from truthmill import gold, labeling_rules
from truthmill.box_check import check_boxes
from truthmill.errors import FormatError, ManifestError
from truthmill.labeling_jobs import Job
from truthmill.manifest import Labeled, read_output
from truthmill.records import split_lines
from truthmill.shallow_json import decode_object


def load(job: Job, jobs: Jobs, tasks: Tasks) -> int:
    """Have the gold pictures handed out from now on; answers how many there are.

    What the manifest of another time brought stays what it is, so those who did them aren't shown them again
    under another number. A manifest that can't be used is logged, and the job goes on without: its objects
    are worth more than its checks.
    """
    if not job.rules.gold_manifest or job.rules.gold_manifest == job.gold_from:
        return job.gold
    try:
        found = list(islice(_pictures(job), gold.MOST - job.gold))
    except (FormatError, OSError) as error:
        logger.warning("Gold can't be used", extra={"manifest": job.rules.gold_manifest, "error": str(error)})
        return job.gold
    tasks.gold.load(job, found, now_ms() // 1000 + KEPT_S)
    jobs.update(job.name, gold=job.gold + len(found), gold_from=job.rules.gold_manifest)
    logger.info("Gold", extra={"pictures": len(found)})
    return job.gold + len(found)


def _pictures(job: Job) -> Iterator[GoldPicture]:
    """The manifest's pictures with boxes, numbered after the job's objects. Raises FormatError, OSError."""
    uri = job.rules.gold_manifest
    bucket, key = labeling_rules.s3_location(uri, "gold-manifest")
    number = job.objects + job.gold
    for at, line in enumerate(split_lines(storage(bucket).stream(key)), start=1):
        if not line.strip():
            continue
        where = f"{uri}, line {at}"
        attribute = _attribute(line, where)
        for read in read_output([line], job.labels, attribute, where):
            if isinstance(read, Labeled):
                boxes = check_boxes(read.boxes, read.width, read.height).kept
                plain = msgspec.json.encode({"source-ref": read.source}).decode()
                yield GoldPicture(number=number, line=plain, uri=read.source, boxes=boxes)
                number += 1


def _attribute(line: bytes, where: str) -> str:
    """The label attribute of a line with boxes: the last one that has metadata. Raises ManifestError."""
    try:
        fields = decode_object(line)
    except msgspec.DecodeError as error:
        raise ManifestError(where, f"isn't a JSON object: {error}.") from error
    names = [name for name in fields if f"{name}-metadata" in fields]
    if not names:
        raise ManifestError(where, "has no label attribute with its -metadata; gold is an output manifest.")
    return names[-1]
