"""Patches of CloudFront; how an origin is asked is in `local.edge.origins`.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element

from ministack.services import cloudfront

from local.http_messages import Request, Response

# DownloadDistValuesOrigin: 3 attempts of 10 seconds, unless the origin says otherwise.
DEFAULT_ATTEMPTS = 3
DEFAULT_CONNECT_SECONDS = 10
# The same page: a connection may be idle for so many seconds.
DEFAULT_KEEPALIVE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution; `names` are its aliases, then CloudFront's own `domain_name`.

    `document` is the distribution as ministack keeps it, for this module.
    """

    id: str
    arn: str
    domain_name: str
    names: tuple[str, ...]
    document: dict[str, Any] = field(repr=False, compare=False)

    @property
    def account(self) -> str:
        """The account that the distribution is in."""
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class Origin:
    """A custom origin; times in seconds, `connection_timeout` for each of the attempts."""

    domain_name: str
    connection_attempts: int
    connection_timeout: float
    read_timeout: float
    keepalive_timeout: float


@dataclass(frozen=True, slots=True)
class OriginRequest:
    """What an origin is sent, its headers complete."""

    origin: Origin
    method: str
    uri: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class OriginResponse:
    """What an origin answers; a header that is sent twice is there twice."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """Origins of a distribution to try in turn, and the statuses on which the next is tried."""

    origin_ids: tuple[str, ...]
    status_codes: frozenset[int]


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What a CloudFront Function returned, and the group of origins that it made, if it did."""

    value: Any
    group: OriginGroup | None


@dataclass(frozen=True, slots=True)
class ChosenOrigins:
    """What a function left for the request's way to an origin.

    `documents` are the group's origins as ministack keeps them, for this module; without any it is
    the behaviour's own origin.
    """

    documents: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    fails_over_on: frozenset[int] = frozenset()


class FunctionError(Exception):
    """A CloudFront Function threw, or asked for what it can't have: CloudFront answers 503."""


class OriginTimeoutError(Exception):
    """The origin took too long: CloudFront answers 504."""


class OriginUnreachableError(Exception):
    """There is no origin to ask, or it hung up: CloudFront answers 502."""


def distributions() -> list[Distribution]:
    """Every enabled distribution."""
    return [
        _distribution(document)
        for document in cloudfront._distributions.values()
        if document["enabled"]
    ]


def _distribution(document: dict[str, Any]) -> Distribution:
    domain_name, aliases = document["DomainName"], cloudfront._get_distribution_aliases(document)
    return Distribution(
        id=document["Id"],
        arn=document["ARN"],
        domain_name=domain_name,
        names=(*aliases, domain_name),
        document=document,
    )


def origin_names(distribution: Distribution) -> list[str]:
    """The domain names of a distribution's origins, each once."""
    config = cloudfront.parse_distribution_dataplane_config(distribution.document)
    return sorted({origin["domain_name"] for origin in config["origins"].values()})


def web_acl_arn(distribution: Distribution) -> str:
    """The ARN of the web ACL that protects a distribution; empty where there is none."""
    config = cloudfront._dist_config_el(distribution.document)
    return str(cloudfront._text(config, "WebACLId") or "")


async def viewer_request(distribution: Distribution, request: Request) -> Response:
    """What a distribution's behaviours answer to a viewer, who came over HTTPS."""
    response: Response = await cloudfront.handle_viewer_request(
        distribution.document, request.method, request.path, request.raw_path, request.query,
        {**request.headers, "x-forwarded-proto": "https"}, request.body,
        parse_qs(request.query, keep_blank_values=True), request.client,
    )  # fmt: skip
    return response


def new_request_id() -> str:
    """An `x-amz-cf-id`."""
    return str(cloudfront._cf_request_id())


def blocked_page() -> Response:
    """CloudFront's answer to what a web ACL blocks."""
    return _error_page(403, "Request blocked.")


