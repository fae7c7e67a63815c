"""What a browser loads: the vendored library is what it claims, and our own makes no markup."""

from __future__ import annotations

import ast
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

import dashboards
from dashboards.server import STATIC
from project.paths import TREE

if TYPE_CHECKING:
    from pathlib import Path

# uPlot 1.6.32, dist/uPlot.iife.min.js, dist/uPlot.min.css and LICENSE of its npm package.
VENDORED = {
    "uPlot-1.6.32.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot-1.6.32.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot-1.6.32.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
# What makes markup or code of a text (developer.mozilla.org, Trusted Types: injection sinks).
SINKS = re.compile(
    r"(inner|outer)HTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\b"
    r"|new Function|setAttribute|srcdoc|\.src\b|\.href\s*="
)
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)
PACKAGE = TREE.root / "dashboards"
TEMPLATES = sorted((PACKAGE / "templates").iterdir())


def test_the_vendored_files_are_the_ones_of_the_release() -> None:
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in STATIC.glob("uPlot*")
    }
    assert found == VENDORED


def test_our_own_script_makes_no_markup_of_the_data() -> None:
    assert SINKS.findall((STATIC / "page.js").read_text()) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_a_template_has_no_inline_script_or_style(template: Path) -> None:
    text = template.read_text()
    assert INLINE.findall(text) == []
    assert "| safe" not in text


def test_what_a_template_loads_is_there() -> None:
    loaded = [
        name for file in TEMPLATES for name in re.findall(r'"/static/([^"]+)"', file.read_text())
    ]
    assert loaded
    assert [name for name in loaded if not (STATIC / name).is_file()] == []


def test_it_is_a_client_of_the_api_and_imports_nothing_of_the_embedded_aws() -> None:
    imported: set[str] = set()
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert dashboards.__name__ in {name.partition(".")[0] for name in imported}
    assert not {name.partition(".")[0] for name in imported} & {"local", "ministack"}
