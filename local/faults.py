"""Faults of a Region, set and healed on command; an emulator that starts is healthy."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.http_messages import Receive, Response

    # Its module imports ministack, which the command line does without.
    from local.patches.chain import Proceed, RequestContext

KINDS = {
    "refuse": "connections to its endpoint are refused",
    "hang": "its endpoint takes requests and never answers them",
    "error": "its endpoint answers every request with 503",
    "slow": "its endpoint waits for so many milliseconds before it lets a request in",
    "partition": "its endpoint refuses, and nothing replicates to it or from it",
    "table": "its function can't use its table",
    "lost": "its users' function's writes are done, and the first answer to each is lost",
}
SHUT = frozenset({"refuse", "partition"})
MAX_MILLISECONDS = 60_000
UNAVAILABLE: Response = (
    503,
    {"content-type": "application/json"},
    b'{"message":"Service Unavailable"}',
)
# The key ids of temporary credentials, such as a function's role has; a person's are AKIA or,
# here, an account id (IAM User Guide, reference_identifiers, "Unique identifiers").
_FUNCTIONS_CREDENTIAL = re.compile(rb"Credential=ASIA[^/]*/\d+/([a-z0-9-]+)/dynamodb/")
_WRITES = re.compile(rb"DynamoDB_\d+\.(?:(?:Put|Update|Delete|BatchWrite)Item|TransactWriteItems)")
# AWS's SDKs count their attempts in this header (botocore.handlers.add_retry_headers).
_ATTEMPT = b"amz-sdk-request"
_FIRST = re.compile(rb"\battempt=1\b")
# The Region's own row. The readiness probe writes it by calls of one attempt, its retry included:
# each of their answers would be a first one, and users would be moved away from what is tried here.
_REGIONS_ROW = re.compile(rb'"owner":\s*\{"S":\s*"region#')


class FaultError(Exception):
    """A fault that can't be set; the message says what can."""


class AbortError(Exception):
    """The connection ends here, without an answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a Region; `over` is set once it is healed or replaced."""

    kind: str
    milliseconds: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} ({self.milliseconds} ms)" if self.kind == "slow" else self.kind


def fault_of(requested: Mapping[str, Any], regions: Iterable[str]) -> tuple[str, Fault]:
    """The Region and the fault that a request asks for; raises FaultError."""
    region, kind = requested.get("region"), requested.get("kind")
    known_region(region, regions)
    if kind not in KINDS:
        raise FaultError(f"There is no fault {kind!r}. Kinds: {', '.join(KINDS)}.")
    milliseconds = requested.get("milliseconds")
    if (kind == "slow") != (milliseconds is not None):
        raise FaultError("Milliseconds go with slow, and slow needs them.")
    if kind == "slow" and not _is_wait(milliseconds):
        raise FaultError(f"Milliseconds: a whole number from 1 to {MAX_MILLISECONDS}.")
    return str(region), Fault(str(kind), milliseconds or 0)


def known_region(region: object, regions: Iterable[str]) -> None:
    """Raise FaultError unless the Region is one of these."""
    known = sorted(set(regions))
    if region not in known:
        listed = ", ".join(known) or "none is deployed yet (make up)"
        raise FaultError(f"There is no Region {region!r} here. Regions: {listed}.")


def _is_wait(milliseconds: object) -> bool:
    whole = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)
    return whole and 1 <= milliseconds <= MAX_MILLISECONDS  # type: ignore[operator]


class Faults:
    """The faults that are set now, at most one per Region; `answers_lost` is for `lost` alone."""

    def __init__(self) -> None:
        self.answers_lost = 0
        self._set: dict[str, Fault] = {}

    def at(self, region: str | None) -> Fault | None:
        """A Region's fault."""
        return self._set.get(region) if region else None

    def shuts(self, region: str) -> bool:
        """Whether a Region takes no connections."""
        fault = self.at(region)
        return fault is not None and fault.kind in SHUT

    @property
    def partitioned(self) -> frozenset[str]:
        """Regions that nothing replicates to or from."""
        return frozenset(name for name, fault in self._set.items() if fault.kind == "partition")

    def set(self, region: str, fault: Fault) -> None:
        """Break a Region, in the place of whatever was wrong with it."""
        self.heal(region)
        self._set[region] = fault

    def heal(self, region: str | None = None) -> None:
        """Heal one Region, or all; what hangs there is cut."""
        for name in [region] if region else list(self._set):
            healed = self._set.pop(name, None)
            if healed:
                healed.over.set()

    async def apply(self, context: RequestContext, proceed: Proceed) -> Response:
        """Do to a request what the Region's fault does: the first step of its way.

        Raises AbortError when the connection is to end.
        """
        fault, receive = self.at(context.region), context.receive
        match fault.kind if fault else None:
            case "refuse" | "partition":
                raise AbortError
            case "error":
                return UNAVAILABLE
            case "hang":
                assert fault
                await _wait(fault, receive, None)
                raise AbortError
            case "slow":
                assert fault
                await _wait(fault, receive, fault.milliseconds / 1000)
        return await proceed()

    def at_table(self, headers: Mapping[bytes, bytes]) -> Response | None:
        """DynamoDB's answer to a function in a Region whose table is broken, else None."""
        target = headers.get(b"x-amz-target", b"")
        if not target.startswith(b"DynamoDB_") or self._of_functions(headers) != "table":
            return None
        message = {
            "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError",
            "message": "The request could not be completed: a fault is set for this Region.",
        }
        return 500, {"content-type": "application/x-amz-json-1.0"}, json.dumps(message).encode()

    def loses_answer(self, headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Whether this is the first attempt of a user's write, whose answer is to be lost."""
        return (
            _WRITES.fullmatch(headers.get(b"x-amz-target", b"")) is not None
            and _FIRST.search(headers.get(_ATTEMPT, b"")) is not None
            and _REGIONS_ROW.search(body) is None
            and self._of_functions(headers) == "lost"
        )

    def _of_functions(self, headers: Mapping[bytes, bytes]) -> str | None:
        """The kind of fault in the Region whose table a function asks.

        Operators and Terraform, who are nobody's role here, are let through.
        """
        signed = _FUNCTIONS_CREDENTIAL.search(headers.get(b"authorization", b""))
        fault = self.at(signed.group(1).decode()) if signed else None
        return fault.kind if fault else None


async def _wait(fault: Fault, receive: Receive, seconds: float | None) -> None:
    """Wait until the fault is over, the client has gone, or the time is up."""
    either = {asyncio.create_task(fault.over.wait()), asyncio.create_task(_gone(receive))}
    try:
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in either:
            task.cancel()


async def _gone(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True
