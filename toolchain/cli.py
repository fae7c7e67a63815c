"""The toolchain's commands."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from project import make_variables
from project.account import LOCAL, Account, read_account
from project.console import ToolchainError, files_explained, on_termination, say
from project.deployment import NotDeployedError, deployment_of
from project.emulator import StrangerError
from project.environment import (
    ISOLATION,
    foreign,
    process_environment,
    require_own_emulator,
    settings_for,
    tool_settings,
    without_missing_bundles,
)
from project.paths import TREE
from project.shells import exports
from toolchain.install import install
from toolchain.package import build_package


def main(arguments: list[str]) -> int:
    """Run one command; 0 when it could be done, 130 when it was interrupted."""
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, on_termination)
    try:
        make_variables.require_taken(_words(parsed), os.environ)
        with files_explained():
            return _run(parsed)
    except ToolchainError as error:
        say(f"\n{error}")
        return COULD_NOT_RUN.get(parsed.command, 1)
    except KeyboardInterrupt:
        say("\nInterrupted. Nothing half-made is in the way: the same command carries on.")
        return 130


# What has a command line of its own, and needs the locked environment.
MODULES = (
    "local",
    "drills",
    "load",
    "tracing",
    "dashboards",
    "releases",
    "doctor",
    "drift",
    "mutants",
)
# Those that aren't for an account, whichever a shell exports.
NEEDS_NO_ACCOUNT = ("local", "mutants")
# Their own status for it; 1 says something else there.
COULD_NOT_RUN = dict.fromkeys(("drills", "load", "tracing", "doctor", "e2e", "mutants", "bench"), 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="install the pinned tools")
    commands.add_parser("package", help="build the Lambda package")
    commands.add_parser("up", help="install, start, apply")
    commands.add_parser("down", help="destroy, stop, remove")
    for name, text in (
        ("unit", "the tests that need no deployment"),
        ("test", "every check and test, or the named tests"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("arguments", nargs=argparse.REMAINDER, help="given to pytest")
    commands.add_parser("alarms", help="every alarm that pages, set off and back")
    commands.add_parser("bench", help="the function beside the same API in other clothes")
    for name, text in (
        ("plan", "what an apply would change, under a name"),
        ("apply", "apply what was planned"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--account", default=make_variables.account(os.environ, LOCAL))
    commands.choices["plan"].add_argument("--since", default="", metavar="COMMIT")
    commands.choices["plan"].add_argument("--keep", action="store_true", help="beside the state")
    commands.choices["apply"].add_argument("--plan", default="", metavar="NAME")
    commands.add_parser("vulnerabilities", help="known ones of what is locked")
    commands.add_parser("check", help="linters, types, formats and policies")
    commands.add_parser("contract", help="make the API's contract the released one")
    commands.add_parser("fmt", help="put formatting right")
    commands.add_parser("e2e", help="the end-to-end suite against an account").add_argument(
        "--account", default=make_variables.account(os.environ, LOCAL)
    )
    lock = commands.add_parser("lock", help="renew the locks")
    lock.add_argument("--upgrade", action="store_true", help="to the newest versions that fit")
    for module in MODULES:
        text = f"run `python -m {module}` in the locked environment"
        commands.add_parser(module, help=text).add_argument("arguments", nargs=argparse.REMAINDER)
    for name, text in (("env", "print shell exports"), ("sign-in", "print an access token")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--account", default=make_variables.account(os.environ, LOCAL))
        if name == "sign-in":
            command.add_argument("--as", dest="person", default="demo", metavar="NAME")
    release = commands.add_parser("release", help="let a Region's newest versions serve, with care")
    release.add_argument("--account", required=True, metavar="NAME")
    release.add_argument("--region", required=True)
    owners = commands.add_parser("owners", help="give a rebuilt pool's accounts their items back")
    owners.add_argument("--account", default=make_variables.account(os.environ, LOCAL))
    owners.add_argument("--csv", type=Path, metavar="FILE", help="username,old_sub,new_sub")
    owners.add_argument("ids", nargs="*", metavar="ID", help="username, old sub, new sub")
    return parser


# What runs in the locked environment, of Terragrunt.
PLANS = ("plan", "apply")
# What talks to the emulator, where the account is the local one. `python -m local` asks by itself:
# it has to stop an emulator whatever the shell says. Mutants need none.
ASKS_WHOSE = frozenset(
    {"apply", "down", "e2e", "owners", "plan", "release", "sign-in", "test", "up", *MODULES}
    - {"local", "mutants"}
)
# Of those, what only reads files of this clone.
READS_FILES = (["list"], ["report"])


def _words(parsed: argparse.Namespace) -> list[str]:
    """Name the command as `make` gives it, with that of a module's own command line."""
    own = parsed.arguments[:1] if parsed.command in MODULES else []
    return [parsed.command, *own]


def _run(parsed: argparse.Namespace) -> int:
    if _asks_whose(parsed):
        _require_own_emulator(parsed)
    match parsed.command:
        case "install" | "package" as command:
            {"install": install, "package": build_package}[command](TREE)
        case "env":
            return _print_environment(parsed.account)
        case "sign-in" | "owners" | "release":
            _run_on_account(parsed)
        case "lock":
            from toolchain.lock_dependencies import lock  # noqa: PLC0415

            lock(TREE, parsed.upgrade)
        case command:
            run = _plan_or_apply if command in PLANS else _run_on_tree
            return run(command, parsed)
    return 0


