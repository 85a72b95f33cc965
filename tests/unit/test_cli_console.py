"""What is printed can't steer the terminal, whatever files, classes and people are called."""

import json

import pytest
from rich.table import Table

from truthmill_cli import console

HOSTILE = "a\x1b]0;owned\x07b\x9b31mc\x7f\u202egpj.exe\u2066[bold]d[/x]\r\x08"
SHOWN = "a\ufffd]0;owned\ufffdb\ufffd31mc\ufffd\ufffdgpj.exe\ufffd[bold]d[/x]\ufffd\ufffd"


@pytest.fixture
def terminal(capsys, monkeypatch):
    """Both consoles as on a wide terminal; answers what was printed to them."""
    for each in (console.progress, console.result):
        monkeypatch.setattr(each, "_force_terminal", True)
        monkeypatch.setattr(each, "_color_system", None)
        monkeypatch.setattr(each, "width", 200)
    return lambda: "".join(capsys.readouterr())


def test_a_sentence_has_no_control_characters(terminal):
    console.say(HOSTILE)
    assert terminal() == SHOWN + "\n"


def test_a_line_of_a_result_has_none(terminal):
    console.result.print(HOSTILE)
    assert terminal().rstrip("\n") == SHOWN


def test_a_table_has_none_and_takes_no_name_for_markup(terminal):
    shown = Table(HOSTILE)
    shown.add_row(HOSTILE)
    console.result.print(shown)
    printed = terminal()
    assert printed.count(SHOWN) == 2
    assert not set(printed) & {"\x1b", "\x07", "\x9b", "\x7f", "\u202e", "\r", "\x08"}


def test_json_has_none_and_is_the_same_json(terminal):
    console.emit_json({HOSTILE: [HOSTILE]})
    printed = terminal()
    assert json.loads(printed) == {HOSTILE: [HOSTILE]}
    assert all(letter == "\n" or letter.isprintable() for letter in printed)
