"""What the control operations work with: the tables, who and where they are, what they may, and the clock."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.addresses import for_browsers, local_endpoint
from adapters.jobs import Jobs, Teams
from adapters.table import Table
from labeling.observed import now_ms


@dataclass(frozen=True, slots=True)
class Service:
    """One region of one account. now: milliseconds since 1970.

    custom_functions: names of functions that jobs may bring along, `*` for any characters. output_key: ARN of
    the KMS key that jobs may name; empty where there is none. bucket: where jobs' results go. portal: host of
    the workers' portal.
    """

    jobs: Jobs
    teams: Teams
    region: str
    account: str
    now: Callable[[], int]
    custom_functions: str = ""
    output_key: str = ""
    bucket: str = ""
    portal: str = ""

    @classmethod
    def of(cls, table: Table, account: str) -> "Service":
        """The service whose table that is, in the function's own region."""
        return cls(
            Jobs(table),
            Teams(table),
            os.environ["AWS_REGION"],
            account,
            now_ms,
            custom_functions=os.environ["CUSTOM_FUNCTION_NAMES"],
            output_key=os.environ["OUTPUT_KMS_KEY_ARN"],
            bucket=os.environ["DATA_BUCKET"],
            portal=urlsplit(for_browsers(os.environ["PORTAL_URL"], local_endpoint())).netloc,
        )
