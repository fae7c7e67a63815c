"""Says why a unit must not be worked on from here: a mistake in account.hcl, or another account.

The root terragrunt.hcl runs it while it reads a unit, so before the unit's state, its state's
bucket or any resource is looked at. Backend and provider have allowed_account_ids and say the
same again for each call of Terraform's own.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

LIVE: Final = Path(__file__).resolve().parent
LOCKS: Final = LIVE / "_units" / "provider_locks"
# Ids that documents and templates use in place of an account's own.
PLACEHOLDER: Final = re.compile(r"(\d)\1{11}|123456789012")
# What an account.hcl has to say: _defaults.hcl has no answer.
REQUIRED: Final = frozenset(
    {
        "account_id",
        "account_name",
        "callback_urls",
        "domain_name",
        "primary_region",
        "project",
        "standby_region",
    }
)
# What the embedded AWS alone says, and what a real account alone has to: its state is a file there.
EMBEDDED: Final = "embedded_aws"
STATE_REGION: Final = "state_region"
# What a former standby is still good for.
WINDING_UP: Final = frozenset({"destroy", "force-unlock", "init", "output", "show", "state"})
# The modules' own rule, so that a name that is too long is refused before any unit is applied.
NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as account.hcl and the defaults have it; settings are the names of them all."""

    folder: str
    settings: frozenset[str]
    project: str
    name: str
    id: str
    primary: str
    standby: str
    provider: str
    state: str
    former: str

    @classmethod
    def read(cls, folder: str, written: Mapping[str, object]) -> Self:
        """Take an account's settings; what isn't among them, or null, is an empty string."""
        names = (
            *("project", "account_name", "account_id", "primary_region", "standby_region"),
            *("provider_version", STATE_REGION, "former_standby_region"),
        )
        return cls(folder, frozenset(written), *(str(written.get(name) or "") for name in names))

    @property
    def file(self) -> str:
        """Where a person corrects it, relative to the repository."""
        return f"live/{self.folder}/account.hcl"

    @property
    def embedded(self) -> bool:
        """Whether it is the embedded AWS, which its units can't leave."""
        return EMBEDDED in self.settings


def check_settings(account: Account, defaults: frozenset[str]) -> str:
    """Say what account.hcl lacks, and what it says that nothing reads; empty when all is well."""
    required = REQUIRED if account.embedded else REQUIRED | {STATE_REGION}
    missing = sorted(required - account.settings)
    if missing:
        return (
            f"{account.file} doesn't say {', '.join(missing)}: live/dev/account.hcl shows what "
            "belongs there, and why."
        )
    unknown = sorted(account.settings - required - defaults - {EMBEDDED})
    if unknown:
        return (
            f"{account.file} says {', '.join(unknown)}, which nothing reads: correct the spelling, "
            "or remove it. live/_defaults.hcl has every setting."
        )
    return ""


def check_name(account: Account) -> str:
    """Say so when the prefix of every resource's name doesn't do; empty when it does."""
    name = f"{account.project}-{account.name}"
    if NAME.fullmatch(name):
        return ""
    return (
        f"{account.file}: project and account_name make the name {name}, which must be 3 to 30 "
        "lower-case letters, digits and hyphens, starting with a letter."
    )


def check_folder(account: Account, area: str, command: str) -> str:
    """Say how account.hcl and the folders around it disagree; empty when they don't."""
    if account.name != account.folder:
        return (
            f'{account.file} has account_name = "{account.name}": give it the name of its folder, '
            "or two accounts could share names."
        )
    if account.primary == account.standby:
        return (
            f"{account.file} has the same primary_region and standby_region: a Region can't stand "
            "in for itself."
        )
    if account.former in {account.primary, account.standby}:
        return (
            f"{account.file} has a former_standby_region that serves: it must be the Region that "
            "stood by before."
        )
    if area == account.former:
        return check_former(account, command)
    if area not in {"global", account.primary, account.standby}:
        return (
            f"live/{account.folder}/{area} is named for a Region that {account.file} doesn't: "
            "rename the folder, or set primary_region or standby_region to it; or "
            "former_standby_region, if it stood by until now."
        )
    return ""


