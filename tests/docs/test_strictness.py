"""The testing guide's list of AWS's rules that the emulator keeps."""

from __future__ import annotations

import ast
import re

from project.paths import TREE
from tests.docs.pages import Page

PAGE = Page(TREE.root / "docs" / "testing-guide.md")
AWS = re.compile(r"\]\(https://docs\.aws\.amazon\.com/[\w/.-]+\.html(?:#[\w.-]+)?\)")
TEST = re.compile(r"`(tests/[\w/]+\.py|modules/[\w/]+\.tftest\.hcl)::(\w+)`")
ROWS = PAGE.rows(under="As strict as AWS")


def test_every_rule_names_its_page_of_aws_and_a_test_that_is_there() -> None:
    assert ROWS
    assert [row for row in ROWS if not _complete(row)] == []


def _complete(row: tuple[str, ...]) -> bool:
    _, page, tests = row
    named = TEST.findall(tests)
    return bool(AWS.search(page) and named) and all(_exists(*each) for each in named)


def _exists(file: str, test: str) -> bool:
    path = TREE.root / file
    if not path.is_file():
        return False
    if path.suffix == ".hcl":
        return f'run "{test}"' in path.read_text()
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == test
        for node in ast.walk(ast.parse(path.read_text()))
    )
