"""`make doctor`, as a person types it, on the embedded AWS."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from doctor.finding import Verdict
from project.paths import TREE

if TYPE_CHECKING:
    from project.deployment import Deployment

# What other tests break meanwhile; their alarms are quiet minutes later.
PASSING = ("health: ", "writes in ", "release in ", "alarms in ", "table in ")
LACKING = {
    "primary Region us-east-1",
    "standby Region us-west-2",
    "quotas",
    "state bucket: where",
    "accelerated recovery",
}


def test_the_embedded_aws_is_well_but_for_what_it_lacks(deployment: Deployment) -> None:
    done = subprocess.run(
        ["make", "-s", "doctor", f"ACCOUNT={deployment.account}", "JSON=1"],
        cwd=TREE.root,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    by_verdict = {
        verdict: {each["subject"] for each in told["findings"] if each["verdict"] == verdict}
        for verdict in Verdict
    }
    lasting = {each for each in by_verdict[Verdict.WRONG] if not each.startswith(PASSING)}
    assert lasting == set()
    assert {
        each for each in by_verdict[Verdict.NOT_KNOWN] if not each.startswith(PASSING)
    } == LACKING
    assert {"hosted zone", "name servers", "DS record", "CloudFront"} < by_verdict[Verdict.OK]
    assert told["exit_status"] == (1 if by_verdict[Verdict.WRONG] else 0)
    # make itself ends with 2, whatever a recipe ends with.
    assert done.returncode == (2 if told["exit_status"] else 0)
