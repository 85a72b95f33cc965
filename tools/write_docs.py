"""Write the pages of docs/ that follow from the code; a test fails where one has drifted.

Usage: python tools/write_docs.py
"""

from pathlib import Path
from typing import Any

import yaml

from truthmill.rejections import REASONS
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


PAGES = {"cli.md": reference, "parameters.md": parameters_page, "rejections.md": rejections_page}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
