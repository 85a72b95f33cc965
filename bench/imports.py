"""What a cold start pays before its handler runs: imports, and the package that has to be fetched.

    python bench/imports.py [rounds]

Each import is a fresh interpreter, one after the other in every round; the figure is the CPU time of the
import statement alone, as Lambda's init phase runs it. The package is built by `sam build` as the command
does it.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path
from statistics import median

from report import Report, Table, Target, spread
from rounds import FUNCTIONS, Clock, fresh

ROUNDS = 11
PLANE = ("pipeline.inspect_images", "pipeline.place_images")
OTHERS = ("pipeline.prepare", "pipeline.split_dataset")
BOTO3 = "boto3, with an S3 client"
WANTED_MS, WANTED_MB = 150, 50
TARGETS = (("python3.13", "arm64"), (f"python3.{sys.version_info.minor}", os.uname().machine))
ROOT = FUNCTIONS.parent


def one_round(module: str) -> None:
    """In a process of its own: the import, ms."""
    clock = Clock()
    if module == BOTO3:
        import boto3

        boto3.client("s3")
    else:
        import_module(module)
    took = clock.read()
    also = {name: name in sys.modules for name in ("numpy", "boto3")}
    print(json.dumps({"ms": took["cpu_s"] * 1000, "elapsed_ms": took["s"] * 1000} | also))


def imported(rounds: int) -> dict[str, list[dict[str, float]]]:
    """Bytecode lies there, as after a first start; a first round that writes it isn't counted."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*PLANE, *OTHERS, BOTO3)}
    for number in range(rounds + 1):
        for name, times in found.items():
            taken = fresh(__file__, name, environment={"PYTHONPATH": str(FUNCTIONS)})
            if number:
                times.append(taken)
    return found


def without_bytecode(rounds: int) -> dict[str, list[float]]:
    """As the package is: sources only, on a file system that can't be written to."""
    found: dict[str, list[float]] = {name: [] for name in PLANE}
    for _ in range(rounds):
        for name, times in found.items():
            with tempfile.TemporaryDirectory() as empty:
                environment = {
                    "PYTHONPATH": str(FUNCTIONS),
                    "PYTHONPYCACHEPREFIX": empty,
                    "PYTHONDONTWRITEBYTECODE": "1",
                }
                times.append(fresh(__file__, name, environment=environment)["ms"])
    return found


def packed(template: str, runtime: str, architecture: str) -> tuple[int, int]:
    """Bytes of what `sam build` makes of functions/, zipped as the command zips it; and unpacked."""
    from truthmill_cli import artifact

    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "built")
        sam = ROOT / ".tools" / "sam" / "bin" / "sam"
        command = [
            *(sam, "build", "--template-file", ROOT / template, "--build-dir", built, "--beta-features"),
            *("--parameter-overrides", f"FunctionRuntime={runtime}", f"FunctionArchitecture={architecture}"),
        ]
        tools = {"PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
        environment = os.environ | tools | {"AWS_DEFAULT_REGION": "us-east-1"}
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        artifact.pack(built)
        (archive,) = built.glob("*.zip")
        with zipfile.ZipFile(archive) as content:
            return archive.stat().st_size, sum(entry.file_size for entry in content.infolist())


def packages() -> Table:
    rows = []
    for template in ("template.yaml", "labeling/template.yaml"):
        for runtime, architecture in TARGETS:
            zipped, unpacked = packed(template, runtime, architecture)
            rows.append(
                [template, f"{runtime}, {architecture}", f"{zipped / 1e6:.1f}", f"{unpacked / 1e6:.0f}"]
            )
    return Table("The package, MB (million bytes):", ["template", "for", "zipped", "unpacked"], rows)


def run(rounds: int = ROUNDS) -> Report:
    """Both halves."""
    found, cold = imported(rounds), without_bytecode(max(3, rounds // 2))
    boto3 = [taken["ms"] for taken in found[BOTO3]]
    rows = []
    for name, times in found.items():
        ms = [taken["ms"] for taken in times]
        of = [one / other for one, other in zip(ms, boto3, strict=True)]
        also = ", ".join(module for module in ("numpy", "boto3") if times[0][module]) or "neither"
        sources = spread(cold[name], 0) if name in cold else ""
        shortest = f"{min(taken['elapsed_ms'] for taken in times):.0f}"
        said = f"`{name}`" if name != BOTO3 else name
        rows.append([said, spread(ms, 0), spread(of), shortest, sources, also])
    sizes = packages()
    slowest = max(PLANE, key=lambda name: median(taken["ms"] for taken in found[name]))
    ms = [taken["ms"] for taken in found[slowest]]
    largest = max(float(row[2]) for row in sizes.rows)
    columns = ["import", "CPU, ms", "of boto3's", "elapsed, least, ms", "CPU from sources, ms", "brings in"]
    return Report(
        name="imports",
        title="Imports and the package",
        about=(
            "CPU time of the import statement in a fresh interpreter, median of rounds with least and "
            "greatest, bytecode there; an import waits for nothing, so on an idle machine that is the time "
            "it takes. A package that was just deployed has no bytecode, and Lambda can't write any: its "
            "first start compiles the sources too, which is the last but one column. About a third is "
            "Powertools (with jmespath, which its log formatter needs), a third msgspec and obstore."
        ),
        rounds=rounds,
        tables=[Table("Milliseconds:", columns, rows), sizes],
        targets=[
            Target(
                "import of a data-plane handler",
                f"boto3 with an S3 client: {spread(boto3, 0)} ms",
                f"≤ {WANTED_MS} ms",
                f"`{slowest}` {spread(ms, 0)} ms CPU; from sources only {spread(cold[slowest], 0)} ms",
                median(ms) <= WANTED_MS,
            ),
            Target("the zipped package", "", f"≤ {WANTED_MB} MB", f"{largest:.1f} MB", largest <= WANTED_MB),
        ],
        figures={
            "import_s": median(ms) / 1000,
            "cold_import_s": median(cold[slowest]) / 1000,
            "zipped_mb": largest,
        },
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(sys.argv[2])
    else:
        run(*(int(argument) for argument in sys.argv[1:])).show()
