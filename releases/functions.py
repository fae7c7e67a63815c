"""A Region's two functions, by Lambda's API: their versions, aliases and calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from project.console import ToolchainError
from releases.versions import ALIAS, KINDS, Alias, Facts, Kind, Versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Lambda publishes a version within seconds, with SnapStart within minutes (snapstart.html).
ACTIVE_SECONDS = 600.0
LOOK_AGAIN_SECONDS = 1.0


class MovedMeanwhileError(ToolchainError):
    """Somebody else has moved the alias since it was read: it is left where it is."""


class FailedVersionError(ToolchainError):
    """A version that Lambda itself could not make run."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call came to: the proxy answer's parts, names of headers in lower case.

    `error` is what went wrong where there is no answer that a gateway could pass on; the status is
    then that of the gateway, 502 (set-up-lambda-proxy-integrations, "Output format").
    `version` is the one that ran (Invoke, ExecutedVersion).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""
    version: int | None = None
    milliseconds: float = 0.0

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body, parsed; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions `<prefix>-api` and `<prefix>-health` of one Region.

    Every method raises botocore's errors as they are.
    """

    client: LambdaClient
    prefix: str
    pause: Callable[[float], object] = time.sleep

    def name(self, kind: Kind) -> str:
        """A function's name (modules/api)."""
        return f"{self.prefix}-{kind}"

    def alias(self, kind: Kind) -> Alias:
        """Read where a function's alias leads."""
        return _alias(self.client.get_alias(FunctionName=self.name(kind), Name=ALIAS))

    def aliases(self) -> dict[Kind, Alias]:
        """Read both."""
        return {kind: self.alias(kind) for kind in KINDS}

    def newest(self) -> Versions:
        """Find the newest published version of each."""
        return Versions(*(max(self.published(kind)) for kind in KINDS))

    def published(self, kind: Kind) -> list[int]:
        """Number a function's published versions. Raises ToolchainError where there is none."""
        pages = self.client.get_paginator("list_versions_by_function").paginate(
            FunctionName=self.name(kind)
        )
        found = [version["Version"] for page in pages for version in page["Versions"]]
        numbers = [int(version) for version in found if version.isdecimal()]
        if not numbers:
            raise ToolchainError(f"{self.name(kind)} has no published version.")
        return numbers

    def companion(self, api: int, otherwise: int) -> Versions:
        """Find the health function's version of the same code as one of the users' function."""
        code = self._configuration("api", api)["CodeSha256"]
        for health in sorted(self.published("health"), reverse=True):
            if self._configuration("health", health)["CodeSha256"] == code:
                return Versions(api, health)
        return Versions(api, otherwise)

    def facts(self, versions: Versions) -> dict[Kind, Facts]:
        """Read what versions are made of."""
        return {kind: Facts.of(self._configuration(kind, versions.of(kind))) for kind in KINDS}

    def await_active(self, versions: Versions, renew: Callable[[], object]) -> None:
        """Wait until versions can be called (functions-states); `renew` is called meanwhile.

        Raises FailedVersionError for one that can't ever be, ToolchainError for one that takes too
        long. An inactive one was idle, and the smoke test's first call wakes it.
        """
        for kind in KINDS:
            self._await_active(kind, versions.of(kind), renew)

    def _await_active(self, kind: Kind, version: int, renew: Callable[[], object]) -> None:
        for _ in range(int(ACTIVE_SECONDS / LOOK_AGAIN_SECONDS)):
            found = self._configuration(kind, version)
            state = found.get("State", "Active")
            if state in {"Active", "Inactive"}:
                return
            if state == "Failed":
                raise FailedVersionError(
                    f"{self.name(kind)} version {version} failed: {found.get('StateReason', '')}"
                )
            self.pause(LOOK_AGAIN_SECONDS)
            renew()
        raise ToolchainError(
            f"{self.name(kind)} version {version} is not active after {ACTIVE_SECONDS:.0f} s."
        )

    def environment(self, kind: Kind, qualifier: str) -> dict[str, str]:
        """Read a version's environment variables."""
        found = self.client.get_function_configuration(
            FunctionName=self.name(kind), Qualifier=qualifier
        )
        return found.get("Environment", {}).get("Variables", {})

    def _configuration(self, kind: Kind, version: int) -> Any:  # noqa: ANN401 - a TypedDict
        return self.client.get_function_configuration(
            FunctionName=self.name(kind), Qualifier=str(version)
        )

    def has_provisioned_concurrency(self, kind: Kind) -> bool:
        """Whether the alias has, which excludes weights.

        UpdateAlias answers then "Alias with weights can not be used with Provisioned Concurrency".
        """
        try:
            self.client.get_provisioned_concurrency_config(
                FunctionName=self.name(kind), Qualifier=ALIAS
            )
        except self.client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return False
        return True

    def move(
        self, kind: Kind, current: Alias, version: int, weights: Mapping[int, float] | None = None
    ) -> Alias:
        """Let an alias lead to a version, and give shares of its calls to others.

        Only from where it was read to lead: RevisionId. An empty map takes shares away
        (lambda-traffic-shifting-using-aliases). Raises MovedMeanwhileError where somebody else has
        moved it.
        """
        shares = dict(weights or {})
        try:
            return _alias(
                self.client.update_alias(
                    FunctionName=self.name(kind),
                    Name=ALIAS,
                    FunctionVersion=str(version),
                    RoutingConfig={
                        "AdditionalVersionWeights": {
                            str(key): share for key, share in shares.items()
                        }
                    },
                    RevisionId=current.revision,
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailedException":
                raise
            found = self.alias(kind)
        # A call whose answer was lost is sent again, and then meets what it did itself.
        if (found.version, dict(found.weights)) == (version, shares):
            return found
        raise MovedMeanwhileError(
            f"Somebody else has moved the alias {ALIAS} of {self.name(kind)}: it leads to version "
            f"{found.version}, and is left there."
        )

    def call(self, kind: Kind, qualifier: str, event: Mapping[str, Any]) -> Reply:
        """Call a version, or what an alias leads to, as the gateway does."""
        began = time.perf_counter()
        answer = self.client.invoke(
            FunctionName=self.name(kind), Qualifier=qualifier, Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        milliseconds = (time.perf_counter() - began) * 1000
        executed = answer.get("ExecutedVersion", "")
        return reply_of(
            payload,
            failed=bool(answer.get("FunctionError")),
            version=int(executed) if executed.isdecimal() else None,
            milliseconds=milliseconds,
        )


def reply_of(payload: bytes, *, failed: bool, version: int | None, milliseconds: float) -> Reply:
    """Read a proxy answer as the gateway would."""
    try:
        document = json.loads(payload or b"null")
    except ValueError:
        document = None
    if failed:
        found = document if isinstance(document, dict) else {}
        why = ": ".join(str(found[key]) for key in ("errorType", "errorMessage") if found.get(key))
        return Reply(502, error=why or "it failed", version=version, milliseconds=milliseconds)
    if not _is_proxy_answer(document):
        return Reply(
            502, error="malformed proxy answer", version=version, milliseconds=milliseconds
        )
    many = {
        name: ", ".join(each) for name, each in (document.get("multiValueHeaders") or {}).items()
    }
    headers = {**(document.get("headers") or {}), **many}
    return Reply(
        status=int(document["statusCode"]),
        headers={name.lower(): str(value) for name, value in headers.items()},
        body=document.get("body") or "",
        version=version,
        milliseconds=milliseconds,
    )


def _is_proxy_answer(document: object) -> bool:
    if not isinstance(document, dict):
        return False
    status = document.get("statusCode")
    sound = isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600
    return sound and isinstance(document.get("body") or "", str)


def _alias(found: Mapping[str, Any]) -> Alias:
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    version = found["FunctionVersion"]
    if not version.isdecimal():
        raise ToolchainError(
            f"The alias {ALIAS} leads to {version}: let it lead to a published version."
        )
    return Alias(
        version=int(version),
        weights={int(key): float(share) for key, share in weights.items() if float(share)},
        revision=found.get("RevisionId", ""),
    )
