"""`python -m local`: start, stop and look at the embedded AWS."""

from __future__ import annotations

import argparse
import http.client
import shutil
import ssl
import subprocess
import sys
import time
from collections import deque
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from local import faults, process, settings
from local.settings import Settings
from project import resolver
from project.credentials import CredentialsError

COMMANDS = {
    "start": "start it in the background, and wait until it answers",
    "stop": "stop it; its state is kept",
    "status": "what runs, which versions, which Region's API answers",
    "down": "stop it and remove its state, logs and certificate authority",
    "serve": "serve in the foreground",
    "logs": "the last lines of its log (--follow for what comes)",
    "fault": "break a Region at its door or at its table",
    "heal": "heal a Region, or all of them",
}


def main(arguments: list[str]) -> int:
    """Run one command; the exit status is 0 when it could be done."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == "logs":
            command.add_argument("-f", "--follow", action="store_true")
            command.add_argument("-n", "--lines", type=int, default=100)
        if name in ("fault", "heal"):
            command.add_argument("--region", help="us-east-1, for example")
        if name == "fault":
            listed = "; ".join(f"{kind}: {text}" for kind, text in faults.KINDS.items())
            command.add_argument("--kind", help=listed)
            command.add_argument("--milliseconds", type=int, help="for slow")
    parsed = parser.parse_args(arguments)
    try:
        return _run(parsed, settings.read())
    except (settings.SettingsError, process.ProcessError, CredentialsError) as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(parsed: argparse.Namespace, chosen: Settings) -> int:
    match parsed.command:
        case "start":
            return _start(chosen)
        case "stop":
            print("Stopped; its state is kept." if process.stop(chosen) else "It was not running.")
        case "down":
            process.down(chosen)
            print(f"Stopped and removed: {chosen.state_dir}")
        case "status":
            return _status(chosen)
        case "serve":
            _serve(chosen)
        case "logs":
            return _logs(chosen, parsed.lines, parsed.follow)
        case "fault" | "heal":
            _break_or_mend(chosen, parsed)
    return 0


def _serve(chosen: Settings) -> None:
    # The other commands don't need ministack.
    from local import server  # noqa: PLC0415

    process.enlist(chosen)
    server.run(chosen)


def _break_or_mend(chosen: Settings, parsed: argparse.Namespace) -> None:
    if parsed.command == "heal":
        query = f"?region={quote(parsed.region)}" if parsed.region else ""
        told = process.control(chosen, "DELETE", f"/_local/faults{query}")
    else:
        wanted = {"region": parsed.region, "kind": parsed.kind}
        if parsed.milliseconds is not None:
            wanted["milliseconds"] = parsed.milliseconds
        told = process.control(chosen, "POST", "/_local/faults", wanted)
    _show_endpoints(told)


def _show_endpoints(told: dict[str, Any]) -> None:
    for endpoint in told["endpoints"]:
        print(f"{endpoint['region']:<11} {endpoint['fault'] or 'open'}")


def _start(chosen: Settings) -> int:
    fresh = process.start(chosen)
    print(
        f"The embedded AWS {'runs' if fresh else 'was already running'}: "
        f"control plane {chosen.endpoint}, HTTPS port {chosen.https_port}, "
        f"DNS port {chosen.dns_port}, logs in {chosen.logs}"
    )
    return 0


def _status(chosen: Settings) -> int:
    told = process.status(chosen)
    for tool, text in _versions().items():
        print(f"{tool:<11} {text}")
    if told is None:
        print("local       not running (make start)")
        return 1
    print(
        f"local       process {told['pid']}, {chosen.endpoint}, HTTPS port {chosen.https_port}, "
        f"DNS port {chosen.dns_port}"
    )
    replication: dict[str, Any] = told["replication"]
    print(f"replication {replication['lag_seconds']} s lag, {replication['pending']} on their way")
    for region, name in sorted(told["regions"].items()):
        print(f"{region:<11} https://{name}:{chosen.https_port}/health  {_health(chosen, name)}")
    if not told["regions"]:
        print("regions     none deployed yet (make up)")
    _show_routing(chosen, told)
    return 0


def _show_routing(chosen: Settings, told: dict[str, Any]) -> None:
    for endpoint in told["endpoints"]:
        at = f"{endpoint['address']}:{chosen.https_port}"
        print(f"door        {endpoint['region']} at {at}: {endpoint['fault'] or 'open'}")
    for check in told["health_checks"]:
        print(f"check       {check['name']}: {'healthy' if check['healthy'] else 'UNHEALTHY'}")
        for seen in check["checkers"]:
            print(f"              from {seen['region']}: {seen['status']}")
    for distribution in told["edge"]:
        name = distribution["names"][0]
        print(f"edge        https://{name}:{chosen.https_port}/health  {_health(chosen, name)}")
        for origin in distribution["origins"]:
            print(f"dns         {origin['name']}: {origin['region'] or 'no Region'} serves")
            for record in origin["answer"]:
                print(f"              {record}")


def _health(chosen: Settings, name: str) -> str:
    context = ssl.create_default_context(cafile=str(chosen.ca / "ca.pem"))
    connection = http.client.HTTPSConnection(name, chosen.https_port, timeout=15, context=context)
    started = time.monotonic()
    try:
        with resolver.installed():
            connection.request("GET", "/health")
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
    return shutil.which(tool, path=str(settings.REPOSITORY / ".tools" / "bin"))


def _logs(chosen: Settings, lines: int, follow: bool) -> int:
    if not chosen.log_file.exists():
        print(f"No log yet: {chosen.log_file}")
        return 1
    with chosen.log_file.open(errors="replace") as log:
        print("".join(deque(log, maxlen=lines)), end="")
        while follow:
            print(log.readline(), end="", flush=True)
            time.sleep(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
