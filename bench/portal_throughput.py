"""Tasks a second that the portal sustains with many workers at once, on the local stack.

python bench/portal_throughput.py      deploys the stack into a folder of its own and removes it again
"""

import io
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from PIL import Image
from portal_stack import local_stack, running_job, signed_in, until
from report import Report, Table, Target

from adapters import sagemaker
from truthmill_cli import stack
from truthmill_cli.simulation import PortalClient
from truthmill_cli.stack import Stack

SIZE = (64, 48)
ANSWER = {
    "boundingBox": {
        "boundingBoxes": [{"label": "thing", "left": 8, "top": 8, "width": 16, "height": 16}],
        "inputImageProperties": {"width": SIZE[0], "height": SIZE[1]},
    }
}
CROWDS = ((1, 40), (50, 400))  # workers, objects


def a_picture() -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", SIZE).save(out, "PNG")
    return out.getvalue()


class Crowd:
    """Workers who answer whatever they get, each as fast as the portal lets them."""

    def __init__(self, job: str) -> None:
        self.path = f"api/jobs/{job}/tasks"
        self.given: list[str] = []
        self.seconds: list[float] = []
        self._lock = threading.Lock()

    def work(self, client: PortalClient) -> None:
        held = client.post(self.path, {"count": 1})["tasks"]
        while held:
            task = held[0]["task"]
            begun = time.perf_counter()
            answered = client.post(f"{self.path}/{task}/answer", {"answer": ANSWER, "next": 1})
            with self._lock:
                self.given.append(task)
                self.seconds.append(time.perf_counter() - begun)
            held = answered["tasks"]


def measured(where: Stack, clients: list[PortalClient], objects: int) -> dict[str, float]:
    """One crowd through one job; everything it answered is looked for in the output."""
    job = f"bench-{len(clients)}"
    running_job(where, job, [a_picture()] * objects)
    crowd = Crowd(job)
    with ThreadPoolExecutor(len(clients)) as threads:
        for most in range(10, len(clients) + 10, 10):  # every environment is there, some started at a time
            list(threads.map(lambda client: client.get("api/session"), clients[:most]))
        begun = time.perf_counter()
        list(threads.map(crowd.work, clients))
        elapsed = time.perf_counter() - begun
    described = until(sagemaker.client(where.labeling_endpoint), job, "Completed")
    key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix(f"s3://{where.bucket}/")
    lines = stack.storage(where).read(key).splitlines()
    labeled = sum(len(json.loads(line)["boxes"]["annotations"]) == 1 for line in lines)
    times = sorted(crowd.seconds)
    return {
        "tasks_s": len(crowd.given) / elapsed,
        "median_ms": median(times) * 1000,
        "p95_ms": times[int(len(times) * 0.95)] * 1000,
        "twice": sum(count - 1 for count in Counter(crowd.given).values()),
        "lost": objects - labeled,
    }


def run(rounds: int = 1) -> Report:
    """rounds: one; the stack is deployed once for all crowds."""
    with local_stack() as where:
        clients = signed_in(where, max(count for count, _ in CROWDS))
        found = {(count, objects): measured(where, clients[:count], objects) for count, objects in CROWDS}
    rows = [
        [str(count), str(objects), f"{one['tasks_s']:.1f}", f"{one['median_ms']:.0f}", f"{one['p95_ms']:.0f}",
         f"{one['twice']:.0f}", f"{one['lost']:.0f}"]
        for (count, objects), one in found.items()
    ]  # fmt: skip
    columns = [
        "workers at once",
        "objects",
        "tasks a second",
        "median, ms",
        "95 %, ms",
        "given twice",
        "lost",
    ]
    wrong = sum(one["twice"] + one["lost"] for one in found.values())
    fifty = next(one for (count, _), one in found.items() if count == 50)
    return Report(
        "portal_throughput",
        "The portal with many workers at once",
        "Workers sign in, take a task and answer it with one box; an answer brings the next task along, so "
        "a task is one request to the portal's function URL. Engine, functions and workers share this "
        "machine's cores, so the machine is what limits. Looking at the picture isn't counted.",
        rounds,
        [Table("Each row is a job of its own.", columns, rows)],
        [
            Target(
                "Tasks given twice or lost, 50 workers at once", "-", "0", f"{wrong:.0f}", reached=wrong == 0
            )
        ],
        {"tasks_a_second_with_50_workers": round(fifty["tasks_s"], 1)},
    )


if __name__ == "__main__":
    run().show()
