"""Faults that can be made and unmade, each by a call or two of AWS's API or of the emulator's own.

A fault is plain data, so that it can be written down before it is made: whoever reads that note,
this process or a later one, can unmake it. Unmaking is harmless however often it is done, and
however far the making got.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from drills import watchers
from drills.hand_over import HandOver
from drills.switch import Switch
from drills.system import System
from project.console import ToolchainError
from project.deployment import RegionStack
from project.paths import TREE

DENIAL = "drill-table-denied"
# What the functions' own policies allow them on the table (modules/api/iam.tf and health.tf).
DENIED_ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")


class Fault(Protocol):
    """Something that is wrong with a system from `make` until `unmake`."""

    def make(self, system: System) -> None:
        """Break it. Raises what AWS or the emulator raises."""

    def unmake(self, system: System) -> None:
        """Heal it. Raises what AWS or the emulator raises."""


@dataclass(frozen=True, slots=True)
class EndpointFault:
    """A Region's endpoint in the emulator, broken in one of its ways (`make fault`)."""

    region: str
    kind: str

    def make(self, system: System) -> None:
        """Break the endpoint."""
        del system
        _emulator("fault", "--region", self.region, "--kind", self.kind)

    def unmake(self, system: System) -> None:
        """Heal it."""
        del system
        _emulator("heal", "--region", self.region)


@dataclass(frozen=True, slots=True)
class Takeover:
    """Users and writes moved to the standby Region, as `make takeover` does it."""

    region: str

    def make(self, system: System) -> None:
        """Move them; ends once they have come, or aren't going to."""
        self._hand_over(system).take_over()

    def give_back(self, system: System) -> None:
        """Move them back, as `make failback` does it. A drill that ends as planned ends so."""
        self._hand_over(system).fail_back()

    def unmake(self, system: System) -> None:
        """Set the switch as it usually is, at once: whoever broke a drill off waits for nobody."""
        self._switch(system).reset()

    def _hand_over(self, system: System) -> HandOver:
        urls = {stack.region: stack.url for stack in system.deployment.regions}
        return HandOver(
            switch=self._switch(system),
            writes_served_by=lambda: watchers.writes_served_by(system.deployment.api_url),
            ready=lambda region: watchers.answers(f"{urls[region]}/health/ready"),
            tell=lambda _: None,
            patience_seconds=system.targets.patience_seconds,
        )

    def _switch(self, system: System) -> Switch:
        clients = {region: system.dynamodb(region) for region in system.regions}
        return Switch(system.primary, system.standby, clients, system.deployment.table_name)


@dataclass(frozen=True, slots=True)
class FunctionStopped:
    """A function of a Region may run nowhere: reserved concurrency 0. `before` is -1 for none.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html, "To throttle a
    function, set the reserved concurrency to zero".
    """

    region: str
    function_name: str
    before: int

    @classmethod
    def of(cls, system: System, region: str, function_name: str) -> Self:
        """Read what is reserved now, so that it can be put back."""
        reserved = system.functions(region).get_function_concurrency(FunctionName=function_name)
        return cls(region, function_name, reserved.get("ReservedConcurrentExecutions", -1))

    @classmethod
    def users(cls, system: System, region: str) -> tuple[Self]:
        """Stop what serves users, and leave what answers the health checks."""
        return (cls.of(system, region, _stack(system, region).function_name),)

    @classmethod
    def all(cls, system: System, region: str) -> tuple[Self, Self]:
        """Stop both of the Region's functions."""
        health = _stack(system, region).health_function_name
        return (*cls.users(system, region), cls.of(system, region, health))

    def make(self, system: System) -> None:
        """Stop it."""
        system.functions(self.region).put_function_concurrency(
            FunctionName=self.function_name, ReservedConcurrentExecutions=0
        )

    def unmake(self, system: System) -> None:
        """Give it what it had."""
        client = system.functions(self.region)
        if self.before < 0:
            client.delete_function_concurrency(FunctionName=self.function_name)
        else:
            client.put_function_concurrency(
                FunctionName=self.function_name, ReservedConcurrentExecutions=self.before
            )


@dataclass(frozen=True, slots=True)
class TableDenied:
    """A function of a Region may not use its table: a policy on its role says so.

    The role is one Region's alone, and a denial outweighs whatever allows
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
    """

    region: str
    role_name: str

    @classmethod
    def of(cls, system: System, region: str) -> tuple[Self, Self]:
        """Name the roles of both of the Region's functions."""
        stack = _stack(system, region)
        return cls(region, stack.function_role_name), cls(region, stack.health_function_role_name)

    def make(self, system: System) -> None:
        """Deny."""
        statement = {"Effect": "Deny", "Action": list(DENIED_ACTIONS), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        system.iam().put_role_policy(
            RoleName=self.role_name, PolicyName=DENIAL, PolicyDocument=json.dumps(policy)
        )

    def unmake(self, system: System) -> None:
        """Deny no longer."""
        iam = system.iam()
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=self.role_name, PolicyName=DENIAL)


KINDS: Mapping[str, type[EndpointFault | Takeover | FunctionStopped | TableDenied]] = {
    kind.__name__: kind for kind in (EndpointFault, Takeover, FunctionStopped, TableDenied)
}


def to_note(fault: Fault) -> dict[str, Any]:
    """Write a fault down as JSON types."""
    assert isinstance(fault, EndpointFault | Takeover | FunctionStopped | TableDenied)
    return {"fault": type(fault).__name__, **asdict(fault)}


def from_note(note: Mapping[str, Any]) -> Fault:
    """Read what `to_note` gave."""
    fields = {name: value for name, value in note.items() if name != "fault"}
    fault: Fault = KINDS[note["fault"]](**fields)
    return fault


def _emulator(*arguments: str) -> None:
    """Run a command of the emulator's own. Raises ToolchainError with what it says."""
    command = [sys.executable, "-m", "local", *arguments]
    done = subprocess.run(command, cwd=TREE.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(done.stderr.strip())


def _stack(system: System, region: str) -> RegionStack:
    return next(stack for stack in system.deployment.regions if stack.region == region)
