"""Gold tasks in the table: pictures with known boxes, and how each worker did on them.

pk GOLD#<job>         sk <number>            a picture with its boxes; numbers follow the job's own objects
pk GOLDANSWERS#<job>  sk <worker>#<number>   what a worker drew on it

A gold task is leased by standing on the worker's desk, and by nothing else: everybody may have the same one.
"""

from collections.abc import Iterable, Iterator

import msgspec

from adapters.desks import Desk, Held, put_desk
from adapters.promises import gold_answered, gold_promises, promising
from adapters.table import ConditionFailedError, Item, Key, Table
from truthmill import gold
from truthmill.boxes import Box
from truthmill.gold import GoldResult
from truthmill.labeling_jobs import Job
from truthmill.labeling_output import Submitted
from truthmill.leases import LeaseRefusedError, not_handed_out

TRIES = 8


class GoldPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture whose boxes are known. line: as an input line of the job would be."""

    number: int
    line: str
    uri: str
    boxes: tuple[Box, ...]


class GoldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an answer to a gold task. again: it is the one given before."""

    known: tuple[Box, ...]
    result: GoldResult
    overall: GoldResult
    again: bool = False


class GoldTasks:
    """The gold pictures of jobs."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def load(self, job: Job, pictures: Iterable[GoldPicture], expires: int) -> int:
        """Write a job's gold pictures; answers how many. expires: when they leave the table, seconds."""
        return self.table.write_many(
            {
                "pk": f"GOLD#{job.name}",
                "sk": f"{each.number:06d}",
                "picture": msgspec.json.encode(each).decode(),
                "expires": expires,
            }
            for each in pictures
        )

    def get(self, job: Job, number: int) -> GoldPicture | None:
        item = self.table.get((f"GOLD#{job.name}", f"{number:06d}"))
        return msgspec.json.decode(item["picture"], type=GoldPicture) if item else None

    def hand_out(self, job: Job, desk: Desk, now: int, until: int) -> Desk | None:
        """The worker's desk with a gold task more, where it is time for one."""
        seen = [*desk.gold, *(each.number for each in desk.held)]
        done = [number - job.objects for number in seen if number >= job.objects]
        taken = desk.answered + len(desk.held) + len(desk.gold)
        number = gold.chosen(job.name, desk.worker, taken, job.rules.gold_share, job.gold, done)
        if number is None:
            return None
        held = (*(each for each in desk.held if each.until > now), Held(job.objects + number, now, until))
        return msgspec.structs.replace(desk, held=held)

    def answer(
        self, job: Job, desk: Desk, number: int, submitted: Submitted, digest: str, expires: int
    ) -> GoldAnswer | None:
        """Keep an answer; None where the desk has changed meanwhile. Raises LeaseRefusedError."""
        key = (f"GOLDANSWERS#{job.name}", f"{desk.worker}#{number:06d}")
        picture = self.get(job, number)
        if picture is None:
            raise LeaseRefusedError("NoSuchTask", "The job has no such object.")
        result = gold.compare(submitted.answer.boxes, picture.boxes)
        if number in desk.gold:
            return self._again(key, digest, picture, result, desk)
        if number not in {each.number for each in desk.held}:
            raise not_handed_out()
        overall = desk.gold_result.plus(result)
        changed = msgspec.structs.replace(
            without(desk, number), gold=(*desk.gold, number), gold_result=overall, last=submitted.submitted
        )
        item: Item = {"pk": key[0], "sk": key[1], "digest": digest, "expires": expires}
        item["answer"] = msgspec.json.encode(submitted).decode()
        try:
            self.table.write(
                [
                    put_desk(self.table, changed, desk),
                    self.table.putting(item, "attribute_not_exists(#pk)"),
                    *gold_answered(self.table, job),
                ]
            )
        except ConditionFailedError:
            return None
        return GoldAnswer(known=picture.boxes, result=result, overall=overall)

    def _again(
        self, key: Key, digest: str, picture: GoldPicture, result: GoldResult, desk: Desk
    ) -> GoldAnswer:
        given = self.table.get(key)
        if given is None or given["digest"] != digest:
            raise LeaseRefusedError("AlreadyAnswered", "You have answered this object already.")
        return GoldAnswer(known=picture.boxes, result=result, overall=desk.gold_result, again=True)

    def decline(self, job: Job, desk: Desk, number: int) -> bool:
        """Don't show it to this worker again; False where the desk has changed meanwhile."""
        return self._keep(
            job, msgspec.structs.replace(without(desk, number), gold=(*desk.gold, number)), desk
        )

    def release(self, job: Job, desk: Desk, number: int) -> bool:
        return self._keep(job, without(desk, number), desk)

    def extend(self, job: Job, desk: Desk, number: int, until: int) -> bool:
        held = tuple(
            msgspec.structs.replace(each, until=until) if each.number == number else each
            for each in desk.held
        )
        return self._keep(job, msgspec.structs.replace(desk, held=held), desk)

    def answers(self, job: Job) -> Iterator[tuple[Submitted, tuple[Box, ...]]]:
        """All answers to a job's gold tasks, each with the known boxes; gold.MOST of those are held."""
        known: dict[int, tuple[Box, ...]] = {}
        for item in self.table.query(f"GOLDANSWERS#{job.name}"):
            number = int(item["sk"].rpartition("#")[2])
            if number not in known:
                picture = self.get(job, number)
                known[number] = picture.boxes if picture else ()
            yield msgspec.json.decode(item["answer"], type=Submitted), known[number]

    def _keep(self, job: Job, desk: Desk, was: Desk) -> bool:
        more = gold_promises(job, desk) - gold_promises(job, was)
        try:
            self.table.write([put_desk(self.table, desk, was), *promising(self.table, job, more)])
        except ConditionFailedError:
            return False
        return True


def without(desk: Desk, number: int) -> Desk:
    """The desk after a task has left it."""
    return msgspec.structs.replace(desk, held=tuple(each for each in desk.held if each.number != number))
