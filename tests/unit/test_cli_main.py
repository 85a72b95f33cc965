"""The command line: exit codes, what goes to stdout, what a mistake says."""

import errno
import json
import os
import resource
import sys
import zipfile

import pytest

from truthmill_cli import main as command
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.reference import reference


@pytest.fixture
def truthmill(monkeypatch, capsys, tmp_path):
    """Run the command as a shell would: (exit code, stdout, stderr)."""
    monkeypatch.setenv("TRUTHMILL_HOME", str(tmp_path / "home"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["truthmill", *map(str, arguments)])
        try:
            command.main()
        except SystemExit as ended:
            code = ended.code
        else:
            code = 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def archive(path, name="a.jpg"):
    with zipfile.ZipFile(path, "w") as target:
        target.writestr(name, b"not looked at here")
    return path


def test_help_lists_every_verb_and_exits_with_0(truthmill):
    code, out, _ = truthmill("--help")
    assert code == 0
    for verb in ("up", "down", "status", "run", "pull", "workers", "demo"):
        assert f" {verb} " in out


def test_a_misspelled_verb_suggests_the_right_one(truthmill):
    code, out, err = truthmill("statsu")
    assert (code, out) == (2, "")
    assert "Did you mean 'status'" in err


def test_an_unknown_option_is_wrong_usage(truthmill):
    code, out, _ = truthmill("status", "--jsn")
    assert (code, out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--json"),
        ("pull", "pets", "--to", "out", "--json"),
        ("workers", "list", "--json"),
        ("gold", "add", "pets-1", "s3://bucket/gold.manifest", "--json"),
        ("workers", "invite", "someone@example.com", "--json"),
    ],
)
def test_without_a_stack_the_sentence_says_what_to_do_and_stdout_stays_empty(truthmill, arguments):
    code, out, err = truthmill(*arguments)
    assert (code, out) == (2, "")
    assert "truthmill up" in err
    assert "Traceback" not in err


def test_down_where_nothing_runs_is_done_and_prints_pure_json(truthmill):
    code, out, err = truthmill("down", "--json")
    assert code == 0
    assert json.loads(out) == {"wasRunning": False, "cleaned": False}
    assert err == ""


def test_down_clean_deletes_the_home(truthmill, tmp_path):
    (tmp_path / "home" / "s3").mkdir(parents=True)
    (tmp_path / "home" / "stack.json").write_text("{}")
    code, out, _ = truthmill("down", "--clean", "--json")
    assert code == 0
    assert json.loads(out) == {"wasRunning": False, "cleaned": True}
    assert not (tmp_path / "home").exists()


def test_a_source_that_is_not_there_is_named(truthmill):
    code, out, err = truthmill("run", "nowhere/pets.zip", "--labels", "cat", "--json")
    assert (code, out) == (2, "")
    assert "nowhere/pets.zip isn't there" in err


def test_a_file_that_is_no_zip_is_named(truthmill, tmp_path):
    text = tmp_path / "pets.txt"
    text.write_text("cat")
    code, _, err = truthmill("run", text, "--labels", "cat")
    assert code == 2
    assert "pets.txt isn't a zip" in err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--validation", "1.5", "validation"),
        ("--labels", "cat,cat", "'cat' more than once"),
        ("--dataset", "My Pets", "'My Pets'"),
        ("--workers-per-object", "10", "workersPerObject"),
        ("--channels", "papyrus", "papyrus"),
    ],
)
def test_a_request_that_cannot_work_is_refused_before_anything_is_sent(
    truthmill, tmp_path, option, value, said
):
    code, out, err = truthmill("run", archive(tmp_path / "pets.zip"), option, value)
    assert (code, out) == (2, "")
    assert said in err


def test_a_request_file_that_is_no_json_is_named(truthmill, tmp_path):
    request = tmp_path / "request.json"
    request.write_text("labels: [cat]")
    code, _, err = truthmill("run", archive(tmp_path / "pets.zip"), "--request", request)
    assert code == 2
    assert "request.json isn't a JSON object" in err


def test_status_wait_needs_a_run(truthmill):
    code, _, err = truthmill("status", "--wait")
    assert code == 2
    assert "truthmill" in err


@pytest.mark.parametrize("text", ["Name", "=value", "a b=c"])
def test_a_parameter_has_a_name_and_a_value(text):
    with pytest.raises(UsageError, match="NAME=VALUE"):
        command.parse_parameters([text])


def test_a_parameters_value_may_hold_anything():
    assert command.parse_parameters(["A=1", 'Request={"x": "a=b, c"}']) == {
        "A": "1",
        "Request": '{"x": "a=b, c"}',
    }


@pytest.mark.parametrize(("error", "code"), [(UsageError("no"), 2), (FailedError("no"), 1)])
def test_our_errors_carry_their_exit_code(error, code):
    assert command.explain(error) == ("no", code)


def test_an_error_that_nobody_understands_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        command.explain(ZeroDivisionError("defect"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errno.ENOSPC, "/there/a.txt: No space left on device. Make room there, or name another place."),
        (errno.EACCES, "/there/a.txt: Permission denied. Allow it, or name another place."),
        (errno.EIO, "/there/a.txt: Input/output error."),
    ],
)
def test_what_the_system_refuses_is_told_with_its_place(error, told):
    assert command.explain(OSError(error, os.strerror(error), "/there/a.txt")) == (told, 1)


def test_a_process_that_ended_early_is_told_in_its_own_words():
    assert command.explain(OSError("The process that writes the files ended with code -9.")) == (
        "The process that writes the files ended with code -9.",
        1,
    )


def test_a_conversion_that_finds_no_room_says_where(truthmill, tmp_path):
    """No traceback, as it was, and no part of the new folder stays. A limit of a file's size is the room."""
    source, target = tmp_path / "source", tmp_path / "made" / "yolo"
    source.mkdir()
    boxes = [
        {"id": n + 1, "image_id": 1, "category_id": 1, "bbox": [n, 0, 1, 1], "iscrowd": 0} for n in range(20)
    ]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 30, "height": 30}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": boxes,
    }
    (source / "instances_train.json").write_text(json.dumps(document))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        code, out, err = truthmill("convert", "--to", "yolo", source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (code, out) == (1, "")
    told = err.replace("\n", " ")
    assert "labels/train/a.txt: File too large. Name a place that takes files of that size." in told
    assert list(target.parent.iterdir()) == []


def test_the_reference_names_every_verb_with_its_options():
    page = reference()
    assert "## `truthmill run SOURCE`" in page
    assert "### `truthmill workers invite EMAIL…`" in page
    assert "| `--clean` | Delete the data too" in page
