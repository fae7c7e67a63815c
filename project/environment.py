"""What a shell, and every tool that is run from here, must have in its environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from project import make_variables
from project.account import LOCAL, Account
from project.console import ToolchainError
from project.credentials import CredentialsError, credentials_of
from project.emulator import HOST, ports_of, require_own
from project.paths import TREE, Tree

# How variables begin that AWS's SDKs, Terraform's provider and Terragrunt take an account, an
# endpoint or a setting of either from. There is one for every service (AWS_ENDPOINT_URL_DYNAMODB),
# and a newer SDK reads more of them: so none that a person has set is kept, whatever it is.
SDK_PREFIXES = (
    "AWS_",
    "BOTO_",
    "TF_AWS_",
    "TG_AUTH_PROVIDER_CMD",
    "TG_IAM_ASSUME_ROLE",
    "TERRAGRUNT_AUTH_PROVIDER_CMD",
    "TERRAGRUNT_IAM_",
)
# Whom curl, and what is made with requests, trust.
BUNDLES = ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
# No proxy knows these. Most tools take the leading dot for every name below.
NO_PROXY = ("NO_PROXY", "no_proxy")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", ".localhost")
# What keeps an AWS client on this machine where it isn't known, or not to be asked, who answers at
# this clone's port. Nobody does at that of RFC 863.
ISOLATION: Mapping[str, str] = {
    "AWS_ENDPOINT_URL": f"http://{HOST}:9",
    # A file can name endpoints, a profile or a program that gives credentials.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


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


def require_own_emulator(tree: Tree, account: str) -> bool:
    """See that nobody else's emulator is at this clone's ports, where the account is the local one.

    Whatever talks to the emulator asks here first. False when there is none at all. Raises
    ToolchainError that names both.
    """
    if account != LOCAL:
        return True
    try:
        return require_own(tree.local_state, os.environ)
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
    settings = {
        "PATH": _search_path(tree, account_name, environment.get("PATH", "")),
        "TG_TF_PATH": "terraform",
        # Terraform asks its maker for news of versions, of which this one is pinned.
        "CHECKPOINT_DISABLE": "true",
    }
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
        **ISOLATION,
        **{name: str(port) for name, port in ports.items()},
        "AWS_ENDPOINT_URL": f"http://{HOST}:{ports['LOCAL_AWS_PORT']}",
        "AWS_ACCESS_KEY_ID": account.account_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": account.primary_region,
        # Version 1 of the AWS CLI, which is the pinned one, knows the Region by this name alone.
        "AWS_DEFAULT_REGION": account.primary_region,
        "DNS_SERVER": dns_server(tree),
        **dict.fromkeys(BUNDLES, bundle),
        # Nothing here is worth a question: it costs nothing and is rebuilt in minutes.
        "TG_NON_INTERACTIVE": "true",
    }


def without_missing_bundles(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out each bundle of certificates that isn't there: curl and pip refuse all servers then.

    The embedded AWS's is there from its first start until `make down`, and is named before that to
    tests, which begin beside the start, and after that in a shell that was given `make env`.
    """
    missing = [
        name for name in BUNDLES if name in environment and not Path(environment[name]).is_file()
    ]
    return {name: value for name, value in environment.items() if name not in missing}


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Add this machine's own names to what no proxy is asked for, in both spellings.

    A tool that reads one spelling doesn't read the other, so each has what the other has where it
    says nothing itself.
    """
    either = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return {name: _with_loopback(environment.get(name) or either) for name in NO_PROXY}


def _with_loopback(listed: str) -> str:
    # An asterisk by itself is every name; beside others it would be none.
    if listed.strip() == "*":
        return listed
    names = [name.strip() for name in listed.split(",") if name.strip()]
    return ",".join([*names, *(name for name in LOOPBACK_NAMES if name not in names)])


def settings_for(tree: Tree, account: Account, environment: Mapping[str, str]) -> dict[str, str]:
    """Join the variables for one account: tools, and for the embedded AWS the way to it alone."""
    tools = tool_settings(tree, account.name, environment)
    if account.name != LOCAL:
        return tools
    return {**tools, **emulator_variables(tree, account), **past_proxies(environment)}


def foreign(account_name: str, environment: Iterable[str]) -> list[str]:
    """Name the variables that could take a tool from the embedded AWS to somebody's account."""
    if account_name != LOCAL:
        return []
    return sorted(name for name in environment if name.startswith(SDK_PREFIXES))


def process_environment(
    tree: Tree, account: Account, environment: Mapping[str, str]
) -> dict[str, str]:
    """Build the whole environment for a tool that is run from here, the account's name included.

    What was typed for this command is not for another `make` that the tool may run.
    """
    settings = settings_for(tree, account, environment)
    return {**_kept(account.name, environment), **settings, "ACCOUNT": account.name}


def isolated_environment(tree: Tree, environment: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of what starts and stops the embedded AWS.

    It needs neither the account nor the secret, which may be why it is to be stopped.
    """
    settings = {**tool_settings(tree, LOCAL, environment), **ISOLATION, **past_proxies(environment)}
    return {**_kept(LOCAL, environment), **settings, "ACCOUNT": LOCAL}


def _kept(account_name: str, environment: Mapping[str, str]) -> dict[str, str]:
    removed = foreign(account_name, environment)
    untyped = make_variables.untyped(environment)
    return {name: value for name, value in untyped.items() if name not in removed}
