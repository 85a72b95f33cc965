"""How long each state took, from when its last object was written: nothing has to be recorded for it."""

from collections.abc import Mapping
from datetime import UTC, datetime

STATES = (
    "Prepare",
    "InspectImages",
    "SplitDataset",
    "ResplitDataset",
    "PlaceImages",
    "LabelImages",
    "BuildChannels",
)


def durations(started_at: str, ended: Mapping[str, datetime]) -> list[tuple[str, float]]:
    """Seconds of each state, in their order, as far as it can be told.

    started_at: when the run's last execution began, UTC, "YYYY-MM-DDTHH:MM:SSZ". ended: when a state wrote
    its last object. What an earlier execution had done already took this one no time and is left out.
    """
    before = datetime.strptime(started_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    found = []
    for state in STATES:
        moment = ended.get(state)
        if moment is None:
            continue
        moment = moment.replace(microsecond=0)  # some answers of a store have whole seconds only
        if moment < before:
            continue
        found.append((state, (moment - before).total_seconds()))
        before = moment
    return found


def spoken(seconds: float) -> str:
    """For people: "4 s", "12 min", "3 h 20 min", "2 d 4 h"."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
