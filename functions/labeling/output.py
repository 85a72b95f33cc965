"""A job's output in S3, written batch by batch, so that an invocation goes on where the last one got to.

Every object's name and content follow from what was submitted: writing again is the same.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import obstore

from adapters.functions import FunctionFailedError, call
from adapters.storage import storage
from labeling import job_quality
from labeling.job_quality import Learned
from labeling.observed import logger
from truthmill import custom_functions, labeling_output, labeling_rules, layout
from truthmill.custom_functions import FunctionAnswerError
from truthmill.labeling_jobs import Counters, Job
from truthmill.labeling_kinds import CUSTOM
from truthmill.labeling_output import LabeledObject
from truthmill.leases import LABELED

BATCH, BATCH_BYTES = 500, 16_000_000  # held at once
CUSTOM_BATCH = 100  # objects that a function of somebody else's consolidates at once
WRITES = 32  # under way at once
CONSOLIDATED = "annotations/consolidated-annotation/consolidation"

Made = Mapping[int, Mapping[str, Any]]


class Output:
    """Where a job's output goes. learned: what its answers say of its workers."""

    def __init__(self, job: Job, learned: Learned) -> None:
        bucket, self.prefix = labeling_rules.checked_location(job.output, "S3OutputPath")
        self.store = storage(bucket, job.output_key)
        self.job = job
        self.learned = learned
        self.custom = job.kinds.consolidation == CUSTOM

    def batches(self, objects: Iterable[LabeledObject]) -> Iterator[list[LabeledObject]]:
        """The objects in batches that are always the same, bounded by number and by bytes."""
        most = CUSTOM_BATCH if self.custom else BATCH
        batch: list[LabeledObject] = []
        size = 0
        for each in objects:
            batch.append(each)
            size += each.size
            if len(batch) == most or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def write(self, batch: list[LabeledObject]) -> int:
        """The workers' answers, what they came to, and a part of the manifest.

        Answers how many objects with all their answers got no label, since the job's own function made none.
        """
        first = batch[0].number
        asyncio.run(self._write_responses([each for each in batch if each.answers]))
        labeled = [each for each in batch if each.state == LABELED]
        made = self._consolidated(first, labeled) if labeled else {}
        lines = (
            labeling_output.output_line(
                self.job, each, self.job.modified, self.learned.panel, made.get(each.number)
            )
            for each in batch
        )
        self.store.write(
            self._key(f"{self._parts}{first:06d}.manifest"), "".join(f"{line}\n" for line in lines).encode()
        )
        return len(labeled) - len(made) if self.custom else 0

    def assemble(self, counters: Counters) -> None:
        """The output manifest, of its parts, streamed; and what is known of the workers."""
        workers = job_quality.report(self.job, self.learned, counters)
        self.store.write_json(self._key(layout.WORKERS), workers)
        parts = sorted(found.key for found in self.store.list(self._key(self._parts)))
        self.store.write(
            self._key(layout.OUTPUT_MANIFEST),
            (self.store.read(key) for key in parts),
            "application/x-ndjson",
        )

    _parts = "annotations/intermediate/1/"

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    async def _write_responses(self, objects: list[LabeledObject]) -> None:
        """One document an object, some at a time."""
        gate = asyncio.Semaphore(WRITES)

        async def write(each: LabeledObject) -> None:
            async with gate:
                await obstore.put_async(
                    self.store.store,
                    self._key(labeling_output.worker_response_key(each)),
                    msgspec.json.encode(labeling_output.worker_response(each)),
                    attributes={"Content-Type": "application/json"},
                    use_multipart=False,
                )

        await asyncio.gather(*map(write, objects))

    def _consolidated(self, first: int, objects: list[LabeledObject]) -> Made:
        """What the job's own function makes of the answers; nothing where the built-in one does."""
        request = self._key(f"{CONSOLIDATED}-request/iteration-1/{first:06d}.json")
        response = self._key(f"{CONSOLIDATED}-response/iteration-1/{first:06d}.json")
        self.store.write_json(request, custom_functions.consolidation_request(objects))
        if not self.custom:
            entries = [
                labeling_output.consolidation_entry(self.job, each, self.learned.panel) for each in objects
            ]
            self.store.write_json(response, entries)
            return {}
        try:
            if self.store.exists(response):  # of an invocation that died after it
                answer = msgspec.json.decode(self.store.read(response))
                return custom_functions.read_consolidated(answer, objects, self.job.attribute)
            arn = self.job.task["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"]
            answer = call(arn, custom_functions.consolidation_event(self.job, self.store.uri(request)))
            made = custom_functions.read_consolidated(answer, objects, self.job.attribute)
        except (FunctionFailedError, FunctionAnswerError) as error:
            logger.warning("Not consolidated", extra={"first": first, "reason": str(error)})
            return {}
        self.store.write_json(response, answer)
        return made
