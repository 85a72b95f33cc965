"""docs/cli.md, made from the command's own help by `make docs`."""

from collections.abc import Iterator
from typing import Any

import typer

from truthmill_cli.main import app

_HEAD = """# The command `truthmill`

Made from the help texts by `make docs`.

Without `--stack-name` a verb means the local stack, which `truthmill up` starts. It is remembered in
`.truthmill/`, or in the directory that the environment variable `TRUTHMILL_HOME` names. With `--stack-name`,
the stack of that name in AWS is meant, with the usual AWS credentials.

What a verb reports goes to stdout, progress to stderr. With `--json`, stdout holds one JSON document and
nothing else.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the run failed, or a service refused |
| 2 | wrong usage or input |
| 130 | Ctrl-C; a run that was followed goes on |

`truthmill --install-completion` sets up completion for your shell.
"""

_STATES = """
## The states of a run in `status`

| state | meaning |
| --- | --- |
| RUNNING | the state machine is at work |
| WAITING_FOR_LABELS | pictures are with the workers; `labeled` of `objects` are answered |
| INTERRUPTED | its execution ended without recording why; the same request goes on where it ended |
| SUCCEEDED | the training channels are complete |
| FAILED | `error` says why, and what to do |
"""


def reference() -> str:
    """The document as a whole."""
    return _HEAD + "".join(_sections(typer.main.get_command(app), "truthmill")) + _STATES


def _sections(command: Any, name: str) -> Iterator[str]:
    for child in getattr(command, "commands", {}).values():
        title = f"{name} {child.name}"
        if getattr(child, "commands", None):
            yield f"\n## `{title}`\n\n{_sentence(child.help)}\n"
            yield from _sections(child, title)
        else:
            yield f"\n{'#' * (title.count(' ') + 1)} `{_usage(child, title)}`\n\n{_sentence(child.help)}\n"
            yield "\n| | |\n| --- | --- |\n" + "".join(map(_row, child.params))


def _usage(command: Any, title: str) -> str:
    arguments = [_argument(param) for param in command.params if param.param_type_name == "argument"]
    return " ".join([title, *arguments])


def _argument(param: Any) -> str:
    name = param.name.upper() + ("…" if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _row(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"| `{param.name.upper()}` | {_cell(param.help)} |\n"
    names = ", ".join(f"`{option}`" for option in param.opts)
    value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
    default = "" if param.default in (None, "", False) or param.required else f" Default: {param.default}."
    needed = " Required." if param.required else ""
    return f"| {names}{value} | {_cell(param.help)}{default}{needed} |\n"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str | None) -> str:
    return _sentence(text).replace("|", "\\|")