def check_former(account: Account, command: str) -> str:
    """Say so when a command would do more with a former standby than end it; empty otherwise."""
    if command in WINDING_UP:
        return ""
    return (
        f"{account.former} is the former standby of {account.name}: it is changed no more. Once "
        f"the edge knows {account.standby}, `terragrunt destroy` here."
    )


def check_provider_version(account: Account) -> str:
    """Say so when nobody wrote down what the provider must hash to; empty when somebody did."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", account.provider):
        return (
            f'{account.file} has provider_version = "{account.provider}": it must be one version, '
            "such as 5.100.0, for its lock to hold."
        )
    if (LOCKS / f"aws-{account.provider}.hcl").is_file():
        return ""
    return (
        f"{account.file} has provider_version {account.provider}, but there is no "
        f"live/_units/provider_locks/aws-{account.provider}.hcl that says what it must hash to: "
        "run `make lock` where Terraform's registry can be reached, and commit the file."
    )


def check_account_id(account: Account) -> str:
    """Say what is wrong with a real account's id as it is written; empty when nothing is."""
    if PLACEHOLDER.fullmatch(account.id):
        return (
            f"{account.file} still has the placeholder account id {account.id}: put your AWS "
            "account's id there (`aws sts get-caller-identity --query Account`)."
        )
    if not re.fullmatch(r"\d{12}", account.id):
        return f'{account.file} has account_id = "{account.id}": it must be 12 digits, in quotes.'
    return ""


def check_endpoint(account: Account, environment: Mapping[str, str]) -> str:
    """Say so when the shell sends every AWS call to this machine; empty when it doesn't."""
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    host = urlsplit(endpoint).hostname or ""
    if host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost"):
        return (
            f"This shell is set up for the embedded AWS (AWS_ENDPOINT_URL={endpoint}): open "
            f"another one, with credentials of account {account.id}, to work on {account.name}."
        )
    return ""


def check_caller(account: Account) -> str:
    """Ask STS whose credentials these are; empty when they are the account's own."""
    # Here, since they take half a second, for which the embedded account has no use.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
    )

    # Where the state is: what can't be reached there can't be worked on anyway, and the primary
    # may be the Region that is lost. No long wait: somebody is sitting in front of it.
    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        sts = boto3.Session().client("sts", region_name=account.state, config=patience)
        caller = sts.get_caller_identity()
    except EndpointConnectionError as error:
        return f"AWS can't be reached to check whose account this is, so it is left alone: {error}"
    except (BotoCoreError, ClientError) as error:
        return (
            f"No valid AWS credentials for {account.name}, account {account.id}: sign in to it "
            f"(for example `aws sso login`, and AWS_PROFILE for its profile). AWS says: {error}"
        )
    if caller["Account"] == account.id:
        return ""
    return (
        f"These credentials are of account {caller['Account']} ({caller['Arn']}), but "
        f"{account.file} is for account {account.id}. Use credentials of {account.id}, or correct "
        "account_id there if the file is wrong."
    )


def refusal(account: Account, area: str, command: str, environment: Mapping[str, str]) -> str:
    """Say why a command must leave units of an area alone; empty when it need not.

    `command` is Terraform's, and destroy also for a plan or an apply that destroys.
    """
    mistake = (
        check_folder(account, area, command)
        or check_name(account)
        or check_provider_version(account)
    )
    if mistake or account.embedded:
        return mistake
    return (
        check_account_id(account) or check_endpoint(account, environment) or check_caller(account)
    )


def main(folder: str, written: str, defaults: str, command: str) -> str | int:
    """Print the refusal of a folder's units; an error when they can't even be read."""
    path = Path(folder)
    if path.parent.parent != LIVE:
        return (
            "This is no unit: use `terragrunt run --all plan`, or change into a folder "
            "live/<account>/<global or Region>/<unit>."
        )
    account = Account.read(path.parent.name, json.loads(written))
    unusable = check_settings(account, frozenset(json.loads(defaults)))
    if unusable:
        return unusable
    sys.stdout.write(refusal(account, path.name, command, os.environ))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
