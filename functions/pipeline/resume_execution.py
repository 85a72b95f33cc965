"""Invoked by the event that a labeling job has ended: lets the execution go on that waits for it.

The job's name is only in the event's resources (events/labeling-job-completed.json).
"""

import re
from typing import Any

from adapters.storage import Storage, storage
from pipeline.observed import observed
from pipeline.waiting import answer_if_ended, stored

_NAME = re.compile(r"[a-zA-Z0-9-]{1,63}")


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return {"jobs": [resume(arn.rpartition("/")[2], storage()) for arn in event["resources"]]}


def resume(job: str, store: Storage) -> dict[str, Any]:
    """A job that nobody waits for is somebody else's, or one that AwaitLabels will look at itself.

    Whoever may put events may put any, so what can't be a job's name is nobody's either.
    """
    token = stored(job, store).token if _NAME.fullmatch(job) else ""
    return {"name": job, "answered": bool(token) and answer_if_ended(job, token, store)}