def _run_on_account(parsed: argparse.Namespace) -> None:
    """Run what is for one account, in this process and with the locked packages."""
    _enter_locked_environment()
    from project import sign_in  # noqa: PLC0415 - needs the locked environment
    from toolchain import owners  # noqa: PLC0415 - as above

    _work_on(parsed.account)
    match parsed.command:
        case "sign-in":
            sign_in.main(parsed.account, parsed.person)
        case "owners":
            owners.main(parsed.account, parsed.ids, parsed.csv)
        case "release":
            _become_release(parsed.region)


def _asks_whose(parsed: argparse.Namespace) -> bool:
    reads_files = getattr(parsed, "arguments", None) in READS_FILES
    return parsed.command in ASKS_WHOSE and not reads_files


def _require_own_emulator(parsed: argparse.Namespace) -> None:
    try:
        require_own_emulator(TREE, _account(parsed))
    except StrangerError:
        # `make up` goes on to the start, which names the process that has the port.
        if parsed.command != "up":
            raise


def _plan_or_apply(command: str, parsed: argparse.Namespace) -> int:
    if not TREE.python.exists():
        install(TREE)
    _enter_locked_environment()
    from toolchain import planning  # noqa: PLC0415 - needs the locked environment

    typed = make_variables.arguments([command], os.environ)
    parsed = _parser().parse_args([*sys.argv[1:], *typed])
    if command == "apply":
        return planning.apply(TREE, parsed.account, parsed.plan)
    return planning.plan(TREE, parsed.account, parsed.since, parsed.keep)


def _account(parsed: argparse.Namespace) -> str:
    """Name the account that a command is for."""
    return str(getattr(parsed, "account", make_variables.account(os.environ, LOCAL)))


def _work_on(account_name: str) -> None:
    """Give this process what every tool that is run from here gets."""
    environment = process_environment(TREE, read_account(TREE, account_name), os.environ)
    os.environ.clear()
    os.environ.update(environment)


def _run_on_tree(command: str, parsed: argparse.Namespace) -> int:
    from toolchain import testing, up  # noqa: PLC0415

    match command:
        case "up":
            up.up(TREE)
        case "down":
            up.down(TREE)
        case module if module in MODULES:
            return _run_module(module, parsed.arguments)
        case "check" | "contract" | "alarms" | "bench" | "vulnerabilities":
            return _run_alone(command)
        case "fmt":
            testing.fmt(TREE)
        case "e2e":
            return testing.end_to_end(TREE, parsed.account)
        case "unit" | "test":
            run = testing.unit if command == "unit" else testing.test
            typed = shlex.split(make_variables.typed("TESTS", os.environ))
            return run(TREE, parsed.arguments or typed)
    return 0


def _run_alone(command: str) -> int:
    from toolchain import testing, vulnerabilities  # noqa: PLC0415

    commands = {
        "alarms": testing.alarms,
        "bench": testing.bench,
        "check": testing.check,
        "contract": testing.contract,
        "vulnerabilities": vulnerabilities.look,
    }
    return commands[command](TREE)


def _run_module(module: str, arguments: list[str]) -> int:
    from toolchain import up  # noqa: PLC0415

    if module == "mutants":
        install(TREE)
        build_package(TREE)
    account = LOCAL if module in NEEDS_NO_ACCOUNT else make_variables.account(os.environ, LOCAL)
    added = make_variables.arguments([module, *arguments], os.environ)
    # What a drill asks for is typed each time: a shell that exports it would answer for the person.
    confirmed = make_variables.typed("CONFIRM", os.environ)
    return up.run_module(TREE, account, module, *arguments, *added, CONFIRM=confirmed)


def _enter_locked_environment() -> None:
    # A shell for a real account has the person's own Python first on PATH.
    if TREE.python.exists() and Path(sys.prefix).resolve() != TREE.venv.resolve():
        command = [str(TREE.python), "-m", "toolchain", *sys.argv[1:]]
        os.execv(command[0], command)  # noqa: S606 - becomes the same command, with its packages


def _become_release(region: str) -> None:
    """Become the release: what ends this process, a signal or its parent's death, is for that."""
    command = [str(TREE.python), "-m", "releases", "release", f"--region={region}"]
    os.chdir(TREE.root)
    os.execv(command[0], command)  # noqa: S606 - no shell; the environment is this process's


def _print_environment(account_name: str) -> int:
    """Print what a shell is given; 1 when that is not all, with what went wrong on stderr.

    Even then the shell gets the tools, so that the next command can be typed, and keeps no way from
    the embedded AWS to another account. What an account can't be asked yet is nothing wrong.
    """
    shell = make_variables.typed("SHELL_KIND", os.environ)
    removed = foreign(account_name, os.environ)
    variables = tool_settings(TREE, account_name, os.environ)
    variables |= ISOLATION if account_name == LOCAL else {}
    try:
        variables |= _account_variables(account_name)
    except ToolchainError as error:
        say(f"{error}")
        return 1
    finally:
        print(exports(variables, removed, shell))
    return 0


def _account_variables(account_name: str) -> dict[str, str]:
    if not TREE.real_terragrunt.exists():
        raise ToolchainError("The tools are not installed yet: run `make up`.")
    require_own_emulator(TREE, account_name)
    account = read_account(TREE, account_name)
    variables = settings_for(TREE, account, os.environ) | _deployed_variables(account)
    return without_missing_bundles(variables)


def _deployed_variables(account: Account) -> dict[str, str]:
    # A real account may need a sign-in first, for which its shell is.
    expected = NotDeployedError if account.name == LOCAL else ToolchainError
    try:
        return deployment_of(account).variables()
    except expected as error:
        say(f"note: no URLs and no pool yet. {str(error).partition(chr(10))[0]}")
        return {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
