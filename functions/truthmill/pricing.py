"""What labeling costs: a book of prices, and the estimate before a cent is spent.

Prices are data with their date and source: of us-east-1, in USD. AWS changes them without notice, so an
estimate names the book that it was made with.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

Service = Literal["ground-truth", "truthmill"]
CENT = Decimal("0.01")


class Tier(msgspec.Struct, frozen=True):
    """A price an object up to and including the `up_to`-th object of a month; None for all further ones."""

    up_to: int | None
    usd: Decimal


class PriceBook(msgspec.Struct, frozen=True):
    """date: when the prices were looked up, "YYYY-MM". objects: what the service takes, tier by tier.

    task_prices: what a worker of Mechanical Turk may be paid for one bounding box task, USD.
    """

    date: str
    region: str
    source: str
    objects: tuple[Tier, ...]
    task_prices: tuple[Decimal, ...]


class Estimate(msgspec.Struct, frozen=True):
    """USD, each part rounded to cents. service: what the labeling service takes; workers: their pay."""

    service_usd: Decimal
    workers_usd: Decimal
    book: str

    @property
    def total_usd(self) -> Decimal:
        return self.service_usd + self.workers_usd


# 0.08 up to 50,000 objects and 0.02 for the largest volumes are quoted from the page as of 2024-09. The tier
# between them and its upper bound are in no quotation that was found: above 50,000 objects an estimate is
# a rough one.
GROUND_TRUTH = PriceBook(
    date="2024-09",
    region="us-east-1",
    source="https://aws.amazon.com/sagemaker/groundtruth/pricing/",
    objects=(
        Tier(50_000, Decimal("0.08")),
        Tier(1_000_000, Decimal("0.04")),
        Tier(None, Decimal("0.02")),
    ),
    # SageMaker API reference, PublicWorkforceTaskPrice, prices for bounding box tasks; in mills.
    task_prices=tuple(
        Decimal(mills) / 1000
        for mills in (36, 48, 60, 72, 120, 240, 360, 480, 600, 720, 840, 960, 1080, 1200)
    ),
)
# Truthmill's own service takes nothing for an object; what it uses of Lambda and DynamoDB is not in here.
OWN = PriceBook(date="2026-11", region="", source="", objects=(Tier(None, Decimal(0)),), task_prices=())
BOOKS: dict[Service, PriceBook] = {"ground-truth": GROUND_TRUTH, "truthmill": OWN}


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
    book = BOOKS[service]
    taken = _up_to(book, earlier_objects + objects) - _up_to(book, earlier_objects)
    return Estimate(_cents(taken), _cents(objects * workers * price), f"{service} {book.date}")


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
