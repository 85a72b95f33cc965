"""What every handler of the service has: structured logs, and an error logged once."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger

logger = Logger()
RESERVE_MS = 90_000  # of an invocation, left to hand over to the next one

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def observed(handler: Handler) -> Handler:
    """Log under the job's name or the request's id; an error is logged once and raised."""

    @wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = event.get("requestContext") or {}
        logger.set_correlation_id(event.get("job") or request.get("requestId"))
        try:
            return handler(event, context)
        except Exception:
            logger.exception("Failed")
            raise

    return wrapped


def now_ms() -> int:
    """The clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
