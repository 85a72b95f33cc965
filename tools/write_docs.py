"""Write the pages of docs/ that follow from the code; a test fails where one has drifted.

Usage: python tools/write_docs.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from truthmill.labeling_members import MEMBERS
from truthmill.rejections import REASONS
from truthmill.request import Request
from truthmill_cli.reference import reference

ROOT = Path(__file__).parents[1]
TEMPLATES = {"The pipeline stack": "template.yaml", "The labeling stack": "labeling/template.yaml"}


class CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's tags as plain values."""


CloudFormation.add_multi_constructor(
    "!", lambda loader, _, node: getattr(loader, f"construct_{node.id}")(node)
)


def template(path: str) -> dict[str, Any]:
    """A template as it is written; !Ref and its like are their arguments."""
    made: dict[str, Any] = yaml.load((ROOT / path).read_text(), CloudFormation)  # noqa: S506 - a SafeLoader
    return made


def parameters_page() -> str:
    """docs/parameters.md."""
    text = "# Parameters of the stacks\n\nMade by `make docs` from the templates.\n"
    for title, path in TEMPLATES.items():
        text += f"\n## {title}: `{path}`\n\n| parameter | default | what it is |\n| --- | --- | --- |\n"
        for name, given in template(path)["Parameters"].items():
            default = f"`{given['Default']}`" if given.get("Default") not in (None, "") else "none"
            text += f"| `{name}` | {default} | {given['Description']} |\n"
    return text


def rejections_page() -> str:
    """docs/rejections.md."""
    rows = "".join(f"| `{reason}` | {sentence} |\n" for reason, sentence in REASONS.items())
    return (
        "# Why an input is not used\n\n"
        "Each line of a run's `rejected.jsonl` has one of these reasons. Made by `make docs`.\n\n"
        f"| reason | what it means and what to do |\n| --- | --- |\n{rows}"
    )


def request_page() -> str:
    """docs/request.md."""
    schema = msgspec.json.schema(Request)
    return (
        "# The request\n\n"
        "One JSON object, whichever trigger. Each key comes from the execution's input, else from "
        "`truthmill.json` at the archive's root, else from the stack's parameters. An unknown key is an "
        "error that names it. "
        "A sample: `events/console-request.json`. Made by `make docs`.\n\n"
        "| key | values | default | what it is |\n| --- | --- | --- | --- |\n"
        + "".join(_request_rows(schema["$defs"], "Request", ""))
    )


def _request_rows(definitions: dict[str, Any], name: str, prefix: str) -> Iterator[str]:
    part = definitions[name]
    for key, given in part["properties"].items():
        nested = json.dumps(given).partition("#/$defs/")[2].partition('"')[0]
        if nested:
            yield from _request_rows(definitions, nested, f"{prefix}{key}.")
            continue
        required = key in part.get("required", ())
        default = "required" if required else f"`{json.dumps(given['default'])}`"
        if key == "dataset":
            default = "derived"
        yield f"| `{prefix}{key}` | {_values(given)} | {default} | {given['description']} |\n"


def _values(given: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "anyOf" in given:
        return " or ".join(_values(one) for one in given["anyOf"])
    if "enum" in given:
        return ", ".join(f"`{value}`" for value in given["enum"])
    words = {
        "integer": "whole number",
        "null": "null",
        "array": "list",
        "boolean": "`true` or `false`",
        "object": "object",
        "number": "number",
    }
    text = "amount" if given.get("format") == "decimal" else words.get(given["type"], "text")
    limits = [
        f"{sign} {given[key]}"
        for key, sign in {
            "minimum": "from",
            "maximum": "to",
            "exclusiveMaximum": "below",
            "minLength": "from",
            "maxLength": "to",
        }.items()
        if key in given
    ]
    return " ".join([text, *limits]) + (" characters" if "maxLength" in given else "")


def protocol_page() -> str:
    """docs/protocol.md."""
    text = (
        "# What becomes of every member\n\n"
        "The operations of SageMaker's API that the labeling service answers, with every member of their "
        "requests: it **acts**, it is **kept** and shown again, or it is **refused** with the "
        "sentence below. None is ignored. How to point a client at the service: "
        "[labeling-service.md](labeling-service.md). Made by `make docs`.\n"
    )
    for operation, members in MEMBERS.items():
        text += f"\n## {operation}\n\n| member | | |\n| --- | --- | --- |\n"
        for path, (kind, sentence) in members.items():
            text += f"| `{path}` | {kind} | {sentence} |\n"
    return text


PAGES = {
    "protocol.md": protocol_page,
    "request.md": request_page,
    "cli.md": reference,
    "parameters.md": parameters_page,
    "rejections.md": rejections_page,
}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
