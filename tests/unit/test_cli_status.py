"""What `truthmill status` says of a run in a line."""

import io

import pytest
from rich.console import Console

from truthmill_cli import status

ROW = {
    "dataset": "pets",
    "run": "r",
    "state": "SUCCEEDED",
    "startedAt": "2026-11-01T00:00:00Z",
    "counts": {},
    "error": None,
    "cost": {},
}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"cost": {"estimatedUsd": 2.5, "actualUsd": 3.25}},
            "labeling cost 3.25 USD, 2.50 were estimated",
        ),
        ({"cost": {"estimatedUsd": 0.0, "actualUsd": 0.0}}, ""),  # one's own staff
        ({"cost": None}, ""),
        (
            {"state": "FAILED", "error": {"name": "E", "message": "Why."}, "cost": {"actualUsd": 1.0}},
            "E: Why.",
        ),
    ],
)
def test_a_run_that_has_ended_says_what_labeling_has_cost(more, says):
    shown = io.StringIO()
    Console(width=200, file=shown).print(status.table({"runs": [ROW | more]}))
    line = shown.getvalue().splitlines()[1].rstrip()
    assert line.endswith(says) if says else "USD" not in line
