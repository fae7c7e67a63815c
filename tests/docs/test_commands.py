"""README and guides are typed as they stand, each page in a shell of its own."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from project.account import LOCAL, read_account
from project.environment import process_environment
from project.paths import TREE
from tests.docs.pages import Block, Page, pages
from tests.support.deployment_lock import deployment_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.deployment import Deployment

PAGES = pages()
TYPED = [page for page in PAGES if any(block.runs for block in page.blocks())]
# No page takes a minute; a command that never ends would otherwise hold up everything.
PATIENCE_SECONDS = 300
# Between two blocks' output. It names the block that failed, too.
MARK = "-- block at line "
ANSWER = re.compile(r"HTTP/[\d.]+ (\d{3})")


@pytest.fixture
def _alone(deployment: Deployment) -> Iterator[None]:
    """The deployment alone: some blocks break a Region."""
    with deployment_lock(deployment, alone=True):
        yield


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("page", TYPED, ids=lambda page: page.name)
def test_every_command_of_the_page_works_as_typed(page: Page) -> None:
    blocks = [block for block in page.blocks() if block.runs]
    done = subprocess.run(
        ["bash", "-c", _script(blocks)],
        cwd=TREE.root,
        env={**process_environment(TREE, read_account(TREE, LOCAL), os.environ), "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, f"{page.name}, in the last block named here:\n{done.stdout}"
    answered = {line: ANSWER.findall(output) for line, output in _outputs(done.stdout).items()}
    promised = {block.line: block.statuses for block in blocks if block.statuses}
    assert {line: answered[line] for line in promised} == promised, done.stdout


def _script(blocks: list[Block]) -> str:
    """One shell's whole input. `set -e`, for a reader stops where a command fails, too."""
    typed = [f'echo "{MARK}{block.line}"\n{block.text}' for block in blocks]
    return "\n".join(['eval "$(make -s env)"', "set -eo pipefail", *typed])


def _outputs(output: str) -> dict[int, str]:
    """Each block's output by its line."""
    parts = output.split(MARK)[1:]
    return {int(line): text for line, _, text in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whoever_types_a_page_from_the_top_is_where_each_command_works(page: Page) -> None:
    """`cd` leads to a folder from where the reader is, and make finds its Makefile.

    For blocks that need an account, too: nobody else types those.
    """
    here, lost = TREE.root, []
    for block in (block for block in page.blocks() if block.language == "sh"):
        for line in block.text.splitlines():
            if folder := re.match(r" *cd (\S+)$", line):
                here = (here / folder[1]).resolve()
            elsewhere = re.search(r"\bmake (?!-C)", line) and here != TREE.root
            if elsewhere or not here.is_dir():
                lost.append((block.line, line))
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides_in_a_block_that_says_not_what_it_is(page: Page) -> None:
    """An indented block, or a fence without a language, would never be run."""
    assert [block.line for block in page.blocks() if not block.language] == []
