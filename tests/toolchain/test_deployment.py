"""A deployment, read from Terragrunt's outputs."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from project import access, deployment
from project.access import AccessError
from project.account import Account
from project.console import ToolchainError
from project.deployment import NotDeployedError, from_outputs, read_deployment
from project.paths import Tree
from tests.support.accounts import LOCAL

PROD = Account(
    "prod",
    "landing",
    "222222222222",
    "example.com",
    "eu-west-1",
    "eu-central-1",
    "landing-prod-items",
)


def outputs(account: Account) -> dict[str, Any]:
    def api(region: str) -> dict[str, Any]:
        return {
            "region_url": {"value": f"https://{region}.{account.domain_name}"},
            "rest_api_id": {"value": f"api-{region}"},
            "stage_name": {"value": f"stage-{region}"},
            "function_name": {"value": f"function-{region}"},
            "function_role_name": {"value": f"role-{region}"},
            "health_function_name": {"value": f"health-{region}"},
            "health_function_role_name": {"value": f"health-role-{region}"},
        }

    return {
        "global/foundation": {
            "origin_key": {"value": {"current": "the-key", "previous": "the-old-key"}}
        },
        "global/edge": {"api_url": {"value": f"https://api.{account.domain_name}"}},
        "global/identity": {"user_pool_id": {"value": "pool"}, "client_id": {"value": "client"}},
        "global/data": {"table_name": {"value": "table"}},
        f"{account.primary_region}/api": api(account.primary_region),
        f"{account.standby_region}/api": api(account.standby_region),
    }


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A clone whose accounts are known; Terragrunt's answer is given."""
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    accounts = {"local": LOCAL, "prod": PROD}
    monkeypatch.setattr(deployment, "read_account", lambda _tree, name: accounts[name])
    return Tree(tmp_path)


def test_the_embedded_regions_answer_at_the_endpoints_port_and_real_ones_at_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCAL_HTTPS_PORT", "9443")
    local, prod = from_outputs(LOCAL, outputs(LOCAL)), from_outputs(PROD, outputs(PROD))
    assert local.primary.url == "https://us-east-1.landing.localhost:9443"
    assert prod.standby.url == "https://eu-central-1.example.com"
    assert [stack.region for stack in prod.regions] == ["eu-west-1", "eu-central-1"]


def test_everything_is_read_from_its_own_output() -> None:
    prod = from_outputs(PROD, outputs(PROD))
    assert [astuple(stack) for stack in prod.regions] == [
        (
            region,
            f"https://{region}.example.com",
            *(f"{output}-{region}" for output in ("api", "stage", "function", "role")),
            *(f"{output}-{region}" for output in ("health", "health-role")),
        )
        for region in ("eu-west-1", "eu-central-1")
    ]
    assert (prod.account, prod.account_id, prod.domain_name) == (
        "prod", "222222222222", "example.com",
    )  # fmt: skip
    assert prod.api_url == "https://api.example.com"
    assert (prod.user_pool_id, prod.user_pool_client_id) == ("pool", "client")
    assert (prod.table_name, prod.origin_key) == ("table", "the-key")


def test_a_unit_without_outputs_is_named() -> None:
    half = {**outputs(LOCAL), "us-west-2/api": {}}
    with pytest.raises(NotDeployedError, match="live/local/us-west-2/api is not deployed"):
        from_outputs(LOCAL, half)


def test_nothing_deployed_says_what_to_do(tree: Tree) -> None:
    with pytest.raises(NotDeployedError, match="run `make up`"):
        read_deployment(tree=tree)


def write_states(tree: Tree, outputs_by_unit: dict[str, Any]) -> None:
    for unit, outputs_of_unit in outputs_by_unit.items():
        path = tree.local_state / "tfstate" / "local" / unit / "terraform.tfstate"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 4, "outputs": outputs_of_unit}))


def test_the_embedded_account_is_read_from_its_state_without_running_anything(
    tree: Tree,
) -> None:
    write_states(tree, outputs(LOCAL))
    assert read_deployment(tree=tree) == from_outputs(LOCAL, outputs(LOCAL), tree)


def test_after_a_destroy_nothing_is_deployed(tree: Tree) -> None:
    write_states(tree, {unit: {} for unit in outputs(LOCAL)})
    with pytest.raises(NotDeployedError, match="run `make up`"):
        read_deployment(tree=tree)


def test_a_real_account_is_read_through_terragrunt(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    for unit in outputs(PROD):
        (tree.account("prod") / unit).mkdir(parents=True)
    (tree.root / "outputs.json").write_text(json.dumps(outputs(PROD)))
    monkeypatch.setattr(deployment, "require_access", lambda *_: None)
    terragrunt = tree.tools_bin / "terragrunt"
    terragrunt.parent.mkdir(parents=True)
    script = tree.root / "terragrunt.py"
    terragrunt.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    script.write_text(
        "import json, os, sys\n"
        "assert sys.argv[1:3] == ['output', '-json'], sys.argv\n"
        f"outputs = json.load(open({str(tree.root / 'outputs.json')!r}))\n"
        "print(json.dumps(outputs['/'.join(os.getcwd().split('/')[-2:])]))\n"
    )
    terragrunt.chmod(0o755)
    assert read_deployment("prod", tree) == from_outputs(PROD, outputs(PROD))
    terragrunt.write_text("#!/bin/sh\nfor _ in 1 2; do echo 'no such bucket' >&2; done\nexit 1\n")
    said = r"live/prod/global/\w+ can't be read: no such bucket$"
    with pytest.raises(ToolchainError, match=said):
        read_deployment("prod", tree)


def test_a_refused_account_is_asked_for_no_outputs(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "read_settings", lambda *_: {"account_id": "222222222222"})
    monkeypatch.setattr(access, "read_defaults", lambda *_: {"trace_rate": 1})
    tree.python.parent.mkdir(parents=True)
    tree.python.write_text('#!/bin/sh\nprintf "%s" "refused: $2, $3, $4, $5"\n')
    tree.python.chmod(0o755)

    with pytest.raises(AccessError) as refused:
        read_deployment("prod", tree)

    settings = '{"account_id": "222222222222"}'
    assert (
        str(refused.value)
        == f'refused: {tree.account("prod") / "global"}, {settings}, ["trace_rate"], output'
    )
