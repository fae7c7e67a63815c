"""What is deployed in an account, as Terragrunt's outputs tell it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from project import terraform_state
from project.access import require_access
from project.account import LOCAL, Account, read_account
from project.console import ToolchainError
from project.environment import https_port, process_environment
from project.paths import TREE, Tree

Outputs = Mapping[str, Any]

QUIETLY = ("--non-interactive", "--no-color", "--log-level", "error")


class NotDeployedError(ToolchainError):
    """The account holds nothing, or not all of it."""


@dataclass(frozen=True, slots=True)
class RegionStack:
    """One Region's stack. The URL has no trailing slash, and the port where it isn't 443."""

    region: str
    url: str
    rest_api_id: str
    stage_name: str
    function_name: str
    function_role_name: str
    health_function_name: str
    health_function_role_name: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One account's deployment: where it answers, signs users in and holds the data."""

    account: str
    account_id: str
    domain_name: str
    api_url: str
    primary: RegionStack
    standby: RegionStack
    user_pool_id: str
    user_pool_client_id: str
    table_name: str
    # What opens the origin lock: never printed by accident.
    origin_key: str = field(repr=False)

    @property
    def regions(self) -> tuple[RegionStack, RegionStack]:
        """Both Regions, the primary first."""
        return self.primary, self.standby

    def variables(self) -> dict[str, str]:
        """Name what `make env` exports of it."""
        variables = {
            "PRIMARY_REGION": self.primary.region,
            "STANDBY_REGION": self.standby.region,
            "API_URL": self.api_url,
            "API_URL_PRIMARY": self.primary.url,
            "API_URL_STANDBY": self.standby.url,
            "USER_POOL_ID": self.user_pool_id,
            "USER_POOL_CLIENT_ID": self.user_pool_client_id,
        }
        # The embedded AWS' alone: a real key has no business in a shell's environment.
        return {**variables, "ORIGIN_KEY": self.origin_key} if self.account == LOCAL else variables


def read_deployment(account_name: str = LOCAL, tree: Tree = TREE) -> Deployment:
    """Read what is deployed in an account.

    Raises NotDeployedError when something is missing, AccessError when the account is not to be
    touched, ToolchainError when outputs can't be read.
    """
    return deployment_of(read_account(tree, account_name), tree)


def deployment_of(account: Account, tree: Tree = TREE) -> Deployment:
    """Read what is deployed in an account that is known already. Raises as read_deployment."""
    if account.name != LOCAL:
        require_access(tree, account)
        return from_outputs(account, _terragrunt_outputs(tree, account, _units(account)), tree)
    if not (tree.local_state / "tfstate").is_dir():
        raise NotDeployedError("Nothing is deployed in the embedded AWS yet: run `make up`.")
    return from_outputs(account, _state_outputs(tree, _units(account)), tree)


def from_outputs(account: Account, outputs: Mapping[str, Outputs], tree: Tree = TREE) -> Deployment:
    """Put a deployment together from the outputs of its units, by unit path.

    Raises NotDeployedError that names the first unit without outputs.
    """
    port = f":{https_port(tree)}" if account.name == LOCAL else ""

    def output(unit: str, name: str, *keys: str) -> str:
        try:
            value = outputs[unit][name]["value"]
            for key in keys:
                value = value[key]
            return str(value)
        except KeyError:
            do = "`make up`" if account.name == LOCAL else "`terragrunt run --all apply` there"
            where = f"live/{account.name}/{unit}"
            raise NotDeployedError(f"{where} is not deployed (no {name}): run {do}.") from None

    def stack(region: str) -> RegionStack:
        unit = f"{region}/api"
        return RegionStack(
            region=region,
            url=output(unit, "region_url") + port,
            rest_api_id=output(unit, "rest_api_id"),
            stage_name=output(unit, "stage_name"),
            function_name=output(unit, "function_name"),
            function_role_name=output(unit, "function_role_name"),
            health_function_name=output(unit, "health_function_name"),
            health_function_role_name=output(unit, "health_function_role_name"),
        )

    return Deployment(
        account=account.name,
        account_id=account.account_id,
        domain_name=account.domain_name,
        api_url=output("global/edge", "api_url") + port,
        primary=stack(account.primary_region),
        standby=stack(account.standby_region),
        user_pool_id=output("global/identity", "user_pool_id"),
        user_pool_client_id=output("global/identity", "client_id"),
        table_name=output("global/data", "table_name"),
        origin_key=output("global/foundation", "origin_key", "current"),
    )


def outputs_of(account: Account, units: Sequence[str], tree: Tree = TREE) -> dict[str, Outputs]:
    """Read the outputs of some units alone, by unit path; empty for one that isn't deployed.

    Raises AccessError when the account is not to be touched, ToolchainError when outputs can't be
    read.
    """
    if account.name == LOCAL:
        return _state_outputs(tree, units)
    require_access(tree, account)
    return _terragrunt_outputs(tree, account, units)


def _units(account: Account) -> list[str]:
    regions = (account.primary_region, account.standby_region)
    shared = [f"global/{unit}" for unit in ("foundation", "identity", "data", "edge")]
    return [*shared, *(f"{region}/api" for region in regions)]


def _state_outputs(tree: Tree, units: Sequence[str]) -> dict[str, Outputs]:
    # `terragrunt output` says the same, ten Terraform runs later: too slow for every new shell.
    return {unit: terraform_state.outputs(tree, unit) for unit in units}


def _terragrunt_outputs(tree: Tree, account: Account, units: Sequence[str]) -> dict[str, Outputs]:
    environment = process_environment(tree, account, os.environ)
    with ThreadPoolExecutor(len(units)) as pool:
        documents = pool.map(lambda unit: _unit_outputs(tree, account, unit, environment), units)
        return dict(zip(units, documents, strict=True))


def _cause(stderr: str) -> str:
    """Give what a tool wrote without repetition: a hook's own words come first."""
    lines = (line.strip("╷│╵ ") for line in stderr.splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if line))


def _unit_outputs(tree: Tree, account: Account, unit: str, environment: dict[str, str]) -> Outputs:
    folder = tree.account(account.name) / unit
    if not folder.is_dir():
        raise NotDeployedError(f"There is no unit {folder}.")
    done = subprocess.run(
        [str(tree.tools_bin / "terragrunt"), "output", "-json", *QUIETLY],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolchainError(
            f"The outputs of live/{account.name}/{unit} can't be read: {_cause(done.stderr)}"
        )
    outputs: Outputs = json.loads(done.stdout or "{}")
    return outputs
