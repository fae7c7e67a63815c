"""`make down`, once nobody needs the clone any more, and a destroy that is refused before it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from local import process
from project.account import LOCAL, read_account
from project.environment import process_environment
from tests.live.trees import Tree

if TYPE_CHECKING:
    import pytest

    from tests.support.clone import Clone


def states(clone: Clone) -> dict[str, bytes]:
    """What Terraform knows of each unit."""
    files = (clone.state / "tfstate").rglob("terraform.tfstate")
    return {str(file.relative_to(clone.state)): file.read_bytes() for file in files}


def test_a_protected_account_loses_nothing_to_a_destroy(
    deployed_clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed_clone.lead_here(monkeypatch)
    tree = deployed_clone.tree
    environment = process_environment(tree, read_account(tree, LOCAL), os.environ)
    before = states(deployed_clone)
    assert before
    Tree(deployed_clone.root).say(LOCAL, deletion_protection="true")

    done = subprocess.run(
        [str(tree.tools_bin / "terragrunt"), "run", "--all", "--", "destroy"],
        cwd=tree.account(LOCAL),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    Tree(deployed_clone.root).say(LOCAL, deletion_protection="false")

    assert done.returncode != 0
    assert "nothing of local may be destroyed" in done.stderr
    assert states(deployed_clone) == before


def test_down_leaves_nothing(deployed_clone: Clone) -> None:
    process_id = deployed_clone.process_id()

    status, output = deployed_clone.run("down")

    assert status == 0, output
    assert not deployed_clone.state.exists()
    assert process.identify(process_id) is None
