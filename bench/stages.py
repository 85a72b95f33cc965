"""A run's functions, each in a process of its own, through their own handlers, against a store.

The processes print what they took; what travels between states lies beside the store, as JSON.
"""

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disk_store import DiskStore
from rounds import KEPT_MEMORY, Clock, fresh

EXECUTION = "arn:aws:states:us-east-1:111122223333:execution:dataset:bench"
SOURCE = "incoming/bench.zip"
WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/bench"


@dataclass(frozen=True, slots=True)
class Step:
    """One process. s, cpu_s: of the handler, imports left out; mib: peak of the process, imports included."""

    function: str
    s: float
    cpu_s: float
    mib: float


class Pipeline:
    """From Prepare to PlaceImages, of the one archive in the store."""

    def __init__(self, store: DiskStore, split: dict[str, Any]) -> None:
        self.store = store
        self.asked = {
            "source": f"s3://bench/{SOURCE}",
            "dataset": "bench",
            "labels": ["subject"],
            "workforce": {"workteamArn": WORKTEAM},
            "split": split,
        }
        self.prepared: dict[str, Any] = {}

    def run(self) -> Iterator[Step]:
        """All of it, one process after the other."""
        yield self.prepare()
        yield from (self.step("inspect_images", batch) for batch in self.batches("plan"))
        yield self.step("split_dataset")
        yield from (self.step("place_images", batch) for batch in self.batches("place"))

    def prepare(self) -> Step:
        step, self.prepared = self.invoke("prepare", {"input": self.asked, "execution": EXECUTION})
        return step

    def step(self, function: str, batch: Any = None) -> Step:
        return self.invoke(function, {"run": self.prepared["run"], "batch": batch})[0]

    def batches(self, which: str) -> Iterator[Any]:
        """Lines of plan.jsonl or place.jsonl, as the Distributed Map hands them to its children."""
        with (self.store.folder / self.prepared[which]).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def invoke(self, function: str, event: dict[str, Any]) -> tuple[Step, dict[str, Any]]:
        path = self.store.folder.parent / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        given = KEPT_MEMORY if function == "inspect_images" else {}
        found = fresh(__file__, function, path, environment=self.store.environment | given)
        return Step(function, found["s"], found["cpu_s"], found["mib"]), found["answer"]


def write_archive(
    folder: Path, pictures: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED
) -> int:
    """The archive where a run of `Pipeline` looks for it; its size in bytes."""
    path = folder / SOURCE
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in pictures:
            archive.writestr(name, content)
    return path.stat().st_size


def one_round(function: str, path: str) -> None:
    """In a process of its own: the handler, as Lambda calls it."""
    from importlib import import_module

    handler = import_module(f"pipeline.{function}").handler
    event = json.loads(Path(path).read_text(encoding="utf-8"))
    clock = Clock()
    answer = handler(event, None)
    print(json.dumps(clock.read() | {"answer": answer}))


if __name__ == "__main__":
    one_round(*sys.argv[2:])
