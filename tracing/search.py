"""Looks for one request everywhere, each id that is found leading to further ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from project.account import Account
from project.console import ToolchainError
from tracing.identifiers import Line, named_by, traces
from tracing.logs import SavedQuery, saved_query
from tracing.spans import Span, tree

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_xray import XRayClient

# CloudFront's logs are there alone.
EDGE_REGION = "us-east-1"
QUERY = "one request"
# BatchGetTraces takes no more at a time.
TRACES_AT_ONCE = 5
# A Region may be gone: nothing waits for it for long.
QUICK = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 3})
UNANSWERED = (BotoCoreError, ClientError, ToolchainError)


@dataclass(slots=True)
class Found:
    """What is known of a request: its ids, lines and spans; `silent` says who couldn't be asked."""

    ids: set[str]
    lines: list[Line] = field(default_factory=list)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


def follow(account: Account, identifier: str, minutes: int) -> Found:
    """Find what the last minutes' logs, and X-Ray, have of a request.

    A Region that can't be asked is left out and named. Raises ToolchainError when none can be.
    """
    found = Found({identifier})
    prefix = f"{account.project}-{account.name}"
    regions = (account.primary_region, account.standby_region)
    places = {f"{prefix}/{region}/{QUERY}": region for region in regions}
    places[f"{prefix}/edge/{QUERY}"] = EDGE_REGION
    queries = [query for name, region in places.items() if (query := _query(found, name, region))]
    asked: set[str] = set()
    while new := sorted(found.ids - asked):
        asked |= set(new)
        # Who doesn't answer once isn't asked again.
        queries = [query for query in queries if _add_lines(found, query, new, minutes)]
    if len(found.silent) == len(places):
        raise ToolchainError("\n".join(found.silent))
    for region in regions:
        _add_spans(found, region)
    return found


def _query(found: Found, name: str, region: str) -> SavedQuery | None:
    client: CloudWatchLogsClient = boto3.Session().client("logs", region_name=region, config=QUICK)
    try:
        return saved_query(client, region, name)
    except UNANSWERED as error:
        found.silent.append(f"{name}: {error}")
        return None


def _add_lines(found: Found, query: SavedQuery, ids: Iterable[str], minutes: int) -> bool:
    """Add what a query finds; whether it answered."""
    try:
        lines = [line for each in ids for line in query.lines(each, minutes)]
    except UNANSWERED as error:
        found.silent.append(f"{query.name}: {error}")
        return False
    # The same line is found by each of its ids.
    for line in lines:
        if line not in found.lines:
            found.lines.append(line)
    found.ids |= named_by(lines)
    return True


def _add_spans(found: Found, region: str) -> None:
    client: XRayClient = boto3.Session().client("xray", region_name=region, config=QUICK)
    ids = traces(found.ids)
    try:
        for at in range(0, len(ids), TRACES_AT_ONCE):
            answer = client.batch_get_traces(TraceIds=ids[at : at + TRACES_AT_ONCE])
            for trace in answer["Traces"]:
                documents = [segment["Document"] for segment in trace["Segments"]]
                found.spans[f"{trace['Id']} ({region})"] = tree(documents)
    except UNANSWERED as error:
        found.silent.append(f"X-Ray in {region}: {error}")


def ordered(lines: Sequence[Line]) -> list[Line]:
    """Put lines in the order of the layers that a request comes through."""
    layers = ("edge", "gateway", "function")
    return sorted(lines, key=lambda line: (layers.index(line.layer), line.region, line.at))
