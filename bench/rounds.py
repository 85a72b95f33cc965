"""Rounds in fresh processes, so that neither's memory nor its imports are the other's."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).parent.parent / "functions"
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # as template.yaml has it
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",  # Lambda sets it
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_ENVIRONMENT_FILE": os.devnull,
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
}

# What template.yaml adds for InspectImages.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "67108864"}


def fresh(module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `module --round arguments…` prints as JSON. module: its __file__."""
    command = [sys.executable, module, "--round", *map(str, arguments)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command, env=kept | ENVIRONMENT | dict(environment or {}), stdout=subprocess.PIPE, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def peak_mib() -> float:
    """Peak of this process's resident memory, MiB.

    On Linux from VmHWM, which begins anew with a program; ru_maxrss goes on from the process that started it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)  # bytes on macOS
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Clock:
    """Seconds, and CPU seconds of all threads, from where it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {
            "s": time.perf_counter() - self._wall,
            "cpu_s": time.process_time() - self._cpu,
            "mib": peak_mib(),
        }
