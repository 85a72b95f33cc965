"""What a run is started with: the request, the archive's key, the execution's name."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from adapters import storage
from truthmill_cli import folder, follow, restart, run
from truthmill_cli.errors import UsageError


def archive(path, content=b"a", name="a.jpg"):
    with zipfile.ZipFile(path, "w") as target:
        target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return path


def test_options_come_before_the_request_file(tmp_path):
    file = tmp_path / "request.json"
    file.write_text(
        json.dumps({"labels": ["cow"], "split": {"seed": "s", "validation": 0.5}, "onIncomplete": "continue"})
    )
    given = run.assemble(
        "s3://bucket/incoming/pets.zip", file, {"labels": ["cat"], "split.validation": 0.1, "dataset": None}
    )
    assert given == {
        "labels": ["cat"],
        "split": {"seed": "s", "validation": 0.1},
        "onIncomplete": "continue",
        "source": "s3://bucket/incoming/pets.zip",
        "trigger": "cli",
    }


def test_labels_may_come_from_the_archive_or_the_stack(tmp_path):
    assert "labels" not in run.prepare(str(archive(tmp_path / "pets.zip")), None, {"labels": None}).request


def test_equal_archives_share_a_key_and_another_content_has_another(tmp_path):
    first = run.upload_key(archive(tmp_path / "pets.zip"))
    (tmp_path / "copy").mkdir()
    assert run.upload_key(archive(tmp_path / "copy" / "pets.zip")) == first
    assert run.upload_key(archive(tmp_path / "copy" / "pets.zip", b"b")) != first
    assert first.startswith("uploads/")
    assert first.endswith("/pets.zip")


def test_what_only_calls_itself_a_zip_is_refused(tmp_path):
    path = tmp_path / "pets.zip"
    path.write_bytes(b"\xff\xd8\xff\xe0" * 100)
    with pytest.raises(UsageError, match=r"pets\.zip"):
        run.upload_key(path)


def test_an_archive_is_uploaded_whole_and_once(tmp_path):
    store = storage.memory()
    path = archive(tmp_path / "pets.zip", b"x" * 20_000_000)
    run.upload(path, store, "uploads/pets.zip")
    assert store.read("uploads/pets.zip") == path.read_bytes()
    before = store.head("uploads/pets.zip").modified
    run.upload(path, store, "uploads/pets.zip")
    assert store.head("uploads/pets.zip").modified == before


def test_a_folder_makes_the_same_archive_whenever_it_was_copied(tmp_path):
    pets = tmp_path / "pets"
    (pets / "sub").mkdir(parents=True)
    (pets / "b.jpg").write_bytes(b"b")
    (pets / "sub" / "ä.png").write_bytes(b"a")
    with folder.packed(pets) as packed:
        first = packed.read_bytes()
        assert packed.name == "pets.zip"
        with zipfile.ZipFile(packed) as read:
            assert read.namelist() == ["b.jpg", "sub/ä.png"]
            assert read.read("sub/ä.png") == b"a"
    (pets / "b.jpg").touch()
    with folder.packed(pets) as packed:
        assert packed.read_bytes() == first
    assert not packed.exists()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no files"), folder.packed(tmp_path):
        pass


def test_an_executions_name_tells_the_dataset_and_the_time():
    name = run.execution_name("pets")
    dataset, day, time, unique = name.split("-")
    moment = datetime.strptime(f"{day}{time}+0000", "%Y%m%d%H%M%S%z")
    assert dataset == "pets"
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert len(unique) == 6
    assert run.execution_name("pets") != name


@pytest.mark.parametrize(
    ("name", "following"),
    [("pets", "pets-again-1"), ("pets-again-1", "pets-again-2"), ("pets-again-9", "pets-again-10")],
)
def test_an_interrupted_execution_goes_on_under_the_next_name(name, following):
    assert restart.next_name(name) == following


def test_long_names_stay_within_80_characters_and_apart():
    one, other = "a" * 79 + "x", "a" * 79 + "y"
    assert len(restart.next_name(one)) == 80
    assert restart.next_name(one) != restart.next_name(other)
    assert restart.next_name(restart.next_name(one)).endswith("-again-2")


def test_the_time_left_follows_from_the_pace_lately():
    pace = follow.Pace()
    assert pace.time_left(0.0, 0, 100) is None
    assert pace.time_left(10.0, 5, 100) == 190.0
    assert pace.time_left(20.0, 20, 100) == 80.0


def test_a_pace_of_long_ago_is_forgotten():
    pace = follow.Pace()
    pace.time_left(0.0, 0, 100)
    pace.time_left(1.0, 50, 100)
    assert pace.time_left(700.0, 50, 100) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5340, "89 min"), (5400, "1 h 30 min"), (172_800, "2 days")],
)
def test_durations_are_shown_for_people(seconds, shown):
    assert follow.duration(seconds) == shown
