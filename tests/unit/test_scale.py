"""The arithmetic of docs/scale.md, and that the pages show what was last measured: bench/."""

import runpy
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def scale(loaded):
    return loaded("scale")


@pytest.fixture
def found(scale):
    """Round numbers: 1,000,000 pictures take SplitDataset 100 s and 1,000 MiB above what it takes anyway."""
    return scale.Measured(
        inspect_s=0.01,
        place_s=0.001,
        start_s=1.0,
        puts=1.5,
        gets=0.5,
        pictures=1_000_000,
        split_s=100.0,
        split_mib=1060.0,
        prepare_s=10.0,
        prepare_mib=160.0,
        base_mib=60.0,
    )


def test_a_batch_has_400_pictures_and_children_run_in_rounds(scale, found):
    one = scale.estimate(400 * 200, found, concurrency=200)
    more = scale.estimate(400 * 200 + 1, found, concurrency=200)
    assert (one.children, more.children) == (200, 201)
    assert more.inspect_s == pytest.approx(2 * one.inspect_s)


def test_a_childs_time_is_start_reading_and_working(scale, found):
    # 80 MB at 85 MB/s, by one request of 0.1 s: 0.94118 + 0.1 = 1.04118 s.
    inspect_s, place_s = scale.child_s(found)
    assert inspect_s == pytest.approx(1 + 1.04118 + 400 * 0.01, rel=1e-4)
    # A PUT of 0.1 s, 16 at a time, takes longer than its millisecond of the processor: 400 x 6.25 ms.
    assert place_s == pytest.approx(1 + 1.04118 + 2.5, rel=1e-4)


def test_s3_costs_what_its_requests_cost(scale, found):
    # 1.5 PUTs at 0.005 and half a GET at 0.0004 a thousand: 7.5 + 0.2 USD a million.
    assert scale.estimate(1_000_000, found).s3_usd == pytest.approx(7.7)
    assert scale.estimate(10_000_000, found).s3_usd == pytest.approx(77.0)


def test_states_cost_two_transitions_a_child_and_six_a_job(scale, found):
    # 2,500 children in each of two maps, 10 labeling jobs: 10,060 transitions at 0.025 a thousand.
    assert scale.estimate(1_000_000, found).states_usd == pytest.approx(0.2515)


def test_lambda_costs_all_that_was_busy(scale, found):
    # Placing waits for S3: 800,000 pictures at 3,500 a second, in 13 rounds, are 17.582 s a child.
    # 2,500 x (6.04118 + 17.58242) s + 10 s = 59,069 s of 1769/1024 GB, and 100 s of 3008/1024 GB: 102,338
    # GB-seconds at 0.0000133334, and 5,002 calls.
    assert scale.estimate(1_000_000, found).lambda_usd == pytest.approx(1.36451 + 0.0010004, rel=1e-4)


def test_placing_is_as_fast_as_one_prefix_takes_the_training_pictures(scale, found):
    # 0.8 x 1,000,000 / 3,500 = 228.57 s; ten children stay below that rate: 250 rounds of 4.54118 s.
    assert scale.estimate(1_000_000, found, concurrency=200).place_s == pytest.approx(228.571, rel=1e-5)
    assert scale.estimate(1_000_000, found, concurrency=10).place_s == pytest.approx(1135.29, rel=1e-4)


def test_memory_grows_above_what_is_taken_anyway(scale, found):
    assert scale.estimate(10_000_000, found).split_mib == pytest.approx(10_060)
    assert scale.estimate(10_000_000, found).prepare_mib == pytest.approx(1_060)


def test_what_breaks_first_comes_first(scale, found):
    limits = scale.bounds(found)
    assert list(limits.values()) == sorted(limits.values())
    assert next(iter(limits)) == "SplitDataset's memory, as the template sets it"
    assert limits["SplitDataset's memory, as the template sets it"] == 2_948_000
    assert limits["SplitDataset's time, one invocation"] == 9_000_000
    assert limits["history events, at about 100 a labeling job"] == 25_000_000


def test_a_prefix_is_full_where_its_rate_is(scale, found):
    # A child puts 400 pictures in 4.54118 s: 88.08 a second; 3,500 / 88.08 = 39.74.
    assert scale.full_prefix(found) == 39


def test_the_page_has_every_number_of_the_estimate(scale, found):
    page = scale.tables(found)
    assert "| S3 requests, USD | 7.70 | 77.00 | 770.00 |" in page
    assert "| labeling jobs | 10 | 100 | 1,000 |" in page


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", ["benchmarks.md", "scale.md", "quality.md"])
def test_the_pages_show_the_kept_results(tmp_path, name):
    """`python bench --write-only` changes nothing."""
    docs = BENCH.parent / "docs"
    for page in ("benchmarks.md", "scale.md", "quality.md"):
        (tmp_path / page).write_bytes((docs / page).read_bytes())
    program = runpy.run_path(str(BENCH / "__main__.py"))
    program["write_pages"](tmp_path)
    assert (tmp_path / name).read_text(encoding="utf-8") == (docs / name).read_text(encoding="utf-8")


@pytest.mark.usefixtures("loaded")
def test_an_unknown_benchmark_is_named():
    program = runpy.run_path(str(BENCH / "__main__.py"))
    with pytest.raises(SystemExit, match="no benchmark 'plaice_images'; there are place_images, "):
        program["main"](["plaice_images"])
