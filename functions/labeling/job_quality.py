"""What a job's answers say of its workers: weights for consolidation, a report for leads."""

from dataclasses import dataclass
from typing import Any

from adapters.tasks import Tasks
from truthmill import gold
from truthmill.consolidation import seen
from truthmill.gold import GoldResult
from truthmill.labeling_jobs import Counters, Job
from truthmill.worker_quality import Evidence, Panel, learn

MOST_BOXES = 2_000  # of a picture that is learned from: nobody's thousands of boxes hold up the job's end


@dataclass(frozen=True, slots=True)
class Learned:
    """panel: how each worker draws. gold: how those did who had gold tasks."""

    panel: Panel
    gold: dict[str, GoldResult]


def learned(job: Job, tasks: Tasks) -> Learned:
    """How the workers of a job draw, learned from how they agree, and from gold tasks.

    Reads all answers once, and holds a sample. The same answers give the same, so whoever goes on with a
    job's end may learn it again. Where one worker labels each object there is nothing to learn from.
    """
    known, results = _gold(job, tasks)
    if max(job.workers_per_object, job.rules.max_workers) < 2:
        panel = Panel(len(job.labels))
        for worker, sums in known.items():
            panel.of(worker).add(sums)
        return Learned(panel, results)
    pictures = (
        seen({each.worker: each.answer.boxes for each in done.answers})
        for done in tasks.objects(job)
        if len(done.answers) > 1 and sum(len(each.answer.boxes) for each in done.answers) <= MOST_BOXES
    )
    return Learned(learn(pictures, len(job.labels), known=known), results)


def _gold(job: Job, tasks: Tasks) -> tuple[dict[str, Evidence], dict[str, GoldResult]]:
    """By worker: what gold answers say for certain, and how they score."""
    known: dict[str, Evidence] = {}
    results: dict[str, GoldResult] = {}
    for answer, boxes in tasks.gold.answers(job) if job.gold else ():
        drawn = answer.answer.boxes
        known.setdefault(answer.worker, Evidence(said={})).add(gold.evidence(drawn, boxes))
        results[answer.worker] = results.get(answer.worker, GoldResult()).plus(gold.compare(drawn, boxes))
    return known, results


def withdraw(job: Job, tasks: Tasks, now: int) -> int:
    """Take back the answers of who did badly on gold tasks, where the job says so; how many objects."""
    if not job.gold or not job.rules.gold_withdraw:
        return 0
    results: dict[str, GoldResult] = {}
    for answer, boxes in tasks.gold.answers(job):
        compared = gold.compare(answer.answer.boxes, boxes)
        results[answer.sub] = results.get(answer.sub, GoldResult()).plus(compared)
    badly = {sub for sub, result in results.items() if gold.below(result, job.rules.gold_threshold)}
    return tasks.withdraw(job, badly, now) if badly else 0


def report(job: Job, found: Learned, counters: Counters) -> dict[str, Any]:
    """truthmill/workers.json below the job's output: the workers by their id, the least reliable first.

    answers: all that workers gave and are paid for, also those withdrawn and those to gold tasks.
    """
    gold_answers = sum(result.tasks for result in found.gold.values())
    workers = [_worker(job, worker, found) for worker in found.panel.evidence]
    return {
        "job": job.name,
        "agreement": job.rules.agreement,
        "answers": counters.answers + counters.withdrawn + gold_answers,
        "goldThreshold": job.rules.gold_threshold,
        "workers": sorted(workers, key=lambda each: (each["weight"], each["workerId"])),
    }


def _worker(job: Job, worker: str, found: Learned) -> dict[str, Any]:
    quality, result = found.panel.quality(worker), found.gold.get(worker, GoldResult())
    return {
        "workerId": worker,
        "objects": round(found.panel.evidence[worker].pictures),
        "weight": round(quality.weight, 4),
        "missed": round(quality.miss, 4),
        "falseBoxesPerObject": round(quality.false, 4),
        "jitter": round(quality.jitter, 4),
        "labelAccuracy": round(quality.accuracy, 4),
        "goldTasks": result.tasks,
        "goldScore": round(result.score, 4) if result.tasks else None,
        "belowThreshold": gold.below(result, job.rules.gold_threshold),
    }
