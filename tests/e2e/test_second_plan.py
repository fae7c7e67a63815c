"""What was deployed is what is written down: a second plan has nothing to do."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from project.account import read_account
from project.environment import process_environment
from project.paths import TREE

if TYPE_CHECKING:
    from project.deployment import Deployment


@pytest.mark.emulated_only("a plan of a real account needs rights that this suite doesn't")
def test_a_second_plan_is_empty_in_every_unit(deployment: Deployment) -> None:
    folder = TREE.account(deployment.account)
    written = (file.relative_to(folder) for file in folder.rglob("terragrunt.hcl"))
    units = [file for file in written if ".terragrunt-cache" not in file.parts]

    plan = subprocess.run(
        [
            str(TREE.tools_bin / "terragrunt"),
            *("run", "--all", "--non-interactive", "--", "plan"),
            *("-detailed-exitcode", "-no-color", "-input=false"),
        ],
        cwd=folder,
        env=process_environment(TREE, read_account(TREE, deployment.account), os.environ),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert plan.returncode == 0, plan.stdout[-6000:] + plan.stderr[-6000:]
    assert (plan.stdout + plan.stderr).count("No changes.") == len(units)
