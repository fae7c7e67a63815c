"""The deployment guide's order: what a stranger with an empty account types, from the top."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from project.paths import TREE
from tests.docs.pages import Page

GUIDE = Page(TREE.root / "docs" / "deployment-guide.md")
TYPED = "\n".join(block.text for block in GUIDE.blocks() if block.language == "sh")
# In the order of the guide: a later one can't work before an earlier one.
FIRST_TIME = [
    # Credentials, before what reads the outputs of the account.
    "export AWS_PROFILE=dev",
    "make -s env ACCOUNT=dev",
    # A new account may have to wait for it, and the edge comes when the Regions cost already.
    "cloudfront create-distribution",
    "terragrunt apply --backend-bootstrap --working-dir live/dev/global/foundation",
    # Resolvers refuse an unsigned zone whose parent says that it is signed.
    "dig +short DS",
    "dig +short NS",
    # Certificates come with this apply; a plan of the Regions reads them from its state.
    "terragrunt apply --working-dir live/dev/global/foundation",
    "--working-dir live/dev -- plan",
    "--working-dir live/dev -- apply",
]


def test_the_first_time_is_typed_in_an_order_that_can_work() -> None:
    places = [TYPED.find(command) for command in FIRST_TIME]

    assert -1 not in places
    assert [pair for pair in pairwise(places) if pair[0] >= pair[1]] == []


@pytest.mark.parametrize("account", ["dev", "prod"])
def test_whatever_is_made_up_in_an_accounts_file_is_marked(account: str) -> None:
    lines = (TREE.root / "live" / account / "account.hcl").read_text().splitlines()
    made_up = re.compile(r"example\.com|\"(\d)\1{11}\"")

    assert [
        line
        for before, line in pairwise(lines)
        if made_up.search(line) and "\N{LEFTWARDS ARROW}" not in before + line
    ] == []
