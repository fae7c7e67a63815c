"""From a clone to both Regions serving, and back to nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from project import terraform_state
from project.access import require_authority
from project.account import LOCAL, Account, read_account
from project.console import Phases, Progress, ToolchainError, say
from project.deployment import Deployment, deployment_of
from project.emulator import require_own
from project.environment import isolated_environment, process_environment
from project.file_lock import exclusive
from project.paths import Tree, write_atomically
from toolchain import apply_cache, apply_times
from toolchain.install import install
from toolchain.package import build_package

ANSWER_SECONDS = 60.0
# What a Region that has just been started may take until it is ready: its function starts cold, for
# which a health check has no time. An apply instead would take minutes.
READY_SECONDS = 15.0
POLL_SECONDS = 0.5
INTERRUPTED = 130
# All that is kept in a state folder: what the emulator writes, Terraform's states, and what drills
# and tests leave there.
STATE = (
    "applied", "ca", "credentials.json", "deployment.json", "drift", "drills", "e2e", "load",
    "local.lock", "local.pid", "logs", "ports.json", "releases", "set-aside",
    "state", "tfstate", "tmp",
)  # fmt: skip
_CHANGED = re.compile(r"(\S+): (Creation|Modifications|Destruction) complete")
# Terragrunt's own errors, and what Terraform wrote on stderr.
_ERROR = re.compile(r"^\S+ (?:ERROR|STDERR) ")


def up(tree: Tree) -> Deployment:
    """Install, package, start and apply; print where it answers and how to use it.

    Every step is safe to repeat, so a run that was interrupted is carried on by the next.
    Raises ToolchainError with what went wrong and what to do.
    """
    phases = Phases()
    with exclusive(tree.lock("up"), "`make up` or `make down`"):
        with phases.phase("install"):
            install(tree)
            account = read_account(tree, LOCAL)
        with phases.phase("package"):
            build_package(tree)
        with phases.phase("start"):
            emulator(tree, "start")
            require_authority(tree)
        with phases.phase("apply"):
            _apply(tree, account)
        with phases.phase("answer"):
            deployment = deployment_of(account, tree)
            _await_answers(tree, deployment)
            _record(tree, deployment)
    print(_how_to_use(deployment))
    say("\nWhere the time went:\n" + phases.table())
    return deployment


def _apply(tree: Tree, account: Account) -> None:
    if apply_cache.is_current(tree) and _is_ready(tree, deployment_of(account, tree)):
        say("  0 resources changed: all is as the last apply left it, and both Regions are ready")
        return
    had = terraform_state.holding_data(tree)
    with apply_cache.applying(tree):
        made = terragrunt_all(tree, account, "apply")
    lost = sorted(had & made)
    if lost:
        say(
            f"  made again, and empty: {', '.join(lost)}. The embedded AWS had lost it: see "
            f"{tree.local_state / 'logs' / 'local.log'} and {tree.local_state / 'set-aside'}."
        )


def down(tree: Tree) -> None:
    """Destroy what is deployed in the embedded AWS, stop it and remove its files.

    Raises ToolchainError after cleaning up when something could not be destroyed.
    """
    with exclusive(tree.lock("up"), "`make up` or `make down`"):
        failure = _destroy(tree)
        if tree.python.exists():
            emulator(tree, "down")
        _remove_state(tree.local_state)
    if failure is not None:
        raise ToolchainError(
            f"{failure}\nThe embedded AWS and its state are removed all the same, so nothing is "
            "left behind; but the same destroy would fail in a real account."
        )


def _remove_state(folder: Path) -> None:
    """Remove what the project keeps in a state folder, and the folder if nothing else is in it.

    LOCAL_STATE_DIR may name any: what else is there is somebody's own.
    """
    for name in STATE:
        kept = folder / name
        if kept.is_dir():
            shutil.rmtree(kept, ignore_errors=True)
        else:
            kept.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _destroy(tree: Tree) -> ToolchainError | None:
    try:
        if not terraform_state.has_resources(tree):
            return None
        install(tree)
        build_package(tree)
        emulator(tree, "start")
        terragrunt_all(tree, read_account(tree, LOCAL), "destroy")
    except ToolchainError as error:
        return error
    return None


def emulator(tree: Tree, *arguments: str) -> None:
    """Run `python -m local …` in the locked environment. Raises ToolchainError when it fails."""
    status = emulator_status(tree, *arguments)
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    if status != 0:
        raise ToolchainError(f"`python -m local {' '.join(arguments)}` failed: see above.")


def emulator_status(tree: Tree, *arguments: str) -> int:
    """Run `python -m local …` and return its exit status."""
    return run_module(tree, LOCAL, "local", *arguments)


def run_module(tree: Tree, account: str, module: str, *arguments: str, **variables: str) -> int:
    """Run `python -m <module> …` in the locked environment, for an account; its exit status.

    `variables` are environment variables that it gets as well.
    """
    if not tree.python.exists():
        raise ToolchainError("Nothing is installed here yet: run `make up`.")
    command = [str(tree.python), "-m", module, *arguments]
    if module == "local":
        environment = isolated_environment(tree, os.environ)
    else:
        environment = process_environment(tree, read_account(tree, account), os.environ)
    environment |= variables
    # Ctrl-C goes to both, and SIGTERM is passed on: how it ends is the module's to say, and its
    # clean-up takes its time.
    started: list[subprocess.Popen[bytes]] = []
    told: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        for running in started:
            running.terminate()

    with _handler(lambda _number, _frame: None, signal.SIGINT), _handler(pass_on, signal.SIGTERM):
        started.append(subprocess.Popen(command, cwd=tree.root, env=environment))
        if told:
            started[0].terminate()
        return started[0].wait()


def terragrunt_all(tree: Tree, account: Account, action: str) -> frozenset[str]:
    """Apply or destroy every unit of the embedded account; the full log goes to a file.

    Returns the addresses of the resources that were made. Raises ToolchainError with Terraform's
    own errors and the log's place, and says so when the emulator has ended meanwhile.
    """
    log = tree.local_state / "logs" / f"terragrunt-{action}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(tree.tools_bin / "terragrunt"), "run", "--all", "--non-interactive"]
    environment = process_environment(tree, account, os.environ)
    folder = tree.account(account.name)
    run = _run_logged([*command, "--no-color", "--", action], folder, environment, log, action)
    if run.failed:
        raise ToolchainError(
            "\n".join(run.errors)
            + f"\nterragrunt run --all {action} failed; the whole log is {log}.\n"
            + (_end_of_the_emulator(tree) or "What was made is kept: put the cause right and run ")
            + "the same command again."
        )
    if run.changed:
        units = apply_times.table(apply_times.read(log.read_text(errors="replace").splitlines()))
        say(f"  by unit, in seconds from the start:\n{units}")
    return frozenset(run.made)


def _end_of_the_emulator(tree: Tree) -> str:
    """Say so when the emulator no longer answers, which Terraform only calls too many attempts."""
    if require_own(tree.local_state, os.environ):
        return ""
    return (
        "The embedded AWS itself has ended meanwhile, which is why nothing answered Terraform: "
        f"{tree.local_state / 'logs' / 'local.log'} and boot.log beside it say why. What it had "
        "acknowledged is kept, up to its last second: run "
    )


@dataclasses.dataclass(slots=True)
class _Run:
    """What came of a run of Terragrunt: resources changed, those made, the last errors."""

    changed: int = 0
    made: set[str] = dataclasses.field(default_factory=set)
    errors: list[str] = dataclasses.field(default_factory=list)
    failed: bool = False

    def see(self, line: str) -> str:
        """Take a line in; the resource that it says is done, if any."""
        done = _CHANGED.search(line)
        self.changed += done is not None
        if done and done[2] == "Creation":
            self.made.add(done[1].partition("[")[0])
        self.errors = [*self.errors, line.rstrip()][-60:] if _ERROR.search(line) else self.errors
        return done[1] if done else ""


def _run_logged(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, action: str
) -> _Run:
    run = _Run()
    with (
        Progress(f"terragrunt {action}") as progress,
        log.open("w") as written,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as running,
    ):

        def seen(line: str) -> None:
            written.write(line)
            written.flush()
            last = run.see(line)
            progress.show(f"{run.changed} resources changed" + (f", last {last}" if last else ""))

        follow(running, seen)
        progress.show(f"{run.changed} resources changed")
    run.failed = running.returncode != 0
    return run


def follow(running: subprocess.Popen[str], seen: Callable[[str], None]) -> None:
    """Hand on a tool's lines to its end; when interrupted, let it save its work before raising.

    Ctrl-C reaches the tool by itself, being in the same terminal. A signal that was sent to this
    process alone has to be passed on.
    """
    interrupts: list[int] = []

    # Raising here would lose the line that is just being handed on.
    def interrupted(number: int, _frame: FrameType | None) -> None:
        interrupts.append(number)
        say("\nStopping: Terraform ends what it is at and saves its state (up to a minute).")
        if number == signal.SIGTERM:
            running.send_signal(signal.SIGINT)

    assert running.stdout is not None
    with _handler(interrupted, signal.SIGINT, signal.SIGTERM):
        for line in running.stdout:
            seen(line)
    if interrupts:
        raise KeyboardInterrupt


@contextmanager
def _handler(
    handle: Callable[[int, FrameType | None], None], *signals: signal.Signals
) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in signals}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _await_answers(tree: Tree, deployment: Deployment) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    for url in (*(stack.url for stack in deployment.regions), deployment.api_url):
        if complaint := _awaited(tree, f"{url}/health", deadline):
            raise ToolchainError(f"{url}/health does not answer: {complaint}")


def _is_ready(tree: Tree, deployment: Deployment) -> bool:
    # Each Region uses its table: state that a crash took from the embedded AWS is noticed.
    deadline = time.monotonic() + READY_SECONDS
    urls = [f"{stack.url}/health/ready" for stack in deployment.regions]
    return not any(_awaited(tree, url, deadline) for url in urls)


def _awaited(tree: Tree, url: str, deadline: float) -> str:
    """Wait until a URL answers, but not beyond the deadline; what is wrong with it then, if any."""
    while complaint := _complaint(tree, url):
        if time.monotonic() > deadline:
            return complaint
        time.sleep(POLL_SECONDS)
    return ""


def _complaint(tree: Tree, url: str) -> str:
    # Without a person's .curlrc and past their proxy, which don't know this machine's names.
    command = ["curl", "--disable", "--noproxy", "*", "--fail", "--silent", "--show-error"]
    command += ["--max-time", "20"]
    command += ["--cacert", str(tree.ca), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"curl: {done.returncode}"


def _record(tree: Tree, deployment: Deployment) -> None:
    # For whatever isn't Python; it is there only once both Regions have answered.
    document = dataclasses.asdict(deployment)
    del document["origin_key"]
    record = json.dumps(document, indent=2)
    write_atomically(tree.local_state / "deployment.json", f"{record}\n".encode(), 0o600)


def _how_to_use(deployment: Deployment) -> str:
    primary, standby = deployment.regions
    return f"""
The API is served at
  {deployment.api_url}
by two Regions, which their own names lead to for those who hold the origin key:
  {primary.region} (primary)  {primary.url}
  {standby.region} (standby)  {standby.url}
  user pool {deployment.user_pool_id}, client {deployment.user_pool_client_id}

Signed in, write through the public name, and read in the Region that stands by:

eval "$(make -s env)"
TOKEN="$(python -m toolchain sign-in)"
curl -sS "$API_URL/v1/items" -H "authorization: Bearer $TOKEN" \\
  -H 'content-type: application/json' -H "idempotency-key: $(cat /proc/sys/kernel/random/uuid)" \\
  -d '{{"title": "Water the plants"}}'
sleep 2; curl -sS "$API_URL_STANDBY/v1/items" -H "authorization: Bearer $TOKEN" \\
  -H "x-origin-key: $ORIGIN_KEY"
"""
