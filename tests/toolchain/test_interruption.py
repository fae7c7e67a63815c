"""An interrupted run lets Terraform save what it made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from project.paths import TREE, Tree
from toolchain.up import follow

# Runs a tool as `make up` does, and prints when it is under way.
RUNNER = """
import subprocess, sys
from toolchain.up import follow
with subprocess.Popen(["/bin/sh", sys.argv[1]], stdout=subprocess.PIPE, text=True) as tool:
    follow(tool, lambda line: print(line, end="", flush=True))
"""
TOOL = """
trap 'echo saving; touch "$0.saved"; exit 1' INT
echo under way
while :; do sleep 0.1; done
"""


@pytest.mark.parametrize("to_the_whole_terminal", [True, False], ids=["ctrl-c", "sigterm"])
def test_the_tool_ends_by_itself_before_the_run_does(
    tmp_path: Path, to_the_whole_terminal: bool
) -> None:
    tool = tmp_path / "tool"
    tool.write_text(TOOL)
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(tool)],
        cwd=TREE.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "under way\n"
        if to_the_whole_terminal:
            os.killpg(running.pid, signal.SIGINT)
        else:
            running.terminate()
        output, complaints = running.communicate(timeout=60)
    assert output == "saving\n"
    assert (tmp_path / "tool.saved").exists()
    assert "Stopping" in complaints
    assert running.returncode != 0


# Runs a module as `make` does, and in place of Python what cleans up when it is told to end.
MODULE_RUNNER = """
import sys
from pathlib import Path
from project.paths import Tree
from toolchain.up import run_module
sys.exit(run_module(Tree(Path(sys.argv[1])), "local", "local"))
"""
MODULE = """#!/bin/sh
trap 'echo cleaning up; exit 130' TERM
echo under way
while :; do sleep 0.1; done
"""


def test_a_module_cleans_up_when_who_runs_it_is_told_to_end(tmp_path: Path) -> None:
    python = Tree(tmp_path).python
    python.parent.mkdir(parents=True)
    python.write_text(MODULE)
    python.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", MODULE_RUNNER, str(tmp_path)],
        cwd=TREE.root,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "under way\n"
        running.terminate()
        output, _ = running.communicate(timeout=60)
    assert (output, running.returncode) == ("cleaning up\n", 130)


def test_a_line_that_is_read_as_the_interrupt_comes_is_handed_on() -> None:
    def lines() -> Iterator[str]:
        yield "under way"
        signal.raise_signal(signal.SIGINT)
        yield "saved"

    seen: list[str] = []
    tool = cast("subprocess.Popen[str]", SimpleNamespace(stdout=lines()))
    with pytest.raises(KeyboardInterrupt):
        follow(tool, seen.append)
    assert seen == ["under way", "saved"]
