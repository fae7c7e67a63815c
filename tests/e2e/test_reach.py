"""The tour, in the shell of somebody who works with real accounts: this machine alone is asked."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE
from tests.support.sdk import LOOKUPS, hostile_variables

if TYPE_CHECKING:
    from pathlib import Path

TOUR = """
eval "$(make -s env)"
TOKEN=$(python -m toolchain sign-in)
aws cognito-idp describe-user-pool --user-pool-id "$USER_POOL_ID" > /dev/null
curl -sS -o /dev/null -w '%{http_code}' "$API_URL/v1/items" -H "authorization: Bearer $TOKEN"
"""


@pytest.mark.emulated_only("a real account is reached by what a shell holds")
@pytest.mark.usefixtures("deployment")
def test_the_tour_asks_this_machine_alone(tmp_path: Path) -> None:
    notes = tmp_path / "lookups"
    own = {name: value for name, value in os.environ.items() if name.startswith("LOCAL_")}
    environment = hostile_variables(
        "http://elsewhere.example:1",
        HOME=str(tmp_path),
        LANG="C.UTF-8",
        LOOKUPS=str(notes),
        PATH=os.environ["PATH"],
        PYTHONPATH=str(LOOKUPS),
    )
    done = subprocess.run(
        ["bash", "-ec", TOUR],
        cwd=TREE.root,
        env={**environment, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "200", done.stderr
    assert set(notes.read_text().split()) == {"127.0.0.1"}
