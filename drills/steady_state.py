"""What must be so before a drill begins: otherwise it would measure something else."""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError

from drills import watchers
from drills.system import System
from project import switch
from project.console import Progress, ToolchainError
from project.deployment import Deployment

LOOK_AGAIN_SECONDS = 1.0


def await_steady_state(system: System) -> None:
    """Wait until both Regions are ready and the primary serves, as after an earlier failover.

    Raises ToolchainError with what isn't so, once it can't be the rest of a failover any more; and
    then where the switch isn't as it usually is, which nothing but a command changes.
    """
    deadline = time.monotonic() + system.targets.patience_seconds
    with Progress("steady state") as progress:
        while wrong := complaint(system.deployment):
            if time.monotonic() > deadline:
                raise ToolchainError(
                    f"No drill begins like this: {wrong}\nNothing was broken. "
                    "`make status` and docs/deployment-guide.md help to put it right."
                )
            progress.show(wrong)
            time.sleep(LOOK_AGAIN_SECONDS)
        _require_normal_switch(system)
        progress.show("both Regions are ready, and the primary serves")


def _require_normal_switch(system: System) -> None:
    """See that every Region may write. Raises ToolchainError with what to type."""
    client, standby = system.dynamodb(system.standby), system.standby
    try:
        row = switch.read(client, system.deployment.table_name, standby)
    except (BotoCoreError, ClientError) as error:
        raise ToolchainError(
            f"No drill begins like this: the switch in {standby} can't be read: {error}"
        ) from error
    now = int(time.time() * 1000)
    if not row.is_normal(now, standby):
        says = row.sentence(now, standby)
        raise ToolchainError(
            f"No drill begins like this: {says}.\nNothing was broken. {_REMEDY[row.paused]}"
        )


_REMEDY = {
    True: "`make resume-writes` ends the pause.",
    False: "`make failback` ends the takeover, or a move that was broken off.",
}


def complaint(deployment: Deployment) -> str:
    """Say what keeps this from being the steady state; empty when nothing does."""
    primary, standby = deployment.primary, deployment.standby
    for stack in deployment.regions:
        if not watchers.answers(f"{stack.url}/health/ready"):
            return f"{stack.region} is not ready ({stack.url}/health/ready)."
    if watchers.answers(f"{standby.url}/health/takeover"):
        return f"{standby.region} has taken over (make failback)."
    # DNS before who serves: the edge keeps an answer for its TTL, and may still go where DNS no
    # longer leads.
    domain, regions = deployment.domain_name, [stack.region for stack in deployment.regions]
    named = watchers.failover_record(domain, regions).look()
    if named == standby.region:
        return f"DNS names {named} for origin.{domain}, not {primary.region}."
    # A read that fails in one Region is answered by the other; a write is not.
    for what, serving in (
        ("reads", watchers.serving_region(deployment.api_url).look()),
        ("writes", watchers.writes_served_by(deployment.api_url)),
    ):
        if serving != primary.region:
            return f"{what} of {deployment.api_url} are served by {serving}, not {primary.region}."
    return ""
