"""Which tests run on what: a deployment only for those that need one, and beside the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from tests.support.deployment import WORKER
from tests.support.ports import free_ports
from toolchain import cli, testing
from toolchain.testing import NOTHING_COLLECTED, UP_IS_DONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# In place of the tree's interpreter: notes what it is asked for, and runs a test for which
# `make up` has to be under way, and whose end it waits for.
PYTHON = f"""#!/bin/sh
echo "$@" >> calls
await() {{ while [ ! -e "$1" ]; do sleep 0.01; done; }}
case "$*" in
  *--collect-only*) exit $COLLECTED ;;
  "-m local status") exit $STATUS ;;
  "-m local stop") exit 0 ;;
esac
trap 'echo interrupted >> calls; exit 2' INT
touch tests-began
if [ -n "${UP_IS_DONE}" ]; then await up-began; await "${UP_IS_DONE}"; fi
exit 3
"""
UP = """
import pathlib, sys, time
assert sys.argv[1:] == ["up"]
while not pathlib.Path("tests-began").exists():
    time.sleep(0.01)
pathlib.Path("up-began").touch()
print("no room left")
sys.exit({status})
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A tree whose tools note what they are asked for."""

    tree: Tree

    def calls(self) -> list[str]:
        return (self.tree.root / "calls").read_text().splitlines()

    @property
    def brought_up(self) -> bool:
        return (self.tree.root / "up-began").exists()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    def made(*, up: int = 0, collected: int = 0, status: int = 1) -> Run:
        tree = Tree(tmp_path)
        tree.python.parent.mkdir(parents=True)
        tree.python.write_text(PYTHON)
        tree.python.chmod(0o755)
        (tmp_path / "toolchain").mkdir()
        (tmp_path / "toolchain" / "__main__.py").write_text(UP.format(status=up))
        (tmp_path / "live").symlink_to(TREE.root / "live")
        tree.tools.symlink_to(TREE.tools)
        for name in ("install", "build_package", "check"):
            monkeypatch.setattr(testing, name, lambda _tree: None)
        monkeypatch.setenv("COLLECTED", str(collected))
        monkeypatch.setenv("STATUS", str(status))
        monkeypatch.delenv(UP_IS_DONE, raising=False)
        return Run(tree)

    return made


def test_the_deployment_comes_up_beside_the_tests_and_is_stopped(run: Callable[..., Run]) -> None:
    made = run()

    assert testing.test(made.tree, []) == 3
    assert made.brought_up
    assert made.calls()[-1] == "-m local stop"


def test_what_ran_before_goes_on_running(run: Callable[..., Run]) -> None:
    made = run(status=0)

    assert testing.test(made.tree, []) == 3
    assert "-m local stop" not in made.calls()


def test_named_tests_that_need_no_deployment_bring_none_up(run: Callable[..., Run]) -> None:
    made = run(collected=NOTHING_COLLECTED)

    assert testing.test(made.tree, ["tests/unit"]) == 3
    assert not made.brought_up
    assert made.calls()[-1] == "-m pytest tests/unit"


def test_named_tests_that_need_a_deployment_get_one(run: Callable[..., Run]) -> None:
    made = run()

    assert testing.test(made.tree, ["tests/e2e"]) == 3
    assert made.brought_up


def test_the_tests_end_where_the_deployment_does_not_come_up(run: Callable[..., Run]) -> None:
    made = run(up=1)

    with pytest.raises(ToolchainError, match="no room left"):
        testing.test(made.tree, [])
    assert made.calls()[-2:] == ["interrupted", "-m local stop"]


def test_tests_can_be_interrupted_where_a_shell_has_its_background_ignore_it(
    run: Callable[..., Run],
) -> None:
    made = run(up=1)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(ToolchainError, match="no room left"):
            testing.test(made.tree, [])
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in made.calls()


def test_unit_tests_bring_nothing_up(run: Callable[..., Run]) -> None:
    made = run()

    assert testing.unit(made.tree, ["tests/unit"]) == 3
    assert not made.brought_up
    (called,) = made.calls()
    assert called.startswith("-m pytest -q -m not (deployed or ")
    assert called.endswith("tests/unit")


def test_an_account_that_no_test_can_reach_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["e2e", "--account", "dev"]) == 2
    (sentence,) = capsys.readouterr().err.split("\n")[1:-1]
    assert sentence.startswith("live/dev/account.hcl still has the placeholder account id")


def test_a_suite_that_is_run_by_itself_says_it_once_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_health.py"],
        cwd=TREE.root,
        env={k: v for k, v in os.environ.items() if k != WORKER} | {"ACCOUNT": "dev"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.count("placeholder account id")) == (2, 1), done.stdout


def test_the_embedded_aws_that_is_stopped_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ACCOUNT", raising=False)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOCAL_AWS_PORT", str(free_ports(1)[0]))
    monkeypatch.setattr(testing, "deployment_of", lambda *_: None)
    assert cli.main(["e2e"]) == 2
    assert capsys.readouterr().err.strip().startswith("The embedded AWS does not run: `make start`")


def test_unit_tests_find_the_packages_wheels_fetched(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, built = run(), list[Tree]()
    monkeypatch.setattr(testing, "build_package", built.append)
    testing.unit(made.tree, ["tests/unit"])
    assert built == [made.tree]


def test_what_is_typed_after_make_is_read_by_neither_make_nor_a_shell(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s" "$TYPED_TESTS"\n')
    python.chmod(0o755)
    typed = f'tests/unit -k "a or b"; touch {tmp_path}/shell $(shell touch {tmp_path}/make) `x`'

    done = subprocess.run(
        ["make", "-s", "unit", f"PYTHON={python}", f"TESTS={typed}"],
        cwd=TREE.root,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == typed
    assert [path.name for path in tmp_path.iterdir()] == ["python"]
