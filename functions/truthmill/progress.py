"""How far a labeling job is, how fast it gets on, and whether it stands still.

Moments are in seconds since 1970.
"""

from truthmill.records import Record

HOUR_S = 3_600
WINDOW_S = 24 * HOUR_S  # "today's pace"


class Sample(Record, frozen=True):
    """labeled: pictures done at that moment."""

    at: int
    labeled: int


class Progress(Record, frozen=True, omit_defaults=False):
    """A job that workers are at, as it was looked at last.

    labeled, left: pictures. samples: of the last day, about one an hour, the oldest first.
    changed_at: when the last new answer was seen. stalled: whether that has been reported.
    """

    labeled: int
    left: int
    at: int
    changed_at: int
    samples: tuple[Sample, ...] = ()
    stalled: bool = False

    @property
    def ends_at(self) -> int | None:
        """When the last picture will be labeled at the pace of the last day; None where there is no pace."""
        first = self.samples[0] if self.samples else None
        if first is None or self.labeled <= first.labeled or self.at <= first.at:
            return None
        return self.at + round(self.left * (self.at - first.at) / (self.labeled - first.labeled))


def seen(before: Progress | None, labeled: int, left: int, at: int, stall_after_hours: float) -> Progress:
    """The progress after one more look. stall_after_hours: without a new answer; 0 means never."""
    now = Sample(at=at, labeled=labeled)
    if before is None:
        return Progress(labeled=labeled, left=left, at=at, changed_at=at, samples=(now,))
    moved = labeled != before.labeled
    changed_at = at if moved else before.changed_at
    samples = before.samples
    if at - samples[-1].at >= HOUR_S:
        samples = (*samples, now)
    # The oldest that is kept is a day old or a little more, so that the pace is a whole day's.
    while len(samples) > 2 and at - samples[1].at >= WINDOW_S:
        samples = samples[1:]
    stalled = bool(stall_after_hours) and at - changed_at >= stall_after_hours * HOUR_S
    return Progress(
        labeled=labeled, left=left, at=at, changed_at=changed_at, samples=samples, stalled=stalled
    )
