"""`make unit`, `make check` and `make test`, which is both and everything against a deployment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project import make_variables
from project.access import require_running
from project.account import LOCAL, read_account
from project.console import ToolchainError, say
from project.deployment import deployment_of
from project.environment import process_environment
from project.paths import Tree
from toolchain.check_tools import ACTIONLINT, OASDIFF, CheckTool, provide
from toolchain.install import install
from toolchain.package import build_package
from toolchain.policy import install as install_policies

# One more than cores: two wait for most of a run, for Terraform, a health check, a name.
PROCESSES = 3
# In the order that tests/support/order.py gives, and not the files with the most tests first.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
SIDE_BY_SIDE = ("-n", str(PROCESSES), *BY_FILE)
UNIT_PROCESSES = 2
# What takes a deployment, an emulator, Terraform, Terragrunt or the network (markers of
# tests/support).
NOT_UNIT = "deployed or clone or emulator or terraform or terragrunt or installs"
# Names the file that is there once `make up` has ended well.
UP_IS_DONE = "TEST_UP_IS_DONE"
NOTHING_COLLECTED = 5

# Its script names the interpreter by a path, which may have a space in it.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"


@dataclass(frozen=True, slots=True)
class Check:
    """A static check: its name, its command, and what installs the tool that it alone needs.

    That is the shell's own environment's, which may say how the package index is reached.
    """

    name: str
    command: tuple[str, ...]
    install: Callable[[Tree], object] | None = None


def checks(tree: Tree) -> list[Check]:
    """Name each static check of this tree."""
    python, tools = str(tree.python), tree.tools_bin
    return [
        Check("ruff check", (python, "-m", "ruff", "check", ".")),
        Check("ruff format", (python, "-m", "ruff", "format", "--check", ".")),
        Check("mypy", (python, "-m", "mypy")),
        Check("terraform fmt", (str(tools / "terraform"), "fmt", "-check", "-recursive")),
        Check("terragrunt fmt", (str(tools / "terragrunt"), "hcl", "fmt", "--check")),
        Check("module tables", (python, "-m", "toolchain.module_readme")),
        Check("import contracts", (python, "-c", LINT_IMPORTS, "--no-cache")),
        Check("released contract", (python, "-m", "toolchain.contract"), _installs(OASDIFF)),
        Check("zizmor", (str(tree.venv / "bin" / "zizmor"), "--offline", "--quiet", ".github")),
        Check("policies", (python, "-m", "toolchain.policy"), install_policies),
        *_workflow_checks(tree),
    ]


def _workflow_checks(tree: Tree) -> list[Check]:
    workflows = sorted((tree.root / ".github" / "workflows").glob("*.y*ml"))
    if not workflows:
        return []
    # It runs what finds faults in scripts where a machine happens to have that: here none does.
    command = (str(tree.tools_bin / ACTIONLINT.name), "-shellcheck=", "-pyflakes=")
    return [Check("actionlint", (*command, *map(str, workflows)), _installs(ACTIONLINT))]


def _installs(tool: CheckTool) -> Callable[[Tree], object]:
    return lambda tree: provide(tree, tool, os.environ)


def fmt(tree: Tree) -> None:
    """Put the formatting of every language right. Raises ToolchainError when a tool fails."""
    install(tree)
    ruff = [str(tree.python), "-m", "ruff"]
    commands = (
        [*ruff, "check", "--select", "I", "--fix", "."],
        [*ruff, "format", "."],
        [str(tree.tools_bin / "terraform"), "fmt", "-recursive"],
        [str(tree.tools_bin / "terragrunt"), "hcl", "fmt"],
        [str(tree.python), "-m", "toolchain.module_readme", "--write"],
    )
    environment = _environment(tree)
    for command in commands:
        if subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode != 0:
            raise ToolchainError(f"{Path(command[0]).name} failed: see above.")


def end_to_end(tree: Tree, account_name: str) -> int:
    """Run the end-to-end suite against what is deployed in an account; pytest's exit status.

    What every test would fail of is looked at once, before them. Raises ToolchainError then.
    """
    account = read_account(tree, account_name)
    deployment_of(account, tree)
    require_running(tree, account)
    environment = process_environment(tree, account, os.environ)
    return _run_pytest(tree, ["tests/e2e"], environment)


def check(tree: Tree) -> int:
    """Run every static check, all of them even when one fails; 0 when all pass."""
    install(tree)
    environment = _environment(tree)
    failed = [entry.name for entry in checks(tree) if not _passes(tree, entry, environment)]
    if failed:
        raise ToolchainError(f"Failed: {', '.join(failed)}. `make fmt` puts formatting right.")
    return 0


def contract(tree: Tree) -> int:
    """Make the API's contract the released one, unless it breaks that unsaid; 0 when done."""
    install(tree)
    provide(tree, OASDIFF, os.environ)
    command = [str(tree.python), "-m", "toolchain.contract", "release"]
    return subprocess.run(command, cwd=tree.root, check=False).returncode


