"""What is learned of workers from how they agree."""

import random

import pytest

from truthmill.boxes import Box
from truthmill.consolidation import consolidate, seen
from truthmill.worker_quality import Panel, learn

LABELS = 3
SIZE = (1_000, 800)


def a_truth(hand):
    """Up to 6 things, each in a cell of its own."""
    cells = hand.sample([(x, y) for x in range(5) for y in range(4)], hand.randint(1, 6))
    return [
        Box(hand.randrange(LABELS), 200 * x + 40, 200 * y + 40, hand.randint(40, 120), hand.randint(40, 120))
        for x, y in cells
    ]


def draw(truth, hand, miss=0.0, false=0.0, swap=0.0, jitter=0.0):
    """A worker's boxes of a picture."""
    found = []
    for box in truth:
        if hand.random() < miss:
            continue
        label = (
            hand.choice([n for n in range(LABELS) if n != box.class_id])
            if hand.random() < swap
            else box.class_id
        )
        off = [round(hand.uniform(-jitter, jitter) * side) for side in (box.width, box.height) * 2]
        found.append(
            Box(
                label,
                box.left + off[0],
                box.top + off[1],
                box.width + off[2] - off[0],
                box.height + off[3] - off[1],
            )
        )
    return found + [a_box(hand) for _ in truth if hand.random() < false]


def a_box(hand):
    return Box(
        hand.randrange(LABELS),
        hand.randrange(900),
        hand.randrange(700),
        hand.randint(40, 100),
        hand.randint(40, 100),
    )


def a_job(seed, pictures, **workers):
    """Truth and answers of a job; workers: name to what `draw` takes, or "spam"."""
    hand = random.Random(seed)  # noqa: S311 a simulation repeats
    truth = [a_truth(hand) for _ in range(pictures)]
    answers = [
        {
            name: [a_box(hand) for _ in range(hand.randint(1, 4))]
            if how == "spam"
            else draw(things, hand, **how)
            for name, how in workers.items()
        }
        for things in truth
    ]
    return truth, answers


def panel_of(answers, **changes):
    return learn(map(seen, answers), LABELS, **changes)


USUAL = {"miss": 0.1, "false": 0.05, "jitter": 0.05}


def test_what_a_worker_is_like_is_learned_without_the_truth():
    """3 things lie in a picture on average; the false boxes are told as a share of them."""
    _, answers = a_job(
        1, 250, ann=USUAL, ben={"miss": 0.3, "swap": 0.2, "jitter": 0.15}, cem={"false": 0.2}, dee=USUAL
    )
    panel = panel_of(answers)
    ann, ben, cem = (panel.quality(name) for name in ("ann", "ben", "cem"))
    assert (ann.miss, ben.miss, cem.miss) == pytest.approx((0.1, 0.3, 0.0), abs=0.035)
    assert (ann.false / ann.objects, cem.false / cem.objects) == pytest.approx((0.05, 0.2), abs=0.03)
    assert ben.accuracy == pytest.approx(0.8, abs=0.05)
    assert ann.jitter == pytest.approx(0.05 / 3**0.5, abs=0.012)  # of an even spread
    assert ben.jitter == pytest.approx(0.15 / 3**0.5, abs=0.02)


def test_a_spammer_comes_to_weigh_nothing():
    _, answers = a_job(2, 150, ann=USUAL, ben=USUAL, cem="spam")
    panel = panel_of(answers)
    assert panel.quality("cem").weight < 0.02
    assert panel.quality("ann").weight > 0.7


def test_a_job_longer_than_the_sample_is_learned_from_to_its_end():
    _, answers = a_job(3, 300, ann=USUAL, ben=USUAL, cem=USUAL)
    for one in answers[100:]:
        one["dee"] = [Box(0, 0, 0, 900, 700)]  # comes late, and draws the whole picture each time
    panel = panel_of(answers, sample=100)
    assert panel.quality("ann").miss == pytest.approx(0.1, abs=0.04)
    assert panel.quality("dee").weight < 0.1


