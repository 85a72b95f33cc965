"""Functions that die at any write are retried, and the result is the same, byte for byte."""

import io
import json
import os
import random
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from adapters import storage as storage_module
from adapters.storage import Storage
from builders import archive, picture
from workflow import without_times

FILES = {
    **{f"f/{number}.jpg": picture(500 + number) for number in range(9)},
    "copy.jpg": picture(500),
    "notes.txt": b"no picture",
    "broken.jpg": picture(501)[:200],
}
VOLATILE = ("startedAt", "endedAt", "execution")


class FunctionDiedError(Exception):
    """As a Lambda function that is killed: between two writes, or in the middle of one."""


class Mortal:
    """Dies before or after the n-th write; `hand` says when the next time is."""

    def __init__(self, hand: random.Random) -> None:
        self.hand = hand
        self.left = 0
        self.deaths = 0

    def live_on(self) -> None:
        self.left = self.hand.randint(1, 20)

    def write(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.deaths += 1
            raise FunctionDiedError


def mortal_storage(fate: Mortal) -> type[Storage]:
    class MortalStorage(Storage):
        """The real bucket, written by somebody who may die before a write or just after it."""

        def write(self, *given, **named):
            fate.write()
            super().write(*given, **named)
            fate.write()

        def create(self, *given, **named):
            fate.write()
            made = super().create(*given, **named)
            fate.write()
            return made

        def sink(self, key):
            fate.write()
            return super().sink(key)

    return MortalStorage


def through(step, fate):
    """As Step Functions does: again until it comes through."""
    for _ in range(200):
        fate.live_on()
        try:
            step()
        except FunctionDiedError:
            continue
        return
    pytest.fail("never came through")


def comparable(cloud):
    """All objects of the dataset, without what a clock or an execution's name decides."""
    found = cloud.objects("datasets/")
    for key in [key for key in found if key.endswith(("run.json", "latest.json"))]:
        document = json.loads(found[key])
        steady = {name: value for name, value in document.items() if name not in VOLATILE}
        found[key] = json.dumps(steady).encode()
    dated = re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d|execution:dataset:e\d+")
    return {key: without_times(dated.sub(b"", content)) for key, content in found.items()}


@pytest.mark.parametrize("seed", range(4))
def test_a_run_whose_functions_die_ends_like_one_whose_do_not(cloud, monkeypatch, seed):
    cloud.put("incoming/faults.zip", archive(FILES))
    calm = cloud.start("incoming/faults.zip").to_the_end()
    wanted = comparable(cloud)
    for key in cloud.keys(""):
        if not key.startswith("incoming/"):
            cloud.delete(key)
    cloud.labeling.jobs.clear()

    fate = Mortal(random.Random(seed))  # noqa: S311 - fate needs to be the same each time
    monkeypatch.setattr(storage_module, "Storage", mortal_storage(fate))
    storage_module.storage.cache_clear()
    run = cloud.start("incoming/faults.zip")
    through(run.prepare, fate)
    assert run.run["run"] == calm.run["run"]
    for step in (run.inspect, run.split, run.place, run.plan, run.create_jobs):
        through(step, fate)
    for job in run.jobs:
        cloud.label(job["name"])
    for step in (run.build, run.report):
        through(step, fate)
    through(run.notify, fate)
    assert fate.deaths > 3
    assert comparable(cloud) == wanted


def test_a_run_with_a_picture_that_is_gone_ends_the_same_whenever_its_functions_die(cloud, monkeypatch):
    """Whichever of the two decisions, and of what they write, is cut short."""
    pictures = {f"incoming/faults/{number}.jpg": picture(500 + number) for number in range(8)}
    pictures["incoming/faults/copy.jpg"] = picture(503)

    def begun(fate: Mortal):
        for key, content in pictures.items():
            cloud.put(key, content)
        run = cloud.start("incoming/faults/")
        for step in (run.prepare, run.inspect, run.split):
            through(step, fate)
        (gone,) = {"3.jpg", "copy.jpg"} & set(run.side_by_name)
        cloud.delete(f"incoming/faults/{gone}")
        # The second two are what MoreToAsk leads to; each state is retried for itself.
        for step in (run.place, run.split, run.place, run.plan, run.create_jobs):
            through(step, fate)
        assert run.rejected == {gone: "missing"}
        return comparable(cloud)

    def forget():
        for key in cloud.keys(""):
            cloud.delete(key)
        cloud.labeling.jobs.clear()

    calm = Mortal(random.Random(0))  # noqa: S311 - it never comes to die
    monkeypatch.setattr(calm, "live_on", lambda: None)
    wanted = begun(calm)
    assert [key for key in wanted if "/unplaced/" in key]
    for seed in range(3):
        forget()
        fate = Mortal(random.Random(seed))  # noqa: S311 - fate needs to be the same each time
        monkeypatch.setattr(storage_module, "Storage", mortal_storage(fate))
        storage_module.storage.cache_clear()
        assert begun(fate) == wanted
        assert fate.deaths > 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_picture_that_the_function_dies_of_is_rejected_by_name_once_its_batch_is_retried(
    cloud, monkeypatch
):
    """Of the try that died nothing is left, not even which picture it was."""
    immense = io.BytesIO()
    Image.new("RGB", (10_000, 10_000), (30, 60, 90)).save(immense, "PNG", compress_level=1)
    cloud.put("incoming/faults.zip", archive({**FILES, "f/immense.png": immense.getvalue()}))
    run = cloud.start("incoming/faults.zip")
    run.prepare()
    in_use = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", str(in_use + 328))
    run.inspect(retries=1)
    run.split()
    assert run.rejected["f/immense.png"] == "too-demanding"
    assert run.counts["rejected"] == 3
    assert run.counts["train"] + run.counts["validation"] == 9
