"""`make drift`, as a person types it: what `make up` has deployed is what is written."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from drift.units import units_of
from project.paths import TREE
from tests.support.deployment_lock import deployment_lock

if TYPE_CHECKING:
    from project.deployment import Deployment


def test_everything_is_in_step(deployment: Deployment) -> None:
    with deployment_lock(deployment, alone=False):
        done = subprocess.run(
            ["make", "-s", "drift", f"ACCOUNT={deployment.account}", "JSON=1"],
            cwd=TREE.root,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )

    told = json.loads(done.stdout)
    assert [unit for unit in told["units"] if unit["verdict"] != "in step"] == []
    assert {unit["name"] for unit in told["units"]} == {*units_of(TREE, "local").planned}
    assert (done.returncode, told["exit_status"]) == (0, 0)
    assert not (TREE.local_state / "drift").exists()
