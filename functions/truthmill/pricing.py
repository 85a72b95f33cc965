"""What a run costs: the book of prices (prices.json), the estimate before, the reckoning after.

Prices are data with their date and source: of us-east-1, in USD. AWS changes them without notice, so an
estimate names the book that it was made with.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from truthmill.request import Request
    from truthmill.run import Job, Run

Service = Literal["ground-truth", "truthmill"]
CENT = Decimal("0.01")
MOST_GOLD = 0.9  # share of gold tasks beyond which nobody is expected to get so many


class Tier(msgspec.Struct, frozen=True, rename="camel"):
    """A price an object up to and including the `up_to`-th object of a month; None for all further ones."""

    up_to: int | None
    usd: Decimal


class PriceBook(msgspec.Struct, frozen=True, rename="camel"):
    """date: when the prices were looked up, "YYYY-MM". objects: what the service takes, tier by tier.

    task_prices: what a worker of Mechanical Turk may be paid for one bounding box task, USD.
    """

    date: str
    source: str
    note: str
    objects: tuple[Tier, ...]
    task_prices: tuple[Decimal, ...]


class Usage(msgspec.Struct, frozen=True, rename="camel"):
    """What one picture takes on its way from the source to its place."""

    source: str
    lambda_gb_seconds: Decimal
    lambda_calls: Decimal
    transitions: Decimal
    puts: Decimal
    gets: Decimal


class Infrastructure(msgspec.Struct, frozen=True, rename="camel"):
    """Unit prices of what the pipeline runs on, USD."""

    date: str
    source: str
    lambda_gb_second: Decimal
    lambda_call: Decimal
    transition: Decimal
    put: Decimal
    get: Decimal
    per_picture: Usage


class Prices(msgspec.Struct, frozen=True, rename="camel"):
    """prices.json."""

    currency: str
    region: str
    books: dict[Service, PriceBook]
    infrastructure: Infrastructure


class Estimate(msgspec.Struct, frozen=True):
    """USD, each part rounded to cents. service: what the labeling service takes; workers: their pay."""

    service_usd: Decimal
    workers_usd: Decimal
    book: str

    @property
    def total_usd(self) -> Decimal:
        return self.service_usd + self.workers_usd


PRICES = msgspec.json.decode(Path(__file__).with_name("prices.json").read_bytes(), type=Prices)
BOOKS = PRICES.books
GROUND_TRUTH = BOOKS["ground-truth"]


def estimate(
    objects: int,
    workers: int,
    price_per_task: Decimal | float | str,
    service: Service,
    earlier_objects: int = 0,
) -> Estimate:
    """What a labeling job will cost at most: every object labeled by as many workers as it is given to.

    objects: pictures. workers: answers an object. price_per_task: USD an answer, 0 for one's own staff.
    earlier_objects: labeled by the same account in the month before this job; they use up the dearer tiers.
    Raises ValueError for a negative number.
    """
    price = Decimal(str(price_per_task))
    if min(objects, workers, earlier_objects) < 0 or price < 0:
        raise ValueError(f"{objects} objects, {workers} workers, {price} USD a task: none may be negative.")
    taken = _up_to(BOOKS[service], earlier_objects + objects) - _up_to(BOOKS[service], earlier_objects)
    return _estimate(taken, objects * workers, price, service)


def _estimate(taken: Decimal, answers: int, price: Decimal, service: Service) -> Estimate:
    return Estimate(_cents(taken), _cents(answers * price), f"{service} {BOOKS[service].date}")


def of_request(asked: "Request", objects: int, service: Service) -> Estimate:
    """What labeling so many pictures costs as the request has it done; reviewing is paid like labeling.

    The review that the request wants is in it, gold tasks are by their share, and what the account had
    labeled before in the month uses up the dear tiers. Of suspicious pictures nobody knows the number before
    they are labeled: that review is held against the budget when it comes.
    """
    wanted = objects + reviewed_objects(asked, objects)
    taken = _after(asked, wanted, service)
    answers = wanted * asked.most_workers + _gold_answers(asked, objects * asked.most_workers)
    return _estimate(taken, answers, asked.workforce.price_per_task, service)


def spent(run: "Run", service: Service, more: int = 0) -> Estimate:
    """What a run's jobs have cost: of those that have ended what was answered, and nothing else.

    Of a job that is under way all its objects are counted, each with as many workers as may be asked, and all
    the answers that it may take where it is limited; so are `more` objects. Answers are what the service
    counted, those of extra workers, to gold tasks and withdrawn ones included; of a service that doesn't
    tell, as many as the request wants for each object.
    """
    workers = run.asked.most_workers
    objects, answers = more, more * workers
    answers += _gold_answers(run.asked, answers)
    for job in run.jobs:
        done = job.answered if job.has_ended else job.objects
        objects += done
        expected = done * workers
        if not job.has_ended:
            expected = max(expected + _gold_answers(run.asked, expected), job.max_answers or 0)
        answers += expected if job.answers is None else job.answers
    taken = _after(run.asked, objects, service)
    return _estimate(taken, answers, run.asked.workforce.price_per_task, service)


def limits(run: "Run", service: Service, jobs: Sequence["Job"]) -> list[int] | None:
    """How many answers each of some new jobs of a run may take within its budget; None for any number.

    As many as were counted when the budget was looked at, and of what is left then, but for the review that
    is to come, each its share by objects: for objects that are asked again since answers were withdrawn.
    """
    asked, price = run.asked, run.asked.workforce.price_per_task
    if asked.most_usd is None or not price:
        return None
    counted = [job.objects * asked.most_workers for job in jobs]
    counted = [answers + _gold_answers(asked, answers) for answers in counted]
    objects = sum(job.objects for job in jobs)
    coming = 0 if any(job.is_review for job in jobs) else reviewed_objects(asked, objects)
    left = max(Decimal(0), asked.most_usd - spent(run, service, coming).total_usd) // price
    return [answers + int(left * job.objects / objects) for answers, job in zip(counted, jobs, strict=True)]


def _after(asked: "Request", objects: int, service: Service) -> Decimal:
    """What the service takes for so many objects, after those that the account had labeled in the month."""
    before, book = asked.labeled_this_month, BOOKS[service]
    return _up_to(book, before + objects) - _up_to(book, before)


def _gold_answers(asked: "Request", answers: int) -> int:
    """How many answers to gold tasks are expected beside so many others; rounded up."""
    gold = asked.quality.gold if asked.quality else None
    share = min(gold.share, MOST_GOLD) if gold else 0.0
    return ceil(answers * share / (1 - share))


def reviewed_objects(asked: "Request", objects: int) -> int:
    """How many of so many pictures are expected to be reviewed."""
    review = asked.review
    share = {"all": 1.0, "sample": review.share, "suspicious": 0.0}[review.of] if review else 0.0
    return round(objects * share)


def infrastructure_usd(pictures: int) -> dict[str, Decimal]:
    """What the pipeline itself takes of Lambda, Step Functions and S3 for so many pictures."""
    prices, use = PRICES.infrastructure, PRICES.infrastructure.per_picture
    parts = {
        "lambda": use.lambda_gb_seconds * prices.lambda_gb_second + use.lambda_calls * prices.lambda_call,
        "stepFunctions": use.transitions * prices.transition,
        "s3": use.puts * prices.put + use.gets * prices.get,
    }
    return {name: (usd * pictures).quantize(Decimal("0.0001"), ROUND_HALF_UP) for name, usd in parts.items()}


def described(found: Estimate, pictures: int) -> dict[str, Any]:
    """The estimate as run.json has it. pictures: that pass through the pipeline."""
    parts = infrastructure_usd(pictures)
    return {
        "estimatedUsd": float(found.total_usd),
        "serviceUsd": float(found.service_usd),
        "workersUsd": float(found.workers_usd),
        "infrastructureUsd": float(sum(parts.values())),
        "book": found.book,
        "region": PRICES.region,
    }


def _up_to(book: PriceBook, objects: int) -> Decimal:
    """Price of the first so many objects of a month."""
    total, below = Decimal(0), 0
    for tier in book.objects:
        end = objects if tier.up_to is None else min(objects, tier.up_to)
        total += max(0, end - below) * tier.usd
        below = max(below, end)
    return total


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, ROUND_HALF_UP)
