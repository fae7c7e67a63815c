"""`python -m local`: start, stop and look at the embedded AWS."""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from local import faults, process, unreadable
from local.item_store import SaveError
from local.settings import REPOSITORY, Settings, SettingsError
from local.settings import read as read_settings
from local.unreadable import SetAsideError
from project import resolver
from project.console import ToolchainError, files_explained
from project.credentials import CredentialsError

COMMANDS = {
    "start": "start it in the background, and wait until it answers",
    "stop": "stop it; its state is kept",
    "status": "what runs, which versions, which Region's API answers",
    "down": "stop it and remove its state, logs and certificate authority",
    "serve": "serve in the foreground",
    "logs": "the last lines of its log (--follow for new ones)",
    "fault": "break a Region at its endpoint or at its table",
    "heal": "heal a Region, or all of them",
}
# What a message says all of.
EXPLAINED = (SettingsError, process.ProcessError, CredentialsError, SetAsideError, ToolchainError)


def main(arguments: list[str]) -> int:
    """Run one command; the exit status is 0 when it could be done."""
    parsed = _parser().parse_args(arguments)
    try:
        with files_explained():
            return _run(parsed, read_settings())
    except EXPLAINED as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads, such as `head`, has seen enough; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except process.StartInterruptedError:
        print("local: interrupted as it started; it is ended, and nothing runs.", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == "logs":
            command.add_argument("-f", "--follow", action="store_true")
            command.add_argument("-n", "--lines", type=int, default=100)
        if name == "start":
            command.add_argument(
                "--without", default="", metavar="NAME,…", help="state that can't be read"
            )
        if name in ("fault", "heal"):
            command.add_argument("--region", help="us-east-1, for example")
        if name == "fault":
            listed = "; ".join(f"{kind}: {text}" for kind, text in faults.KINDS.items())
            command.add_argument("--kind", help=listed)
            command.add_argument("--milliseconds", type=int, help="for slow")
    return parser


def _run(parsed: argparse.Namespace, settings: Settings) -> int:
    match parsed.command:
        case "start":
            return _start(settings, [name for name in parsed.without.split(",") if name])
        case "stop":
            print(
                "Stopped; its state is kept." if process.stop(settings) else "It was not running."
            )
        case "down":
            process.down(settings)
            print(f"Stopped and removed: {settings.state_dir}")
        case "status":
            return _status(settings)
        case "serve":
            return _serve(settings)
        case "logs":
            return _logs(settings, parsed.lines, parsed.follow)
        case "fault" | "heal":
            _break_or_heal(settings, parsed)
    return 0


def _serve(settings: Settings) -> int:
    # The other commands don't need ministack.
    from local import server  # noqa: PLC0415

    unreadable.require_readable(settings.state)
    process.enlist(settings)
    try:
        server.run(settings)
    except unreadable.UnreadableStateError as error:
        unreadable.set_aside(error)
        print(f"{error}", file=sys.stderr)
        return 1
    except SaveError as error:
        print(f"The state can't be read or saved: {error}", file=sys.stderr)
        return 1
    process.delist(settings)
    return 0


def _break_or_heal(settings: Settings, parsed: argparse.Namespace) -> None:
    if parsed.command == "heal":
        query = f"?region={quote(parsed.region)}" if parsed.region else ""
        reported = process.control(settings, "DELETE", f"/_local/faults{query}")
    else:
        requested = {"region": parsed.region, "kind": parsed.kind}
        if parsed.milliseconds is not None:
            requested["milliseconds"] = parsed.milliseconds
        reported = process.control(settings, "POST", "/_local/faults", requested)
    _show_endpoints(reported)


def _show_endpoints(reported: dict[str, Any]) -> None:
    for endpoint in reported["endpoints"]:
        print(f"{endpoint['region']:<11} {endpoint['fault'] or 'open'}")


def _start(settings: Settings, without: Sequence[str]) -> int:
    crashed = process.crashed(settings)
    fresh = process.start(settings, without)
    if fresh and crashed:
        print(
            "It had ended without being stopped: what was acknowledged up to a second before that "
            f"may be lost, and the log events of that run. Its log: {settings.log_file}"
        )
    for name in without:
        print(f"Begun without {name}: kept in {settings.state_dir / unreadable.FOLDER}")
    print(
        f"The embedded AWS {'runs' if fresh else 'was already running'}: "
        f"control plane {settings.endpoint}, "
        f"HTTPS port {settings.https_port}, DNS port {settings.dns_port}, logs in {settings.logs}"
    )
    return 0


def _status(settings: Settings) -> int:
    process.require_own(settings)
    reported = process.status(settings)
    for tool, text in _versions().items():
        print(f"{tool:<11} {text}")
    if reported is None:
        print("local       not running (make start)")
        return 1
    print(
        f"local       process {reported['pid']}, {settings.endpoint}, "
        f"HTTPS port {settings.https_port}, DNS port {settings.dns_port}"
    )
    replication: dict[str, Any] = reported["replication"]
    print(f"replication {replication['lag_seconds']} s lag, {replication['pending']} on their way")
    for region, name in sorted(reported["regions"].items()):
        print(
            f"{region:<11} https://{name}:{settings.https_port}/health  {_health(settings, name)}"
        )
    if not reported["regions"]:
        print("regions     none deployed yet (make up)")
    _show_routing(settings, reported)
    for line in _writers(reported["switches"]):
        print(line)
    return _show_problems(reported)


def _writers(switches: Sequence[dict[str, Any]]) -> list[str]:
    """Say who may write: once, or for each Region while they differ."""
    said = {each["says"] for each in switches} or {"every Region may write"}
    if len(said) == 1:
        return [f"writes      {said.pop()}"]
    return [f"writes      {each['region']} goes by: {each['says']}" for each in switches]


def _show_problems(reported: dict[str, Any]) -> int:
    """Show what a person has to see to; 1 when there is anything."""
    failure, died = reported["saving"]["failure"], reported["failures"]
    if failure:
        print(f"NOT SAVED   {failure} (tried again every second)")
    for each in died:
        print(f"DIED        {each}: `make stop`, then `make start`; the log says why")
    return 1 if failure or died else 0


def _show_routing(settings: Settings, reported: dict[str, Any]) -> None:
    for endpoint in reported["endpoints"]:
        at = f"{endpoint['address']}:{settings.https_port}"
        print(f"endpoint    {endpoint['region']} at {at}: {endpoint['fault'] or 'open'}")
    for check in reported["health_checks"]:
        print(f"check       {check['name']}: {'healthy' if check['healthy'] else 'UNHEALTHY'}")
        for seen in check["checkers"]:
            print(f"              from {seen['region']}: {seen['status']}")
    for distribution in reported["edge"]:
        name = distribution["names"][0]
        print(f"edge        https://{name}:{settings.https_port}/health  {_health(settings, name)}")
        for origin in distribution["origins"]:
            print(f"dns         {origin['name']}: {origin['region'] or 'no Region'} serves")
            for record in origin["answer"]:
                print(f"              {record}")


def _health(settings: Settings, name: str) -> str:
    authority = settings.ca / "ca.pem"
    if not authority.is_file():
        return f"not asked: {authority} is missing (make stop, then make start makes another)"
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(name, settings.https_port, timeout=15, context=context)
    started = time.monotonic()
    try:
        with resolver.installed():
            # AWS's managed rules refuse a request that doesn't say who asks.
            connection.request("GET", "/health", headers={"user-agent": "local-status"})
            response = connection.getresponse()
            response.read()
    except OSError as error:
        return f"no answer ({error})"
    finally:
        connection.close()
    return f"{response.status} in {(time.monotonic() - started) * 1000:.0f} ms"


def _versions() -> dict[str, str]:
    return {
        "ministack": version("ministack"),
        "terraform": _first_line("terraform", "version"),
        "terragrunt": _first_line("terragrunt", "--version"),
    }


def _first_line(tool: str, argument: str) -> str:
    path = shutil.which(tool, path=None) or _pinned(tool)
    if path is None:
        return "not found"
    done = subprocess.run([path, argument], capture_output=True, text=True, check=False, timeout=30)
    return (done.stdout.strip().splitlines() or ["does not answer"])[0]


def _pinned(tool: str) -> str | None:
    return shutil.which(tool, path=str(REPOSITORY / ".tools" / "bin"))


def _logs(settings: Settings, lines: int, follow: bool) -> int:
    if not settings.log_file.exists():
        print(f"No log yet: {settings.log_file}")
        return 1
    with settings.log_file.open(errors="replace") as log:
        print("".join(deque(log, maxlen=lines)), end="")
        while follow:
            print(log.readline(), end="", flush=True)
            time.sleep(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
