"""What the pages point at is there: links, anchors, make's targets, files."""

from __future__ import annotations

import fnmatch
import re
import shlex
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from project.account import read_account
from project.paths import TREE
from tests.docs.pages import Page, pages, tracked

PAGES = pages()
PLACEHOLDER = re.compile(r"<[^>]+>|…")
# What a run makes, and nobody commits.
MADE = (
    ".local", ".tools", ".build", ".venv", "drills/reports", "load/reports", "releases/reports",
    "report.json",
)  # fmt: skip
REGION = re.compile(r"\b(?:us|eu|ap)-[a-z]+-\d\b")
SUFFIXES = {".hcl", ".html", ".json", ".lock", ".md", ".py", ".tf", ".toml", ".txt", ".yaml"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@each_page
def test_every_relative_link_leads_to_a_file_and_every_fragment_to_a_heading(page: Page) -> None:
    assert [target for target in page.links() if not _leads_somewhere(page, target)] == []


def _leads_somewhere(page: Page, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme:
        return True
    file = (page.path.parent / parts.path).resolve() if parts.path else page.path
    if not file.exists():
        return False
    return not parts.fragment or parts.fragment in Page(file).anchors()


@each_page
def test_every_make_target_that_is_named_exists(page: Page) -> None:
    commands = [*page.code_spans(), *(line for b in page.blocks() for line in b.text.splitlines())]
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (TREE.root / "Makefile").read_text(), re.M))
    named = {name for command in commands for name in _make_targets(command)}
    assert named - targets == set()


def _make_targets(command: str) -> list[str]:
    found = re.match(r'\s*(?:eval "\$\()?make((?: [^#;|&)]+)+)', command)
    words = iter(shlex.split(found[1]) if found else [])
    targets = []
    for word in words:
        if word == "-C":
            next(words, None)
        elif (
            not word.startswith("-") and "=" not in word and re.fullmatch(r"[a-z][a-z0-9-]*", word)
        ):
            targets.append(word)
    return targets


@each_page
def test_every_file_that_is_named_exists(page: Page) -> None:
    words = {word for span in page.code_spans() for word in span.split()}
    named = {word for word in words if _is_a_path(word)}
    assert {word for word in named if not _exists(word)} == set()


def _is_a_path(word: str) -> bool:
    path = PurePosixPath(word)
    if path.is_absolute() or word.startswith((*MADE, "./")) or re.search(r"[:$=@(]", word):
        return False
    return path.suffix in SUFFIXES or (len(path.parts) > 1 and (TREE.root / path.parts[0]).is_dir())


def _exists(word: str) -> bool:
    pattern = PLACEHOLDER.sub("*", word.rstrip("/"))
    shapes = (pattern, f"{pattern}/*", f"*/{pattern}", f"*/{pattern}/*")
    return any(fnmatch.filter(tracked(), shape) for shape in shapes)


@each_page
def test_commands_for_prods_table_go_to_prods_regions(page: Page) -> None:
    """A command that was copied from the page must not meet a table that isn't there."""
    prod = read_account(TREE, "prod")
    # The example of another standby Region names its new one, too.
    known = {prod.primary_region, prod.standby_region, "eu-west-1"}
    blocks = (block.text for block in page.blocks() if block.language == "sh")
    about_prod = (text for text in blocks if "landing-prod" in text or "live/prod" in text)
    assert {region for text in about_prod for region in REGION.findall(text)} <= known
