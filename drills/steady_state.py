"""What must be so before a drill begins: otherwise it would measure something else."""

from __future__ import annotations

import time

from drills import watchers
from drills.system import System
from project.console import Progress, ToolchainError

LOOK_AGAIN_SECONDS = 1.0


def await_steady_state(system: System) -> None:
    """Wait until both Regions are ready and the primary serves, as after an earlier failover.

    Raises ToolchainError with what isn't so, once it can't be the rest of a failover any more.
    """
    deadline = time.monotonic() + system.targets.patience_seconds
    with Progress("steady state") as progress:
        while complaint := _complaint(system):
            if time.monotonic() > deadline:
                raise ToolchainError(
                    f"No drill begins like this: {complaint}\nNothing was broken. "
                    "`make status` and docs/deployment-guide.md help to put it right."
                )
            progress.show(complaint)
            time.sleep(LOOK_AGAIN_SECONDS)
        progress.show("both Regions are ready, and the primary serves")


def _complaint(system: System) -> str:
    for stack in system.deployment.regions:
        if not watchers.answers(f"{stack.url}/health/ready"):
            return f"{stack.region} is not ready ({stack.url}/health/ready)."
    if watchers.answers(f"{system.deployment.standby.url}/health/takeover"):
        return f"{system.standby} has taken over (make failback)."
    # DNS before who serves: the edge keeps an answer for its TTL, and may still go where DNS no
    # longer leads.
    domain = system.account.domain_name
    named = watchers.failover_record(domain, system.regions).look()
    if named == system.standby:
        return f"DNS names {named} for origin.{domain}, not {system.primary}."
    serving = watchers.serving_region(system.deployment.api_url).look()
    if serving != system.primary:
        return f"{system.deployment.api_url} is served by {serving}, not {system.primary}."
    return ""
