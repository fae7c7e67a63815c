"""Whose emulator answers at this clone's ports: asked before anything is sent to it.

A clone remembers its ports in its state folder. Its emulator proves that it is this clone's: it
answers a challenge as only somebody can who knows the clone's secret, so that nobody else is ever
sent it. Everything that talks to the emulator asks `require_own` first.

The standard library alone: Terragrunt asks as well, and the toolchain before anything is installed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project.console import ToolchainError
from project.credentials import Credentials, CredentialsError, credentials_of, private_folder

HOST = "127.0.0.1"
# The variables that choose the ports, and what they are where nobody does.
PORTS: Mapping[str, int] = {
    "LOCAL_AWS_PORT": 4566,
    "LOCAL_HTTPS_PORT": 8443,
    "LOCAL_DNS_PORT": 8053,
}
REMEMBERED = "ports.json"
# What account.hcl says in place of a port that nobody has chosen.
REMEMBERED_PORT = "remembered"
# Who asks for a proof says what it is to be made of.
OWNER_PATH = "/_local/owner"
CHALLENGE_HEADER = "x-local-challenge"
# It is on this machine, but may be busy starting.
ANSWER_SECONDS = 10.0
MAX_ANSWER = 64 * 1024

Ports = dict[str, int]


class OwnerError(ToolchainError):
    """What answers at this clone's ports isn't this clone's; the message names both."""


class StrangerError(OwnerError):
    """What answers there is no embedded AWS, or none that says whose it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers at a port; `folder` is the state folder that it says it has, if it says so."""

    own: bool
    folder: str = ""


def ports_of(state_dir: Path, environment: Mapping[str, str]) -> Ports:
    """A clone's ports: the environment's, else those remembered, else the usual ones.

    Raises OwnerError for what is no port.
    """
    known = {**PORTS, **remembered(state_dir)}
    return {name: _port(name, environment.get(name) or str(known[name])) for name in PORTS}


def remembered(state_dir: Path) -> Ports:
    """The ports that the clone's emulator had when it last started; none where it never did."""
    try:
        kept = json.loads((state_dir / REMEMBERED).read_text())
        return {name: int(kept[name]) for name in PORTS}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def remember(state_dir: Path, ports: Mapping[str, int]) -> None:
    """Keep the ports that the clone's emulator starts with."""
    staging = private_folder(state_dir) / f".{REMEMBERED}.{os.getpid()}"
    staging.write_text(json.dumps({name: ports[name] for name in PORTS}))
    staging.replace(state_dir / REMEMBERED)


def proof(credentials: Credentials, port: int, challenge: str) -> str:
    """What the emulator of these credentials, at this port, answers to a challenge."""
    message = f"owner {port} {challenge}".encode()
    return hmac.new(credentials.control_token.encode(), message, hashlib.sha256).hexdigest()


def ask(port: int, credentials: Credentials, seconds: float = ANSWER_SECONDS) -> Answer | None:
    """Ask who answers at a port of this machine; None where nobody does."""
    challenge = secrets.token_hex(16)
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", OWNER_PATH, headers={CHALLENGE_HEADER: challenge})
        said = json.loads(connection.getresponse().read(MAX_ANSWER))
        own = hmac.compare_digest(str(said["proof"]), proof(credentials, port, challenge))
        return Answer(own, str(said["folder"]))
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return Answer(own=False)
    finally:
        connection.close()


def require_own(state_dir: Path, environment: Mapping[str, str]) -> bool:
    """See that nobody else's emulator is at this clone's ports; False when there is none at all.

    Raises OwnerError, and CredentialsError when the clone's secret can't be read.
    """
    credentials = credentials_of(state_dir)
    ports, kept = ports_of(state_dir, environment), remembered(state_dir)
    _require_same_ports(state_dir, ports, kept, credentials)
    port = ports["LOCAL_AWS_PORT"]
    answer = ask(port, credentials)
    if answer is None or answer.own:
        return answer is not None
    kind = OwnerError if answer.folder else StrangerError
    raise kind(
        f"{HOST}:{port} is {named(answer)}, and not that of this clone, {state_dir}: it is left "
        f"alone. Give this clone free ports ({', '.join(PORTS)}), or work in the other's folder."
    )


def _require_same_ports(
    state_dir: Path, ports: Ports, kept: Ports, credentials: Credentials
) -> None:
    other = [name for name in kept if kept[name] != ports[name]]
    if not other:
        return
    answer = ask(kept["LOCAL_AWS_PORT"], credentials)
    if answer is None or not answer.own:
        return
    runs = ", ".join(f"{name}={kept[name]}" for name in other)
    said = ", ".join(f"{name}={ports[name]}" for name in other)
    raise OwnerError(
        f"The emulator of this clone, {state_dir}, runs with {runs}, but this shell says {said}: "
        f"`unset {' '.join(other)}` (or open another shell), or `make stop` first to move it."
    )


def named(answer: Answer) -> str:
    """Say who it is that isn't this clone's."""
    if answer.folder:
        return f"the embedded AWS of {answer.folder}"
    return "something that doesn't prove to be an embedded AWS"


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise OwnerError(f"{name}={text} is no port: give a number from 1 to 65535.")
    return int(text)


def main(state_dir: str, port: str, ask_first: str = "") -> int:
    """Print for Terragrunt, as JSON, the clone's port and why it must be left alone, if it must.

    `port` is what account.hcl says, whatever that is: Terragrunt sees whether it is a number.
    """
    folder = Path(state_dir)
    environment = {name: text for name, text in os.environ.items() if name != "LOCAL_AWS_PORT"}
    if port != REMEMBERED_PORT:
        environment["LOCAL_AWS_PORT"] = port
    refusal = ""
    try:
        port = str(ports_of(folder, environment)["LOCAL_AWS_PORT"]) if port else port
        if ask_first:
            require_own(folder, environment)
    except (OwnerError, CredentialsError) as error:
        refusal = str(error)
    sys.stdout.write(json.dumps({"port": port, "refusal": refusal}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