def test_in_crowded_pictures_agreement_is_no_chance():
    """A hundred things a picture: what is drawn around nothing, or not matched, is many a picture too."""
    hand = random.Random(7)  # noqa: S311 a simulation repeats
    cells = [(x, y) for x in range(12) for y in range(8)]
    truth = [
        [Box(hand.randrange(LABELS), 80 * x + 8, 90 * y + 8, 50, 50) for x, y in cells] for _ in range(6)
    ]
    crew = ("ann", "ben", "cem")
    answers = [
        {name: draw(things, hand, miss=0.1, false=0.1, jitter=0.1) for name in crew} for things in truth
    ]
    panel = panel_of(answers)
    assert panel.objects == pytest.approx(6 * 96, rel=0.1)
    assert all(panel.quality(name).weight > 0.5 for name in crew)
    assert sum(len(consolidate(one, SIZE, panel)) for one in answers) > 0.9 * 6 * 96


def test_one_who_draws_to_the_pixel_is_soon_known():
    _, answers = a_job(8, 100, ann={}, ben=USUAL, cem=USUAL)
    assert panel_of(answers).quality("ann").jitter < 0.006


def test_a_careful_worker_is_believed_among_careless_ones(loaded):
    """Who miss a third and draw a quarter around nothing: majority reaches 0.9, the careful one 0.98."""
    quality = loaded("quality")
    crew = quality.Crew("", (quality.CAREFUL, quality.CARELESS, quality.CARELESS))
    found = quality.scores(21, crew, 200)
    assert found["ours"].iou > max(found["best"].iou, found["majority"].iou)
    assert found["ours"].f1 > found["best"].f1 - 0.005
    assert found["ours"].f1 > found["majority"].f1 + 0.05


def test_of_a_worker_alone_nothing_is_learned():
    _, answers = a_job(4, 50, ann=USUAL)
    assert panel_of(answers).evidence == {}


def test_one_of_three_is_believed_where_they_never_draw_what_is_not_there_and_the_others_often_miss():
    lone = {"ann": [Box(0, 10, 10, 50, 50)], "ben": [], "cem": []}
    assert consolidate(lone, SIZE, Panel(LABELS)) == []
    careless = {"miss": 0.4, "jitter": 0.05}
    _, answers = a_job(5, 300, ann={"jitter": 0.02}, ben=careless, cem=careless)
    (found,) = consolidate(lone, SIZE, panel_of(answers))
    assert found.box == Box(0, 10, 10, 50, 50)
    assert 0.5 < found.confidence < 1


def test_a_worker_who_draws_closer_pulls_the_edges_further():
    _, answers = a_job(6, 200, ann={"jitter": 0.01}, ben={"jitter": 0.2}, cem={"jitter": 0.2})
    two = {"ann": [Box(0, 100, 100, 100, 100)], "ben": [Box(0, 120, 100, 80, 100)]}
    (found,) = consolidate(two, SIZE, panel_of(answers))
    assert 100 <= found.box.left <= 104  # 110 is half way


@pytest.mark.parametrize(
    ("crew", "seed", "pictures"), [(3, 11, 300), (3, 12, 300), (4, 13, 100), (5, 14, 100)]
)
def test_three_to_five_usual_workers_reach_the_bound(loaded, crew, seed, pictures):
    """Miss 10 %, jitter 5 %, 5 % around nothing: mean IoU of 0.90, F1 of 0.98; by the bench's own measure."""
    quality = loaded("quality")
    found = quality.scores(seed, quality.Crew("", (quality.USUAL,) * crew), pictures)
    assert found["ours"].iou >= 0.90
    assert found["ours"].f1 >= 0.98
    for other in ("majority", "best"):
        assert found["ours"].iou > found[other].iou
        assert found["ours"].f1 > found[other].f1 - 0.002  # a box or two, where both are all but perfect
