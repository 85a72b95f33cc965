"""What a job's answers say of its workers: weights for consolidation, a report for leads."""

from typing import Any

from adapters.tasks import Tasks
from truthmill.consolidation import seen
from truthmill.labeling_jobs import Job
from truthmill.worker_quality import Panel, learn


def learned(job: Job, tasks: Tasks) -> Panel:
    """How the workers of a job draw, learned from how they agree. Reads all answers once; holds a sample.

    The same answers give the same panel, so whoever goes on with a job's end may learn it again.
    """
    pictures = (
        seen({each.worker: each.answer.boxes for each in done.answers})
        for done in tasks.objects(job)
        if len(done.answers) > 1
    )
    return learn(pictures, len(job.labels))


def report(job: Job, panel: Panel) -> dict[str, Any]:
    """truthmill/workers.json below the job's output: the workers by their id, the least reliable first."""
    workers = []
    for worker, sums in panel.evidence.items():
        quality = panel.quality(worker)
        workers.append(
            {
                "workerId": worker,
                "objects": round(sums.pictures),
                "weight": round(quality.weight, 4),
                "missed": round(quality.miss, 4),
                "falseBoxesPerObject": round(quality.false, 4),
                "jitter": round(quality.jitter, 4),
                "labelAccuracy": round(quality.accuracy, 4),
            }
        )
    return {"job": job.name, "workers": sorted(workers, key=lambda each: (each["weight"], each["workerId"]))}
