"""A job's gold pictures, from the manifest that its tags name."""

from collections.abc import Iterator
from itertools import islice

from adapters.gold_tasks import GoldPicture
from adapters.jobs import Jobs
from adapters.storage import storage
from adapters.stored_tasks import KEPT_S
from adapters.tasks import Tasks
from labeling.observed import logger, now_ms
from truthmill import gold, labeling_rules
from truthmill.errors import FormatError
from truthmill.gold_lines import gold_line
from truthmill.gold_manifest import read_gold
from truthmill.labeling_jobs import Job
from truthmill.records import split_lines


def load(job: Job, jobs: Jobs, tasks: Tasks) -> int:
    """Have the gold pictures handed out from now on; answers how many there are.

    What the manifest of another time brought stays what it is, so those who did them aren't shown them again
    under another number. A manifest that can't be used is logged, and the job goes on without: its objects
    are worth more than its checks.
    """
    if not job.rules.gold_manifest or job.rules.gold_manifest == job.gold_from:
        return job.gold
    try:
        found = list(islice(_pictures(job, tasks), gold.MOST - job.gold))
    except (FormatError, OSError) as error:
        logger.warning("Gold can't be used", extra={"manifest": job.rules.gold_manifest, "error": str(error)})
        return job.gold
    tasks.gold.load(job, found, now_ms() // 1000 + KEPT_S)
    jobs.update(job.name, gold=job.gold + len(found), gold_from=job.rules.gold_manifest)
    logger.info("Gold", extra={"pictures": len(found)})
    return job.gold + len(found)


def _pictures(job: Job, tasks: Tasks) -> Iterator[GoldPicture]:
    """The manifest's pictures with boxes, numbered after the job's objects. Raises FormatError, OSError."""
    uri = job.rules.gold_manifest
    bucket, key = labeling_rules.checked_location(uri, "gold-manifest")
    known = read_gold(split_lines(storage(bucket).stream(key)), job.labels, uri)
    for number, each in enumerate(known, start=job.objects + job.gold):
        own = tasks.get(job, number % job.objects)  # the numbers from there on are gold
        line = gold_line(job, each, own.line if own else "{}")
        yield GoldPicture(number=number, line=line, uri=each.uri, boxes=each.boxes)
