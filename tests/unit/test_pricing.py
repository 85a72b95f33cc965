"""What labeling is estimated to cost, worked out by hand from the published tiers."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.pricing import BOOKS, GROUND_TRUTH, estimate, infrastructure_usd, limits, of_request, spent
from truthmill.request_reading import parse
from truthmill.run import Job, Run


@pytest.mark.parametrize(
    ("objects", "usd"),
    [
        (0, "0.00"),
        (1, "0.08"),
        (50_000, "4000.00"),
        (50_001, "4000.04"),
        (1_000_000, "42000.00"),  # 50,000 x 0.08 + 950,000 x 0.04
        (1_500_000, "52000.00"),  # and 500,000 x 0.02
    ],
)
def test_ground_truth_takes_its_price_tier_by_tier(objects, usd):
    assert estimate(objects, 1, 0, "ground-truth").service_usd == Decimal(usd)


def test_what_was_labeled_in_the_month_before_uses_up_the_dear_tier():
    """20,000 at 0.08 are left of the first tier, 10,000 more cost 0.04."""
    assert estimate(30_000, 1, 0, "ground-truth", earlier_objects=30_000).service_usd == Decimal("2000.00")


def test_workers_are_paid_for_every_answer():
    found = estimate(1_000, 3, "0.036", "ground-truth")
    assert (found.service_usd, found.workers_usd, found.total_usd) == (
        Decimal("80.00"),
        Decimal("108.00"),
        Decimal("188.00"),
    )


def test_truthmills_own_service_takes_nothing_for_an_object():
    found = estimate(1_000_000, 2, 0.05, "truthmill")
    assert (found.service_usd, found.total_usd) == (Decimal("0.00"), Decimal("100000.00"))


def test_a_price_given_as_a_float_is_the_decimal_that_it_is_written_as():
    """0.1 x 3 in binary is 0.30000000000000004; halves of a cent are rounded up."""
    assert estimate(3, 1, 0.1, "truthmill").workers_usd == Decimal("0.30")
    assert estimate(1, 1, 0.035, "truthmill").workers_usd == Decimal("0.04")


def test_an_estimate_names_the_book_it_was_made_with():
    assert estimate(1, 1, 0, "ground-truth").book == "ground-truth 2024-09"


@pytest.mark.parametrize("numbers", [(-1, 1, 0), (1, -1, 0), (1, 1, -0.01)])
def test_negative_numbers_are_refused(numbers):
    with pytest.raises(ValueError, match="none may be negative"):
        estimate(*numbers, "ground-truth")


def test_mechanical_turk_prices_for_boxes_begin_at_the_documented_one():
    assert (GROUND_TRUTH.task_prices[0], GROUND_TRUTH.task_prices[-1]) == (Decimal("0.036"), Decimal("1.200"))


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_two_jobs_in_a_month_cost_what_one_of_both_costs(first, second):
    together = estimate(first + second, 1, 0, "ground-truth").service_usd
    apart = estimate(first, 1, 0, "ground-truth").service_usd
    apart += estimate(second, 1, 0, "ground-truth", earlier_objects=first).service_usd
    assert apart == together


def test_the_pipeline_itself_costs_what_docs_scale_md_says():
    """A million pictures: 1.22 USD of Lambda, 0.25 of Step Functions, 5.08 of S3, to a few cents."""
    found = infrastructure_usd(1_000_000)
    assert [float(found[name]) for name in ("lambda", "stepFunctions", "s3")] == pytest.approx(
        [1.22, 0.25, 5.08], abs=0.02
    )


def asked(**more):
    workforce = {"workersPerObject": 2, "pricePerTask": "0.5"}
    return parse({"source": "s3://bucket/x.zip", "labels": ["cat"], "workforce": workforce, **more}, {}, {})


@pytest.mark.parametrize(
    ("review", "usd"),
    [
        ({"of": "all"}, "216.00"),  # 200 x 0.08 + 200 x 2 x 0.5
        ({"of": "sample", "share": 0.25}, "135.00"),  # 125 x 1.08
        ({"of": "suspicious"}, "108.00"),
    ],
)
def test_a_review_is_paid_like_labeling(review, usd):
    found = of_request(asked(review=review), 100, "ground-truth")
    assert found.total_usd == Decimal(usd)


def run_with(*jobs):
    request = msgspec.to_builtins(asked())
    known = {"dataset": "pets", "state": "RUNNING", "trigger": "cli", "execution": "", "started_at": ""}
    return Run(run="r", request=request, jobs=jobs, **known)


@pytest.mark.parametrize(
    ("job", "more", "usd"),
    [
        (Job("j", 1, 100), 0, "108.00"),  # under way: 100 x 0.08 + 100 x 2 x 0.5
        (Job("j", 1, 100, status="Stopped", answered=10), 0, "10.80"),  # Ground Truth tells no more
        (Job("j", 1, 100, status="Completed", answered=100, answers=250), 0, "133.00"),  # 8 + 250 x 0.5
        (
            Job("j", 1, 100, status="Stopped", answered=0, answers=30),
            10,
            "25.80",
        ),  # 10 x 0.08 + (30 + 20) x 0.5
    ],
)
def test_what_was_spent_goes_by_the_answers_given(job, more, usd):
    assert spent(run_with(job), "ground-truth", more).total_usd == Decimal(usd)


def test_what_was_labeled_before_in_the_month_uses_up_the_dear_tier():
    """Ground Truth's first 50,000 objects of a month cost 0.08, the next 0.04 (docs/cost.md)."""
    book = BOOKS["ground-truth"]
    first, second = book.objects[0], book.objects[1]
    before = first.up_to - 40
    wanted = asked(workforce={"pricePerTask": 0}, budget={"labeledThisMonth": before})
    usd = 40 * first.usd + 60 * second.usd
    assert of_request(wanted, 100, "ground-truth").service_usd == usd
    job = Job("j", 1, 100, status="Completed", answered=100)
    run = msgspec.structs.replace(run_with(job), request=msgspec.to_builtins(wanted))
    assert spent(run, "ground-truth").service_usd == usd


