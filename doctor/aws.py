"""Clients of AWS by the caller's credentials, and what an answer that doesn't come means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from doctor.finding import Finding, Verdict, not_known
from project.account import LOCAL, Account
from project.environment import emulator_variables
from project.paths import Tree

# Route 53's, CloudFront's and the account's own API, and the metrics of the first two.
GLOBAL_REGION = "us-east-1"
# A Region may be gone: nothing waits for it for long.
QUICK = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3})
UNANSWERED = (BotoCoreError, ClientError)
UNREACHABLE = (NoConnectionError, HTTPClientError)
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


@dataclass(frozen=True, slots=True)
class Aws:
    """One account's APIs. `options` are given to each client: the emulator's endpoint and key."""

    on_emulator: bool
    options: dict[str, str] = field(default_factory=dict, repr=False)
    _session: Any = field(default_factory=boto3.session.Session, repr=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def client(self, service: str, region: str = GLOBAL_REGION) -> Any:  # noqa: ANN401 - of any service
        """Give a service's client."""
        # A session, which makes clients, is not for several threads; a client is.
        with self._making:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service, region_name=region, config=QUICK, **self.options
                )
            return self._clients[service, region]

    def partition(self, region: str) -> str:
        """Name the partition that a Region is in, as ARNs have it."""
        return str(self._session.get_partition_for_region(region))

    def attempt(self, subject: str, look: Callable[[], Finding]) -> Finding:
        """Look; what AWS doesn't answer is a finding as well."""
        try:
            return look()
        except UNANSWERED as error:
            return unanswered(subject, error, on_emulator=self.on_emulator)


def of_account(tree: Tree, account: Account) -> Aws:
    """Reach an account. The embedded one is reached by its endpoint and key, whatever a shell says.

    Raises ToolchainError when the emulator's credentials can't be read.
    """
    if account.name != LOCAL:
        return Aws(on_emulator=False)
    variables = emulator_variables(tree, account)
    options = {
        "endpoint_url": variables["AWS_ENDPOINT_URL"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
    return Aws(on_emulator=True, options=options)


def unanswered(subject: str, error: BotoCoreError | ClientError, *, on_emulator: bool) -> Finding:
    """Say that nobody could look, and what would help.

    What the emulator doesn't have isn't known there, and nothing to be put right.
    """
    if on_emulator and not isinstance(error, UNREACHABLE):
        return not_known(subject, "the embedded AWS doesn't have this")
    do = "try again, and see whether AWS has trouble there"
    if code(error) in DENIED:
        do = "use credentials that may: docs/deployment-guide.md#doctor lists the actions"
    return Finding(
        subject, Verdict.NOT_KNOWN, f"nobody looked: {one_line(error)}", do, refused=True
    )


def code(error: Exception) -> str:
    """Give the code of AWS's error; empty when it is no answer of AWS's."""
    response: Any = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def one_line(error: Exception) -> str:
    """Give an error's text without its line breaks."""
    return " ".join(str(error).split())