def bad_request_page() -> Response:
    """CloudFront's answer to a request that it refuses for its form."""
    return _error_page(403, "Bad request.")


def too_large_page() -> Response:
    """CloudFront's answer to a body that it doesn't take."""
    return _error_page(413, "The request entity is too large.")


def _error_page(status: int, explanation: str) -> Response:
    page: Response = cloudfront._cf_error_response(status, explanation, cloudfront._ERROR_X_CACHE)
    return page


def custom_block(status: int, headers: Mapping[str, str], body: bytes) -> Response:
    """The answer that a web ACL's rule gives by itself, with CloudFront's own headers."""
    completed = cloudfront._add_cloudfront_headers(
        dict(headers), cloudfront._ERROR_X_CACHE, edge_server=True
    )
    return status, completed, body


def run_functions_with(
    run: Callable[[str, Mapping[str, Any]], FunctionResult], choose: Callable[[ChosenOrigins], None]
) -> None:
    """Run CloudFront Functions with `run`, and leave the origins of a group to `choose`.

    `run` takes the deployed code and the event, and raises FunctionError. ministack runs them with
    Node, which a machine may not have, and knows no helpers for origins.
    """

    async def run_function(function_arn: str, event: dict[str, Any]) -> Any:  # noqa: ANN401
        code = cloudfront.live_function_code(function_arn)
        if code is None:
            raise cloudfront.CloudFrontFunctionError(f"{function_arn} is not published")
        try:
            result = await asyncio.to_thread(run, code.decode(), event)
            choose(_chosen(event["context"]["distributionId"], result.group))
        except FunctionError as error:
            raise cloudfront.CloudFrontFunctionError(str(error)) from error
        return result.value

    cloudfront._run_function = run_function


def _chosen(distribution: str, group: OriginGroup | None) -> ChosenOrigins:
    """The group's origins. Raises FunctionError for one that the distribution doesn't have."""
    if group is None:
        return ChosenOrigins()
    document = cloudfront._distributions[distribution]
    origins = cloudfront.parse_distribution_dataplane_config(document)["origins"]
    unknown = [name for name in group.origin_ids if name not in origins]
    if unknown:
        raise FunctionError(f"the distribution has no origin {unknown[0]}")
    return ChosenOrigins(tuple(origins[name] for name in group.origin_ids), group.status_codes)


Forward = Callable[[Sequence[OriginRequest], Collection[int]], OriginResponse]


def forward_through(forward: Forward, chosen: Callable[[], ChosenOrigins | None]) -> None:
    """Ask custom origins with `forward`, which blocks, on a thread of its own.

    It gets the request for each origin in turn, and the statuses on which the next is asked; it
    raises OriginTimeoutError or OriginUnreachableError. `chosen` gives what a function has left,
    None where none ran. ministack dials the name that the system's resolver knows, at the origin's
    own port (443), with the system's roots, once.
    """

    def forward_to_origin(  # noqa: PLR0913, PLR0917 - ministack's own
        origin: dict[str, Any],
        method: str,
        uri: str,
        query_string: str,
        headers: dict[str, str],
        body: bytes,
        _viewer_is_https: bool,
        client_ip: str = "127.0.0.1",
        viewer_x_forwarded_for: str = "",
    ) -> tuple[int, str, Sequence[tuple[str, str]], bytes]:
        choice = chosen()

        def request(document: dict[str, Any]) -> OriginRequest:
            complete = cloudfront._origin_request_headers(
                document, headers, client_ip, viewer_x_forwarded_for
            )
            return OriginRequest(_origin(document), method, uri, query_string, complete, body)

        documents = (choice and choice.documents) or (origin,)
        fails_over_on = choice.fails_over_on if choice else frozenset()
        try:
            response = forward([request(each) for each in documents], fails_over_on)
        except OriginTimeoutError as error:
            raise cloudfront.OriginTimeout(str(error)) from error
        except OriginUnreachableError as error:
            raise cloudfront.OriginUnreachable(str(error)) from error
        return response.status, response.reason, response.headers, response.body

    cloudfront._forward_to_origin = forward_to_origin


