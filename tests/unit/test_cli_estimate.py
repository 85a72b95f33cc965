"""`truthmill estimate` on what lies on this machine; figures by hand."""

import json

import pytest
from typer.testing import CliRunner

from builders import archive
from truthmill_cli.main import app

FILES = {"a.jpg": b"1", "b/a copy.JPG": b"1", "c.png": b"22", "notes.txt": b"3"}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_bytes(content)
    return tmp_path / "pets"


def estimated(*arguments):
    done = CliRunner().invoke(app, ["estimate", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_zip_is_counted_by_its_directory(tmp_path):
    path = tmp_path / "pets.zip"
    path.write_bytes(archive(FILES))
    found = estimated(path, "--workers-per-object", "3", "--price-per-task", "0.036")
    assert (found["pictures"], found["copies"], found["otherFiles"], found["toLabel"]) == (3, 1, 1, 2)
    dear, own = found["cost"]["ground-truth"], found["cost"]["truthmill"]
    # 2 x 0.08; 2 x 3 x 0.036 = 0.216
    assert (dear["serviceUsd"], dear["workersUsd"], own["serviceUsd"]) == (0.16, 0.22, 0.0)
    assert dear["book"] == "ground-truth 2024-09"
    assert dear["source"].startswith("https://aws.amazon.com/")


def test_a_folder_is_counted_like_its_zip(folder):
    found = estimated(folder)
    assert (found["pictures"], found["toLabel"]) == (3, 2)


def test_the_table_adds_up(folder):
    done = CliRunner().invoke(app, ["estimate", str(folder)])
    assert done.exit_code == 0
    assert "together, at most" in done.stdout
    assert "0.16" in done.stdout
