"""Patches of CloudFront; how an origin is asked is in `local.edge.origins`.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
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
    """The domain names of a distribution's origins."""
    config = cloudfront.parse_distribution_dataplane_config(distribution.document)
    return [origin["domain_name"] for origin in config["origins"].values()]


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


def forward_through(forward: Callable[[OriginRequest], OriginResponse]) -> None:
    """Ask custom origins with `forward`, which blocks, on a thread of its own.

    `forward` raises OriginTimeoutError or OriginUnreachableError. ministack dials the name that
    the system's resolver knows, at the origin's own port (443), with the system's roots, once.
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
        complete = cloudfront._origin_request_headers(
            origin, headers, client_ip, viewer_x_forwarded_for
        )
        request = OriginRequest(_origin(origin), method, uri, query_string, complete, body)
        try:
            response = forward(request)
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


def origin_attempts() -> None:
    """A distribution's connection attempts and connection timeout are not read."""
    read_origin = cloudfront._dataplane_origin

    def dataplane_origin(element: Element) -> dict[str, Any]:
        attempts = cloudfront._text(element, "ConnectionAttempts") or DEFAULT_ATTEMPTS
        seconds = cloudfront._text(element, "ConnectionTimeout") or DEFAULT_CONNECT_SECONDS
        times = {"connection_attempts": int(attempts), "connection_timeout": int(seconds)}
        return {**read_origin(element), **times}

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

    That is a fifth of what a request through the edge costs. Each reader still gets an element of
    its own, for some change theirs.
    """
    original = cloudfront._dist_config_el

    @lru_cache(maxsize=64)
    def parsed(config_xml: str) -> Element:
        element: Element = original({"config_xml": config_xml})
        return element

    def config_element(distribution: dict[str, Any]) -> Element:
        return copy.deepcopy(parsed(distribution.get("config_xml") or ""))

    cloudfront._dist_config_el = config_element


PATCHES = (origin_attempts, response_headers_policy_lists, configurations_are_parsed_once)