def _passes(tree: Tree, entry: Check, environment: Mapping[str, str]) -> bool:
    say(f"==> {entry.name}")
    try:
        if entry.install:
            entry.install(tree)
    except ToolchainError as error:
        say(str(error))
        return False
    return (
        subprocess.run(entry.command, cwd=tree.root, env=environment, check=False).returncode == 0
    )


def unit(tree: Tree, arguments: Sequence[str]) -> int:
    """Run the tests that need no deployment, or those of them that are named; pytest's status.

    `arguments` are pytest's: paths, `-k`.
    """
    install(tree)
    # Tests build it as well, trusting the emulator's authority before that is there.
    build_package(tree)
    selection = arguments or ("-n", str(UNIT_PROCESSES), *BY_FILE)
    status = _pytest(tree, ["-q", "-m", f"not ({NOT_UNIT})", *selection])
    if status == NOTHING_COLLECTED:
        say("None of these runs without a deployment: `make test TESTS=…` runs them with one.")
    return status


def test(tree: Tree, arguments: Sequence[str]) -> int:
    """Check and run every test, or run those that are named; pytest's summary is the last line.

    The embedded AWS is brought up beside the tests, when one of them needs it. What ran before goes
    on running; what was brought up for the tests is stopped.
    """
    if arguments:
        install(tree)
    else:
        check(tree)
    build_package(tree)
    selection = arguments or SIDE_BY_SIDE
    if arguments and not _any_deployed(tree, arguments):
        return _pytest(tree, selection)
    ran_before = _runs(tree)
    try:
        return _pytest_beside_up(tree, selection)
    finally:
        if not ran_before:
            _stop_quietly(tree)


def alarms(tree: Tree) -> int:
    """Set off every alarm that pages, and wait until it goes back; pytest's exit status."""
    return _pytest(tree, ["-s", "tests/monitoring/alarm_recovery.py"])


def bench(tree: Tree) -> int:
    """Measure the function beside others, as it was typed; 0 when every budget is kept."""
    arguments = make_variables.arguments(["bench"], os.environ)
    install(tree)
    build_package(tree)
    # The shell's own environment: it may say how the package index is reached.
    command = [str(tree.python), "-m", "benchmarks", *arguments]
    with _interruptible():
        return subprocess.run(command, cwd=tree.root, check=False).returncode


def _any_deployed(tree: Tree, arguments: Sequence[str]) -> bool:
    """Whether one of these tests needs the deployment; so, too, when pytest can't tell."""
    command = [*_command(tree), "--collect-only", "-qq", *arguments, "-m", "deployed"]
    done = subprocess.run(
        command, cwd=tree.root, env=_environment(tree), capture_output=True, check=False
    )
    return done.returncode != NOTHING_COLLECTED


def _pytest_beside_up(tree: Tree, arguments: Sequence[str]) -> int:
    """Run pytest while `make up` runs; who needs the deployment waits for it.

    Raises ToolchainError with `make up`'s output when that fails; pytest is interrupted then.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder) / "up"
        environment = {**_environment(tree), UP_IS_DONE: str(done)}
        command = [*_command(tree), *arguments]
        with _interruptible():
            tests = subprocess.Popen(command, cwd=tree.root, env=environment)
        with _ended(tests):
            up = subprocess.run(
                [sys.executable, "-m", "toolchain", "up"],
                cwd=tree.root,
                env=make_variables.untyped(os.environ),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if up.returncode != 0:
                raise ToolchainError(f"{up.stdout}\nThe tests need what `make up` brings up.")
            done.touch()
            return tests.wait()


@contextmanager
def _ended(running: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave only once a process has ended; it is interrupted when the body fails.

    Ctrl-C reaches it by itself, being in the same terminal, and a second one would cut its
    clean-up short.
    """
    by_terminal: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: by_terminal.append(number))
    try:
        yield
    except BaseException:
        if not by_terminal:
            running.send_signal(signal.SIGINT)
        raise
    finally:
        running.wait()
        signal.signal(signal.SIGINT, before)
        if by_terminal:
            raise KeyboardInterrupt


def _pytest(tree: Tree, arguments: Sequence[str]) -> int:
    return _run_pytest(tree, arguments, _environment(tree))


def _run_pytest(tree: Tree, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    command = [*_command(tree), *arguments]
    with _interruptible():
        return subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let what is started meanwhile be interrupted, and what that starts.

    A shell has its background ignore SIGINT, and children inherit that; of a handler they inherit
    the default. Tests that interrupt a command would otherwise wait for ever.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _command(tree: Tree) -> list[str]:
    return [str(tree.python), "-m", "pytest"]


def _environment(tree: Tree) -> dict[str, str]:
    return process_environment(tree, read_account(tree, LOCAL), os.environ)


def _runs(tree: Tree) -> bool:
    command = [str(tree.python), "-m", "local", "status"]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, check=False)
    return done.returncode == 0


def _stop_quietly(tree: Tree) -> None:
    command = [str(tree.python), "-m", "local", "stop"]
    subprocess.run(command, cwd=tree.root, capture_output=True, check=False)
