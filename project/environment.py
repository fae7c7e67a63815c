"""What a shell, and every tool that is run from here, must have in its environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from project import make_variables
from project.account import LOCAL, Account
from project.console import ToolchainError
from project.credentials import CredentialsError, credentials_of
from project.emulator import HOST, ports_of, require_own
from project.paths import TREE, Tree

# Whatever would take a tool from the embedded AWS to somebody's real account.
FOREIGN_CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def own_configuration(environment: Mapping[str, str], home: Path) -> Path | None:
    """Find the configuration that the person has made, if any.

    A variable that names a missing file counts as none: Terraform would only warn about it.
    """
    named = (environment.get(name, "") for name in ("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"))
    directory = home / ".terraform.d"
    fragments = (*directory.glob("*.tfrc"), *directory.glob("*.terraformrc"))
    places = (*(Path(name) for name in named if name), home / ".terraformrc", *fragments)
    return next((place for place in places if place.is_file()), None)


def dns_server(tree: Tree = TREE) -> str:
    """Host and port of the embedded AWS' name server. Raises ToolchainError for no port."""
    return f"{HOST}:{ports_of(tree.local_state, os.environ)['LOCAL_DNS_PORT']}"


def https_port(tree: Tree = TREE) -> int:
    """Port of the regional endpoints. Raises ToolchainError for no port."""
    return ports_of(tree.local_state, os.environ)["LOCAL_HTTPS_PORT"]


def require_own_emulator(tree: Tree, account: str) -> None:
    """See that nobody else's emulator is at this clone's ports, where the account is the local one.

    Whatever talks to the emulator asks here first. Raises ToolchainError that names both.
    """
    if account != LOCAL:
        return
    try:
        require_own(tree.local_state, os.environ)
    except CredentialsError as error:
        raise ToolchainError(str(error)) from error


def _search_path(tree: Tree, account_name: str, path: str) -> str:
    # Version 1 of the AWS CLI, the pinned one, has no `aws sso login`: on a real account the
    # person's own comes before it, also for a profile's credential_process.
    tools, python = str(tree.tools_bin), str(tree.venv / "bin")
    rest = [entry for entry in path.split(os.pathsep) if entry not in (tools, python)]
    order = [tools, python, *rest] if account_name == LOCAL else [tools, *rest, python]
    return os.pathsep.join(order)


def tool_settings(tree: Tree, account_name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that make the pinned Terragrunt and Terraform the ones that run."""
    path = _search_path(tree, account_name, environment.get("PATH", ""))
    settings = {"PATH": path, "TG_TF_PATH": "terraform"}
    if tree.terraform_rc.is_file():
        return {**settings, "TF_CLI_CONFIG_FILE": str(tree.terraform_rc)}
    configured = own_configuration(environment, Path(environment.get("HOME", "/")))
    named = environment.get("TF_CLI_CONFIG_FILE", "")
    # Terraform complains about a named file that is missing, and then ignores the usual one.
    if named and configured and Path(named) != configured:
        settings["TF_CLI_CONFIG_FILE"] = str(configured)
    return settings


def emulator_variables(tree: Tree, account: Account) -> dict[str, str]:
    """Variables that lead AWS and HTTPS clients to the embedded AWS, and only there.

    Raises ToolchainError when its credentials can't be read.
    """
    try:
        secret = credentials_of(tree.local_state).secret_access_key
    except CredentialsError as error:
        raise ToolchainError(str(error)) from error
    bundle = str(tree.ca_bundle)
    ports = ports_of(tree.local_state, os.environ)
    return {
        **{name: str(port) for name, port in ports.items()},
        "AWS_ENDPOINT_URL": f"http://{HOST}:{ports['LOCAL_AWS_PORT']}",
        "AWS_ACCESS_KEY_ID": account.account_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": account.primary_region,
        # Version 1 of the AWS CLI, which is the pinned one, knows the Region by this name alone.
        "AWS_DEFAULT_REGION": account.primary_region,
        "DNS_SERVER": dns_server(tree),
        "CURL_CA_BUNDLE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        # Nothing here is worth a question: it costs nothing and is rebuilt in minutes.
        "TG_NON_INTERACTIVE": "true",
    }


def settings_for(tree: Tree, account: Account, environment: Mapping[str, str]) -> dict[str, str]:
    """Join the variables for one account: tools, and for the embedded AWS its credentials."""
    emulator = emulator_variables(tree, account) if account.name == LOCAL else {}
    return {**tool_settings(tree, account.name, environment), **emulator}


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
