"""What `make up` says when the embedded AWS has lost something, or is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from tests.live.sts import listening
from tests.support.accounts import LOCAL
from tests.support.ports import free_ports
from toolchain import apply_cache, up

TABLE = '{"resources": [{"mode": "managed", "type": "aws_dynamodb_table", "name": "this"}]}'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A clone that has a table, whose terragrunt does what a test writes into it."""
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    tree = Tree(tmp_path)
    state = tree.local_state / "tfstate" / "local" / "global" / "data" / "terraform.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text(TABLE)
    tree.tools_bin.mkdir(parents=True)
    tree.real_terragrunt.parent.mkdir(parents=True)
    tree.real_terragrunt.symlink_to(TREE.real_terragrunt)
    (tree.root / "live").symlink_to(TREE.root / "live")
    monkeypatch.setattr(apply_cache, "is_current", lambda _tree: False)
    return tree


def terragrunt_says(tree: Tree, *lines: str, status: int = 0) -> None:
    script = "".join(f"print({line!r})\n" for line in lines)
    tool = tree.tools_bin / "terragrunt"
    tool.write_text(f"#!{sys.executable}\nimport sys\n{script}sys.exit({status})\n")
    tool.chmod(0o755)


def test_a_table_that_had_been_there_and_is_made_again_is_named(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    terragrunt_says(
        tree,
        "12:00:00 STDOUT [global/data] aws_dynamodb_table.this: Creation complete after 1s",
        "12:00:00 STDOUT [us-east-1/api] aws_lambda_function.this: Creation complete after 1s",
    )

    up._apply(tree, LOCAL)

    said = capsys.readouterr().err
    assert "made again, and empty: aws_dynamodb_table.this." in said
    assert "aws_lambda_function" not in said.partition("made again")[2]


def test_a_first_table_is_no_loss(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    next(tree.local_state.rglob("terraform.tfstate")).write_text("{}")
    terragrunt_says(tree, "x STDOUT aws_dynamodb_table.this: Creation complete after 1s")

    up._apply(tree, LOCAL)

    assert "made again" not in capsys.readouterr().err


def test_an_apply_fails_by_the_emulators_end_and_says_so(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", str(free_ports(1)[0]))
    terragrunt_says(tree, "x STDERR exceeded maximum number of attempts, 25", status=1)

    with pytest.raises(ToolchainError, match="The embedded AWS itself has ended meanwhile"):
        up.terragrunt_all(tree, LOCAL, "apply")


def test_an_apply_that_fails_by_itself_doesnt_blame_the_emulator(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening("000000000000", tree.local_state) as emulator:
        monkeypatch.setenv("LOCAL_AWS_PORT", str(emulator.port))
        terragrunt_says(tree, "x STDERR Error: no such thing", status=1)

        with pytest.raises(ToolchainError, match="no such thing") as failed:
            up.terragrunt_all(tree, LOCAL, "apply")

    assert "has ended" not in str(failed.value)


def test_a_terraform_state_that_cant_be_read_is_no_traceback(tree: Tree) -> None:
    state = next(tree.local_state.rglob("terraform.tfstate"))
    state.write_text(TABLE[:20])

    with pytest.raises(ToolchainError, match=str(state)):
        up._apply(tree, LOCAL)


def test_down_removes_what_the_project_made_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOCAL_STATE_DIR may name somebody's home."""
    home = tmp_path / "home"
    for name in up.STATE:
        (home / name).mkdir(parents=True)
    (home / "photo.jpg").touch()
    (home / "letters").mkdir()
    monkeypatch.setenv("LOCAL_STATE_DIR", str(home))

    up.down(Tree(tmp_path / "clone"))

    assert sorted(path.name for path in home.iterdir()) == ["letters", "photo.jpg"]


def test_down_leaves_no_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    tree = Tree(tmp_path)
    (tree.local_state / "logs").mkdir(parents=True)
    (tree.local_state / "ports.json").touch()

    up.down(tree)

    assert not tree.local_state.exists()


def test_ctrl_c_while_the_emulator_starts_is_an_interruption(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "emulator_status", lambda *_: 130)

    with pytest.raises(KeyboardInterrupt):
        up.emulator(tree, "start")


def test_what_talks_to_the_emulator_refuses_another_clones(tmp_path: Path) -> None:
    with listening("000000000000", tmp_path / "theirs") as theirs:
        ports = dict(
            zip(("LOCAL_HTTPS_PORT", "LOCAL_DNS_PORT"), map(str, free_ports(2)), strict=True)
        )
        for command in ("env", "up", "down", "test", "e2e", "sign-in", "drills", "dashboards"):
            done = subprocess.run(
                [sys.executable, "-m", "toolchain", command],
                cwd=TREE.root,
                env={
                    "PATH": "/usr/bin:/bin",
                    "LOCAL_STATE_DIR": str(tmp_path / "own"),
                    "LOCAL_AWS_PORT": str(theirs.port),
                    **ports,
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode != 0, command
            if command == "env":
                assert str(theirs.port) not in done.stdout
            else:
                assert done.stdout == "", command
            assert f"is the embedded AWS of {tmp_path / 'theirs'}" in done.stderr, command
            assert f"not that of this clone, {tmp_path / 'own'}" in done.stderr, command
    assert theirs.calls == []
