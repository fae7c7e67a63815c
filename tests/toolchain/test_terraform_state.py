"""Terraform's state of the embedded AWS: read as files, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from project import terraform_state
from project.console import ToolchainError
from project.paths import Tree

TABLE = {"mode": "managed", "type": "aws_dynamodb_table", "name": "this"}
ALARM = {"mode": "managed", "type": "aws_cloudwatch_metric_alarm", "name": "errors"}
READ = {"mode": "data", "type": "aws_dynamodb_table", "name": "other"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    return Tree(tmp_path)


def state_of(tree: Tree, unit: str, text: str) -> Path:
    file = tree.local_state / "tfstate" / "local" / unit / "terraform.tfstate"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_what_is_deployed_is_known(tree: Tree) -> None:
    assert not terraform_state.has_resources(tree)
    state_of(tree, "global/data", json.dumps({"resources": [TABLE, READ]}))
    state_of(tree, "us-east-1/api", json.dumps({"resources": [ALARM]}))

    assert terraform_state.has_resources(tree)
    assert terraform_state.holding_data(tree) == {"aws_dynamodb_table.this"}


def test_an_empty_state_is_no_state(tree: Tree) -> None:
    state_of(tree, "global/data", "")

    assert not terraform_state.has_resources(tree)


@pytest.mark.parametrize("text", ['{"resources": [', "[]", "\0" * 20])
def test_a_damaged_one_is_named_with_the_ways_out(tree: Tree, text: str) -> None:
    file = state_of(tree, "global/data", text)

    with pytest.raises(ToolchainError) as refused:
        terraform_state.has_resources(tree)
    assert str(file) in str(refused.value)
    assert "`make down`" in str(refused.value)
    assert "cp " not in str(refused.value)

    file.with_name("terraform.tfstate.backup").write_text("{}")
    with pytest.raises(ToolchainError, match=f"cp {file}.backup {file}"):
        terraform_state.outputs(tree, "global/data")
