"""What a shell, and every tool that is run from here, must have in its environment."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.credentials import CredentialsError, credentials_of
from toolchain import make_variables
from toolchain.cli_config import own_configuration
from toolchain.console import ToolchainError
from toolchain.paths import Tree

LOCAL = "local"
# Whatever would take a tool from the embedded AWS to somebody's real account.
FOREIGN_CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


@dataclass(frozen=True, slots=True)
class Account:
    """What an account's settings say of it, without asking AWS.

    The table's name is that of modules/data: the operator's switch has to be found when no state
    can be read.
    """

    name: str
    project: str
    account_id: str
    domain_name: str
    primary_region: str
    replica_region: str
    table_name: str


def read_settings(tree: Tree, name: str) -> dict[str, Any]:
    """Read an account's settings, the defaults of live/ among them, as Terragrunt evaluates them.

    Raises ToolchainError when there is no such account, or its file can't be read.
    """
    if not (tree.account(name) / "account.hcl").is_file():
        known = sorted(path.parent.name for path in (tree.root / "live").glob("*/account.hcl"))
        raise ToolchainError(f"There is no account {name!r}; there are: {', '.join(known)}.")
    defaults = _locals_of(tree, tree.root / "live" / "_defaults.hcl")
    return {**defaults, **_locals_of(tree, tree.account(name) / "account.hcl")}


def provider_version(tree: Tree, name: str) -> str:
    """Read the version of the AWS provider that an account pins."""
    return str(read_settings(tree, name)["provider_version"])


def _locals_of(tree: Tree, file: Path) -> dict[str, Any]:
    command = [str(tree.real_terragrunt), "render", "--format", "json", "--config", str(file)]
    try:
        done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolchainError("Nothing is installed here yet: run `make up`.") from None
    if done.returncode != 0:
        raise ToolchainError(f"{file} can't be read:\n{done.stderr.strip()}")
    settings: dict[str, Any] = json.loads(done.stdout)["locals"]
    return settings


def read_account(tree: Tree, name: str) -> Account:
    """Read who and where an account is. Raises ToolchainError when there is none."""
    settings = read_settings(tree, name)
    fields = ("project", "account_id", "domain_name", "primary_region", "replica_region")
    missing = [field for field in fields if not settings.get(field)]
    if missing:
        raise ToolchainError(f"live/{name}/account.hcl doesn't say {', '.join(missing)}.")
    return Account(
        name=name,
        table_name=settings["table_name"] or f"{settings['project']}-{name}-items",
        **{field: str(settings[field]) for field in fields},
    )


def dns_server() -> str:
    """Host and port of the embedded AWS' name server."""
    return f"127.0.0.1:{int(os.environ.get('LOCAL_DNS_PORT', '8053'))}"


def https_port() -> int:
    """Port of the embedded AWS' doors."""
    return int(os.environ.get("LOCAL_HTTPS_PORT", "8443"))


def tool_settings(tree: Tree, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that make the pinned tools the ones that run, whatever the account."""
    own = (str(tree.tools_bin), str(tree.venv / "bin"))
    rest = [entry for entry in environment.get("PATH", "").split(os.pathsep) if entry not in own]
    settings = {"PATH": os.pathsep.join([*own, *rest]), "TG_TF_PATH": "terraform"}
    if tree.terraform_rc.is_file():
        return {**settings, "TF_CLI_CONFIG_FILE": str(tree.terraform_rc)}
    configured = own_configuration(environment, Path(environment.get("HOME", "/")))
    named = environment.get("TF_CLI_CONFIG_FILE", "")
    # Terraform complains about a named file that is missing, and then ignores the usual one.
    if named and configured and Path(named) != configured:
        settings["TF_CLI_CONFIG_FILE"] = str(configured)
    return settings


def bench_settings(tree: Tree, account: Account) -> dict[str, str]:
    """Variables that lead AWS and HTTPS clients to the embedded AWS, and only there.

    Raises ToolchainError when its credentials can't be read.
    """
    try:
        secret = credentials_of(tree.local_state).secret_access_key
    except CredentialsError as error:
        raise ToolchainError(str(error)) from error
    bundle = str(tree.ca_bundle)
    port = os.environ.get("LOCAL_AWS_PORT", "4566")
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": account.account_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": account.primary_region,
        # Version 1 of the AWS CLI, which is the pinned one, knows the Region by this name alone.
        "AWS_DEFAULT_REGION": account.primary_region,
        "DNS_SERVER": dns_server(),
        "CURL_CA_BUNDLE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        # Nothing here is worth a question: it costs nothing and is rebuilt in minutes.
        "TG_NON_INTERACTIVE": "true",
    }


def settings_for(tree: Tree, account: Account, environment: Mapping[str, str]) -> dict[str, str]:
    """Join the variables for one account: tools, and for the embedded AWS its credentials."""
    bench = bench_settings(tree, account) if account.name == LOCAL else {}
    return {**tool_settings(tree, environment), **bench}


def process_environment(
    tree: Tree, account: Account, environment: Mapping[str, str]
) -> dict[str, str]:
    """Build the whole environment for a tool that is run from here, the account's name included.

    What was typed for this command is not for another `make` that the tool may run.
    """
    removed = FOREIGN_CREDENTIALS if account.name == LOCAL else ()
    kept = {
        name: value
        for name, value in environment.items()
        if name not in removed and not name.startswith(make_variables.PREFIX)
    }
    return {**kept, **settings_for(tree, account, environment), "ACCOUNT": account.name}


def shell_exports(variables: Mapping[str, str], removed: Iterable[str]) -> str:
    """Render variables as POSIX shell, safe to eval whatever they hold."""
    unset = " ".join(removed)
    lines = [f"unset {unset}"] if unset else []
    return "\n".join([*lines, *(f"export {k}={shlex.quote(v)}" for k, v in variables.items())])
