"""The input manifests of labeling jobs, written side by side: as few jobs as possible, and even."""

from collections.abc import Mapping

import msgspec

from adapters.storage import LineSink, Storage
from truthmill import labeling_job
from truthmill.labeling_limits import MAX_OBJECTS
from truthmill.layout import RunLayout
from truthmill.request import Request
from truthmill.run import Job, JobKind


class JobManifests:
    """`add` each picture, in the order of the ledger; then ask for the `jobs`."""

    def __init__(
        self,
        store: Storage,
        at: RunLayout,
        asked: Request,
        kind: JobKind,
        sizes: Mapping[int, int],
        first_number: int,
        most: int = MAX_OBJECTS,
    ) -> None:
        """sizes: pictures to come, by the first label that they are asked for. most: pictures of a job."""
        self.store, self.at, self.asked = store, at, asked
        self.made: list[Job] = []
        self.waiting: dict[int, list[Job]] = {}
        number = first_number
        for first, objects in sorted(sizes.items()):
            self.waiting[first] = []
            for size in labeling_job.job_sizes(objects, most):
                self.waiting[first].append(
                    Job(name="", number=number, objects=size, kind=kind, first_label=first)
                )
                number += 1
        self.open: dict[int, tuple[LineSink, int]] = {}

    def add(self, first_label: int, line: bytes) -> None:
        job = self.waiting[first_label][0]
        if first_label not in self.open:
            self.open[first_label] = (self.store.sink(self.at.labeling_manifest(job.number)), 0)
        sink, lines = self.open[first_label]
        sink.add(line)
        self.open[first_label] = sink, lines + 1
        if lines + 1 == job.objects:
            with sink:
                name = labeling_job.job_name(self.at.dataset, self.at.run, sink.digest, self.asked, job)
                self.made.append(msgspec.structs.replace(job, name=name))
            del self.open[first_label], self.waiting[first_label][0]

    def jobs(self) -> tuple[Job, ...]:
        return tuple(sorted(self.made, key=lambda job: job.number))