def _origin(document: dict[str, Any]) -> Origin:
    return Origin(
        domain_name=document["domain_name"],
        connection_attempts=document["connection_attempts"],
        connection_timeout=document["connection_timeout"],
        read_timeout=document["read_timeout"],
        keepalive_timeout=document["keepalive_timeout"],
    )


def one_request_id(current: Callable[[], str | None]) -> None:
    """Each header of one request gets another `x-amz-cf-id`.

    CloudFront's is one: what the viewer sees, the origin gets and the log keeps. `current` gives
    that of the request being answered, None outside of one.
    """
    new_id = cloudfront._cf_request_id

    def cf_request_id() -> str:
        return current() or str(new_id())

    cloudfront._cf_request_id = cf_request_id


def origin_timeouts() -> None:
    """An origin's connection attempts, connection timeout and keep-alive timeout are not read."""
    read_origin = cloudfront._dataplane_origin

    def dataplane_origin(element: Element) -> dict[str, Any]:
        attempts = cloudfront._text(element, "ConnectionAttempts") or DEFAULT_ATTEMPTS
        seconds = cloudfront._text(element, "ConnectionTimeout") or DEFAULT_CONNECT_SECONDS
        own = cloudfront._find(element, "CustomOriginConfig")
        idle = cloudfront._text(own, "OriginKeepaliveTimeout") if own is not None else ""
        return {
            **read_origin(element),
            "connection_attempts": int(attempts),
            "connection_timeout": int(seconds),
            "keepalive_timeout": int(idle or DEFAULT_KEEPALIVE_SECONDS),
        }

    cloudfront._dataplane_origin = dataplane_origin


def has_additional_metrics(distribution: str) -> bool:
    """Whether the distribution has a monitoring subscription."""
    subscription = cloudfront._distributions[distribution].get("MonitoringSubscription") or {}
    return bool(subscription.get("RealtimeMetricsSubscriptionStatus") == "Enabled")


def response_headers_policy_lists() -> None:
    """A response headers policy reads back empty lists of headers that it never had.

    AWS leaves `CustomHeadersConfig` and `RemoveHeadersConfig` out; where they stand empty,
    Terraform reads empty blocks and wants to take them away again.
    """
    original = cloudfront._build_rhp_config_xml

    def build(parent: Element, config: dict[str, Any]) -> None:
        original(parent, config)
        for name, block in (
            ("CustomHeaders", "CustomHeadersConfig"),
            ("RemoveHeaders", "RemoveHeadersConfig"),
        ):
            element = cloudfront._find(parent, block)
            if element is not None and not config[name]:
                parent.remove(element)

    cloudfront._build_rhp_config_xml = build


def configurations_are_parsed_once() -> None:
    """Every request parses its distribution's configuration several times over.

    That is a fifth of what a request through the edge costs, and a copy of what was parsed is a
    sixth. Who reads an element still gets one of its own, for some change theirs; what requests
    need of it is read once, and changed by nobody.
    """
    original = cloudfront._dist_config_el

    @lru_cache(maxsize=64)
    def parsed(config_xml: str) -> Element:
        element: Element = original({"config_xml": config_xml})
        return element

    def config_element(distribution: dict[str, Any]) -> Element:
        return copy.deepcopy(parsed(distribution.get("config_xml") or ""))

    cloudfront._dist_config_el = config_element
    for reader in ("parse_distribution_dataplane_config", "_get_distribution_aliases"):
        setattr(cloudfront, reader, _read_once(getattr(cloudfront, reader)))


def _read_once(read: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    @lru_cache(maxsize=64)
    def found(config_xml: str) -> Any:  # noqa: ANN401 - what the reader gives
        return read({"config_xml": config_xml})

    return lambda distribution: found(distribution.get("config_xml") or "")


PATCHES = (origin_timeouts, response_headers_policy_lists, configurations_are_parsed_once)
