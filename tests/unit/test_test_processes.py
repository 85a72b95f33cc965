"""The test processes: what has to stay together in one of them does."""

import subprocess
import sys

TESTS = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(8))
@pytest.mark.xdist_group("together")
def test_one(number):
    pathlib.Path(__file__).with_name(f"{number}.txt").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_a_group_of_tests_stays_in_one_process(tmp_path):
    """Else each process deploys a stack of its own: some pairs of pytest and pytest-xdist ignore groups."""
    (tmp_path / "test_group.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    processes = {(tmp_path / f"{number}.txt").read_text() for number in range(8)}
    assert len(processes) == 1