def test_gold_tasks_are_paid_for_before_and_as_they_were_given():
    """One task in five is gold: 100 x 2 answers bring 50 more. Once the job has ended its answers count."""
    wanted = asked(quality={"gold": {"manifest": "s3://bucket/gold.manifest", "share": 0.2}})
    assert of_request(wanted, 100, "truthmill").workers_usd == Decimal("125.00")
    run = msgspec.structs.replace(run_with(Job("j", 1, 100)), request=msgspec.to_builtins(wanted))
    assert spent(run, "truthmill").workers_usd == Decimal("125.00")
    ended = Job("j", 1, 100, status="Completed", answered=100, answers=230)
    run = msgspec.structs.replace(run, jobs=(ended,))
    assert spent(run, "truthmill").workers_usd == Decimal("115.00")


def run_of(asked, *jobs):
    return msgspec.structs.replace(run_with(*jobs), request=msgspec.to_builtins(asked))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (asked(budget={"maxCost": "75.00"}), [100, 50]),  # exactly what the two are estimated at
        (asked(budget={"maxCost": "90.25"}), [120, 60]),  # 15.25 are left for 30 answers, shared by pictures
        (asked(budget={"maxCost": "90"}, review={"of": "sample", "share": 0.2}), [100, 50]),  # 15 for review
        (asked(budget={"maxCost": "10"}), [100, 50]),  # never less than was looked at
        (asked(), None),
        (asked(budget={"maxCost": "75"}, workforce={"pricePerTask": 0}), None),
    ],
)
def test_jobs_share_the_answers_that_their_budget_pays_for(asked, expected):
    """150 answers at 0.50, of 50 and 25 pictures with two workers each."""
    jobs = Job("a", 1, 50), Job("b", 2, 25)
    assert limits(run_of(asked, *jobs), "truthmill", jobs) == expected


def test_what_a_job_may_take_is_spent_until_it_has_ended():
    job = Job("j", 1, 100, max_answers=260)
    assert spent(run_with(job), "truthmill").total_usd == Decimal("130.00")
    ended = msgspec.structs.replace(job, status="Stopped", answered=90, answers=180)
    assert spent(run_with(ended), "truthmill").total_usd == Decimal("90.00")
