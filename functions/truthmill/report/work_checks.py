"""Checks of what came in, of the work and its people, and of what goes out."""

from collections.abc import Iterator

from truthmill.report.concerns import Concern, many
from truthmill.report.facts import Facts
from truthmill.report.workers import far_from_others

MANY_REJECTED = 0.1


def rejected(facts: Facts) -> Iterator[Concern]:
    """Many inputs could not be used."""
    rejected, inputs = facts.count("rejected"), facts.count("inputs")
    if rejected > MANY_REJECTED * max(1, inputs):
        yield Concern(
            "look",
            f"{rejected / inputs:.0%} of the inputs were rejected",
            f"{rejected:,} of {inputs:,} files couldn't be used.",
            "The section lists why, and what to do about each reason.",
            "rejected",
        )


MUCH_UNLABELED = 0.2


def unlabeled(facts: Facts) -> Iterator[Concern]:
    """Pictures that came back without an answer."""
    missing = facts.count("unlabeled") or sum(facts.listed.unlabeled.values())
    asked = missing + facts.count("labeled")
    if missing:
        yield Concern(
            "stop" if missing > MUCH_UNLABELED * asked else "look",
            f"{many(missing, 'picture')} came back without an answer",
            f"{missing / asked:.0%} of {asked:,}. They are in no channel.",
            "Look at the reasons; have the job finished, and start the run again with the same request.",
            "flow",
        )


def workers(facts: Facts) -> Iterator[Concern]:
    """Workers whose answers are unlike the others'."""
    for name, said in far_from_others(facts.staff.workers()).items():
        yield Concern(
            "look",
            "A worker is far from the others",
            f"Worker {name} {said}.",
            "Look at some of their answers; explain, or have the pictures labeled again.",
            "workers",
        )


LOW_AGREEMENT = 0.75


def agreement(facts: Facts) -> Iterator[Concern]:
    """Workers who often disagree."""
    if facts.agreement.pictures and facts.agreement.mean < LOW_AGREEMENT:
        yield Concern(
            "look",
            "Workers often disagree",
            f"By the workers' answers a box is certain to {facts.agreement.mean:.0%} on average.",
            "Look at the sheet “least agreed”, and make the instructions clearer where they differ.",
            "least-agreed",
        )


def limits(facts: Facts) -> Iterator[Concern]:
    """Channels that their readers would refuse."""
    for name, problems in facts.limits.items():
        yield Concern(
            "look",
            f"The channel “{name}” breaks limits of its reader",
            "; ".join(problems),
            f"Other channels don't have these limits. {name}/channels.json has them all by name; split the "
            "dataset, scale its pictures (“largestSide”), or leave out what is too much.",
            "channels",
        )
