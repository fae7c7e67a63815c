"""What installs beside something else ends with it, and says why."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from tests.support.waiting import eventually
from toolchain import install as installing
from toolchain.side_by_side import run_side_by_side

WITHIN = 60.0
# Notes its own process and one that it starts, as pip and go do, and waits for that.
LONG = "sleep 600 & echo $$ $! > {0}.part; mv {0}.part {0}; wait"
AWAIT = "while [ ! -e {} ]; do sleep 0.01; done"
RUNNER = """
import signal, sys
from pathlib import Path
from project.console import on_termination
from toolchain.side_by_side import run_side_by_side
signal.signal(signal.SIGTERM, on_termination)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    run_side_by_side({name: ["/bin/sh", "-c", text] for name, text in eval(sys.argv[1]).items()},
                     Path(sys.argv[2]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


def ended(noted: Path) -> bool:
    """Whether neither of the noted processes runs any more."""
    return not any(_runs(int(process)) for process in noted.read_text().split())


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # Ended, and not yet looked at by whoever has inherited it.
    return state != "Z"


def test_each_runs_while_the_other_does(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    run_side_by_side(
        {
            "one": shell(f"touch {one}; {AWAIT.format(two)}"),
            "two": shell(f"touch {two}; {AWAIT.format(one)}"),
        },
        tmp_path,
    )


@pytest.mark.parametrize("failing", ["first", "second"])
def test_the_failure_of_one_ends_the_other_with_its_children_and_is_the_message(
    tmp_path: Path, failing: str
) -> None:
    noted = tmp_path / "noted"
    long = shell(LONG.format(noted))
    fails = shell(f"{AWAIT.format(noted)}; echo no room left; exit 1")
    order = [("fails", fails), ("long", long)]
    with pytest.raises(ToolchainError, match=r"^no room left$"):
        run_side_by_side(dict(order if failing == "first" else order[::-1]), tmp_path)
    eventually(lambda: ended(noted), bool, WITHIN)


def test_one_that_ends_without_a_word_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"^python failed with status 3: see above\.$"):
        run_side_by_side({"python": shell("exit 3")}, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_ends_both_with_their_children(tmp_path: Path, number: signal.Signals) -> None:
    notes = [tmp_path / "one", tmp_path / "two"]
    commands = {note.name: LONG.format(note) for note in notes}
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, repr(commands), str(tmp_path)],
        cwd=TREE.root,
        start_new_session=True,
    ) as running:
        try:
            eventually(lambda: all(note.exists() for note in notes), bool, WITHIN)
            os.killpg(running.pid, number)
            assert running.wait(WITHIN) == 130
        finally:
            running.kill()
    eventually(lambda: all(map(ended, notes)), bool, WITHIN)


@pytest.mark.parametrize(
    ("python", "terragrunt", "beside"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, False)],
)
def test_only_what_both_take_long_is_installed_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: bool, terragrunt: bool, beside: bool
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(installing, "python_in_place", lambda _: python)
    monkeypatch.setattr(installing, "terragrunt_in_place", lambda _: terragrunt)
    monkeypatch.setattr(installing, "run_side_by_side", lambda parts, _: begun.extend(parts))
    for name in ("install_python", "install_terraform", "install_terragrunt", "configure"):
        monkeypatch.setattr(installing, name, lambda *_: (1, 2, 3))
    monkeypatch.setattr(installing, "provider_version", lambda *_: "5.100.0")
    monkeypatch.setattr(installing, "_source", lambda *_: "the registry")

    installing.install(Tree(tmp_path))

    assert begun == (["python", "terragrunt"] if beside else [])


def test_a_part_that_cannot_be_installed_says_why_on_stdout(tmp_path: Path) -> None:
    curl = shutil.which("curl")
    assert curl
    (tmp_path / "curl").symlink_to(curl)
    done = subprocess.run(
        [sys.executable, "-m", "toolchain.install", str(tmp_path), "terragrunt"],
        cwd=TREE.root,
        env={"PATH": str(tmp_path), "https_proxy": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("Terragrunt "), done.stdout
    assert "install Go" in done.stdout
    assert "Traceback" not in done.stderr
