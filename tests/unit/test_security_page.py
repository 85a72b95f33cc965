"""docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py)::(test_[a-z_0-9]+)`", PAGE)))


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_that_is_named_exists(path):
    module = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    there = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    assert {name for file, name in NAMED if file == path} <= there


def test_every_item_names_a_test():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (\d|preview)", line)]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row] == []
