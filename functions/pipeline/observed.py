"""What every handler has: structured logs under the execution's name, and counts as metrics (EMF)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from truthmill.errors import TruthmillError

logger = Logger()
metrics = Metrics()

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def observed(handler: Handler) -> Handler:
    """Log what a handler is given and answers, count what it reports, log an error once with its name.

    The execution's name is every line's correlation id. Numbers under "counts" of the answer become metrics.
    """

    @wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> dict[str, Any]:
        execution = str((event.get("run") or event).get("execution", ""))
        logger.set_correlation_id(execution.rpartition(":")[2] or None)
        try:
            answer = handler(event, context)
        except TruthmillError as error:
            logger.warning("The user's to mend", extra={"error": type(error).__name__, "reason": str(error)})
            raise
        except Exception:
            logger.exception("Failed")
            raise
        logger.info("Done", extra={"answer": answer})
        for name, value in answer.get("counts", {}).items():
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        if metrics.metric_set:
            metrics.flush_metrics()
        return answer

    return wrapped
