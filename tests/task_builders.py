"""Jobs whose tasks are in a table, and workers at them without the portal."""

from itertools import count

import msgspec

from adapters.gold_tasks import GoldPicture
from labeling_builders import a_request
from truthmill.boxes import Box
from truthmill.labeling_input import NewObject
from truthmill.labeling_jobs import Job, shards_for
from truthmill.labeling_output import Submitted
from truthmill.quality_rules import QualityRules
from truthmill.worker_answers import Answer

NOW = 1_700_000_000_000
GOLD = Box(0, 20, 20, 50, 50)
_names = count()


def a_name():
    """Of a job that no other test has."""
    return f"job-{next(_names)}"


def a_job(tasks, objects, workers=1, shards=None, name=None):
    """A job whose tasks are in the table."""
    path = "HumanTaskConfig.NumberOfHumanWorkersPerDataObject"
    job = Job(
        name=name or a_name(),
        arn="arn:…",
        request=a_request(**{path: workers}),
        reference="r",
        created=NOW,
        modified=NOW,
        status="InProgress",
        objects=objects,
        shards=shards or shards_for(objects),
    )
    uris = [f"s3://b/{n}.png" for n in range(objects)]
    given = [NewObject(line=f'{{"source-ref": "{uri}"}}', uri=uri) for uri in uris]
    assert tasks.load(job, given, NOW) == objects
    return job


def submitted(worker, at=NOW, boxes=()):
    return Submitted(
        worker=worker,
        sub=worker,
        issuer="i",
        accepted=at,
        submitted=at,
        content={"boundingBox": {}},
        answer=Answer(tuple(boxes), (200, 100)),
    )


def held(tasks, job, worker, now=NOW, count=1):
    return [each.number for each, _ in tasks.hold(job, worker, count, now)]


def give_answer(tasks, job, worker, number, now=NOW):
    return tasks.answer(job, worker, number, submitted(worker, now), "digest", now)


def answer_and_hold(tasks, job, worker, number, count=1, read=lambda: Answer((), (200, 100)), found=None):
    """The numbers that the worker holds after an answer; found: as the caller has read it before."""
    found = found or tasks.with_desk(job, number, worker)
    given = (submitted(worker), read, "digest", NOW, found, count)
    return [each.number for each, _ in tasks.answer_and_hold(job, number, *given)]


def a_job_with_gold(tasks, name, objects=20, **rules):
    """A job half of whose tasks are gold, and 10 gold pictures with one box each.

    Which tasks are gold follows from the job's name, so each test gives one of its own.
    """
    job = a_job(tasks, objects, shards=1, name=name)
    job = msgspec.structs.replace(
        job, gold=10, labels=("cat", "dog"), rules=QualityRules(gold_share=0.5, **rules)
    )
    uris = (f"s3://b/gold{n}.png" for n in range(10))
    pictures = (
        GoldPicture(number=objects + n, line="{}", uri=uri, boxes=(GOLD,)) for n, uri in enumerate(uris)
    )
    assert tasks.gold.load(job, pictures, NOW) == 10
    return job


def work(tasks, job, worker, boxes, now=NOW):
    """Do all there is for a worker; the numbers of the gold tasks among it, in their order."""
    gold = []
    while got := held(tasks, job, worker, now):
        if job.is_gold(got[0]):
            gold.append(got[0])
            tasks.answer_gold(job, worker, got[0], submitted(worker, boxes=boxes), "digest", now)
        else:
            tasks.answer(job, worker, got[0], submitted(worker, boxes=boxes), "digest", now)
    return gold
